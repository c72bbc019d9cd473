//! Every flag of the table says what its row promises.

use super::*;

/// A value that an option of this kind takes.
fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true",
        Kind::Number { .. } => "17",
        Kind::Size { .. } => "65MiB",
        Kind::Duration { .. } => "7s",
        Kind::Text | Kind::Name | Kind::List | Kind::Table | Kind::Pairs => "x",
        Kind::Path => "/x",
        Kind::Location => "s3://x/",
        Kind::Endpoint => "http://x",
        Kind::Word { now, .. } => now[0],
        Kind::Secret => "canary",
    }
}

#[test]
fn every_flag_is_taken_or_refused_as_not_supported() {
    let secret = private_file("canary");
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
            let taken = said.every_pair.get(row.path).is_some();
            let says_default = matches!(flag, Flag::Says(_, text) if row.default == Some(text));
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            if taken {
                assert!(row.is_built && all.is_empty(), "--{name}: {all:?}");
            } else if row.is_built || !says_default {
                assert!(!all.is_empty(), "--{name} says nothing and is not refused");
                assert!(
                    all.iter().all(|text| text.contains("not supported yet")),
                    "--{name}: {all:?}"
                );
                assert!(!all.concat().contains("canary"), "--{name} shows a secret");
            }
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
