/*! The JSON Schema of job files, for editors: made from the option table.

What a schema can tell is a subset of what `validate` tells. Keywords of JSON Schema hold for one
type each (`pattern` for text, `minimum` for numbers, `properties` for tables), so a value that may
be written in several ways is one schema with several types, and an editor's complaint names what
is wrong instead of saying that nothing fits.
*/

use serde_json::{Map, Value, json};

use super::option::{Kind, OptionRow, Scope};
use super::options::{self, OPTIONS};

/// The JSON Schema, draft-07, of job files.
pub fn job_schema() -> Value {
    let mut root = table("", &[Scope::Job, Scope::File]);
    root["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    root["$id"] = "urn:s3sync:schema:job:v1".into();
    root["title"] = "s3sync job file, version 1".into();
    root["description"] =
        "What to synchronize, and how; `s3sync validate FILE` checks what a schema cannot.".into();
    root["properties"]["defaults"] = described(
        table("", &[Scope::Pair]),
        "options that every pair starts from",
    );
    root["properties"]["pairs"] = json!({
        "description": "the pairs by their names; they run in the order of the file",
        "type": "object",
        "patternProperties": { PAIR_NAME: { "$ref": "#/definitions/pair" } },
        "propertyNames": { "maxLength": 63 },
        "additionalProperties": false,
    });
    let pair = table("", &[Scope::Pair, Scope::PairOnly]);
    root["definitions"] = json!({ "pair": described(pair, "a source, a target, and options") });
    root
}

/// What pairs may be called.
const PAIR_NAME: &str = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$";

/// A number and a unit of bytes.
const SIZE: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*([KkMmGgTtPpEe][iI]?)?B?\s*$";

/// A number and a unit of time.
const DURATION: &str = r"^\s*(0|[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d))\s*$";

/// A time: TOML's own, which tools show as text, or a text.
const TIME: &str = r"^\s*([+-]\d{2})?\d{4}-?\d{2}-?\d{2}[Tt ]\d{2}";

/// A URL, its scheme in either case.
const ENDPOINT: &str = r"^[hH][tT][tT][pP][sS]?://[^/?#:\s\u0000-\u001f\u007f-\u009f][^\s\u0000-\u001f\u007f-\u009f]*$";

/// A name that can be a folder's.
const NAME: &str = r"^[^./\\\u0000-\u001f\u007f-\u009f][^/\\\u0000-\u001f\u007f-\u009f]{0,199}$";

/// A text that becomes something else before it is read.
const INTERPOLATED: &str = r"\$\{";

/// TOML's largest integer; a larger limit is none.
const LARGEST: u64 = i64::MAX as u64;

/// The table of all options below a prefix (empty, or ending in a dot).
fn table(prefix: &str, scopes: &[Scope]) -> Value {
    let mut properties = Map::new();
    for row in OPTIONS.iter().filter(|row| scopes.contains(&row.scope)) {
        let Some(rest) = row.path.strip_prefix(prefix) else {
            continue;
        };
        match rest.split_once('.') {
            None => {
                properties.insert(rest.to_owned(), option(row));
            }
            Some((name, _)) if !properties.contains_key(name) => {
                let inner = branch(&format!("{prefix}{name}"), scopes);
                properties.insert(name.to_owned(), inner);
            }
            Some(_) => {}
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A table, or the shorthand for its first option.
fn branch(path: &str, scopes: &[Scope]) -> Value {
    let inner = table(&format!("{path}."), scopes);
    let unfolded = options::unfold(path);
    match options::find(unfolded) {
        Some(row) if unfolded != path => either(option(row), &inner),
        Some(_) | None => inner,
    }
}

/// One option: what it takes, what it means, and its value when nobody says one.
fn option(row: &OptionRow) -> Value {
    let mut schema = described(takes(row), row.help);
    if let Some(default) = row.default {
        schema["default"] = if allows(&schema, "string") {
            default.into()
        } else {
            serde_json::from_str(default).expect("numbers, booleans, lists: JSON has them too")
        };
    }
    schema
}

/// What an option takes in a job file.
fn takes(row: &OptionRow) -> Value {
    match row.kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Number { min, max } => bounded(json!({ "type": "integer" }), min, max),
        // a bare number is bytes
        Kind::Size { min, max } => {
            either(bounded(json!({ "type": "integer" }), min, max), &text(SIZE))
        }
        Kind::Duration { .. } => text(DURATION),
        Kind::Time => text(TIME),
        Kind::Text | Kind::Header | Kind::Path => json!({ "type": "string", "minLength": 1 }),
        Kind::Name => text(NAME),
        Kind::Location => text("^(s3://.|(?!.*://).)"),
        Kind::Redirect => text("^(/|https?://)"),
        Kind::Endpoint => text(ENDPOINT),
        Kind::Word(words) => one_of(words.iter()),
        Kind::Secret | Kind::SecretKey => {
            either(json!({ "type": "string", "minLength": 1 }), &elsewhere())
        }
        Kind::Pairs => list(text(PAIR_NAME)),
        Kind::Words(words) => list(one_of(words.iter())),
        Kind::Regexes | Kind::Globs | Kind::Files | Kind::Program => {
            list(json!({ "type": "string" }))
        }
        Kind::Metadata | Kind::Tags | Kind::Variables => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Hooks => list(table(&format!("{}.", row.path), &[Scope::Hook])),
    }
}

/// Text of a form, or text that becomes it.
fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{pattern}|{INTERPOLATED}") })
}

/// One of some words, or text that becomes it. `anyOf` lets everything through: it is where editors
/// look for words to offer. What is complained of is said by `else`, which names them.
fn one_of<'a>(words: impl Iterator<Item = &'a &'static str>) -> Value {
    let words: Vec<_> = words.collect();
    json!({
        "type": "string",
        "anyOf": [{ "enum": words }, { "type": "string" }],
        "if": { "pattern": INTERPOLATED },
        "else": { "enum": words },
    })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// Where a secret is kept: `{ env = "NAME" }` or `{ file = "path" }`.
fn elsewhere() -> Value {
    json!({
        "type": "object",
        "properties": {
            "env": { "description": "the environment variable that has it", "type": "string", "minLength": 1 },
            "file": { "description": "the file that has it", "type": "string", "minLength": 1 },
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    })
}

fn bounded(mut number: Value, min: u64, max: u64) -> Value {
    number["minimum"] = min.into();
    if max <= LARGEST {
        number["maximum"] = max.into();
    }
    number
}

fn described(mut schema: Value, text: &str) -> Value {
    schema["description"] = text.into();
    schema
}

/// What fits one of two schemas of different types.
fn either(mut one: Value, other: &Value) -> Value {
    let types = [&one["type"], &other["type"]].map(Clone::clone);
    for (keyword, value) in other.as_object().into_iter().flatten() {
        one[keyword] = value.clone();
    }
    one["type"] = types.to_vec().into();
    one
}

fn allows(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema of an option in a table.
    fn at<'s>(table: &'s Value, path: &str) -> Option<&'s Value> {
        path.split('.')
            .try_fold(table, |table, key| table["properties"].get(key))
    }

    #[test]
    fn every_option_stands_in_its_tables_and_takes_its_own_default() {
        let schema = job_schema();
        let items = &schema["properties"]["hooks"]["items"];
        let hook = json!({ "properties": { "hooks": items } });
        let tables = [
            (&schema, &[Scope::Job, Scope::File][..]),
            (&schema["properties"]["defaults"], &[Scope::Pair]),
            (&hook, &[Scope::Hook]),
            (
                &schema["definitions"]["pair"],
                &[Scope::Pair, Scope::PairOnly],
            ),
        ];
        for row in OPTIONS {
            for (table, scopes) in tables {
                let option = at(table, row.path);
                let is_there = option.is_some_and(|option| option.get("description").is_some());
                assert_eq!(is_there, scopes.contains(&row.scope), "{}", row.path);
                let Some(default) = option.and_then(|option| option.get("default")) else {
                    continue;
                };
                assert!(
                    jsonschema::draft7::is_valid(option.expect("it has a default"), default),
                    "{} = {default}",
                    row.path
                );
            }
        }
    }

    #[test]
    fn pair_names_are_those_that_are_read() {
        let schema = json!({ "type": "string", "pattern": PAIR_NAME, "maxLength": 63 });
        for name in [
            "a",
            "file_server2",
            "A",
            "2nd",
            "a__b",
            "a_",
            "_a",
            "a-b",
            "",
            "ä",
        ] {
            let is_legal = super::super::pairs::name_problem(name).is_none();
            let fits = jsonschema::draft7::is_valid(&schema, &name.into());
            assert_eq!(fits, is_legal, "{name:?}");
        }
    }

    #[test]
    fn what_is_read_fits() {
        use super::super::setting::from_text;
        let is_read = |path: &str, said: &str| {
            let row = options::find(path).expect(path);
            from_text(row, said, std::path::Path::new("/")).is_ok()
        };
        let fits = |path: &str, said: &str| {
            let row = options::find(path).expect(path);
            jsonschema::draft7::is_valid(&takes(row), &said.into())
        };
        for said in [
            "http://localhost:9000",
            "HTTPS://s3.example.com/p?q",
            "http://[::1]:9000",
            "ftp://x",
            "s3.example.com",
            "http://",
            "http:///x",
            "http://:9000",
            "http://a b",
            "http://a\u{7f}",
        ] {
            let path = "target.endpoint_url";
            assert_eq!(fits(path, said), is_read(path, said), "{said}");
        }
        for said in [
            "2026-01-31T23:59:59Z",
            "2026-01-31 23:59:59.5+01:00",
            "2026-01-31t23:59:59 z",
            "2026-01-31T23:59Z",
            "2026-01-31T23Z",
            "20260131T235959Z",
            "+002026-01-31T23:59:59Z",
        ] {
            assert!(is_read("metadata.expires", said), "{said}");
            assert!(fits("metadata.expires", said), "{said}");
        }
        for said in ["2026-01-31", "now", "1676808000"] {
            assert!(!fits("metadata.expires", said), "{said}");
        }
    }

    #[test]
    fn units_are_those_that_are_read() {
        use super::super::units::{read_duration, read_size};
        let fits = |pattern, said: &str| jsonschema::draft7::is_valid(&text(pattern), &said.into());
        for said in [
            "0", "8MiB", "8 MiB", " 8MiB ", "8M", "7.5KB", "8mb", "8Mib", "8iB", "9B", "1TiB",
            "1PiB", "8m", "8mi", "8MIB", "8mB", "8b", "8MiiB", "1e", "MiB", "", "-1", "1.", ".5K",
            "1.2.3K", "250ms", "1.5s", "2m", "5h", "90d", "90", "s", "90S", "2 m",
        ] {
            assert_eq!(fits(SIZE, said), read_size(said).is_some(), "{said:?}");
            assert_eq!(
                fits(DURATION, said),
                read_duration(said).is_some(),
                "{said:?}"
            );
        }
    }
}
