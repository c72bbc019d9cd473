//! Pairs whose deletions would hit what another pair has written, or has still to read.

use std::collections::HashMap;
use std::path::Path;

use super::draft::Draft;
use super::extent::Extent;
use super::problem::Problem;
use super::sides::{Side, endpoint};

/// So many overlaps are looked for: who has more mends these first.
const MOST: usize = 1000;

/// Finds pairs that delete where others write, where others read without an order between them,
/// or where this program keeps its own files. `is_parallel` says that pairs may run side by side.
pub(super) fn deletions(
    drafts: &[Draft],
    own: OwnDirectories<'_>,
    is_parallel: bool,
    problems: &mut Vec<Problem>,
) {
    let pairs: Vec<PlacedPair<'_>> = drafts.iter().filter_map(PlacedPair::of).collect();
    if !pairs.iter().any(|pair| pair.deletes) {
        return;
    }
    for pair in pairs.iter().filter(|pair| pair.deletes) {
        pair.refuse_own(&own, problems);
    }
    for (deleting, other) in writers(&pairs) {
        let (deleting, other) = (pairs[deleting].draft, pairs[other].draft);
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
    let order = Order::of(&pairs);
    for (deleting, reader, trouble) in readers(&pairs, &order, is_parallel) {
        let (deleting, reader) = (pairs[deleting].draft, pairs[reader].draft);
        problems.push(trouble.of(deleting, reader));
    }
}

/// What the job's own runs write to.
#[derive(Debug)]
pub(super) struct OwnDirectories<'a> {
    /// `report.dir`.
    pub(super) report: &'a Path,
    /// The job's name, which is its folder's there.
    pub(super) job: &'a str,
    /// `sandbox.dir`.
    pub(super) sandbox: Option<&'a Path>,
}

/// A pair and where its sides are.
struct PlacedPair<'a> {
    draft: &'a Draft,
    source: Extent,
    target: Extent,
    deletes: bool,
}

impl<'a> PlacedPair<'a> {
    fn of(draft: &'a Draft) -> Option<Self> {
        let (source, target) = draft.both.as_ref()?;
        Some(Self {
            draft,
            source: extent(source, "source", draft),
            target: extent(target, "target", draft),
            deletes: draft.merged.value("delete.enabled"),
        })
    }

    /// Refuses to delete among our own files. Where they are somewhere below the target they are
    /// not listed, and so not deleted.
    fn refuse_own(&self, own: &OwnDirectories<'_>, problems: &mut Vec<Problem>) {
        let lies_in = |path: &Path| Extent::local(path).contains(&self.target);
        let what = if Extent::local(own.report) == self.target || lies_in(&own.report.join(own.job))
        {
            "reports"
        } else if own.sandbox.is_some_and(lies_in) {
            "sandbox"
        } else {
            return;
        };
        let message = format!(
            "`{}` deletes, and its target is where the job keeps its {what}",
            self.draft.name
        );
        problems.push(
            Problem::new(message, &self.draft.merged.place("target.url"))
                .remedy("choose another target, or switch deletion off"),
        );
    }
}

fn extent(side: &Side, which: &str, draft: &Draft) -> Extent {
    match side {
        Side::Local(path) => Extent::local(path),
        Side::S3(location) => Extent::S3 {
            endpoint: endpoint(which, &draft.merged),
            bucket: location.bucket.clone(),
            prefix: location.prefix.clone(),
        },
    }
}

/// The pairs that delete, each with one whose target overlaps, in the order of the pairs. Two that
/// delete are there once.
fn writers(pairs: &[PlacedPair<'_>]) -> Vec<(usize, usize)> {
    let places = pairs.iter().enumerate().map(|(at, pair)| Placed {
        extent: &pair.target,
        pair: at,
        // all of them, and those that delete
        is_in: [true, pair.deletes],
        meets: usize::from(!pair.deletes),
    });
    let mut found = Vec::new();
    nested(places.collect(), |outer, inner| {
        let (one, two) = (outer.pair, inner.pair);
        let is_first = pairs[one].deletes
            && (!pairs[two].deletes || pairs[one].draft.name < pairs[two].draft.name);
        found.push(if is_first { (one, two) } else { (two, one) });
        found.len() < MOST
    });
    found.sort_unstable();
    found
}

/// The pairs that delete, each with one that reads there, and what is wrong with that; in the
/// order of the pairs.
fn readers(
    pairs: &[PlacedPair<'_>],
    order: &Order,
    is_parallel: bool,
) -> Vec<(usize, usize, Trouble)> {
    const DELETED: usize = 0;
    const READ: usize = 1;
    let deleted = pairs.iter().enumerate().filter(|(_, pair)| pair.deletes);
    let deleted = deleted.map(|(at, pair)| Placed {
        extent: &pair.target,
        pair: at,
        is_in: [true, false],
        meets: READ,
    });
    let read = pairs.iter().enumerate().map(|(at, pair)| Placed {
        extent: &pair.source,
        pair: at,
        is_in: [false, true],
        meets: DELETED,
    });
    let mut found = Vec::new();
    nested(deleted.chain(read).collect(), |outer, inner| {
        let (deleting, reader) = if inner.meets == READ {
            (inner.pair, outer.pair)
        } else {
            (outer.pair, inner.pair)
        };
        let trouble = trouble(pairs, order, (deleting, reader), is_parallel);
        found.extend(trouble.map(|trouble| (deleting, reader, trouble)));
        found.len() < MOST
    });
    found.sort_unstable();
    found
}

/// What is wrong with one pair deleting where another reads, if anything.
fn trouble(
    pairs: &[PlacedPair<'_>],
    order: &Order,
    (deleting, reader): (usize, usize),
    is_parallel: bool,
) -> Option<Trouble> {
    // its own source and target were looked at before
    if deleting == reader || order.comes_after(deleting, reader) {
        return None;
    }
    let (one, other) = (&pairs[deleting], &pairs[reader]);
    if other.target.overlaps(&one.source) {
        return Some(Trouble::Circle);
    }
    let reads_a_part = one.target.contains(&other.source) && one.target != other.source;
    let needs_order = is_parallel || reads_a_part;
    (needs_order && !order.comes_after(reader, deleting)).then_some(Trouble::NoOrder)
}

/// What is wrong with deleting where another pair reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// What the other has not brought yet is deleted before it could.
    Circle,
    /// Nothing says whether the other reads before or after.
    NoOrder,
}

impl Trouble {
    fn of(self, deleting: &Draft, reader: &Draft) -> Problem {
        let (one, other) = (&deleting.name, &reader.name);
        let (message, remedy) = match self {
            Self::Circle => (
                format!(
                    "`{one}` deletes where `{other}` reads, and reads where `{other}` writes: what is new there is deleted before it is copied"
                ),
                format!(
                    "say after = [\"{other}\"] in `{one}`, which then waits until all is copied; or switch deletion off"
                ),
            ),
            Self::NoOrder => (
                format!(
                    "`{one}` deletes where `{other}` reads, and nothing says which of them comes first"
                ),
                format!(
                    "say after = [\"{one}\"] in `{other}`, or after = [\"{other}\"] in `{one}`"
                ),
            ),
        };
        Problem::new(message, &deleting.merged.place("target.url"))
            .remedy(remedy)
            .against(&reader.merged.place("source.url"), "the source")
    }
}

/// Which pairs wait for which, as far as `after` says it.
struct Order(Vec<Vec<usize>>);

impl Order {
    fn of(pairs: &[PlacedPair<'_>]) -> Self {
        let names = pairs.iter().map(|pair| pair.draft.name.as_str());
        let numbers: HashMap<&str, usize> = names.zip(0..).collect();
        let before = pairs.iter().map(|pair| {
            let after: Vec<String> = pair.draft.merged.value("after");
            let known = after.iter().filter_map(|name| numbers.get(name.as_str()));
            known.copied().collect()
        });
        Self(before.collect())
    }

    /// Whether one waits for the other, or for one that does.
    fn comes_after(&self, one: usize, other: usize) -> bool {
        let mut seen = vec![false; self.0.len()];
        let mut asked = vec![one];
        while let Some(pair) = asked.pop() {
            for before in &self.0[pair] {
                if *before == other {
                    return true;
                }
                if !std::mem::replace(&mut seen[*before], true) {
                    asked.push(*before);
                }
            }
        }
        false
    }
}

/// A place of a pair that others are held against.
struct Placed<'a> {
    extent: &'a Extent,
    pair: usize,
    /// In which of two sets it is.
    is_in: [bool; 2],
    /// Which of the sets it is held against.
    meets: usize,
}

/// Shows each two places of which one lies in the other, the outer one first, and the inner one
/// meets the set the outer one is in; until one was enough.
fn nested<'a>(
    mut places: Vec<Placed<'a>>,
    mut shown: impl FnMut(&Placed<'a>, &Placed<'a>) -> bool,
) {
    places.sort_by_key(|placed| (placed.extent, placed.pair));
    // those around the present one, of both sets
    let mut around: [Vec<&Placed<'a>>; 2] = [Vec::new(), Vec::new()];
    for inner in &places {
        for outer in &mut around {
            while (outer.last()).is_some_and(|outer| !outer.extent.contains(inner.extent)) {
                outer.pop();
            }
        }
        for outer in &around[inner.meets] {
            if !shown(outer, inner) {
                return;
            }
        }
        for (set, is_in) in around.iter_mut().zip(inner.is_in) {
            if is_in {
                set.push(inner);
            }
        }
    }
}
