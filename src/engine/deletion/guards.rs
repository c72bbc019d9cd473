//! What withholds deletions, judged over the complete plan.

use crate::config::{Guards, OnErrors};
use crate::event::Guard;

/// Of fewer objects than this, no share is taken: two of three are soon gone.
const ENOUGH: u64 = 20;

/// What the guards look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Objects that may be deleted.
    pub(super) candidates: u64,
    /// Objects of the target that the pair is about.
    pub(super) in_scope: u64,
    /// What the source listed, filtered or not.
    pub(super) source_listed: u64,
    /// Whether the source lists the key that says it is what it should be.
    pub(super) has_marker: bool,
    /// Objects of the pair that failed.
    pub(super) failed: u64,
}

/// The first guard that withholds the deletions, and why in words, with what would let them pass.
pub(super) fn judge(guards: &Guards, seen: &Seen) -> Option<(Guard, String)> {
    let Seen {
        candidates,
        in_scope,
        source_listed,
        has_marker,
        failed,
    } = *seen;
    if source_listed < guards.min_source_objects {
        let least = guards.min_source_objects;
        let why = format!(
            "the source lists {source_listed} objects, fewer than delete.min_source_objects = {least}"
        );
        return Some((Guard::MinSourceObjects, why));
    }
    if let Some(marker) = &guards.source_marker
        && !has_marker
    {
        let why = format!(
            "the source does not list `{marker}`, which delete.require_source_marker wants"
        );
        return Some((Guard::MarkerMissing, why));
    }
    if failed > 0 && guards.on_errors == OnErrors::Withhold {
        let objects = if failed == 1 { "object" } else { "objects" };
        let why = format!("{failed} {objects} failed, and delete.on_errors = \"withhold\"");
        return Some((Guard::Errors, why));
    }
    if let Some(most) = guards.max_objects
        && candidates > most
    {
        let why = format!("{candidates} candidates, more than delete.max_objects = {most}");
        return Some((Guard::MaxObjects, why));
    }
    let share = u128::from(candidates) * 100;
    if in_scope >= ENOUGH && share > u128::from(guards.max_percent) * u128::from(in_scope) {
        let most = guards.max_percent;
        let why = format!(
            "{candidates} candidates of {in_scope} objects at the target, more than delete.max_percent = {most}"
        );
        return Some((Guard::MaxPercent, why));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guard_trips_behind_its_bound_and_not_at_it() {
        let seen = Seen {
            candidates: 10,
            in_scope: 100,
            source_listed: 90,
            has_marker: false,
            failed: 0,
        };
        let guards = Guards::default();
        for (name, guards, seen, expected) in [
            ("all is well", guards.clone(), seen, None),
            (
                "as many as there may be",
                Guards {
                    max_objects: Some(10),
                    ..guards.clone()
                },
                seen,
                None,
            ),
            (
                "one more",
                Guards {
                    max_objects: Some(9),
                    ..guards.clone()
                },
                seen,
                Some(Guard::MaxObjects),
            ),
            (
                "none at all",
                Guards {
                    max_objects: Some(0),
                    ..guards.clone()
                },
                seen,
                Some(Guard::MaxObjects),
            ),
            (
                "half of the target",
                guards.clone(),
                Seen {
                    candidates: 50,
                    ..seen
                },
                None,
            ),
            (
                "more than half of it",
                guards.clone(),
                Seen {
                    candidates: 51,
                    ..seen
                },
                Some(Guard::MaxPercent),
            ),
            (
                "all of a small target",
                guards.clone(),
                Seen {
                    candidates: 19,
                    in_scope: 19,
                    ..seen
                },
                None,
            ),
            (
                "all of one that is just large enough",
                guards.clone(),
                Seen {
                    candidates: 20,
                    in_scope: 20,
                    ..seen
                },
                Some(Guard::MaxPercent),
            ),
            (
                "all of it, by the user's will",
                Guards {
                    max_percent: 100,
                    ..guards.clone()
                },
                Seen {
                    candidates: 100,
                    ..seen
                },
                None,
            ),
            (
                "a share of nothing",
                Guards {
                    max_percent: 0,
                    ..guards.clone()
                },
                Seen {
                    candidates: 1,
                    ..seen
                },
                Some(Guard::MaxPercent),
            ),
            (
                "a number that is no share any more",
                Guards {
                    max_percent: 100,
                    ..guards.clone()
                },
                Seen {
                    candidates: u64::MAX,
                    in_scope: u64::MAX,
                    ..seen
                },
                None,
            ),
            (
                "an empty source",
                guards.clone(),
                Seen {
                    source_listed: 0,
                    ..seen
                },
                Some(Guard::MinSourceObjects),
            ),
            (
                "an empty source, by the user's will",
                Guards {
                    min_source_objects: 0,
                    ..guards.clone()
                },
                Seen {
                    source_listed: 0,
                    ..seen
                },
                None,
            ),
            (
                "a source that is too small",
                Guards {
                    min_source_objects: 91,
                    ..guards.clone()
                },
                seen,
                Some(Guard::MinSourceObjects),
            ),
            (
                "no marker",
                Guards {
                    source_marker: Some(".here".to_owned()),
                    ..guards.clone()
                },
                seen,
                Some(Guard::MarkerMissing),
            ),
            (
                "a marker",
                Guards {
                    source_marker: Some(".here".to_owned()),
                    ..guards.clone()
                },
                Seen {
                    has_marker: true,
                    ..seen
                },
                None,
            ),
            (
                "a failed object",
                guards.clone(),
                Seen { failed: 1, ..seen },
                Some(Guard::Errors),
            ),
            (
                "a failed object that does not matter",
                Guards {
                    on_errors: OnErrors::Proceed,
                    ..guards.clone()
                },
                Seen { failed: 1, ..seen },
                None,
            ),
        ] {
            let judged = judge(&guards, &seen);
            assert_eq!(judged.map(|(guard, _)| guard), expected, "{name}");
        }
    }
}
