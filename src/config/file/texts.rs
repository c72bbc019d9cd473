//! Every text in a value, however deep.

use toml_edit::{Item, TableLike, Value};

/// Whether some text of a value is such.
pub(super) fn any_text(item: &Item, is_such: &dyn Fn(&str) -> bool) -> bool {
    let in_table = |table: &dyn TableLike| table.iter().any(|(_, item)| any_text(item, is_such));
    match item {
        Item::None => false,
        Item::Value(value) => any_text_of_value(value, is_such),
        Item::Table(table) => in_table(table),
        Item::ArrayOfTables(tables) => tables.iter().any(|table| in_table(table)),
    }
}

fn any_text_of_value(value: &Value, is_such: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_such(text.value()),
        Value::Array(values) => values.iter().any(|value| any_text_of_value(value, is_such)),
        Value::InlineTable(table) => table
            .iter()
            .any(|(_, value)| any_text_of_value(value, is_such)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

/// Visits every text of a value together with the same of its twin, which has the same shape.
pub(super) fn for_each_text(
    item: &mut Item,
    twin: &mut Item,
    visit: &mut dyn FnMut(&mut Value, &mut Value),
) {
    match (item, twin) {
        (Item::Value(value), Item::Value(twin)) => for_each_text_of_value(value, twin, visit),
        (Item::Table(table), Item::Table(twin)) => {
            for ((_, item), (_, twin)) in table.iter_mut().zip(twin.iter_mut()) {
                for_each_text(item, twin, visit);
            }
        }
        (Item::ArrayOfTables(tables), Item::ArrayOfTables(twins)) => {
            for (table, twin) in tables.iter_mut().zip(twins.iter_mut()) {
                for ((_, item), (_, twin)) in table.iter_mut().zip(twin.iter_mut()) {
                    for_each_text(item, twin, visit);
                }
            }
        }
        _ => {}
    }
}

fn for_each_text_of_value(
    value: &mut Value,
    twin: &mut Value,
    visit: &mut dyn FnMut(&mut Value, &mut Value),
) {
    match (&mut *value, &mut *twin) {
        (Value::Array(values), Value::Array(twins)) => {
            for (value, twin) in values.iter_mut().zip(twins.iter_mut()) {
                for_each_text_of_value(value, twin, visit);
            }
        }
        (Value::InlineTable(table), Value::InlineTable(twins)) => {
            for ((_, value), (_, twin)) in table.iter_mut().zip(twins.iter_mut()) {
                for_each_text_of_value(value, twin, visit);
            }
        }
        (Value::String(_), Value::String(_)) => visit(value, twin),
        _ => {}
    }
}
