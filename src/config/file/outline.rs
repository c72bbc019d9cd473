//! What of a job file is known before it is loaded.

use std::path::PathBuf;

use super::JobFile;
use super::include::{self, Sources};
use super::pair_names;
use crate::config::environment::Environment;

/// Which files a job file consists of, and its pairs. What cannot be read or parsed is not in it:
/// loading the file says why.
#[derive(Debug, Default)]
pub struct Outline {
    /// The file and all it includes, without symbolic links.
    pub files: Vec<PathBuf>,
    /// The names of the pairs in all of them, in order.
    pub pairs: Vec<String>,
}

impl Outline {
    pub(in crate::config) fn of(job: &JobFile<'_>, environment: &Environment) -> Self {
        let Sources { files, .. } = include::read(job, environment, &mut Vec::new());
        let pairs = pair_names(&files);
        let identities = files.into_iter().filter_map(|file| file.identity);
        Self {
            files: identities.collect(),
            pairs,
        }
    }
}
