//! The way of events to those who hear them: a queue, and a task that empties it.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::told::Telling;
use super::{Backlog, EventHook, EventKind, EventStats, HookError, HookEvent};
use crate::config::Pair;
use crate::event::{Event, Sink, Tally, Warned, locked};

/// So many events are handed over at once.
const AT_ONCE: usize = 256;

/// So many errors are logged of each hook; the others are counted.
const LOGGED: u64 = 3;

/// Tells the hooks of a pair what happens. A sink: what is told is put in a queue, and whoever
/// makes events waits at the [`Backlog`] while that is too long.
pub struct Announcer {
    telling: Telling,
    hooks: Arc<[Arc<dyn EventHook>]>,
    queue: Mutex<Option<mpsc::UnboundedSender<HookEvent>>>,
    backlog: Backlog,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
    failures: Arc<[Mutex<Failures>]>,
    started: Instant,
}

/// How a pair ended, as far as its hooks hear of it.
#[derive(Debug)]
pub struct Ended<'a> {
    /// What was counted.
    pub tally: &'a Tally,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// What a hook could not hear.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    first: Option<String>,
}

impl Announcer {
    /// Begins to tell these hooks of a pair, and that it begins. `None` where there are none.
    /// Once `stop` is cancelled nobody waits for them any more.
    pub fn start(
        hooks: &[Arc<dyn EventHook>],
        pair: &Pair,
        (run_id, dry_run): (&str, bool),
        warned: Warned,
        stop: &CancellationToken,
    ) -> Option<Arc<Self>> {
        if hooks.is_empty() {
            return None;
        }
        let hooks: Arc<[_]> = hooks.into();
        let failures: Arc<[_]> = hooks.iter().map(|_| Mutex::default()).collect();
        let backlog = Backlog::new(stop.clone());
        let (queue, told) = mpsc::unbounded_channel();
        let hearing = Hearing {
            pair: pair.name.clone(),
            hooks: Arc::clone(&hooks),
            failures: Arc::clone(&failures),
            backlog: backlog.clone(),
        };
        let announcer = Self {
            telling: Telling::new(pair, run_id, dry_run, warned),
            hooks,
            queue: Mutex::new(Some(queue)),
            backlog,
            stop: stop.clone(),
            task: Mutex::new(Some(tokio::spawn(hearing.run(told)))),
            failures,
            started: Instant::now(),
        };
        let begin = announcer.telling.plain(EventKind::PipelineStart);
        announcer.tell(begin);
        Some(Arc::new(announcer))
    }

    /// Where whoever makes events waits.
    pub fn backlog(&self) -> Backlog {
        self.backlog.clone()
    }

    /// Tells that the pair ended and what it came to, and waits until everything was heard; after a
    /// stop only for `grace`. Gives what went wrong, one warning for each hook; nothing is told
    /// after it.
    pub async fn end(&self, ended: Ended<'_>, grace: Duration) -> Vec<String> {
        if let Some(error) = ended.error {
            self.tell(self.telling.error(error));
        }
        self.tell(self.telling.plain(EventKind::PipelineEnd));
        let dry_run = self.telling.is_dry_run();
        let stats = EventStats::of(ended.tally, self.started.elapsed(), dry_run);
        self.tell(self.telling.stats(stats));
        locked(&self.queue).take();
        let task = locked(&self.task).take();
        let mut warnings = Vec::new();
        if let Some(mut task) = task {
            let heard = tokio::select! {
                _ = &mut task => true,
                () = self.out_of_time(grace) => false,
            };
            if !heard {
                task.abort();
                let unheard = self.backlog.len();
                warnings.push(format!(
                    "the run was stopped, and {unheard} events were not told to its event hooks"
                ));
            }
        }
        for (hook, failures) in self.hooks.iter().zip(&*self.failures) {
            let failures = locked(failures);
            if let Some(first) = &failures.first {
                let (name, count) = (hook.name(), failures.count);
                let times = if count == 1 { "time" } else { "times" };
                let given_up = match hook.unheard() {
                    0 => String::new(),
                    unheard => {
                        format!("; it was given up, and {unheard} events were not told to it")
                    }
                };
                warnings.push(format!(
                    "{name} failed {count} {times}, first: {first}{given_up}"
                ));
            }
        }
        warnings
    }

    /// Returns once the run was stopped and this time is up.
    async fn out_of_time(&self, grace: Duration) {
        self.stop.cancelled().await;
        tokio::time::sleep(grace).await;
    }

    fn tell(&self, event: HookEvent) {
        if !self.hooks.iter().any(|hook| hook.wants(event.kind)) {
            return;
        }
        if let Some(queue) = &*locked(&self.queue) {
            self.backlog.told();
            if queue.send(event).is_err() {
                self.backlog.heard(1);
            }
        }
    }
}

impl Sink for Announcer {
    fn event(&self, event: &Event) {
        self.telling.of(event, |event| self.tell(event));
    }

    fn wants_unchanged(&self) -> bool {
        let kind = EventKind::SyncFiltered;
        self.hooks.iter().any(|hook| hook.wants(kind))
    }

    fn wants_filtered(&self) -> bool {
        self.wants_unchanged()
    }

    fn wants_steps(&self) -> bool {
        let kinds = [EventKind::SyncStart, EventKind::SyncWrite];
        (self.hooks.iter()).any(|hook| kinds.iter().any(|kind| hook.wants(*kind)))
    }
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcer")
            .field("hooks", &self.hooks)
            .field("backlog", &self.backlog.len())
            .finish_non_exhaustive()
    }
}

/// The task: hands over what is in the queue.
struct Hearing {
    pair: String,
    hooks: Arc<[Arc<dyn EventHook>]>,
    failures: Arc<[Mutex<Failures>]>,
    backlog: Backlog,
}

impl Hearing {
    async fn run(self, mut told: mpsc::UnboundedReceiver<HookEvent>) {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while told.recv_many(&mut batch, AT_ONCE).await > 0 {
            let count = batch.len();
            let events: Arc<[HookEvent]> = batch.drain(..).collect();
            for (hook, failures) in self.hooks.iter().zip(&*self.failures) {
                let heard = hook.on_events(Arc::clone(&events));
                // a panic of one hook keeps nobody from hearing, nor the run from going on
                let errors = (AssertUnwindSafe(heard).catch_unwind().await)
                    .unwrap_or_else(|_| vec![HookError::new("it panicked")]);
                self.failed(&**hook, failures, errors);
            }
            self.backlog.heard(count);
        }
    }

    fn failed(&self, hook: &dyn EventHook, failures: &Mutex<Failures>, errors: Vec<HookError>) {
        let mut failures = locked(failures);
        for error in errors {
            let error = error.in_one_line();
            failures.count += 1;
            if failures.count <= LOGGED {
                tracing::warn!(pair = self.pair, hook = hook.name(), %error, "an event hook failed");
            }
            failures.first.get_or_insert(error.message);
        }
    }
}
