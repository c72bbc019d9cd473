//! Tells the program what it is built from; outside a repository the commit stays unknown.
#![allow(clippy::print_stdout, reason = "it is how one speaks to cargo")]

use std::{env, path::Path, process::Command};

fn main() {
    let git = |arguments: &[&str]| {
        let is_ours = Path::new(".git").exists();
        is_ours.then(|| answer("git", arguments)).flatten()
    };
    println!("cargo::rerun-if-changed=src");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["describe", "--always", "--dirty", "--exclude=*"]).unwrap_or_default();
    println!("cargo::rustc-env=BUILD_OF_S3SYNC_COMMIT={commit}");
    let says = |name: &str, value: &str| env::var(name).is_ok_and(|said| said == value);
    if env::var("CARGO_FEATURE_LUA").is_ok() && says("CARGO_CFG_TARGET_ENV", "gnu") {
        // C modules look for Lua in the program that loads them
        println!("cargo::rustc-link-arg-bins=-rdynamic");
    }
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=BUILD_OF_S3SYNC_TARGET={target}");
    let rustc = env::var("RUSTC")
        .ok()
        .and_then(|rustc| answer(&rustc, &["--version"]));
    let rustc = rustc.unwrap_or_default().replace("rustc ", "");
    println!("cargo::rustc-env=BUILD_OF_S3SYNC_RUSTC={rustc}");
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
