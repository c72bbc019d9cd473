//! How long things took, as a histogram of fixed size.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest time told apart: a day. Longer ones count as a day.
const LONGEST_MICROS: u64 = 24 * 60 * 60 * 1_000_000;

/// Durations of one kind, to two significant digits.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Latency {
    /// Adds one duration.
    pub fn record(&mut self, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The duration that this share (0 to 1) of them did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(share))
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    /// Adds another's durations.
    pub fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("histograms of the same bounds can be added");
    }
}

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_MICROS, 2)
            .expect("one microsecond to a day in two digits is a valid range");
        Self(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_digits() {
        let mut latency = Latency::default();
        for millis in 1..=1000 {
            latency.record(Duration::from_millis(millis));
        }
        latency.record(Duration::from_hours(99));
        assert_eq!(latency.count(), 1001);
        let median = latency.quantile(0.5).as_millis();
        assert!((495..=505).contains(&median), "{median}");
        assert!(latency.max() >= Duration::from_hours(23));
    }
}
