//! Everything said of a job, decided value by value.

use std::path::PathBuf;
use std::sync::Arc;

use super::layer::Layer;
use super::merged::Merged;
use super::problem::{Problem, Problems};
use super::record::NotApplied;
use super::resolved::{Job, Origin};

/// What a job's layers come to: every value with its origin, what is wrong with them, and the job
/// where nothing is.
#[derive(Debug)]
pub struct Settings {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) digest: String,
    pub(super) report_dir: PathBuf,
    pub(super) job: Arc<Merged>,
    /// In the order they are named.
    pub(super) pairs: Vec<PairSettings>,
    pub(super) hooks: Vec<Layer>,
    pub(super) problems: Vec<Problem>,
    /// The job, as far as it could be built.
    pub(super) ready: Option<Job>,
}

/// What a pair's layers come to.
#[derive(Debug)]
pub(super) struct PairSettings {
    pub(super) name: String,
    pub(super) merged: Arc<Merged>,
    pub(super) not_applied: Vec<NotApplied>,
    /// Whether source and target are on S3, if it has both.
    pub(super) sides: Option<(bool, bool)>,
}

impl Settings {
    /// The job, ready to run, or everything that is wrong with it.
    pub fn into_job(self) -> Result<Job, Problems> {
        let Self {
            problems, ready, ..
        } = self;
        Problems::or(problems, || {
            ready.expect("a job without problems has two sides for every pair")
        })
    }

    /// What is wrong with it.
    pub fn problems(&self) -> Option<Problems> {
        Problems::or(self.problems.clone(), || ()).err()
    }
}
