//! From types to JSON Schema documents.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema, draft-07, of what `T` is written as: what is absent is `null`, and nothing is
/// there that the type does not have. `what` and `version` name it.
pub(in crate::report) fn document<T: JsonSchema>(what: &str, version: u32) -> Value {
    let settings = SchemaSettings::draft07()
        .for_serialize()
        .with_transform(RecursiveTransform(closed));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert(
        "$id".to_owned(),
        format!("urn:s3sync:schema:{what}:v{version}").into(),
    );
    schema.insert(
        "title".to_owned(),
        format!("s3sync {what}, version {version}").into(),
    );
    schema.to_value()
}

/// Objects have no other keys than those they are written with. The widths of Rust's integers are
/// nothing a reader of JSON knows, and where a comment was broken into lines no matter.
fn closed(schema: &mut Schema) {
    let is_width = |format: &str| format.starts_with("uint") || format.starts_with("int");
    if text_of(schema, "format").is_some_and(is_width) {
        schema.remove("format");
    }
    if let Some(lines) = text_of(schema, "description").map(str::lines) {
        let line = lines.collect::<Vec<_>>().join(" ");
        schema.insert("description".to_owned(), line.into());
    }
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

fn text_of<'a>(schema: &'a Schema, keyword: &str) -> Option<&'a str> {
    schema.get(keyword).and_then(Value::as_str)
}
