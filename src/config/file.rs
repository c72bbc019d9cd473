/*! The files of a job, read into layers; every value with its line.

First all of them are read and parsed (`include`), then the names are made that their texts may
refer to (`vars`, `names`), then each is read value by value (`reader`).
*/

mod expand;
mod grammar;
mod include;
mod names;
mod outline;
mod reader;
mod source;
mod syntax;
mod texts;
mod vars;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

pub(super) use include::{MOST_BYTES, decode};
pub use outline::Outline;

use toml_edit::Item;

use super::environment::Environment;
use super::flags::FlagValues;
use super::layer::Layer;
use super::pairs;
use super::problem::{Place, Problem};
use super::resolved::Origin;
use super::said::Said;
use source::SourceFile;

/// What a job file says.
#[derive(Debug)]
pub(super) struct FileLayers {
    /// The path as it was given.
    pub(super) name: PathBuf,
    /// Its job-level tables.
    pub(super) job: Layer,
    /// Its `[defaults]`, as far as they are the same for every pair.
    defaults: Layer,
    /// What they say besides, pair by pair.
    defaults_of_each: BTreeMap<String, Layer>,
    /// Its `[pairs.NAME]`, in order.
    pub(super) pairs: Vec<FilePair>,
    /// Where each of them is in `pairs`.
    numbers: HashMap<String, usize>,
    /// Its `[[hooks]]`, in order.
    pub(super) hooks: Vec<(Place, Layer)>,
    /// Where its relative paths begin.
    pub(super) base: PathBuf,
}

/// One `[pairs.NAME]`.
#[derive(Debug)]
pub(super) struct FilePair {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) place: Place,
    pub(super) layer: Layer,
}

/// What is said beside the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) environment: &'a Environment,
    pub(super) flags: &'a FlagValues,
    /// What these two say of options, lowest first.
    pub(super) said: [&'a Said; 2],
}

/// Reads a job file and what it includes, lowest first: the job file is the last. What is wrong
/// goes to `problems`; `None` when a file is missing or is not TOML, so that no job comes out.
pub(super) fn read(
    job: &JobFile<'_>,
    beside: Beside<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<FileLayers>> {
    let Beside {
        environment,
        flags,
        said,
    } = beside;
    let sources = include::read(job, environment, problems);
    let job_name = said.iter().rev().find_map(|said| {
        let name = said.every_pair.get("job.name")?.setting.to_json();
        name.as_str().map(str::to_owned)
    });
    let outside = vars::Outside {
        vars: environment.vars().into_iter().chain(flags.vars()).collect(),
        job: job_name,
        stem: job.job.to_owned(),
    };
    let names = vars::names(&sources, outside, environment, problems);
    let pairs = pair_names(&sources.files);
    if let Some(problem) = pairs::too_many(pairs.len()) {
        problems.push(problem);
        return None;
    }
    let read = |file| {
        let mut layers = reader::read(file, &names, &pairs, environment, problems);
        layers.number_pairs();
        layers
    };
    let layers = sources.files.iter().map(read).collect();
    (!sources.is_broken).then_some(layers)
}

/// The pairs of all files, in the order they are first named.
fn pair_names(files: &[SourceFile]) -> Vec<String> {
    let mut known = HashSet::new();
    files
        .iter()
        .filter_map(|file| file.document.get("pairs")?.as_table_like())
        .flat_map(|table| table.iter().filter(|(_, item)| Item::is_table_like(item)))
        .filter(|(name, _)| known.insert(name.to_string()))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// A job file's text and how to read it.
pub(super) struct JobFile<'a> {
    pub(super) origin: Origin,
    /// What messages call it.
    pub(super) name: &'a Path,
    pub(super) content: &'a str,
    /// Where its relative paths begin.
    pub(super) base: &'a Path,
    /// The job's name when it says none.
    pub(super) job: &'a str,
}

impl FileLayers {
    fn new(name: PathBuf, base: PathBuf) -> Self {
        Self {
            name,
            job: Layer::default(),
            defaults: Layer::default(),
            defaults_of_each: BTreeMap::new(),
            pairs: Vec::new(),
            numbers: HashMap::new(),
            hooks: Vec::new(),
            base,
        }
    }

    /// What `[defaults]` says that is the same for every pair.
    pub(super) fn defaults(&self) -> &Layer {
        &self.defaults
    }

    /// What `[defaults]` comes to for a pair, where that is more.
    pub(super) fn defaults_of(&self, pair: &str) -> Option<Layer> {
        let own = self.defaults_of_each.get(pair)?;
        let mut layer = self.defaults.clone();
        layer.absorb(own.clone());
        Some(layer)
    }

    /// What `[pairs.NAME]` says, if the file has it.
    pub(super) fn own_of(&self, pair: &str) -> Option<&Layer> {
        let number = self.numbers.get(pair)?;
        Some(&self.pairs[*number].layer)
    }

    /// Once its pairs are read: so that each is found at once.
    fn number_pairs(&mut self) {
        let names = self.pairs.iter().map(|pair| pair.name.clone());
        self.numbers = names.zip(0..).collect();
    }
}
