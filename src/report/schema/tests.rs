use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::config::ReportLevel;
use crate::digest::{Algorithm, Method, Why};
use crate::event::{Cause, FailReason, SkipReason};

/// Every word of an enum as its schema has it.
fn words<T: JsonSchema>() -> Vec<Value> {
    let schema = document::<T>("enum", 1);
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    alternatives
        .flat_map(|one| match one["enum"].as_array() {
            Some(words) => words.clone(),
            None => vec![one["const"].clone()],
        })
        .collect()
}

/// The words of the schema are those of the logs and of everything else that is written.
#[track_caller]
fn same<T: JsonSchema + DeserializeOwned>(count: usize, as_str: fn(&T) -> &'static str) {
    let words = words::<T>();
    assert_eq!(words.len(), count, "{words:?}");
    for word in words {
        let value: T = serde_json::from_value(word.clone()).expect("a word of the enum");
        assert_eq!(word, as_str(&value));
    }
}

#[test]
fn every_enum_has_one_vocabulary() {
    same::<Status>(11, |one| one.as_str());
    same::<Cause>(8, |one| one.as_str());
    same::<SkipReason>(16, |one| one.as_str());
    same::<FailReason>(11, |one| one.as_str());
    same::<Why>(7, |one| one.as_str());
    same::<Method>(5, |one| one.as_str());
    same::<Algorithm>(10, |one| one.as_str());
    assert_eq!(words::<ReportLevel>(), ["errors_only", "acts", "all"]);
}

#[test]
fn objects_are_closed_except_where_keys_are_data() {
    let schema = report_schema();
    assert_eq!(schema["additionalProperties"], false);
    let definitions = schema["definitions"].as_object().expect("definitions");
    for (name, definition) in definitions {
        if definition["type"] == "object" {
            assert_eq!(definition["additionalProperties"], false, "{name}");
        }
    }
    let operations = &definitions["Requests"]["properties"]["by_operation"];
    assert_eq!(operations["additionalProperties"]["type"], "integer");
}
