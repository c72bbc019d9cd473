//! Throughput over time, in a bounded number of intervals.

use std::time::Duration;

/// More intervals than this are never kept: they are joined two by two and twice as long.
const MAX_INTERVALS: usize = 600;

/// Bytes and objects in consecutive intervals of equal length, from the start of the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The length of an interval.
    pub interval: Duration,
    /// Bytes taken by the target in each.
    pub bytes: Vec<u64>,
    /// Objects completed in each.
    pub objects: Vec<u64>,
}

impl Series {
    /// Adds what happened at a time since the start.
    pub fn add(&mut self, at: Duration, bytes: u64, objects: u64) {
        while self.index(at) >= MAX_INTERVALS {
            self.halve();
        }
        let index = self.index(at);
        if index >= self.bytes.len() {
            self.bytes.resize(index + 1, 0);
            self.objects.resize(index + 1, 0);
        }
        self.bytes[index] += bytes;
        self.objects[index] += objects;
    }

    fn index(&self, at: Duration) -> usize {
        usize::try_from(at.as_millis() / self.interval.as_millis()).unwrap_or(usize::MAX)
    }

    fn halve(&mut self) {
        let join = |values: &Vec<u64>| values.chunks(2).map(|pair| pair.iter().sum()).collect();
        self.bytes = join(&self.bytes);
        self.objects = join(&self.objects);
        self.interval *= 2;
    }
}

impl Default for Series {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            bytes: Vec::new(),
            objects: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_sums_in_few_intervals() {
        let mut series = Series::default();
        for second in 0..10_000 {
            series.add(Duration::from_secs(second), 3, 1);
        }
        assert!(
            series.bytes.len() <= MAX_INTERVALS,
            "{}",
            series.bytes.len()
        );
        assert_eq!(series.interval, Duration::from_secs(32));
        assert_eq!(series.bytes.iter().sum::<u64>(), 30_000);
        assert_eq!(series.objects.iter().sum::<u64>(), 10_000);
        assert_eq!(series.bytes[0], 96);
    }
}
