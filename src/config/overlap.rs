//! Targets that overlap while one of their pairs deletes: it would delete what the other has
//! written.

use std::path::{Component, Path, PathBuf};

use super::draft::Draft;
use super::problem::Problem;
use super::sides::{Side, endpoint};

/// So many overlaps are looked for: who has more mends these first.
const MOST: usize = 1000;

/// Finds targets that overlap while one of their pairs deletes.
pub(super) fn deletions(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let deletes: Vec<bool> = drafts
        .iter()
        .map(|draft| draft.merged.value("delete.enabled"))
        .collect();
    if !deletes.contains(&true) {
        return;
    }
    let mut places: Vec<(Place, usize)> = drafts
        .iter()
        .enumerate()
        .filter_map(|(at, draft)| Some((Place::of(draft)?, at)))
        .collect();
    places.sort();
    for (deleting, other) in overlaps(&places, drafts, &deletes) {
        let (deleting, other) = (&drafts[deleting], &drafts[other]);
        let message = format!(
            "the targets of `{}` and `{}` overlap, and `{}` deletes",
            deleting.name, other.name, deleting.name
        );
        problems.push(
            Problem::new(message, &deleting.merged.place("target.url"))
                .remedy("choose targets apart from each other, or switch deletion off")
                .against(&other.merged.place("target.url"), "the other target"),
        );
    }
}

/// Where a target is. In their order, a place stands before all that are in it, and nothing else
/// stands between them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Local(PathBuf),
    S3 {
        endpoint: Option<String>,
        bucket: String,
        prefix: String,
    },
}

impl Place {
    fn of(draft: &Draft) -> Option<Self> {
        Some(match draft.target.as_ref()? {
            Side::Local(path) => Self::Local(real(path)),
            Side::S3(location) => Self::S3 {
                endpoint: endpoint("target", &draft.merged),
                bucket: location.bucket.clone(),
                prefix: location.prefix.clone(),
            },
        })
    }

    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(own), Self::Local(other)) => other.starts_with(own),
            (
                Self::S3 {
                    endpoint,
                    bucket,
                    prefix,
                },
                Self::S3 {
                    endpoint: other_endpoint,
                    bucket: other_bucket,
                    prefix: other_prefix,
                },
            ) => {
                endpoint == other_endpoint
                    && bucket == other_bucket
                    && other_prefix.starts_with(prefix)
            }
            (Self::Local(_), Self::S3 { .. }) | (Self::S3 { .. }, Self::Local(_)) => false,
        }
    }
}

/// The drafts that delete, each with one whose target overlaps, in the order of the drafts. Two
/// that delete are there once.
fn overlaps(places: &[(Place, usize)], drafts: &[Draft], deletes: &[bool]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    // the places around the present one: all of them, and those of drafts that delete
    let (mut around, mut deleting_around): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for inner in places {
        for outer in [&mut around, &mut deleting_around] {
            while outer
                .last()
                .is_some_and(|(outer, _): &&(Place, usize)| !outer.contains(&inner.0))
            {
                outer.pop();
            }
        }
        let outer = if deletes[inner.1] {
            &around
        } else {
            &deleting_around
        };
        for (_, outer) in outer {
            let (one, two) = (*outer, inner.1);
            let is_first = deletes[one] && (!deletes[two] || drafts[one].name < drafts[two].name);
            found.push(if is_first { (one, two) } else { (two, one) });
            if found.len() == MOST {
                found.sort_unstable();
                return found;
            }
        }
        around.push(inner);
        if deletes[inner.1] {
            deleting_around.push(inner);
        }
    }
    found.sort_unstable();
    found
}

/// A path without symbolic links, as far as it exists, and without `..` behind that.
fn real(path: &Path) -> PathBuf {
    let known = path
        .ancestors()
        .find_map(|known| Some((known, known.canonicalize().ok()?)));
    let Some((known, mut real)) = known else {
        return path.to_owned();
    };
    for component in path.strip_prefix(known).unwrap_or(path).components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            Component::Normal(name) => real.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    real
}
