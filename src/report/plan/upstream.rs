//! Pairs that read what earlier pairs of the same job write. Nothing is written while planning, so
//! that the plan of such a pair is made of what its source has now, and must say so.

use std::path::Path;
use std::sync::Mutex;

use crate::report::locked;

/// What the pairs planned so far would write.
#[derive(Debug, Default)]
pub(super) struct Upstream(Mutex<Vec<Writer>>);

#[derive(Debug)]
struct Writer {
    pair: String,
    target: String,
}

impl Upstream {
    /// A pair has something to transfer to this target.
    pub(super) fn writes(&self, pair: &str, target: &str) {
        locked(&self.0).push(Writer {
            pair: pair.to_owned(),
            target: target.to_owned(),
        });
    }

    /// What a pair with this source cannot know yet, if anything.
    pub(super) fn note(&self, source: &str) -> Option<String> {
        let writers = locked(&self.0);
        let pairs: Vec<&str> = writers
            .iter()
            .filter(|writer| overlap(&writer.target, source))
            .map(|writer| writer.pair.as_str())
            .collect();
        (!pairs.is_empty())
            .then(|| format!("not counted: what {} writes there first", pairs.join(", ")))
    }
}

/// Whether one lies in the other: prefixes as they are, directories by their names.
fn overlap(one: &str, other: &str) -> bool {
    match (one.starts_with("s3://"), other.starts_with("s3://")) {
        (true, true) => one.starts_with(other) || other.starts_with(one),
        (false, false) => Path::new(one).starts_with(other) || Path::new(other).starts_with(one),
        (true, false) | (false, true) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_told_of_those_that_write_where_it_reads() {
        let upstream = Upstream::default();
        upstream.writes("up", "s3://b/photos/");
        upstream.writes("restore", "/srv/photos");
        for (source, pairs) in [
            ("s3://b/photos/", Some("up")),
            ("s3://b/photos/2026/", Some("up")),
            ("s3://b/", Some("up")),
            ("s3://b/photos-old/", None),
            ("s3://c/photos/", None),
            ("/srv/photos/2026", Some("restore")),
            ("/srv", Some("restore")),
            ("/srv/photos-old", None),
        ] {
            let expected =
                pairs.map(|pairs| format!("not counted: what {pairs} writes there first"));
            assert_eq!(upstream.note(source), expected, "{source}");
        }
    }
}
