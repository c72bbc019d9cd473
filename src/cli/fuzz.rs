//! Command lines that people mistype: they are read or refused, and nothing else happens.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;
use proptest::sample::Index;

use super::command;
use crate::chance::holds;
use crate::config::{self, Environment, FlagValues, OPTIONS};

fn word() -> impl Strategy<Value = OsString> {
    let flags: Vec<String> = OPTIONS
        .iter()
        .flat_map(|row| row.flags)
        .map(|flag| format!("--{}", flag.name()))
        .collect();
    let flag = (prop::sample::select(flags), any::<Index>());
    prop_oneof![
        4 => flag.clone().prop_map(|(flag, _)| flag.into_bytes()),
        2 => (flag, "[=]?[a-z0-9:/.-]{0,8}").prop_map(|((flag, cut), value)| {
            let at = cut.index(flag.len() * 3);
            let flag = flag.get(..at).filter(|flag| flag.len() > 3).unwrap_or(&flag).to_owned();
            (flag + &value).into_bytes()
        }),
        6 => prop::sample::select(vec![
            "run", "sync", "plan", "check", "validate", "explain", "report", "list", "show", "verify", "init", "schema",
            "man", "completions", "lua", "latest", "s3://b/p/", "/srv", ".", "-", "--", "-v", "-vvv", "-q", "--set",
            "a.b=c", "performance.worker_size=8", "--dry-run", "--emit-job", "--only", "--help", "--version", "1MiB",
            "0", "-1", "8", "90s", "true", "", "=", "*.jpg", "CRC64NVME", "\u{202e}", "é",
        ]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
    .prop_map(OsString::from_vec)
}

#[test]
fn a_command_line_is_read_or_refused() {
    holds(2, prop::collection::vec(word(), 0..8), |words| {
        let of_program = [OsString::from("s3sync")].into_iter().chain(words.clone());
        match command::build().try_get_matches_from(of_program) {
            Ok(matches) => {
                if let None | Some(("sync", _)) = matches.subcommand() {
                    let matches = matches
                        .subcommand()
                        .map_or(&matches, |(_, matches)| matches);
                    let _ = command::flag_values(matches);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let mut flags = FlagValues::default();
        if let Ok([source, target]) = super::read_arguments(&words, &mut flags) {
            let environment = Environment::new([], "/work");
            let read = || config::adhoc(&source, &target, &environment, &flags);
            match (read(), read()) {
                (Ok(one), Ok(two)) => assert_eq!(one.digest, two.digest),
                (Err(one), Err(two)) => assert_eq!(one.to_string(), two.to_string()),
                _ => panic!("once a job and once none"),
            }
        }
    });
}
