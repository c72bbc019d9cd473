//! The ways to a job: a file, the command line, the environment alone.

use std::collections::BTreeSet;
use std::path::Path;

use super::bounded::Pipes;
use super::environment::Environment;
use super::environment::InputError;
use super::everything::Everything;
use super::file::Beside;
use super::file::{JobFile, Outline};
use super::flags::FlagValues;
use super::option::Scope;
use super::problem::Place;
use super::problem::{Problem, Problems};
use super::resolve::resolve;
use super::resolved::{Job, Origin};
use super::said::Said;
use super::setting::from_text;
use super::settings::Settings;
use super::{bounded, file, options, pairs, reading};

/// Loads a job file and lays the environment and the flags over it. Paths in the file are
/// relative to the file. `-` is standard input, whose paths are relative to the working directory.
pub fn load_file(
    path: &Path,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    read_file(path, environment, flags)?.into_job()
}

/// Loads a job file that the program brings as text. Its paths are relative to the working
/// directory of the environment.
pub fn load_text(
    content: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let job_file = JobFile {
        origin: Origin::Program,
        name: Path::new("<toml>"),
        content,
        base: environment.directory(),
        job: "default",
    };
    load(&job_file, environment, flags, &BTreeSet::new())?.into_job()
}

/// As [`load_file`], with what is wrong still in it: for showing what was said.
pub fn read_file(
    path: &Path,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Settings, Problems> {
    let asked = Place::WholeFile(path.to_owned());
    read_among(path, &asked, environment, flags, &BTreeSet::new())
}

/// As [`load_file`], among other job files: what the environment and the flags say of a pair is
/// left alone where only another file has it. `elsewhere` are the names of all their pairs.
pub fn load_among(
    path: &Path,
    environment: &Environment,
    flags: &FlagValues,
    elsewhere: &BTreeSet<String>,
) -> Result<Job, Problems> {
    let asked = Place::WholeFile(path.to_owned());
    read_among(path, &asked, environment, flags, elsewhere)?.into_job()
}

/// What of a job file is known before it is loaded. It is empty for standard input, which can be
/// read once.
pub fn outline(path: &Path, environment: &Environment) -> Outline {
    if path == Path::new("-") {
        return Outline::default();
    }
    let asked = Place::WholeFile(path.to_owned());
    with_job_file(path, &asked, environment, |file| {
        Outline::of(file, environment)
    })
    .unwrap_or_default()
}

/// A file that cannot be read is told of where it was asked for.
fn read_among(
    path: &Path,
    asked: &Place,
    environment: &Environment,
    flags: &FlagValues,
    elsewhere: &BTreeSet<String>,
) -> Result<Settings, Problems> {
    if path == Path::new("-") {
        return load_input(environment, flags, elsewhere);
    }
    with_job_file(path, asked, environment, |file| {
        load(file, environment, flags, elsewhere)
    })?
}

/// Reads a job file and uses it; one that cannot be read is told of where it was `asked` for.
fn with_job_file<T>(
    path: &Path,
    asked: &Place,
    environment: &Environment,
    use_it: impl FnOnce(&JobFile<'_>) -> T,
) -> Result<T, Problems> {
    let whole = environment.directory().join(path);
    let content = read_job_file(path, &whole, asked).map_err(Problems::one)?;
    let folder = whole.parent().unwrap_or(Path::new("/"));
    let base = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(use_it(&JobFile {
        origin: Origin::File(path.to_owned()),
        name: path,
        content: &content,
        base: &base,
        job: &stem,
    }))
}

/// Loads the job file that is on standard input.
fn load_input(
    environment: &Environment,
    flags: &FlagValues,
    elsewhere: &BTreeSet<String>,
) -> Result<Settings, Problems> {
    let name = Path::new("<stdin>");
    let wrong = |message: String| Problem::new(message, &Place::WholeFile(name.to_owned()));
    let bytes = environment.read_input(file::MOST_BYTES).map_err(|error| {
        Problems::one(match error {
            InputError::Taken => wrong("standard input was read already".to_owned())
                .remedy("`-` can stand for one job only"),
            InputError::Unreadable(what) => wrong(format!(
                "cannot read the job file from standard input: {what}"
            )),
        })
    })?;
    let content = file::decode(name, 0, bytes, &Place::Nowhere).map_err(Problems::one)?;
    let job_file = JobFile {
        origin: Origin::File(name.to_owned()),
        name,
        content: &content,
        base: environment.directory(),
        job: "stdin",
    };
    load(&job_file, environment, flags, elsewhere)
}

/// One pair called `adhoc`, said on the command line, with the environment and the flags.
/// Flags count as said for this pair.
pub fn adhoc(
    source: &str,
    target: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    read_adhoc(source, target, environment, flags).into_job()
}

/// As [`adhoc`], said by the program that embeds the library.
pub fn of_program(
    source: &str,
    target: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Job, Problems> {
    let said_by = |path: &str| Place::Program(path.to_owned());
    read_pair(
        [source, target],
        said_by,
        Origin::Program,
        environment,
        flags,
    )
    .into_job()
}

/// As [`adhoc`], with what is wrong still in it.
pub fn read_adhoc(
    source: &str,
    target: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Settings {
    let said_by = |path: &str| {
        let side = path.split('.').next().unwrap_or(path);
        Place::Flag(side.to_uppercase())
    };
    let origin = Origin::CommandLine;
    read_pair([source, target], said_by, origin, environment, flags)
}

/// One pair called `adhoc`; `place` is where each of its sides is said, by the option's path.
fn read_pair(
    [source, target]: [&str; 2],
    place: impl Fn(&str) -> Place,
    origin: Origin,
    environment: &Environment,
    flags: &FlagValues,
) -> Settings {
    let mut problems = Vec::new();
    check_directory(environment.directory(), &mut problems);
    let sdk = environment.of_the_sdk(&mut problems);
    let from_environment = environment.read(&mut problems);
    let mut said = flags.read(environment.directory(), &mut problems);
    flags.refuse_vars(&mut problems);
    environment.refuse_vars(&mut problems);
    // flags of one pair: those that do not fit it are errors
    let mut own = said
        .every_pair
        .filtered(|said| said.row.scope != Scope::Job);
    own.absorb(said.pairs.remove("adhoc").unwrap_or_default());
    said.every_pair = said
        .every_pair
        .filtered(|said| said.row.scope == Scope::Job);
    for (path, text) in [("source.url", source), ("target.url", target)] {
        let row = options::find(path).expect("a row of the table");
        let place = place(path);
        let read = from_text(row, text, environment.directory());
        problems.extend(reading::take(&mut own, row, read, place).err());
    }
    said.pairs.insert("adhoc".to_owned(), own);
    let everything = Everything {
        origin,
        name: "adhoc".to_owned(),
        sdk,
        files: Vec::new(),
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
    read_environment(environment, flags)?.into_job()
}

/// Whether the environment says a job, be it right or wrong.
pub fn is_said(environment: &Environment) -> bool {
    let is_way = ["S3SYNC_JOB_FILE", "S3SYNC_JOB_TOML"];
    is_way.iter().any(|name| environment.get(name).is_some())
        || !pairs_of_the_environment(&mut environment.read(&mut Vec::new()), &mut Vec::new())
            .is_empty()
}

/// As [`from_environment`], with what is wrong still in it.
pub fn read_environment(
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Settings, Problems> {
    let name = "S3SYNC_JOB_FILE";
    if let Some(path) = environment.get(name) {
        let asked = Place::Environment(name.to_owned());
        return read_among(
            Path::new(path),
            &asked,
            environment,
            flags,
            &BTreeSet::new(),
        );
    }
    if let Some(content) = environment.get("S3SYNC_JOB_TOML") {
        let job_file = JobFile {
            origin: Origin::Environment,
            name: Path::new("S3SYNC_JOB_TOML"),
            content,
            base: environment.directory(),
            job: "default",
        };
        return load(&job_file, environment, flags, &BTreeSet::new());
    }
    let mut problems = Vec::new();
    let sdk = environment.of_the_sdk(&mut problems);
    let mut said = environment.read(&mut problems);
    flags.refuse_vars(&mut problems);
    let flags = flags.read(environment.directory(), &mut problems);
    let pairs = pairs_of_the_environment(&mut said, &mut problems);
    environment.refuse_vars(&mut problems);
    if let Some(problem) = pairs::too_many(pairs.len()) {
        return Err(Problems::one(problem));
    }
    if pairs.is_empty() {
        // a name that is misspelt may be all that is wrong
        if problems.is_empty() {
            let problem = Problem::new("no job is said", &Place::Nowhere);
            problems.push(problem.remedy(
                "name a job file (s3sync run FILE), or set S3SYNC_JOB_FILE, S3SYNC_JOB_TOML, or S3SYNC_SOURCE and S3SYNC_TARGET",
            ));
        }
        return Err(Problems::all(problems));
    }
    let everything = Everything {
        origin: Origin::Environment,
        name: "default".to_owned(),
        sdk,
        files: Vec::new(),
        environment: said,
        flags,
        pairs,
    };
    Ok(resolve(&everything, environment, problems))
}

/// Loads a job file that was read.
pub(super) fn load(
    file: &JobFile<'_>,
    environment: &Environment,
    flags: &FlagValues,
    elsewhere: &BTreeSet<String>,
) -> Result<Settings, Problems> {
    let mut problems = Vec::new();
    check_directory(file.base, &mut problems);
    let from_environment = environment.read(&mut problems);
    let said = flags.read(environment.directory(), &mut problems);
    let beside = Beside {
        environment,
        flags,
        said: [&from_environment, &said],
    };
    let Some(files) = file::read(file, beside, &mut problems) else {
        return Err(Problems::all(problems));
    };
    let mut everything = Everything {
        origin: file.origin.clone(),
        name: file.job.to_owned(),
        sdk: environment.of_the_sdk(&mut problems),
        files,
        environment: from_environment,
        flags: said,
        pairs: Vec::new(),
    };
    everything.forget(elsewhere);
    Ok(resolve(&everything, environment, problems))
}

/// Refuses a directory whose name is not UTF-8: paths below it could not be written down.
fn check_directory(directory: &Path, problems: &mut Vec<Problem>) {
    if directory.to_str().is_none() {
        let message = format!("the name of `{}` is not UTF-8", directory.display());
        let problem = Problem::new(message, &Place::Nowhere);
        problems.push(problem.remedy("relative paths begin there: start from another directory"));
    }
}

fn read_job_file(name: &Path, whole: &Path, asked: &Place) -> Result<String, Problem> {
    let content = bounded::read(whole, file::MOST_BYTES, Pipes::Refuse).map_err(|what| {
        let message = format!("cannot read the job file `{}`: {what}", name.display());
        let remedy = if whole.is_dir() {
            "name the files in it"
        } else if what.contains("pipe") {
            "a job file comes from standard input as `-`"
        } else {
            ""
        };
        Problem::new(message, asked).remedy(remedy)
    })?;
    file::decode(name, 0, content.bytes, &Place::Nowhere)
}

/// The pairs that have a side in the environment. `S3SYNC_SOURCE` and `S3SYNC_TARGET` are those
/// of the pair `default`.
fn pairs_of_the_environment(said: &mut Said, problems: &mut Vec<Problem>) -> Vec<(String, Place)> {
    let is_url = |path: &str| path == "source.url" || path == "target.url";
    let urls = said.every_pair.filtered(|said| is_url(said.row.path));
    if urls.iter().next().is_some() {
        said.every_pair = said.every_pair.filtered(|said| !is_url(said.row.path));
        // what is said of the pair by its name is above what is said of all
        let own = said.pairs.remove("default").unwrap_or_default();
        let mut both = urls;
        both.absorb(own);
        said.pairs.insert("default".to_owned(), both);
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
