//! Where a program works, and what it finds in its environment.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::config::{ProgramHook, is_secret_variable};
use crate::store::Secret;

/// What a program is told begins like this; what another run has told us is not passed on.
const TOLD: &str = "S3SYNC_RUN_";

/// The longest text in the environment: together they have a limit.
const LONGEST: usize = 4096;

/// The command: our own environment without secrets, and what it is told; the directory of its job
/// file; a process group of its own, so that no key pressed on a terminal ends it before us.
pub(super) fn command(
    hook: &ProgramHook,
    withheld: &BTreeSet<String>,
    told: &[(&'static str, String)],
) -> Command {
    // a relative path of a program would be looked for from the new directory, or from the old
    let program = hook.program();
    let program = if hook.run[0].contains('/') {
        std::path::absolute(&program).unwrap_or(program)
    } else {
        program
    };
    let mut command = Command::new(program);
    command
        .args(&hook.run[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if !hook.directory.as_os_str().is_empty() {
        command.current_dir(&hook.directory);
    }
    for (name, _) in std::env::vars_os() {
        let is_withheld = name.to_str().is_some_and(|name| {
            name.starts_with(TOLD) || withheld.contains(name) || is_secret_variable(name)
        });
        if is_withheld {
            command.env_remove(name);
        }
    }
    command.envs(told.iter().map(|(name, value)| (name, fitting(value))));
    command
}

/// Variables with secrets that programs get, as some call the same services.
const HANDED_ON: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The secrets that it finds in its environment.
pub(super) fn secrets() -> Vec<Secret> {
    let said = HANDED_ON.into_iter();
    said.filter_map(|name| std::env::var(name).ok().map(Secret::new))
        .collect()
}

/// A text that an environment takes.
fn fitting(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST).collect()
}
