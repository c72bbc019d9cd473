/*! Short work on files, by as few threads as it takes.

To open, read and hash a small file takes less time than to wake a thread for it. So such work
stands in a queue, and who is awake does it until nobody waits. No piece of work waits long for
another, which may be on a slow disk: after a moment somebody else is called for it.
*/

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::blocking::{ending, halted};
use crate::store::StoreError;

/// So long work waits for who is awake.
const PATIENCE: Duration = Duration::from_millis(5);

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one store that do what is short.
#[derive(Clone, Default)]
pub(super) struct Crew {
    hall: Arc<Mutex<Hall>>,
    /// Once this is cancelled nobody waits for an answer any more.
    halt: CancellationToken,
}

#[derive(Default)]
struct Hall {
    queue: VecDeque<Job>,
    /// How many look after the queue.
    awake: usize,
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crew({} waiting)", self.hall().queue.len())
    }
}

impl Crew {
    /// Those who wait for answers until then at most.
    pub(super) fn until(halt: CancellationToken) -> Self {
        Self {
            halt,
            ..Self::default()
        }
    }

    /// The moment at which nobody waits any more.
    pub(super) fn halt(&self) -> &CancellationToken {
        &self.halt
    }

    /// Runs `work` where blocking is allowed. A panic in it goes on here; work that nobody waits
    /// for any more is not begun.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, mut done) = oneshot::channel::<Result<_, Box<dyn Any + Send>>>();
        self.add(Box::new(move || {
            if !answer.is_closed() {
                // who has gone meanwhile does not want to know
                let _ = answer.send(catch_unwind(AssertUnwindSafe(work)));
            }
        }));
        let done = if let Ok(done) = tokio::time::timeout(PATIENCE, &mut done).await {
            done
        } else {
            self.call_another();
            tokio::select! {
                biased;
                done = done => done,
                () = self.halt.cancelled() => return Err(halted()),
            }
        };
        match done {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(ending()),
        }
    }

    fn add(&self, job: Job) {
        let mut hall = self.hall();
        hall.queue.push_back(job);
        if hall.awake == 0 {
            hall.awake += 1;
            drop(hall);
            self.wake();
        }
    }

    /// Sees to it that work which waits does not wait for who is awake. Each that waits calls once,
    /// and who comes takes one at least.
    fn call_another(&self) {
        let mut hall = self.hall();
        if !hall.queue.is_empty() {
            hall.awake += 1;
            drop(hall);
            self.wake();
        }
    }

    fn wake(&self) {
        let shift = Shift {
            crew: self.clone(),
            is_counted: true,
        };
        spawn_blocking(move || shift.work());
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who is awake, from the call to the end of the queue; or to that of the runtime, which may
/// come before.
struct Shift {
    crew: Crew,
    is_counted: bool,
}

impl Shift {
    fn work(mut self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next piece of work; `None`, and one less is awake, when there is none.
    fn next(&mut self) -> Option<Job> {
        let mut hall = self.crew.hall();
        let job = hall.queue.pop_front();
        if job.is_none() {
            hall.awake -= 1;
            self.is_counted = false;
        }
        job
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if self.is_counted {
            self.crew.hall().awake -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn each_gets_its_own_answer_and_nobody_stays_awake() {
        let crew = Crew::default();
        for count in [1, 2, 500] {
            let all = (0..count).map(|at| crew.blocking(move || Ok(at * 7)));
            for (at, answer) in (0..count).zip(join_all(all).await) {
                assert_eq!(answer.expect("nothing fails"), at * 7);
            }
        }
        while crew.hall().awake > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn work_waits_for_no_disk_that_does_not_answer() {
        let crew = Crew::default();
        let (release, stuck): (Vec<_>, Vec<_>) = (0..4).map(|_| mpsc::channel::<()>()).unzip();
        let slow = stuck.into_iter().map(|stuck| {
            crew.blocking(move || {
                let _ = stuck.recv();
                Ok(())
            })
        });
        let slow = join_all(slow);
        let quick = async {
            let answers = join_all((0..9).map(|at| crew.blocking(move || Ok(at)))).await;
            drop(release);
            answers.len()
        };
        let (slow, quick) = tokio::join!(slow, quick);
        assert_eq!((slow.len(), quick), (4, 9));
    }

    #[tokio::test]
    async fn who_is_to_stop_waits_for_no_disk() {
        let halt = CancellationToken::new();
        let crew = Crew::until(halt.clone());
        let (release, stuck) = mpsc::channel::<()>();
        let waiting = crew.blocking(move || {
            let _ = stuck.recv();
            Ok(())
        });
        let mut waiting = Box::pin(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        halt.cancel();
        let error = waiting.await.expect_err("nothing has come");
        assert_eq!(error.kind, crate::store::ErrorKind::Cancelled);
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_is_that_of_who_asked() {
        let crew = Crew::default();
        let asking = crew.clone();
        let asked = tokio::spawn(async move { asking.blocking::<()>(|| panic!("a bug")).await });
        let other = crew.blocking(|| Ok(1)).await;
        assert!(asked.await.expect_err("it panicked").is_panic());
        assert_eq!(other.expect("another's work"), 1);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let crew = Crew::default();
        let begun = Arc::new(AtomicU32::new(0));
        let (release, stuck) = mpsc::channel::<()>();
        let first = crew.blocking(move || {
            let _ = stuck.recv();
            Ok(())
        });
        let count = Arc::clone(&begun);
        let second = crew.blocking(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let mut first = Box::pin(first);
        assert!(futures::poll!(&mut first).is_pending());
        assert!(futures::poll!(Box::pin(second)).is_pending());
        drop(release);
        first.await.expect("nothing fails");
        crew.blocking(|| Ok(())).await.expect("nothing fails");
        assert_eq!(begun.load(Ordering::Relaxed), 0);
    }
}
