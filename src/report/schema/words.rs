//! Texts and numbers of a fixed form, as the JSON Schemas tell them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::report::ExitCode;

/// Texts that are `String`s in the records and have a form of their own in the schema.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident: $pattern:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(in crate::report) enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "type": "string",
                    "pattern": $pattern,
                })
            }
        }
    )+};
}

texts! {
    /// A time: RFC 3339 in UTC.
    Time: r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$";
    /// A SHA-256 in hexadecimal.
    Sha256: "^[0-9a-f]{64}$";
    /// An HTTP status; `unanswered` where none came.
    HttpStatus: "^([1-9][0-9]{2}|unanswered)$";
}

/// What a process may end with; `null` while it runs.
pub(in crate::report) fn exit_codes(_: &mut SchemaGenerator) -> Schema {
    let mut codes = ExitCode::WORST_FIRST.map(ExitCode::code);
    codes.sort_unstable();
    one_of(codes.map(Value::from))
}

/// The signals that end a run; `null` where none came.
pub(super) fn signals(_: &mut SchemaGenerator) -> Schema {
    let signals = ExitCode::WORST_FIRST.into_iter();
    one_of(signals.filter_map(ExitCode::signal).map(Value::from))
}

fn one_of(values: impl IntoIterator<Item = Value>) -> Schema {
    let values: Vec<Value> = values.into_iter().chain([Value::Null]).collect();
    json_schema!({ "enum": values })
}
