//! What goes wrong in a script, in one line: the script and its line first.

use mlua::Error;

use super::libraries::OURS;
use crate::hook::HookError;

/// What mlua says where modules written in C are not loaded.
const NO_C: &str = "can't load C modules in safe mode";

/// Longer messages are cut.
const LONGEST: usize = 1000;

/// What an error of the interpreter says. Where it came from in full is logged for who debugs.
pub(super) fn told(error: &Error) -> HookError {
    HookError::new(message(error, None)).of_script()
}

/// What an error of the interpreter says, with the script's name where the error tells no place.
pub(super) fn told_of(error: &Error, script: &str) -> HookError {
    HookError::new(message(error, Some(script))).of_script()
}

fn message(error: &Error, script: Option<&str>) -> String {
    let (text, traceback) = parts(error);
    if !traceback.is_empty() {
        tracing::debug!("{text}\n{traceback}");
    }
    let line = one_line(&with_remedy(text));
    if place(&line).is_some() {
        return line;
    }
    let place = traceback.lines().find_map(|line| {
        let end = place(line.trim_start())?;
        Some(line.trim_start()[..end].to_owned())
    });
    match place.or_else(|| script.map(str::to_owned)) {
        Some(place) => format!("{place}: {line}"),
        None => line,
    }
}

/// What was said, and the calls that led there.
fn parts(error: &Error) -> (String, String) {
    match error {
        Error::RuntimeError(text) => match text.split_once("\nstack traceback:\n") {
            Some((text, traceback)) => (text.to_owned(), traceback.to_owned()),
            None => (text.clone(), String::new()),
        },
        Error::SyntaxError { message, .. } => (message.clone(), String::new()),
        Error::MemoryError(text) => (format!("{text} (lua.vm_memory_limit)"), String::new()),
        Error::CallbackError { traceback, cause } => {
            let (text, inner) = parts(cause);
            let traceback = traceback.trim_start_matches("stack traceback:\n");
            (
                text,
                if inner.is_empty() {
                    traceback.to_owned()
                } else {
                    inner
                },
            )
        }
        Error::WithContext { context, cause } => {
            let (text, traceback) = parts(cause);
            (format!("{context}: {text}"), traceback)
        }
        other => (other.to_string(), String::new()),
    }
}

/// What was said, and what may be done about it, where that is a setting.
fn with_remedy(text: String) -> String {
    let lacks = |library: &str| text.contains(&format!("(global '{library}')"));
    if lacks("os") || lacks("io") {
        return format!("{text}; lua.allow_os_library gives it os and io");
    }
    // Lua lists every file it looked for
    match text.split_once(" not found:\n") {
        Some((module, looked)) if looked.contains(NO_C) => {
            format!("{module} not found; one written in C needs lua.allow_unsafe_vm")
        }
        _ => text,
    }
}

/// How long the place is that a text begins with, `skip.lua:12`.
fn place(text: &str) -> Option<usize> {
    if text.starts_with(&OURS[1..]) {
        return None;
    }
    let mut from = 0;
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        let digits = text[colon + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let end = colon + 1 + digits;
        if digits > 0 && colon > 0 && text[end..].starts_with(':') {
            return Some(end);
        }
        if text[..colon].contains(": ") || text[colon..].starts_with(": ") {
            return None;
        }
        from = colon + 1;
    }
    None
}

/// A text without what would make other lines of it, as long as people read.
pub(super) fn one_line(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    let mut line: String = (text[..end].chars())
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    if end < text.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_that_names_the_place() {
        let runtime = |text: &str| Error::RuntimeError(text.to_owned());
        for (name, error, expected) in [
            (
                "with a traceback",
                runtime("a.lua:3: oh\nstack traceback:\n\t[C]: in ?"),
                "a.lua:3: oh",
            ),
            ("without a place", runtime("oh"), "s.lua: oh"),
            (
                "whose place only the traceback has",
                runtime(
                    "oh\nstack traceback:\n\t[C]: in function 'error'\n\ta.lua:7: in function 'filter'",
                ),
                "a.lua:7: oh",
            ),
            (
                "whose place is none of the script",
                runtime("oh\nstack traceback:\n\t[s3sync]:7: in function <[s3sync]:3>"),
                "s.lua: oh",
            ),
            ("of lines", runtime("a.lua:1: one\ntwo"), "a.lua:1: one two"),
            (
                "a file with a colon",
                runtime("a:b.lua:1: oh"),
                "a:b.lua:1: oh",
            ),
            ("a time in words", runtime("at 12:30: oh"), "at 12:30: oh"),
            (
                "a word and a number",
                runtime("no: 1:2: oh"),
                "s.lua: no: 1:2: oh",
            ),
            (
                "memory",
                Error::MemoryError("not enough memory".to_owned()),
                "s.lua: not enough memory (lua.vm_memory_limit)",
            ),
        ] {
            assert_eq!(told_of(&error, "s.lua").message, expected, "{name}");
        }
        let long = told(&runtime(&format!("a.lua:1: {}", "ä".repeat(5000)))).message;
        assert!(long.len() <= LONGEST + 3, "{}", long.len());
    }
}
