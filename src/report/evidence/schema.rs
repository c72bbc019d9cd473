//! The JSON Schema of evidence.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::file::Trailer;
use super::line::{Line, VERSION};
use crate::report::schema::document;

/// The JSON Schema of each line of an evidence file.
pub fn evidence_schema() -> serde_json::Value {
    document::<AnyLine>("evidence", VERSION)
}

/// A line about an object, or the last line.
enum AnyLine {}

impl JsonSchema for AnyLine {
    fn schema_name() -> Cow<'static, str> {
        "AnyLine".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One line of a pair's evidence, `pairs/<name>.objects.ndjson` in the \
                run's directory: what became of an object, or the trailer that ends the file.",
            "oneOf": [
                generator.subschema_for::<Line<'static>>(),
                generator.subschema_for::<Trailer>(),
            ],
        })
    }
}
