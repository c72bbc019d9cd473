//! How fast: so many units a second, over all who ask.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What was left unused may be made up for by so much, and no more: a longer burst would be faster
/// than allowed.
const SLACK: Duration = Duration::from_millis(50);

/// A rate, or several that all have to be kept: those of a pair and of the whole process. Cloning
/// shares them. Without any it never waits.
#[derive(Clone, Default)]
pub struct Pace(Vec<Arc<Rate>>);

/// One rate. Units are given away in the order they are asked for, each at its own time.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    /// When the next unit may go.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many units a second; as many as one likes when `None`.
    pub fn of(per_second: Option<u64>) -> Self {
        let rate = per_second.map(|per_second| {
            Arc::new(Rate {
                per_second: per_second.max(1) as f64,
                next: Mutex::default(),
            })
        });
        Self(rate.into_iter().collect())
    }

    /// Both of them.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether it never waits.
    pub fn is_free(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until so many units may go. Who gives up waiting has used them all the same.
    pub async fn take(&self, units: u64) {
        if let Some(at) = self.reserve(units) {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Takes so many units and says when they may go; at once when `None`.
    pub fn reserve(&self, units: u64) -> Option<Instant> {
        if self.is_free() {
            return None;
        }
        let now = Instant::now();
        let times = self.0.iter().map(|rate| rate.reserve(units, now));
        times.max().filter(|at| *at > now)
    }
}

impl Rate {
    /// When so many units may go that are asked for now.
    fn reserve(&self, units: u64, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let start = next.map_or(now, |next| next.max(earliest));
        *next = Some(start + Duration::from_secs_f64(units as f64 / self.per_second));
        start
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = self.0.iter().map(|rate| rate.per_second);
        f.debug_list().entries(rates).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many units go in ten seconds if `askers` each come back `late` after every turn, with
    /// so many units at a time; and the most of any second.
    fn ten_seconds(per_second: u64, askers: u32, units: u64, late: Duration) -> (u64, u64) {
        let pace = Pace::of(Some(per_second));
        let begun = Instant::now();
        let mut ready: Vec<Instant> = (0..askers).map(|_| begun).collect();
        let mut went: Vec<Instant> = Vec::new();
        loop {
            let first = (0..ready.len())
                .min_by_key(|at| ready[*at])
                .expect("askers");
            let now = ready[first];
            let at = pace.0[0].reserve(units, now).max(now);
            if at >= begun + Duration::from_secs(10) {
                break;
            }
            went.push(at);
            ready[first] = at + late;
        }
        let most = went.iter().map(|from| {
            let until = *from + Duration::from_secs(1);
            went.iter().filter(|at| *at >= from && **at < until).count() as u64
        });
        (went.len() as u64 * units, most.max().unwrap_or(0) * units)
    }

    #[test]
    fn a_rate_is_held_over_ten_seconds_and_in_each_of_them() {
        const MIB: u64 = 1 << 20;
        for (per_second, askers, units, late_ms) in [
            (100, 64, 1, 3),
            (100, 1, 1, 3),
            (10, 16, 1, 40),
            (10 * MIB, 64, 64 << 10, 7),
            (10 * MIB, 1, 64 << 10, 1),
            (MIB, 16, 64 << 10, 0),
        ] {
            let late = Duration::from_millis(late_ms);
            let (all, most) = ten_seconds(per_second, askers, units, late);
            let row = format!("{per_second} {askers} {units} {late_ms}: {all}, {most}");
            assert!(
                all.abs_diff(10 * per_second) <= per_second / 2 + units,
                "{row}"
            );
            assert!(most <= per_second + per_second / 10 + 2 * units, "{row}");
        }
    }

    #[test]
    fn what_is_unused_is_not_kept() {
        let pace = Pace::of(Some(100));
        let begun = Instant::now();
        let rate = &pace.0[0];
        let first = rate.reserve(1, begun);
        let later = begun + Duration::from_mins(1);
        let at_once = (0..100).filter(|_| rate.reserve(1, later) <= later).count();
        assert_eq!(first, begun);
        assert_eq!(at_once, 6, "the slack of 50 ms and the one that is due");
    }

    #[test]
    fn the_slower_of_two_decides_and_none_never_waits() {
        let both = Pace::of(Some(10)).and(&Pace::of(Some(1)));
        assert_eq!(both.reserve(1), None);
        let next = both.reserve(1).expect("a wait");
        assert!(next > Instant::now() + Duration::from_millis(900));
        assert!(Pace::default().reserve(u64::MAX).is_none());
    }
}
