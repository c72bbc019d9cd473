/*! Where parts are hashed, off the async threads.

MD5 is what a transfer spends its time on, and parts of one length cost hardly more together than
one alone. So they meet here. A part is not hashed before it can be written, and whoever has come
by then is hashed with it; where parts come quickly, it waits a moment for those on their way. The
other digests need no company and begin at once.
*/

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use super::places::Places;
use crate::context::Budget;
use crate::digest::{Algorithm, Digest, Hashers, MOST_AT_ONCE, enough_at_once, md5_each};

/// How long company on its way is waited for, at most.
const PATIENCE: Duration = Duration::from_millis(25);

/// A place where parts of all objects of a pair meet to be hashed.
#[derive(Debug, Clone)]
pub(super) struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    budget: Budget,
    places: Places,
    hall: Mutex<Hall>,
    /// Somebody came, or will not come any more.
    changed: Notify,
}

/// Who is there and who will be.
#[derive(Debug, Default)]
struct Hall {
    /// By length. A length that is there is being seen to.
    queues: HashMap<usize, Vec<Waiting>>,
    /// Parts that are being read.
    expected: usize,
}

#[derive(Debug)]
struct Waiting {
    bytes: Bytes,
    answer: oneshot::Sender<Digest>,
}

/// A part that is being read; dropped, it is not any more.
#[derive(Debug)]
pub(super) struct Expected(Arc<Shared>);

impl Desk {
    /// For parts that are read into this budget and written when there is a place.
    pub(super) fn new(budget: Budget, places: Places) -> Self {
        Self(Arc::new(Shared {
            budget,
            places,
            hall: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// Says that a part is being read.
    pub(super) fn expect(&self) -> Expected {
        self.0.hall().expected += 1;
        Expected(Arc::clone(&self.0))
    }

    /// The digests of a part that came, in the order of the algorithms; one named twice is there
    /// once.
    pub(super) async fn digests(
        &self,
        came: Expected,
        bytes: &Bytes,
        algorithms: &[Algorithm],
    ) -> Vec<Digest> {
        let together = |algorithm: &Algorithm| *algorithm == Algorithm::Md5 && enough_at_once() > 1;
        let mut alone = algorithms.to_vec();
        alone.retain(|algorithm| !together(algorithm));
        let md5 = (alone.len() < algorithms.len()).then(|| self.md5(bytes.clone()));
        drop(came);
        let alone = (!alone.is_empty()).then(|| hash_alone(bytes.clone(), alone));
        let mut digests = Vec::new();
        if let Some(md5) = md5 {
            digests.push(md5.await.expect("hashing does not panic"));
        }
        if let Some(alone) = alone {
            digests.extend(alone.await.expect("hashing does not panic"));
        }
        digests.sort_by_key(|digest| algorithms.iter().position(|a| *a == digest.algorithm()));
        digests
    }

    /// Takes a place in the queue of its length, and sees to it that somebody looks after it.
    fn md5(&self, bytes: Bytes) -> oneshot::Receiver<Digest> {
        let length = bytes.len();
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting { bytes, answer };
        let mut hall = self.0.hall();
        if let Some(queue) = hall.queues.get_mut(&length) {
            queue.push(waiting);
        } else {
            hall.queues.insert(length, vec![waiting]);
            tokio::spawn(Shift(Arc::clone(&self.0), length).work());
        }
        drop(hall);
        self.0.changed.notify_waiters();
        receiver
    }
}

fn hash_alone(bytes: Bytes, algorithms: Vec<Algorithm>) -> JoinHandle<Vec<Digest>> {
    spawn_blocking(move || {
        let mut hashers = Hashers::new(algorithms);
        hashers.update(&bytes);
        hashers.finish()
    })
}

impl Shared {
    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is company enough, or no more to be waited for.
    async fn company(&self, length: usize) {
        loop {
            let changed = self.changed.notified();
            if self.is_complete(length) {
                return;
            }
            changed.await;
        }
    }

    fn is_complete(&self, length: usize) -> bool {
        let hall = self.hall();
        let waiting: usize = hall.queues.values().map(Vec::len).sum();
        // without memory for another part, who is on the way may be waiting for us
        hall.expected == 0 || waiting >= enough_at_once() || !self.budget.has_room(length as u64)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.hall().expected -= 1;
        self.0.changed.notify_waiters();
    }
}

/// The work on one length, from the first part that comes until nobody waits. However it ends,
/// nobody is left waiting for it.
struct Shift(Arc<Shared>, usize);

impl Shift {
    async fn work(self) {
        loop {
            // those hashed before stand in this line too: behind them nothing is ready any more
            drop(self.0.places.to_write().await);
            let _ = tokio::time::timeout(PATIENCE, self.0.company(self.1)).await;
            let Some(batch) = self.next() else { return };
            let hashed = spawn_blocking(|| hash_together(batch));
            hashed.await.expect("hashing does not panic");
        }
    }

    /// Those who go next; `None`, and the end of the queue, when nobody waits.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut hall = self.0.hall();
        let queue = hall.queues.get_mut(&self.1)?;
        queue.retain(|waiting| !waiting.answer.is_closed());
        if queue.is_empty() {
            hall.queues.remove(&self.1);
            return None;
        }
        let rest = queue.split_off(queue.len().min(MOST_AT_ONCE));
        Some(std::mem::replace(queue, rest))
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.hall().queues.remove(&self.1);
        }
    }
}

fn hash_together(batch: Vec<Waiting>) {
    let messages: Vec<&[u8]> = batch.iter().map(|waiting| &waiting.bytes[..]).collect();
    let digests = md5_each(&messages);
    for (waiting, digest) in batch.into_iter().zip(digests) {
        // who has gone meanwhile does not want to know
        let _ = waiting.answer.send(digest);
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;

    use super::*;
    use crate::digest::digest;

    fn desk(memory: u64, places: usize) -> Desk {
        Desk::new(Budget::new(memory), Places::new(places))
    }

    fn part(seed: usize, length: usize) -> Bytes {
        (0..length).map(|i| (i * 7 + seed * 31) as u8).collect()
    }

    #[tokio::test]
    async fn each_part_gets_its_own_digests() {
        let desk = desk(1 << 20, 4);
        let algorithms = [
            Algorithm::Sha256,
            Algorithm::Md5,
            Algorithm::Crc64Nvme,
            Algorithm::Md5,
        ];
        let mut flying: FuturesUnordered<_> = (0..100)
            .map(|seed| {
                let desk = desk.clone();
                async move {
                    let bytes = part(seed, [1000, 70_001, 0, 64][seed % 4]);
                    let digests = desk.digests(desk.expect(), &bytes, &algorithms).await;
                    (seed, bytes, digests)
                }
            })
            .collect();
        while let Some((seed, bytes, digests)) = flying.next().await {
            let expected = algorithms[..3].iter().map(|a| digest(*a, &bytes));
            assert_eq!(digests, expected.collect::<Vec<_>>(), "part {seed}");
        }
        // nobody waits, so nobody is looked after for long
        while !desk.0.hall().queues.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_part_that_does_not_come() {
        let desk = desk(1 << 20, 1);
        let bytes = part(1, 5000);
        let expected = desk.expect();
        // it is given up, or it takes too long: either way the other is hashed
        for given_up in [Some(expected), None] {
            let _still_read = given_up.is_none().then(|| desk.expect());
            drop(given_up);
            let digests = desk.digests(desk.expect(), &bytes, &[Algorithm::Md5]).await;
            assert_eq!(digests, [digest(Algorithm::Md5, &bytes)]);
        }
    }

    #[tokio::test]
    async fn who_goes_away_holds_nobody_up() {
        let desk = desk(1 << 20, 1);
        let place = desk.0.places.to_write().await;
        let (gone, stays) = (part(1, 5000), part(2, 5000));
        let going = desk.md5(gone);
        let staying = desk.md5(stays.clone());
        drop(going);
        drop(place);
        assert_eq!(staying.await, Ok(digest(Algorithm::Md5, &stays)));
    }

    #[tokio::test]
    async fn parts_wait_for_a_place_and_are_hashed_together() {
        if enough_at_once() == 1 {
            return;
        }
        let desk = desk(1 << 20, 1);
        let place = desk.0.places.to_write().await;
        let answers: Vec<_> = (0..5).map(|seed| desk.md5(part(seed, 5000))).collect();
        tokio::task::yield_now().await;
        assert_eq!(desk.0.hall().queues[&5000].len(), 5);
        drop(place);
        for (seed, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.await, Ok(digest(Algorithm::Md5, &part(seed, 5000))));
        }
    }
}
