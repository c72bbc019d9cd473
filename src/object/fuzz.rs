//! Names, tags and times that other people chose.

use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;
use crate::chance::holds;

/// Texts of the pieces that mean something to a path, a listing, or a reader of either.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "/", "//", ".", "..", "../", "/..", "\\", "~", "-", "a", "b.txt", "dir/", " ", "\t", "\n", "\r",
            "\0", "%2F", "%00", "%2e%2e", "+", "C:", "C:\\", "\u{200e}", "\u{3000}", "\u{feff}", "é",
            "e\u{301}", "💥", "\u{202e}", "*", "?", "[", "CON", "nul", "$HOME", "`id`", "''", "\"", "&", "#",
        ]).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        1 => (1..300_usize).prop_map(|length| "x".repeat(length)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Whatever a key is called, it becomes a path below the root or none.
#[test]
fn no_key_becomes_a_path_outside_the_root() {
    let root = Path::new("/srv/copy");
    holds(1, texts(), |text| {
        let Ok(key) = ObjectKey::new(&*text) else {
            assert!(text.len() > MAX_KEY_BYTES);
            return;
        };
        let Ok(local) = LocalKey::new(&key) else {
            return;
        };
        let relative = local.as_path();
        assert!(
            relative
                .components()
                .all(|part| matches!(part, Component::Normal(name) if name.len() <= 255)),
            "{relative:?}"
        );
        // nothing is folded: the path has the key's own letters
        let (parent, name) = local.split();
        assert_eq!(parent.join(name), relative);
        let written = relative.to_str().expect("it was a text");
        assert_eq!(
            written,
            key.unslashed().strip_suffix('/').unwrap_or(key.unslashed())
        );
        assert!(!written.contains('\0'));
        assert!(local.below(root).starts_with(root) && local.below(root) != root);
        assert_eq!(
            local.below(root).components().count(),
            root.components().count() + written.split('/').count()
        );
    });
}

/// Two keys are one path only where a slash at an end is all that tells them apart.
#[test]
fn keys_that_differ_are_paths_that_differ() {
    holds(1, (texts(), texts()), |(one, two)| {
        let of = |text: &str| LocalKey::new(&ObjectKey::new(text).ok()?).ok();
        let (Some(first), Some(second)) = (of(&one), of(&two)) else {
            return;
        };
        let bare = |text: &str| {
            let text = text.strip_prefix('/').unwrap_or(text);
            text.strip_suffix('/').unwrap_or(text).to_owned()
        };
        assert_eq!(
            first.as_path() == second.as_path(),
            bare(&one) == bare(&two)
        );
    });
}

#[test]
fn a_tag_is_the_same_after_it_was_written_down() {
    let tags = prop_oneof![
        texts(),
        "\"?[0-9a-fA-F]{30,34}(-[0-9]{1,6})?\"?",
        "(W/)?\"*[0-9a-f]{32}-?[+-]?0?[0-9]{0,5}\"*",
    ];
    holds(1, tags, |text| {
        let tag = ETag::parse(&text);
        assert_eq!(ETag::parse(&tag.quoted()), tag);
        assert_eq!(ETag::parse(&tag.to_string()), tag);
        if let Some(parts) = tag.parts() {
            assert!(tag.to_string().ends_with(&format!("-{parts}")));
        }
    });
}

/// Also what stands far from now is written down and read back.
#[test]
fn a_time_is_the_same_after_it_was_written_down() {
    // 9999 is the last year of RFC 3339
    let times = (-62_000_000_000..253_402_207_200_i64, 0..1_000_000_000_u32);
    holds(1, times, |(seconds, nanos)| {
        let time = Timestamp::new(seconds, nanos);
        let read = |text: &str| Timestamp::parse(text).expect("what we wrote");
        assert_eq!(read(&time.rfc3339()), time);
        assert_eq!(
            read(&time.to_string()).whole_seconds(),
            time.whole_seconds()
        );
        let millis = Timestamp::new(seconds, nanos / 1_000_000 * 1_000_000);
        assert_eq!(read(&time.rfc3339_millis()), millis);
        assert_eq!(
            Timestamp::parse_http(&time.http()).expect("ours"),
            time.whole_seconds()
        );
        assert_eq!(Timestamp::from(time.to_system_time()), time);
    });
    let texts = "[-+]?[0-9]{1,6}-[0-9]{2}-[0-9]{2}[T t][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|z|[-+][0-9]{2}:?[0-9]{2}|\\[UTC\\])?";
    holds(1, texts, |text| {
        for time in [Timestamp::parse(&text), Timestamp::parse_http(&text)]
            .into_iter()
            .flatten()
        {
            assert_eq!(
                Timestamp::parse(&time.rfc3339()).expect("ours"),
                time,
                "{text}"
            );
        }
    });
}

#[test]
fn tags_are_the_same_after_they_were_written_into_a_header() {
    let tags = prop::collection::btree_map(texts(), texts(), 0..4);
    holds(1, (tags, texts()), |(tags, other)| {
        let header = tagging(&tags).unwrap_or_default();
        assert!(
            header.is_ascii() && !header.contains(char::is_control),
            "{header}"
        );
        assert_eq!(tags_of(&header).as_ref(), Ok(&tags));
        // by other hands
        if let Ok(tags) = tags_of(&other) {
            let header = tagging(&tags).unwrap_or_default();
            assert_eq!(tags_of(&header), Ok(tags));
        }
    });
}

#[test]
fn no_encoded_word_is_longer_than_a_header_takes() {
    holds(1, texts(), |text| {
        let header = encoded_words(&text);
        assert!(header.is_ascii());
        if !text.is_ascii() {
            assert!(header.split(' ').all(|word| word.len() <= 75), "{header}");
        }
    });
}
