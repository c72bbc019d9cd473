/*! From what the user said to what the engine gets.

What was said is optional and textual; what comes out, [`Job`] with its [`Pair`]s, has a value
everywhere and cannot express an illegal combination. Nothing past this module sees the former.

The option table (`options`) describes every option once. A job file, the environment and the
flags are each read into layers by it, value by value; figment merges the layers, and remembers
for every value which layer it came from. Whatever is wrong is collected, and told all at once.
*/

mod build;
mod checks;
mod environment;
mod file;
mod flags;
mod layer;
mod merged;
mod option;
mod options;
mod pairs;
mod problem;
mod reading;
mod record;
mod resolve;
mod resolved;
mod schema;
mod setting;
mod sides;
mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod units;

pub use environment::Environment;
pub use flags::FlagValues;
pub use option::{Fits, Flag, Kind, OptionRow, Scope};
pub use options::OPTIONS;
pub use problem::{Problem, Problems};
pub use resolved::{
    Check, Job, Limits, Log, OnUnverifiable, Origin, Pair, Performance, Report, ReportLevel,
    SandboxSettings, SourceSpec, TargetSpec, Verify,
};
pub use schema::job_schema;

use std::path::Path;

use environment::Said;
use problem::Place;
use resolve::{Everything, resolve};
use setting::from_text;

/// Loads a job file and lays the environment and the flags over it. Paths in the file are
/// relative to the file.
pub fn load_file(
    path: &Path,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let whole = environment.directory().join(path);
    let content = read_job_file(path, &whole).map_err(Problems::one)?;
    let folder = whole.parent().unwrap_or(Path::new("/"));
    let base = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let job_file = JobFile {
        origin: Origin::File(path.to_owned()),
        name: path,
        content: &content,
        base: &base,
        job: &stem,
    };
    load(&job_file, environment, flags)
}

/// One pair called `adhoc`, said on the command line, with the environment and the flags.
/// Flags count as said for this pair.
pub fn adhoc(
    source: &str,
    target: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let mut problems = Vec::new();
    let sdk = environment.of_the_sdk(&mut problems);
    let from_environment = environment.read(&mut problems);
    let mut said = flags.read(environment.directory(), &mut problems);
    // flags of one pair: those that do not fit it are errors
    let mut own = said
        .every_pair
        .filtered(|said| said.row.scope != Scope::Job);
    own.absorb(said.pairs.remove("adhoc").unwrap_or_default());
    said.every_pair = said
        .every_pair
        .filtered(|said| said.row.scope == Scope::Job);
    for (path, text, argument) in [
        ("source.url", source, "SOURCE"),
        ("target.url", target, "TARGET"),
    ] {
        let row = options::find(path).expect("a row of the table");
        let place = Place::Flag(argument.to_owned());
        let read = from_text(row, text, environment.directory());
        problems.extend(reading::take(&mut own, row, read, place).err());
    }
    said.pairs.insert("adhoc".to_owned(), own);
    let everything = Everything {
        origin: Origin::CommandLine,
        name: "adhoc".to_owned(),
        sdk,
        file: None,
        environment: from_environment,
        flags: said,
        pairs: vec![("adhoc".to_owned(), Place::Nowhere)],
    };
    resolve(&everything, environment, problems)
}

/// The job that the environment alone says: `S3SYNC_JOB_FILE`, else `S3SYNC_JOB_TOML`, else
/// `S3SYNC_SOURCE` and `S3SYNC_TARGET` (one pair `default`) and any
/// `S3SYNC_PAIRS__<NAME>__SOURCE` and `…__TARGET`.
pub fn from_environment(environment: &Environment, flags: &FlagValues) -> Result<Job, Problems> {
    if let Some(path) = environment.get("S3SYNC_JOB_FILE") {
        return load_file(Path::new(path), environment, flags);
    }
    if let Some(content) = environment.get("S3SYNC_JOB_TOML") {
        let job_file = JobFile {
            origin: Origin::Environment,
            name: Path::new("S3SYNC_JOB_TOML"),
            content,
            base: environment.directory(),
            job: "default",
        };
        return load(&job_file, environment, flags);
    }
    let mut problems = Vec::new();
    let sdk = environment.of_the_sdk(&mut problems);
    let mut said = environment.read(&mut problems);
    let flags = flags.read(environment.directory(), &mut problems);
    let pairs = pairs_of_the_environment(&mut said, &mut problems);
    if pairs.is_empty() {
        let problem = Problem::new("no job is said", &Place::Nowhere).remedy(
            "name a job file (s3sync run FILE), or set S3SYNC_JOB_FILE, S3SYNC_JOB_TOML, or S3SYNC_SOURCE and S3SYNC_TARGET",
        );
        return Err(Problems::one(problem));
    }
    let everything = Everything {
        origin: Origin::Environment,
        name: "default".to_owned(),
        sdk,
        file: None,
        environment: said,
        flags,
        pairs,
    };
    resolve(&everything, environment, problems)
}

/// A job file's text and how to read it.
struct JobFile<'a> {
    origin: Origin,
    /// What messages call it.
    name: &'a Path,
    content: &'a str,
    /// Where its relative paths begin.
    base: &'a Path,
    /// The job's name when it says none.
    job: &'a str,
}

fn load(
    file: &JobFile<'_>,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let mut problems = Vec::new();
    let layers = file::read(
        file.name,
        file.content,
        file.base,
        environment,
        &mut problems,
    );
    let layers = match layers {
        Ok(layers) => layers,
        Err(problem) => return Err(Problems::one(problem)),
    };
    let everything = Everything {
        origin: file.origin.clone(),
        name: file.job.to_owned(),
        sdk: environment.of_the_sdk(&mut problems),
        file: Some(layers),
        environment: environment.read(&mut problems),
        flags: flags.read(environment.directory(), &mut problems),
        pairs: Vec::new(),
    };
    resolve(&everything, environment, problems)
}

fn read_job_file(name: &Path, whole: &Path) -> Result<String, Problem> {
    let unreadable = |what: &str| {
        let message = format!("cannot read the job file `{}`: {what}", name.display());
        Problem::new(message, &Place::Nowhere)
    };
    if name == Path::new("-") {
        let message = "not supported yet: a job file from standard input";
        let remedy = "write it to a file, or say it in S3SYNC_JOB_TOML";
        return Err(Problem::new(message, &Place::Nowhere).remedy(remedy));
    }
    if whole.is_dir() {
        return Err(unreadable("it is a directory").remedy("name the files in it"));
    }
    let bytes = std::fs::read(whole).map_err(|error| {
        let text = error.to_string().to_lowercase();
        unreadable(text.split(" (os error").next().unwrap_or(&text))
    })?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))
}

/// The pairs that have a side in the environment. `S3SYNC_SOURCE` and `S3SYNC_TARGET` are those
/// of the pair `default`.
fn pairs_of_the_environment(said: &mut Said, problems: &mut Vec<Problem>) -> Vec<(String, Place)> {
    let is_url = |path: &str| path == "source.url" || path == "target.url";
    let urls = said.every_pair.filtered(|said| is_url(said.row.path));
    if urls.iter().next().is_some() {
        said.every_pair = said.every_pair.filtered(|said| !is_url(said.row.path));
        let own = said.pairs.entry("default".to_owned()).or_default();
        own.absorb(urls);
    }
    let mut pairs = Vec::new();
    for (name, layer) in &said.pairs {
        if let Some(first) = layer.iter().find(|said| is_url(said.row.path)) {
            if let Some(wrong) = pairs::name_problem(name) {
                problems.push(Problem::new(
                    format!("pair name `{name}` {wrong}"),
                    &first.place,
                ));
            }
            pairs.push((name.clone(), first.place.clone()));
        }
    }
    pairs
}
