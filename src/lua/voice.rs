//! What a script says goes to the log: `print`, `warn`, and `log.info` with its siblings.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, Variadic};

use super::Script;

/// More of one text is not logged.
const LONGEST: usize = 8 * 1024;

/// More lines are not logged of one call.
const MOST_LINES: u32 = 1000;

/// How many lines the call that is running may still log. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct Breath(Rc<Cell<u32>>);

/// How much somebody should mind.
#[derive(Debug, Clone, Copy)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Gives a script a voice.
pub(super) fn give(lua: &Lua, script: &Script, breath: &Breath) -> mlua::Result<()> {
    let globals = lua.globals();
    globals.set("print", says(lua, script, breath, Level::Info)?)?;
    let log = lua.create_table()?;
    for (name, level) in [
        ("debug", Level::Debug),
        ("info", Level::Info),
        ("warn", Level::Warn),
        ("error", Level::Error),
    ] {
        log.set(name, says(lua, script, breath, level)?)?;
    }
    globals.set("log", log)?;
    let (heard, left) = (script.clone(), breath.clone());
    lua.set_warning_function(move |_, text, _| {
        // `@on` and its like are not for people
        if !text.starts_with('@') {
            tell(&heard, &left, Level::Warn, text);
        }
        Ok(())
    });
    Ok(())
}

/// A function that logs its arguments as `print` would print them.
fn says(lua: &Lua, script: &Script, breath: &Breath, level: Level) -> mlua::Result<mlua::Function> {
    let (script, breath) = (script.clone(), breath.clone());
    let tostring: mlua::Function = lua.globals().get("tostring")?;
    lua.create_function(move |_, values: Variadic<mlua::Value>| {
        let mut text = String::new();
        for value in values.iter() {
            if !text.is_empty() {
                text.push('\t');
            }
            let word: mlua::LuaString = tostring.call(value)?;
            let bytes = &word.as_bytes()[..];
            text.push_str(&String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]));
            if text.len() > LONGEST {
                break;
            }
        }
        tell(&script, &breath, level, &text);
        Ok(())
    })
}

/// Logs a text line by line, without what would move the cursor.
fn tell(script: &Script, breath: &Breath, level: Level, text: &str) {
    let (name, pair) = (script.name(), script.place.pair.as_str());
    for line in lines(text) {
        match breath.takes() {
            Takes::Line => {}
            Takes::Last => {
                tracing::warn!(
                    pair,
                    script = name,
                    "… cut after {MOST_LINES} lines of one call"
                );
                return;
            }
            Takes::Nothing => return,
        }
        match level {
            Level::Debug => tracing::debug!(pair, script = name, "{line}"),
            Level::Info => tracing::info!(pair, script = name, "{line}"),
            Level::Warn => tracing::warn!(pair, script = name, "{line}"),
            Level::Error => tracing::error!(pair, script = name, "{line}"),
        }
    }
}

/// What is logged of a line.
enum Takes {
    Line,
    /// That it is the first of those that are not logged.
    Last,
    Nothing,
}

impl Breath {
    /// Another call begins.
    pub(super) fn renew(&self) {
        self.0.set(MOST_LINES + 1);
    }

    fn takes(&self) -> Takes {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        match left {
            0 => Takes::Nothing,
            1 => Takes::Last,
            _ => Takes::Line,
        }
    }
}

impl Default for Breath {
    fn default() -> Self {
        Self(Rc::new(Cell::new(MOST_LINES + 1)))
    }
}

fn lines(text: &str) -> impl Iterator<Item = String> {
    let end = text.floor_char_boundary(LONGEST);
    let cut = (end < text.len()).then(|| format!("… cut after {LONGEST} bytes"));
    let lines = text[..end].lines().map(|line| {
        let is_plain = |it: char| !it.is_control() || it == '\t';
        line.chars()
            .map(|it| if is_plain(it) { it } else { '\u{fffd}' })
            .collect::<String>()
    });
    let lines: Vec<String> = lines.chain(cut).collect();
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_says_is_cut_and_moves_no_cursor() {
        for (name, text, expected) in [
            ("one line", "hello".to_owned(), vec!["hello".to_owned()]),
            ("nothing", String::new(), vec![]),
            (
                "two lines",
                "a\nb\n".to_owned(),
                vec!["a".to_owned(), "b".to_owned()],
            ),
            (
                "an escape",
                "\u{1b}[2Ja\tb".to_owned(),
                vec!["\u{fffd}[2Ja\tb".to_owned()],
            ),
            (
                "a long one",
                "ä".repeat(LONGEST),
                vec![
                    "ä".repeat(LONGEST / 2),
                    format!("… cut after {LONGEST} bytes"),
                ],
            ),
        ] {
            assert_eq!(lines(&text).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
