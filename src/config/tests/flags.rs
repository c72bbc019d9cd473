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
