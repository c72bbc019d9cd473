/*! Where parts are hashed, off the async threads.

MD5 is what a transfer spends its time on, and parts of one length cost hardly more together than
one alone. So they meet here: who comes while others are being hashed waits for those and goes
next, together with everybody of the same length who came meanwhile. Nobody waits for company that
may never come. The other digests need no company and begin at once.
*/

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::digest::{Algorithm, Digest, Hashers, MOST_AT_ONCE, md5_each};

/// A place where parts of all objects of a pair meet to be hashed.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk(Arc<Mutex<Queues>>);

/// Who waits, by length. A length that is there has a thread at work on it.
type Queues = HashMap<usize, Vec<Waiting>>;

#[derive(Debug)]
struct Waiting {
    bytes: Bytes,
    answer: oneshot::Sender<Digest>,
}

impl Desk {
    /// The digests of a part, in the order of the algorithms; one named twice is there once.
    pub(super) async fn digests(&self, bytes: &Bytes, algorithms: &[Algorithm]) -> Vec<Digest> {
        let mut others = algorithms.to_vec();
        others.retain(|algorithm| *algorithm != Algorithm::Md5);
        let md5 = (others.len() < algorithms.len()).then(|| self.md5(bytes.clone()));
        let others = (!others.is_empty()).then(|| {
            let mut hashers = Hashers::new(others);
            let bytes = bytes.clone();
            spawn_blocking(move || {
                hashers.update(&bytes);
                hashers.finish()
            })
        });
        let mut digests = Vec::new();
        if let Some(md5) = md5 {
            digests.push(md5.await.expect("hashing does not panic"));
        }
        if let Some(others) = others {
            digests.extend(others.await.expect("hashing does not panic"));
        }
        digests.sort_by_key(|digest| algorithms.iter().position(|a| *a == digest.algorithm()));
        digests
    }

    /// Takes a place in the queue of its length, and sees to it that somebody is at work there.
    fn md5(&self, bytes: Bytes) -> oneshot::Receiver<Digest> {
        let length = bytes.len();
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting { bytes, answer };
        let mut queues = self.queues();
        if let Some(queue) = queues.get_mut(&length) {
            queue.push(waiting);
        } else {
            queues.insert(length, vec![waiting]);
            let shift = Shift {
                desk: self.clone(),
                length,
            };
            spawn_blocking(move || shift.work());
        }
        receiver
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work on one length, from the first part that comes until nobody waits. However it ends,
/// nobody is left waiting for it.
struct Shift {
    desk: Desk,
    length: usize,
}

impl Shift {
    fn work(self) {
        while let Some(batch) = self.next() {
            let messages: Vec<&[u8]> = batch.iter().map(|waiting| &waiting.bytes[..]).collect();
            let digests = md5_each(&messages);
            for (waiting, digest) in batch.into_iter().zip(digests) {
                // who has gone meanwhile does not want to know
                let _ = waiting.answer.send(digest);
            }
        }
    }

    /// Those who go next; `None`, and the end of the queue, when nobody waits.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queues = self.desk.queues();
        let queue = queues.get_mut(&self.length)?;
        queue.retain(|waiting| !waiting.answer.is_closed());
        if queue.is_empty() {
            queues.remove(&self.length);
            return None;
        }
        let rest = queue.split_off(queue.len().min(MOST_AT_ONCE));
        Some(std::mem::replace(queue, rest))
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.desk.queues().remove(&self.length);
        }
    }
}
