//! A job as a run has recorded it: `resolved.json` read back.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};
use toml::Table;

use super::environment::Environment;
use super::file::JobFile;
use super::flags::FlagValues;
use super::options::find;
use super::problem::{Place, Problem, Problems};
use super::resolved::{Job, Origin};
use super::ways::load;

/// What is no option of its own, or says what others say already.
const LEFT_OUT: [&str; 2] = ["vars", "hooks"];

/// Builds the job that a run has recorded, and lays the environment and the flags over it.
/// Secrets are in no record: they come from where the environment and the flags have them, or
/// from the SDK's own chain.
pub fn from_record(
    record: &Value,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let name = Path::new("resolved.json");
    let content = job_file(record).ok_or_else(|| {
        let place = Place::WholeFile(name.to_owned());
        Problems::one(
            Problem::new("the run's settings cannot be read", &place)
                .remedy("name the job file with --job"),
        )
    })?;
    let file = JobFile {
        origin: Origin::Environment,
        name,
        content: &content,
        base: environment.directory(),
        job: "adhoc",
    };
    load(&file, environment, flags, &BTreeSet::new())?.into_job()
}

/// The job file that says what a record says.
fn job_file(record: &Value) -> Option<String> {
    let mut file = Table::new();
    file.insert("version".to_owned(), 1.into());
    let of_job = record.get("job")?.as_object()?;
    fill(&mut file, of_job)?;
    // the name is the file's stem where nobody says it, and this file has none
    put(&mut file, "job.name", of_job.get("job.name")?.get("value")?)?;
    let mut pairs = Table::new();
    for (name, pair) in record.get("pairs")?.as_object()? {
        let mut table = Table::new();
        fill(&mut table, pair.get("settings")?.as_object()?)?;
        pairs.insert(name.clone(), table.into());
    }
    file.insert("pairs".to_owned(), pairs.into());
    toml::to_string(&file).ok()
}

/// Everything that somebody has said, apart from secrets.
fn fill(table: &mut Table, settings: &Map<String, Value>) -> Option<()> {
    for (path, setting) in settings {
        let is_said = setting.get("origin")? != "built-in";
        let first = path.split('.').next().unwrap_or_default();
        let is_secret = find(path).is_some_and(|row| row.is_secret());
        if is_said && !is_secret && !LEFT_OUT.contains(&first) {
            put(table, path, setting.get("value")?)?;
        }
    }
    Some(())
}

/// Sets the value at a dotted path.
fn put(table: &mut Table, path: &str, value: &Value) -> Option<()> {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), toml_of(value)?);
            Some(())
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Table::new().into());
            put(inner.as_table_mut()?, rest, value)
        }
    }
}

fn toml_of(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(value) => value.as_i64()?.into(),
        // what was filled in must not be filled in again
        Value::String(text) => text.replace("${", "$${").into(),
        Value::Array(values) => values
            .iter()
            .map(toml_of)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Value::Object(values) => {
            let mut table = Table::new();
            for (name, value) in values {
                table.insert(name.clone(), toml_of(value)?);
            }
            table.into()
        }
    })
}
