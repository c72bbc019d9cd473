//! Every flag of the table says what its row promises.

use super::*;

#[test]
fn every_flag_is_taken_with_its_value() {
    // a key of 256 bits is a secret, too
    let secret = private_file("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let secret = secret.path().to_str().expect("UTF-8");
    for row in OPTIONS {
        for flag in row.flags {
            let name = flag.name();
            let mut flags = FlagValues::default();
            let value = match flag {
                Flag::Millis(_) => "17",
                Flag::Repeated(..) => "1",
                Flag::File(_) => secret,
                Flag::SaysWith(..) => "SHA256",
                Flag::Value(_) | Flag::Says(..) => example(row.kind),
            };
            flags.say(row, flag, value);
            let mut problems = Vec::new();
            let said = flags.read(Path::new(env!("CARGO_MANIFEST_DIR")), &mut problems);
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(all.is_empty(), "--{name}: {all:?}");
            let is_said = said.every_pair.iter().any(|said| said.row.path == row.path);
            assert!(is_said, "--{name}");
        }
    }
}

#[test]
fn every_boolean_flag_has_its_opposite() {
    for row in OPTIONS.iter().filter(|row| row.kind == Kind::Bool) {
        let said: Vec<&str> = row
            .flags
            .iter()
            .filter_map(|flag| match flag {
                Flag::Says(_, value) => Some(*value),
                _ => None,
            })
            .collect();
        let fine = matches!(said[..], [] | ["true", "false"] | ["false", "true"]);
        assert!(fine, "{}: {said:?}", row.path);
    }
}

#[test]
fn no_two_options_share_a_flag() {
    let mut names: Vec<&str> = OPTIONS
        .iter()
        .flat_map(|row| row.flags.iter().map(Flag::name))
        .collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

/// Flags by their names, in the table's order, with their values.
fn flags_of(said: &[(&str, &str)]) -> FlagValues {
    let mut flags = FlagValues::default();
    for row in OPTIONS {
        for flag in row.flags {
            for (_, value) in said.iter().filter(|(name, _)| *name == flag.name()) {
                flags.say(row, flag, value);
            }
        }
    }
    flags
}

#[test]
fn flags_that_say_one_option_are_told_by_name() {
    let in_one_line = |problem: &Problem| {
        let text = problem.to_string();
        let text = text.split("\n :::").next().unwrap_or_default();
        text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    };
    for (said, mode, wrong) in [
        (
            &["check-size", "check-etag"][..],
            None,
            Some(
                "error: `--check-size` excludes `--check-etag` --> flag --check-size = both say `check.mode`: keep one of them",
            ),
        ),
        (
            &[
                "check-additional-checksum",
                "check-mtime-and-additional-checksum",
            ],
            None,
            Some(
                "error: `--check-additional-checksum` excludes `--check-mtime-and-additional-checksum` --> flag --check-additional-checksum = both say `check.mode`: keep one of them",
            ),
        ),
        (
            &["check-etag", "remove-modified-filter"],
            None,
            Some(
                "error: `--check-etag` excludes `--remove-modified-filter` --> flag --check-etag = keep one of them, or say --head-each-target too: then --check-etag counts",
            ),
        ),
        (
            &["check-etag", "head-each-target", "remove-modified-filter"],
            Some("etag"),
            None,
        ),
        (
            &["check-additional-checksum", "remove-modified-filter"],
            Some("checksum"),
            None,
        ),
        (&["remove-modified-filter"], Some("always"), None),
    ] {
        let flags: Vec<_> = said.iter().map(|name| (*name, "SHA256")).collect();
        let mut problems = Vec::new();
        let read = flags_of(&flags).read(Path::new("/"), &mut problems);
        let told: Vec<String> = problems.iter().map(in_one_line).collect();
        assert_eq!(told, Vec::from_iter(wrong), "{said:?}");
        let seen = read.every_pair.get("check.mode").expect("one of them");
        if let Some(mode) = mode {
            assert_eq!(seen.setting.to_json(), mode, "{said:?}");
        }
    }
}

#[test]
fn a_secret_and_a_file_that_has_it_exclude_each_other() {
    let file = private_file("canary");
    let path = file.path().to_str().expect("UTF-8");
    let flags = flags_of(&[
        ("source-access-key", "canary"),
        ("source-access-key-file", path),
    ]);
    let mut problems = Vec::new();
    flags.read(Path::new("/"), &mut problems);
    let told = problems.iter().map(ToString::to_string).collect::<String>();
    assert!(
        told.contains("`--source-access-key` excludes `--source-access-key-file`"),
        "{told}"
    );
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn milliseconds_are_whole() {
    for (text, said) in [
        ("17", Ok("17ms")),
        ("+17", Ok("17ms")),
        (
            "1.5",
            Err("`--connect-timeout-milliseconds` must be whole milliseconds, not `1.5`"),
        ),
        (
            "1s",
            Err("`--connect-timeout-milliseconds` must be whole milliseconds, not `1s`"),
        ),
        (
            "",
            Err("`--connect-timeout-milliseconds` must be whole milliseconds, not ``"),
        ),
        ("0", Ok("0s")),
    ] {
        let mut problems = Vec::new();
        let flags = flags_of(&[("connect-timeout-milliseconds", text)]);
        let read = flags.read(Path::new("/"), &mut problems);
        let seen = read.every_pair.get("timeout.connect");
        let seen = seen.map(|said| said.setting.to_json());
        assert_eq!(seen, said.ok().map(Into::into), "{text:?}");
        let told = problems.iter().map(ToString::to_string).collect::<String>();
        let wrong = said.err().unwrap_or_default();
        assert!(
            told.contains(wrong) && wrong.is_empty() == told.is_empty(),
            "{told}"
        );
    }
}
