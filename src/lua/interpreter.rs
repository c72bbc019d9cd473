//! An interpreter with one script in it, and the limits it runs within.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, Value, VmState};

use super::overtime::Overtime;
use super::seat::Seat;
use super::told::told_of;
use super::voice::Breath;
use super::{Place, Script, libraries, voice};
use crate::config::{Libraries, LuaSettings};
use crate::hook::HookError;

/// So many instructions run between two looks at the clock.
const BETWEEN_LOOKS: u32 = 1000;

/// What work is done with. It never leaves its thread.
pub(super) struct Interpreter {
    pub(super) lua: Lua,
    limit: Limit,
    overtime: Overtime,
    /// Why nothing more is to be done with it.
    given_up: OnceCell<HookError>,
    /// How much it may still say.
    breath: Breath,
    seat: Arc<Seat>,
    name: String,
    place: Arc<Place>,
    pair: mlua::LuaString,
    run_id: OnceCell<mlua::LuaString>,
}

/// When the call that is running has to be over.
#[derive(Clone)]
struct Limit {
    timeout: Option<Duration>,
    until: Rc<Cell<Option<Instant>>>,
}

impl Interpreter {
    /// Makes an interpreter and runs the script in it. The error is of the script, or that it has
    /// not the function it is there for.
    pub(super) fn new(
        script: &Script,
        settings: &LuaSettings,
        seat: Arc<Seat>,
    ) -> Result<Self, HookError> {
        let name = script.name();
        let failed = |error: mlua::Error| told_of(&error, &name).for_the_pair();
        let lua = libraries::interpreter(settings.libraries, script.directory()).map_err(failed)?;
        let breath = Breath::default();
        voice::give(&lua, script, &breath).map_err(failed)?;
        let limit = Limit {
            timeout: settings.timeout,
            until: Rc::default(),
        };
        let interpreter = Self {
            pair: lua.create_string(&script.place.pair).map_err(failed)?,
            run_id: OnceCell::new(),
            place: Arc::clone(&script.place),
            lua,
            limit,
            overtime: Overtime::default(),
            given_up: OnceCell::new(),
            breath,
            seat,
            name: name.clone(),
        };
        let lua = &interpreter.lua;
        if interpreter.limit.timeout.is_some() {
            interpreter
                .limit
                .watch(lua, BETWEEN_LOOKS)
                .map_err(failed)?;
        }
        if settings.memory_limit > 0 {
            // what it is made of counts, and what is asked for less than that cannot be
            let limit = usize::try_from(settings.memory_limit).unwrap_or(usize::MAX);
            lua.set_memory_limit(limit).map_err(failed)?;
        }
        interpreter.begin();
        let mut chunk = lua.load(&*script.text).set_name(format!("@{name}"));
        if settings.libraries != Libraries::Everything {
            chunk = chunk.set_mode(ChunkMode::Text);
        }
        chunk.exec().map_err(failed)?;
        // who hears nothing is told of where it would hear
        if let Some(kind) = script.kind
            && kind.needs_function()
            && !interpreter.has(kind.function())
        {
            return Err(interpreter.lacks(&[kind.function()]).for_the_pair());
        }
        Ok(interpreter)
    }

    /// Makes a call, in its time. What comes too late does not count, whatever it is; after too many
    /// of these the interpreter is given up, and the error fails the pair.
    pub(super) fn call<R>(&self, call: impl FnOnce() -> mlua::Result<R>) -> Result<R, HookError> {
        self.begin();
        let answer = call();
        let is_late = self.limit.is_over();
        if self.overtime.is_enough(is_late) {
            let error = self.late("given up after too many calls that took longer");
            return Err((self.given_up.get_or_init(|| error.for_the_pair())).clone());
        }
        match answer {
            Ok(_) if is_late => Err(self.late("it took longer")),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn late(&self, what: &str) -> HookError {
        let timeout = self.limit.timeout.unwrap_or_default();
        HookError::new(format!(
            "{}: {what} than {timeout:?} (lua.callback_timeout)",
            self.name
        ))
        .of_script()
    }

    /// Why nothing more is to be done with it, where that is so.
    pub(super) fn given_up(&self) -> Option<&HookError> {
        self.given_up.get()
    }

    /// A call begins: from now on it may take as long as calls may.
    pub(super) fn begin(&self) {
        let now = Instant::now();
        self.limit
            .until
            .set(self.limit.timeout.map(|timeout| now + timeout));
        self.seat.begins(now);
        self.breath.renew();
    }

    /// A function of the script by its name.
    pub(super) fn function(&self, name: &str) -> Result<Function, HookError> {
        self.lua.globals().get(name).map_err(|_| {
            HookError::new(format!("{}: it has no function `{name}`", self.name)).of_script()
        })
    }

    /// That the script has none of these functions, and which it has.
    pub(super) fn lacks(&self, functions: &[&str]) -> HookError {
        let lacks = match functions {
            [function] => format!("it has no function `{function}`"),
            functions => format!("it has none of the functions `{}`", functions.join("`, `")),
        };
        let has = self.own_functions();
        let has = if has.is_empty() {
            String::new()
        } else {
            format!(", but `{}`", has.join("`, `"))
        };
        HookError::new(format!("{}: {lacks}{has}", self.name)).of_script()
    }

    /// The global functions that the script itself defines.
    fn own_functions(&self) -> Vec<String> {
        let is_own = |function: &Function| {
            let source = function.info().source.unwrap_or_default();
            source.trim_start_matches('@') == self.name
        };
        let globals = self.lua.globals();
        let mut names: Vec<String> = (globals.pairs::<Value, Value>())
            .filter_map(|pair| match pair.ok()? {
                (Value::String(name), Value::Function(function)) if is_own(&function) => {
                    Some(name.to_string_lossy())
                }
                _ => None,
            })
            .collect();
        names.sort();
        names
    }

    /// The script's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the script has a function.
    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self.lua.globals().get(name), Ok(Value::Function(_)))
    }

    /// What an error says, with the script and, where that is known, the line.
    pub(super) fn told(&self, error: &mlua::Error) -> HookError {
        told_of(error, &self.name)
    }

    /// The pair the script runs in.
    pub(super) fn pair(&self) -> &mlua::LuaString {
        &self.pair
    }

    /// The id of the run, once it has begun.
    pub(super) fn run_id(&self) -> mlua::Result<Option<&mlua::LuaString>> {
        if self.run_id.get().is_none()
            && let Some(run_id) = self.place.run_id.get()
        {
            _ = self.run_id.set(self.lua.create_string(run_id)?);
        }
        Ok(self.run_id.get())
    }
}

impl Limit {
    fn is_over(&self) -> bool {
        (self.until.get()).is_some_and(|until| Instant::now() >= until)
    }

    /// Looks at the clock from now on. Once the time is over every instruction raises: a script
    /// that catches the first of these errors is stopped by the next.
    fn watch(&self, lua: &Lua, every: u32) -> mlua::Result<()> {
        let limit = self.clone();
        let triggers = HookTriggers::new().every_nth_instruction(every);
        lua.set_global_hook(triggers, move |lua, at| {
            let is_over = limit.is_over();
            let wanted = if is_over { 1 } else { BETWEEN_LOOKS };
            if wanted != every {
                limit.watch(lua, wanted)?;
            }
            if !is_over {
                return Ok(VmState::Continue);
            }
            let source = at.source().short_src;
            let place = (source.zip(at.current_line()))
                .map_or_else(String::new, |(source, line)| format!("{source}:{line}: "));
            let timeout = limit.timeout.unwrap_or_default();
            Err(mlua::Error::runtime(format!(
                "{place}it took longer than {timeout:?} (lua.callback_timeout)"
            )))
        })
    }
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interpreter({})", self.name)
    }
}
