//! What went over the wire: requests, retries, times and throughput.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counts::add_each;
use super::{Latency, Series};
use crate::store::asks_for_fewer;

/// Requests and what became of them.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Requests by S3's name of the operation.
    pub by_operation: BTreeMap<&'static str, u64>,
    /// Answers by HTTP status; `None` where none came.
    pub by_status: BTreeMap<Option<u16>, u64>,
    /// From sending to the answer, by operation.
    pub latency: BTreeMap<&'static str, Latency>,
    /// From an object's first attempt to its proof.
    pub object_latency: Latency,
    /// Repeated requests by the code that made it necessary.
    pub retries: BTreeMap<String, u64>,
    /// Objects that were begun more than once.
    pub objects_retried: u64,
    /// Time spent waiting before repeating, over all tasks.
    pub retry_wait: Duration,
    /// Repeated requests because the server asked for fewer.
    pub throttled: u64,
    /// Bytes taken by the target, those of unfinished and repeated objects included.
    pub moved: u64,
    /// Throughput over time.
    pub series: Series,
}

impl Traffic {
    /// Adds another pair's traffic, for the totals of a run. Throughput over time is each pair's
    /// own and is left out.
    pub fn add(&mut self, other: &Self) {
        add_each(&mut self.by_operation, &other.by_operation);
        add_each(&mut self.by_status, &other.by_status);
        for (operation, latency) in &other.latency {
            self.latency.entry(operation).or_default().add(latency);
        }
        self.object_latency.add(&other.object_latency);
        add_each(&mut self.retries, &other.retries);
        self.objects_retried += other.objects_retried;
        self.retry_wait += other.retry_wait;
        self.throttled += other.throttled;
        self.moved += other.moved;
    }

    /// Takes one request.
    pub(super) fn request(
        &mut self,
        operation: &'static str,
        status: Option<u16>,
        elapsed: Duration,
    ) {
        *self.by_operation.entry(operation).or_default() += 1;
        *self.by_status.entry(status).or_default() += 1;
        self.latency.entry(operation).or_default().record(elapsed);
    }

    /// Takes one repetition.
    pub(super) fn retried(&mut self, code: &str, wait: Duration) {
        match self.retries.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.retries.insert(code.to_owned(), 1);
            }
        }
        self.retry_wait += wait;
        self.throttled += u64::from(asks_for_fewer(code));
    }
}
