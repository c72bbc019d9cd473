//! What a script can reach: an interpreter with the libraries it may use, and no others.

use std::path::Path;

use mlua::chunk::ChunkMode;
use mlua::{Lua, LuaOptions, StdLib, Table};

use super::told::told_of;
use super::{Script, beside};
use crate::config::Libraries;
use crate::hook::HookError;

/// What chunks of this program are called where errors tell a place: nobody is to look for them.
pub(super) const OURS: &str = "=[s3sync]";

/// Runs before scripts that are kept from what no limit holds for.
const TEXT_ONLY: &str = include_str!("text_only.lua");

/// Runs before scripts that have `os` and `io`.
const SYSTEM: &str = include_str!("system.lua");

/// A new interpreter for a script in this directory. Modules are looked for where Lua looks for
/// them, and then there; those of a safe script only there.
pub(super) fn interpreter(libraries: Libraries, directory: &Path) -> mlua::Result<Lua> {
    let lua = match libraries {
        Libraries::Safe => Lua::new_with(
            StdLib::ALL_SAFE ^ (StdLib::OS | StdLib::IO),
            LuaOptions::default(),
        )?,
        Libraries::System => Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?,
        Libraries::Everything => everything(),
    };
    let prelude = |text: &str| lua.load(text).set_name(OURS).exec();
    match libraries {
        Libraries::Safe => {
            prelude(TEXT_ONLY)?;
            beside::confine(&lua, directory)?;
            return Ok(lua);
        }
        Libraries::System => {
            prelude(TEXT_ONLY)?;
            prelude(SYSTEM)?;
        }
        Libraries::Everything => prelude(SYSTEM)?,
    }
    let package: Table = lua.globals().get("package")?;
    let path: mlua::LuaString = package.get("path")?;
    let path = format!("{};{}/?.lua", path.to_string_lossy(), directory.display());
    package.set("path", path)?;
    Ok(lua)
}

/// An interpreter without limits to what it can reach.
#[allow(
    unsafe_code,
    reason = "C modules and `debug` can do anything: lua.allow_unsafe_vm is said by who answers for them"
)]
fn everything() -> Lua {
    // SAFETY: whoever says lua.allow_unsafe_vm takes it on that the script and its modules keep to
    // what Lua allows
    unsafe { Lua::unsafe_new() }
}

/// Whether a script could be run, as far as its grammar tells.
pub(super) fn compile(script: &Script) -> Result<(), HookError> {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default());
    let compiled = lua.and_then(|lua| {
        let chunk = lua
            .load(&*script.text)
            .set_name(format!("@{}", script.name()));
        chunk.set_mode(ChunkMode::Text).into_function().map(drop)
    });
    compiled.map_err(|error| told_of(&error, &script.name()).for_the_pair())
}
