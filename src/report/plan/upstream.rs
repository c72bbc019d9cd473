//! Pairs that read what earlier pairs of the same job change. Nothing is done while planning, so
//! that the plan of such a pair is made of what its source has now, and must say so.

use std::path::Path;
use std::sync::Mutex;

use crate::report::locked;

/// What the pairs planned so far would change.
#[derive(Debug, Default)]
pub(super) struct Upstream(Mutex<Vec<Change>>);

#[derive(Debug)]
struct Change {
    pair: String,
    target: String,
    /// What is done there.
    verbs: &'static str,
}

impl Upstream {
    /// A pair was planned: whether it has something to bring to this target, and something to
    /// delete there.
    pub(super) fn add(&self, pair: &str, target: &str, writes: bool, deletes: bool) {
        let verbs = match (writes, deletes) {
            (false, false) => return,
            (true, false) => "writes",
            (false, true) => "deletes",
            (true, true) => "writes and deletes",
        };
        locked(&self.0).push(Change {
            pair: pair.to_owned(),
            target: target.to_owned(),
            verbs,
        });
    }

    /// What a pair with this source cannot know yet, if anything.
    pub(super) fn note(&self, source: &str) -> Option<String> {
        let changes = locked(&self.0);
        let told: Vec<String> = changes
            .iter()
            .filter(|change| overlap(&change.target, source))
            .map(|change| format!("what {} {} there first", change.pair, change.verbs))
            .collect();
        (!told.is_empty()).then(|| format!("not counted: {}", told.join(", ")))
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
    fn a_pair_is_told_of_those_that_change_what_it_reads() {
        let upstream = Upstream::default();
        upstream.add("up", "s3://b/photos/", true, false);
        upstream.add("prune", "s3://b/drafts/", false, true);
        upstream.add("mirror", "s3://b/drafts/", true, true);
        upstream.add("idle", "s3://c/", false, false);
        upstream.add("restore", "/srv/photos", true, false);
        let up = "what up writes there first";
        let drafts = "what prune deletes there first, what mirror writes and deletes there first";
        let both = format!("{up}, {drafts}");
        for (source, told) in [
            ("s3://b/photos/", up),
            ("s3://b/photos/2026/", up),
            ("s3://b/drafts/", drafts),
            ("s3://b/", &both),
            ("s3://b/photos-old/", ""),
            ("s3://c/photos/", ""),
            ("/srv/photos/2026", "what restore writes there first"),
            ("/srv", "what restore writes there first"),
            ("/srv/photos-old", ""),
        ] {
            let expected = (!told.is_empty()).then(|| format!("not counted: {told}"));
            assert_eq!(upstream.note(source), expected, "{source}");
        }
    }
}
