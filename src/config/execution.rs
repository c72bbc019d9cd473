//! In which order the pairs of a job run, how many at once, and until when.

use std::collections::HashMap;
use std::time::Duration;

use super::merged::Merged;
use super::pairs;
use super::resolved::Job;

/// How the pairs of a job are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// How many run side by side, at least one.
    pub max_parallel_pairs: usize,
    /// What a pair that does not succeed means for those that have not begun.
    pub on_pair_failure: OnPairFailure,
    /// How long all of it may take.
    pub timeout: Option<Duration>,
}

/// What a pair that does not succeed means for those that have not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnPairFailure {
    /// Nothing: they run.
    #[default]
    Continue,
    /// None of them is begun.
    Stop,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            max_parallel_pairs: 1,
            on_pair_failure: OnPairFailure::default(),
            timeout: None,
        }
    }
}

impl Execution {
    pub(super) fn new(job: &Merged) -> Self {
        Self {
            max_parallel_pairs: job.value("job.max_parallel_pairs"),
            on_pair_failure: match job.value::<String>("job.on_pair_failure").as_str() {
                "stop" => OnPairFailure::Stop,
                _ => OnPairFailure::Continue,
            },
            timeout: job.optional("job.timeout"),
        }
    }
}

impl Job {
    /// For each pair, the numbers of those it comes after. Pairs that are not part of the run are
    /// nobody's predecessors.
    pub fn predecessors(&self) -> Vec<Vec<usize>> {
        let names = self.pairs.iter().map(|pair| pair.name.as_str());
        let numbers: HashMap<&str, usize> = names.zip(0..).collect();
        let of_pair = |after: &Vec<String>| {
            let known = after.iter().filter_map(|name| numbers.get(name.as_str()));
            known.copied().collect()
        };
        self.pairs.iter().map(|pair| of_pair(&pair.after)).collect()
    }

    /// The numbers of the pairs in the order they are begun: as they stand in the file, except that
    /// those named in `after` come first.
    pub fn order(&self) -> Vec<usize> {
        pairs::order(&self.predecessors()).unwrap_or_else(|_| (0..self.pairs.len()).collect())
    }
}
