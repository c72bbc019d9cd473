//! How fast: so many units a second, over all who ask.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What was left unused, because the machine was busy, may be made up for by so much and no more: a
/// longer burst would be faster than allowed.
const SLACK: Duration = Duration::from_millis(250);

/// As many bodies are under way at once as would take so long: enough of them for connections that
/// are slow each, and no more, because all that share a rate end together, and leave it unused then.
const UNDER_WAY: Duration = Duration::from_secs(4);

/// What is under way is counted in units of so many.
const GRAIN: u64 = 1 << 10;

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
    /// For the bodies under way, in grains.
    room: Arc<Semaphore>,
    rooms: u32,
}

/// Many units that go one after the other, as those of a body do. They are under way until the last
/// has gone, or this is dropped.
#[derive(Debug, Default)]
pub struct Stream {
    pace: Pace,
    left: u64,
    room: Vec<OwnedSemaphorePermit>,
}

impl Pace {
    /// So many units a second; as many as one likes when `None`.
    pub fn of(per_second: Option<u64>) -> Self {
        let rate = per_second.map(|per_second| Arc::new(Rate::of(per_second.max(1))));
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

    /// Waits until a stream of so many units may begin; in the order they ask.
    pub async fn begin(&self, units: u64) -> Stream {
        let mut room = Vec::new();
        for rate in &self.0 {
            room.push(rate.enter(units).await);
        }
        Stream {
            pace: self.clone(),
            left: units,
            room,
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

impl Stream {
    /// Takes so many units and says when they may go; at once when `None`.
    pub fn reserve(&mut self, units: u64) -> Option<Instant> {
        self.make_room(units);
        self.pace.reserve(units)
    }

    /// So many units are under way no more.
    fn make_room(&mut self, units: u64) {
        self.left = self.left.saturating_sub(units);
        for room in &mut self.room {
            let done = room.num_permits().saturating_sub(grains(self.left));
            drop(room.split(done));
        }
    }
}

fn grains(units: u64) -> usize {
    usize::try_from(units.div_ceil(GRAIN)).unwrap_or(usize::MAX)
}

impl Rate {
    fn of(per_second: u64) -> Self {
        let rooms = per_second.saturating_mul(UNDER_WAY.as_secs()) / GRAIN;
        let rooms = u32::try_from(rooms).unwrap_or(u32::MAX).max(2);
        Self {
            per_second: per_second as f64,
            next: Mutex::default(),
            room: Arc::new(Semaphore::new(rooms as usize)),
            rooms,
        }
    }

    /// Waits for the room of so many units. None takes more than half: the next one begins before
    /// the last one ends.
    async fn enter(&self, units: u64) -> OwnedSemaphorePermit {
        let wanted = u32::try_from(grains(units)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(wanted.clamp(1, self.rooms / 2));
        room.await.expect("the semaphore is never closed")
    }

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
    use std::cmp::Reverse;
    use std::collections::{BinaryHeap, VecDeque};
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const MIB: u64 = 1 << 20;

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
        assert_eq!(
            at_once, 26,
            "a quarter of a second's, and the one that is due"
        );
    }

    #[test]
    fn the_slower_of_two_decides_and_none_never_waits() {
        let both = Pace::of(Some(10)).and(&Pace::of(Some(1)));
        assert_eq!(both.reserve(1), None);
        let next = both.reserve(1).expect("a wait");
        assert!(next > Instant::now() + Duration::from_millis(900));
        assert!(Pace::default().reserve(u64::MAX).is_none());
    }

    /// A body that waits for its turn.
    type Waiting = Pin<Box<dyn Future<Output = Stream>>>;

    /// How long bodies are under way, from the first byte to the last, if so many workers take them
    /// one after the other: each is hashed, together with those that begin with it, waits for its
    /// turn, goes in pieces, and is answered.
    fn bodies(per_second: u64, workers: usize, (count, size): (usize, u64)) -> Duration {
        const PIECE: u64 = 64 << 10;
        let hashing = Duration::from_secs_f64(size as f64 / (10 * MIB) as f64);
        let answering = Duration::from_millis(100);
        let pace = Pace::of(Some(per_second));
        let begun = Instant::now();
        let mut left = count;
        let mut streams: Vec<Option<Stream>> = (0..workers).map(|_| None).collect();
        let mut waiting: VecDeque<(usize, Waiting)> = VecDeque::new();
        let mut due: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
        let (mut first, mut last) = (None, begun);
        let mut idle: Vec<usize> = (0..workers).collect();
        let mut now = begun;
        loop {
            idle.truncate(left);
            left -= idle.len();
            let hashed = now + hashing * idle.len() as u32;
            due.extend(idle.drain(..).map(|worker| Reverse((hashed, worker))));
            let mut context = Context::from_waker(Waker::noop());
            while let Some((worker, turn)) = waiting.front_mut() {
                let Poll::Ready(stream) = turn.as_mut().poll(&mut context) else {
                    break;
                };
                due.push(Reverse((now, *worker)));
                streams[*worker] = Some(stream);
                waiting.pop_front();
            }
            let Some(Reverse((at, worker))) = due.pop() else {
                return last - first.expect("some went");
            };
            now = at;
            match &mut streams[worker] {
                None => {
                    let pace = pace.clone();
                    let turn = async move { pace.begin(size).await };
                    waiting.push_back((worker, Box::pin(turn)));
                }
                Some(stream) if stream.left > 0 => {
                    let units = stream.left.min(PIECE);
                    stream.make_room(units);
                    let at = pace.0[0].reserve(units, now).max(now);
                    first = first.or(Some(at));
                    last = last.max(at);
                    let wait = if stream.left > 0 {
                        Duration::ZERO
                    } else {
                        answering
                    };
                    due.push(Reverse((at + wait, worker)));
                }
                Some(_) => {
                    streams[worker] = None;
                    idle.push(worker);
                }
            }
        }
    }

    #[test]
    fn bodies_that_are_made_ready_and_answered_leave_no_gap() {
        for (workers, count, size) in [
            (16, 48, 8 * MIB),
            (64, 13, 8 * MIB),
            (64, 400, MIB / 4),
            (4, 30, 16 * MIB),
        ] {
            let took = bodies(10 * MIB, workers, (count, size)).as_secs_f64();
            let must = (count as u64 * size) as f64 / (10 * MIB) as f64;
            let row = format!("{workers} {count} {size}: {took} s, not {must} s");
            assert!((took / must - 1.0).abs() < 0.05, "{row}");
        }
    }

    #[test]
    fn a_few_bodies_are_under_way_and_two_at_least() {
        for (per_second, size, expected) in [
            (10 * MIB, 8 * MIB, 5),
            (10 * MIB, 256 << 10, 160),
            (10 * MIB, 1 << 30, 2),
            (1, 8 * MIB, 2),
            (u64::MAX, 8 * MIB, 200),
        ] {
            let pace = Pace::of(Some(per_second)).and(&Pace::of(Some(per_second)));
            let mut context = Context::from_waker(Waker::noop());
            let begun: Vec<_> = (0..200)
                .map_while(
                    |_| match Box::pin(pace.begin(size)).as_mut().poll(&mut context) {
                        Poll::Ready(stream) => Some(stream),
                        Poll::Pending => None,
                    },
                )
                .collect();
            assert_eq!(begun.len(), expected, "{per_second} {size}");
        }
    }
}
