//! Problems as programs read them.

use serde_json::{Map, Value, json};

use super::{Details, Place, Problem, Problems, shown};

/// A list of problems, in the order they are told to people.
pub(super) fn problems(problems: &Problems) -> Value {
    let told = problems.told.iter().map(problem);
    let rest = problems.rest().map(|message| {
        let rest = Problem::new(message, &Place::Nowhere).remedy("mend these first");
        problem(&rest)
    });
    told.chain(rest).collect()
}

fn problem(Problem(problem): &Problem) -> Value {
    let Details {
        is_warning,
        message,
        place,
        remedy,
        other,
    } = &**problem;
    let mut told = Map::new();
    let severity = if *is_warning { "warning" } else { "error" };
    told.insert("severity".to_owned(), severity.into());
    told.insert("message".to_owned(), shown(message).into());
    insert_place(&mut told, place);
    told.insert("remedy".to_owned(), text_or_null(&shown(remedy)));
    let other = other.as_ref().map(|(place, label)| {
        let mut end = Map::new();
        insert_place(&mut end, place);
        end.insert("label".to_owned(), text_or_null(&shown(label)));
        Value::Object(end)
    });
    told.insert("other".to_owned(), other.unwrap_or(Value::Null));
    Value::Object(told)
}

/// The same keys for every place; those that mean nothing there are null.
fn insert_place(told: &mut Map<String, Value>, place: &Place) {
    let (mut file, mut line, mut column, mut path) =
        (Value::Null, Value::Null, Value::Null, Value::Null);
    let source = match place {
        Place::File {
            text,
            span,
            path: at,
        } => {
            let (row, character) = text.position(span);
            file = text.name.to_string_lossy().into();
            (line, column) = (row.into(), character.into());
            path = text_or_null(&shown(at));
            json!("file")
        }
        Place::WholeFile(name) => {
            file = name.to_string_lossy().into();
            json!("file")
        }
        Place::Environment(_) => json!("environment"),
        Place::Flag(flag) if flag.starts_with('-') => json!("flag"),
        Place::Flag(_) => json!("argument"),
        Place::Program(_) => json!("program"),
        Place::BuiltIn | Place::Nowhere => Value::Null,
    };
    told.insert("source".to_owned(), source);
    told.insert("file".to_owned(), file);
    told.insert("line".to_owned(), line);
    told.insert("column".to_owned(), column);
    told.insert("path".to_owned(), path);
    told.insert("name".to_owned(), place.name().into());
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        text.into()
    }
}
