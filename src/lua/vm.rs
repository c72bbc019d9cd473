//! An interpreter on a thread of its own.

use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mlua::{HookTriggers, Lua, LuaOptions, StdLib, VmState};
use tokio::sync::oneshot;

use super::Script;
use crate::config::LuaSettings;
use crate::hook::HookError;

/// So many instructions run between two looks at the clock.
const BETWEEN_LOOKS: u32 = 1000;

/// An interpreter in which one script was run. It lives on its own thread, where work is sent to.
#[derive(Debug)]
pub(super) struct Vm {
    work: mpsc::Sender<Work>,
}

type Work = Box<dyn FnOnce(&Interpreter) + Send>;

/// What work is done with.
pub(super) struct Interpreter {
    pub(super) lua: Lua,
    timeout: Option<Duration>,
    name: String,
}

/// When the call that is running has to be over.
#[derive(Debug, Clone, Copy)]
struct Deadline(Option<Instant>);

impl Vm {
    /// Starts a thread, an interpreter in it, and runs the script there.
    pub(super) fn start(script: &Script, settings: &LuaSettings) -> Result<Self, HookError> {
        let (work, receiver) = mpsc::channel::<Work>();
        let (ready, loaded) = mpsc::channel();
        let (script, settings) = (script.clone(), settings.clone());
        let run = move || match Interpreter::new(&script, &settings) {
            Ok(interpreter) => {
                if ready.send(Ok(())).is_ok() {
                    receiver.iter().for_each(|work| work(&interpreter));
                }
            }
            Err(error) => _ = ready.send(Err(error)),
        };
        let not_started = |error: &dyn fmt::Display| {
            HookError::new(format!("no thread for a script: {error}"))
                .of_script()
                .for_the_pair()
        };
        thread::Builder::new()
            .name("lua".to_owned())
            .spawn(run)
            .map_err(|error| not_started(&error))?;
        loaded.recv().map_err(|error| not_started(&error))??;
        Ok(Self { work })
    }

    /// Has something done in the interpreter, and waits for it.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Interpreter) -> R + Send + 'static,
    ) -> Result<R, HookError> {
        let (tell, told) = oneshot::channel();
        let gone = || {
            HookError::new("the interpreter is gone")
                .of_script()
                .for_the_pair()
        };
        self.work
            .send(Box::new(move |interpreter| {
                _ = tell.send(work(interpreter))
            }))
            .map_err(|_| gone())?;
        told.await.map_err(|_| gone())
    }
}

impl Interpreter {
    fn new(script: &Script, settings: &LuaSettings) -> Result<Self, HookError> {
        let failed = |error: mlua::Error| told(&error).of_script().for_the_pair();
        let lua = Lua::new_with(
            StdLib::ALL_SAFE ^ (StdLib::OS | StdLib::IO),
            LuaOptions::default(),
        )
        .map_err(failed)?;
        lua.set_memory_limit(settings.memory_limit as usize)
            .map_err(failed)?;
        let interpreter = Self {
            lua,
            timeout: settings.timeout,
            name: script.name(),
        };
        interpreter.watch().map_err(failed)?;
        interpreter.begin();
        interpreter
            .lua
            .load(&*script.text)
            .set_name(format!("@{}", interpreter.name))
            .exec()
            .map_err(failed)?;
        Ok(interpreter)
    }

    fn watch(&self) -> mlua::Result<()> {
        let Some(timeout) = self.timeout else {
            return Ok(());
        };
        let triggers = HookTriggers::new().every_nth_instruction(BETWEEN_LOOKS);
        self.lua.set_global_hook(triggers, move |lua, _| {
            let deadline = lua
                .app_data_ref::<Deadline>()
                .and_then(|deadline| deadline.0);
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let message = format!("it took longer than {timeout:?} (lua.callback_timeout)");
                return Err(mlua::Error::runtime(message));
            }
            Ok(VmState::Continue)
        })
    }

    /// A call begins: from now on it may take as long as calls may.
    pub(super) fn begin(&self) {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        self.lua.set_app_data(Deadline(deadline));
    }

    /// A function of the script by its name.
    pub(super) fn function(&self, name: &str) -> Result<mlua::Function, HookError> {
        self.lua.globals().get(name).map_err(|_| {
            HookError::new(format!("{}: it has no function `{name}`", self.name)).of_script()
        })
    }
}

/// What an error of the interpreter says, in one line: script and line first.
pub(super) fn told(error: &mlua::Error) -> HookError {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    HookError::new(first.trim_start_matches("runtime error: ")).of_script()
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interpreter({})", self.name)
    }
}
