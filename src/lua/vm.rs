/*! Interpreters on threads of their own, to which work is sent.

A script is stopped by the clock while it runs instructions ([`Interpreter`]). Inside of a function
of C (a pattern that backtracks for years, a module that waits for a server) nothing stops it: those
who wait go when its time is over, its interpreter is left to itself, and a new one takes its place.
What is left to itself costs a thread and its memory, so that this happens a few times and no more.
A script whose calls run out of time again and again ([`super::overtime`]) is not called any more.
*/

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Script;
pub(super) use super::interpreter::Interpreter;
use super::seat::Seat;
pub(super) use super::told::told;
use crate::config::LuaSettings;
use crate::hook::HookError;

/// So many interpreters of one script are left to themselves.
const MOST_GIVEN_UP: usize = 3;

/// How long after its time a call may still end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// C functions may call each other that deep.
const STACK: usize = 8 << 20;

/// The number of the work that loading is.
const LOADING: u64 = 0;

/// The interpreters in which one script was run. Work is done in the order it came, by whichever of
/// them is free; all of them end with this.
#[derive(Debug)]
pub(super) struct Vm {
    crew: Arc<Crew>,
}

type Work = Box<dyn FnOnce(&Interpreter) + Send>;

struct Crew {
    script: Script,
    settings: LuaSettings,
    state: Mutex<State>,
    work_came: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Work)>,
    /// Of the work that came last.
    number: u64,
    seats: Vec<Arc<Seat>>,
    given_up: usize,
    /// Work whose interpreter was given up, until who waits for it looks.
    lost: Vec<u64>,
    /// Nothing more will be done, and why.
    over: Option<HookError>,
}

/// How it stands with work that somebody waits for.
enum Standing {
    /// There is no need to look again before this.
    Wait(Instant),
    /// It will never be done.
    Lost,
}

impl Vm {
    /// Starts as many interpreters as the settings say, and runs the script in each.
    pub(super) fn start(script: &Script, settings: &LuaSettings) -> Result<Self, HookError> {
        let vm = Self {
            crew: Arc::new(Crew {
                script: script.clone(),
                settings: settings.clone(),
                state: Mutex::default(),
                work_came: Condvar::new(),
            }),
        };
        for _ in 0..settings.vms.max(1) {
            vm.crew.seat_one()?;
        }
        Ok(vm)
    }

    /// How many interpreters there are.
    pub(super) fn count(&self) -> usize {
        usize::from(self.crew.settings.vms.max(1))
    }

    /// Has something done in an interpreter, and waits for it. Each call of the script in it has its
    /// time from [`Interpreter::begin`] on; where one does not end, this does, with an error.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Interpreter) -> R + Send + 'static,
    ) -> Result<R, HookError> {
        let (tell, mut told) = oneshot::channel();
        let number = self.crew.send(Box::new(move |interpreter| {
            // whoever asked may have stopped waiting
            if !tell.is_closed() {
                _ = tell.send(work(interpreter));
            }
        }))?;
        let Some(patience) = self.crew.patience() else {
            return told.await.map_err(|_| self.crew.gone());
        };
        let mut until = Instant::now() + patience;
        loop {
            match tokio::time::timeout_at(until.into(), &mut told).await {
                Ok(answer) => return answer.map_err(|_| self.crew.gone()),
                Err(_) => match self.crew.look(number, patience) {
                    Standing::Wait(more) => until = more,
                    Standing::Lost => return Err(self.crew.endless()),
                },
            }
        }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.crew
            .end(HookError::new("the interpreter has ended").of_script());
    }
}

impl Crew {
    /// How long a call is waited for.
    fn patience(&self) -> Option<Duration> {
        self.settings
            .timeout
            .map(|timeout| timeout + timeout / 4 + GRACE)
    }

    /// Starts a thread with an interpreter, and waits until the script was run in it.
    fn seat_one(self: &Arc<Self>) -> Result<(), HookError> {
        let (ready, loaded) = mpsc::channel();
        let seat = self.begin_thread(ready).map_err(|error| {
            HookError::new(format!("no thread for a script: {error}"))
                .of_script()
                .for_the_pair()
        })?;
        self.state().seats.push(Arc::clone(&seat));
        let answer = match self.patience() {
            Some(patience) => loaded.recv_timeout(patience),
            None => loaded.recv().map_err(mpsc::RecvTimeoutError::from),
        };
        answer.unwrap_or_else(|error| {
            seat.give_up();
            Err(match error {
                mpsc::RecvTimeoutError::Timeout => self.endless(),
                mpsc::RecvTimeoutError::Disconnected => self.gone(),
            }
            .for_the_pair())
        })
    }

    fn begin_thread(
        self: &Arc<Self>,
        ready: mpsc::Sender<Result<(), HookError>>,
    ) -> std::io::Result<Arc<Seat>> {
        let seat = Arc::new(Seat::default());
        seat.takes(LOADING);
        let (crew, at) = (Arc::clone(self), Arc::clone(&seat));
        thread::Builder::new()
            .name("lua".to_owned())
            .stack_size(STACK)
            .spawn(move || crew.serve(at, &ready))?;
        Ok(seat)
    }

    /// The life of an interpreter.
    fn serve(self: &Arc<Self>, seat: Arc<Seat>, ready: &mpsc::Sender<Result<(), HookError>>) {
        let load = || Interpreter::new(&self.script, &self.settings, Arc::clone(&seat));
        let loaded = catch_unwind(AssertUnwindSafe(load));
        let loaded = loaded.unwrap_or_else(|_| Err(self.gone().for_the_pair()));
        let interpreter = match loaded {
            Ok(interpreter) => interpreter,
            Err(error) => {
                // of the first ones whoever starts them hears; of those that take a place, all do
                if ready.send(Err(error.clone())).is_err() && seat.is_done() {
                    self.end(error);
                }
                return;
            }
        };
        _ = ready.send(Ok(()));
        if !seat.is_done() {
            return;
        }
        while let Some((number, work)) = self.next(&seat) {
            let done = catch_unwind(AssertUnwindSafe(|| work(&interpreter)));
            if !seat.is_done() {
                return;
            }
            if let Some(error) = interpreter.given_up() {
                self.end(error.clone());
                return;
            }
            if done.is_err() {
                // nothing is known of its state any more
                self.replace(&seat, number);
                return;
            }
        }
    }

    /// The next work for an interpreter; `None` where it is to end.
    fn next(&self, seat: &Seat) -> Option<(u64, Work)> {
        let mut state = self.state();
        loop {
            if state.over.is_some() {
                return None;
            }
            if let Some((number, work)) = state.queue.pop_front() {
                if seat.takes(number) {
                    return Some((number, work));
                }
                state.queue.push_front((number, work));
                return None;
            }
            state = (self.work_came.wait(state)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn send(&self, work: Work) -> Result<u64, HookError> {
        let mut state = self.state();
        if let Some(error) = &state.over {
            return Err(error.clone());
        }
        state.number += 1;
        let number = state.number;
        state.queue.push_back((number, work));
        self.work_came.notify_one();
        Ok(number)
    }

    /// Looks after all interpreters: those whose call does not end are given up.
    fn look(self: &Arc<Self>, number: u64, patience: Duration) -> Standing {
        let now = Instant::now();
        let seats = self.state().seats.clone();
        let mut again = now + patience;
        for seat in seats {
            let overdue = (now.checked_sub(patience)).and_then(|it| seat.give_up_since(it));
            if let Some(work) = overdue {
                self.replace(&seat, work);
            } else if let Some(since) = seat.busy_since() {
                again = again.min(since + patience);
            }
        }
        let mut state = self.state();
        match state.lost.iter().position(|lost| *lost == number) {
            Some(at) => {
                state.lost.swap_remove(at);
                Standing::Lost
            }
            None => Standing::Wait(again),
        }
    }

    /// Gives an interpreter up with what it is doing, and puts another in its place.
    fn replace(self: &Arc<Self>, seat: &Arc<Seat>, work: u64) {
        let mut state = self.state();
        let Some(at) = state.seats.iter().position(|it| Arc::ptr_eq(it, seat)) else {
            return;
        };
        seat.give_up();
        state.seats.remove(at);
        state.lost.push(work);
        state.given_up += 1;
        let given_up = state.given_up;
        drop(state);
        if given_up > MOST_GIVEN_UP {
            let message = format!(
                "{}: given up after {given_up} calls that did not end",
                self.script.name()
            );
            self.end(HookError::new(message).of_script().for_the_pair());
            return;
        }
        tracing::warn!(
            pair = self.script.place.pair,
            script = self.script.name(),
            "a call did not end and was left to itself: a new interpreter goes on, which knows nothing of what the script kept in variables"
        );
        let (ready, _) = mpsc::channel();
        match self.begin_thread(ready) {
            Ok(seat) => self.state().seats.push(seat),
            Err(error) => {
                let error = HookError::new(format!("no thread for a script: {error}"));
                self.end(error.of_script().for_the_pair());
            }
        }
    }

    /// Nothing more is done.
    fn end(&self, why: HookError) {
        let mut state = self.state();
        if state.over.is_none() {
            state.over = Some(why);
        }
        // who waits hears of it by that
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        self.work_came.notify_all();
        drop(queue);
    }

    fn endless(&self) -> HookError {
        let timeout = self.settings.timeout.unwrap_or_default();
        HookError::new(format!(
            "{}: it took longer than {timeout:?} (lua.callback_timeout), in a function that nothing interrupts",
            self.script.name()
        ))
        .of_script()
    }

    fn gone(&self) -> HookError {
        let over = self.state().over.clone();
        over.unwrap_or_else(|| {
            HookError::new(format!("{}: the interpreter failed", self.script.name())).of_script()
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crew({})", self.script.name())
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
