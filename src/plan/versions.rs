//! What is to be done with the versions of a key: each is added once, in order.

use std::sync::Arc;
use std::time::Instant;

use super::cursor::Cursor;
use super::join::{Join, Joined};
use crate::event::{Listed, Rule, Side, Sinks};
use crate::filter::{Filters, Ruling};
use crate::hook::HookError;
use crate::object::{Entry, History, Marker, Version};
use crate::store::{Histories, StoreError};

/// A plan of versions in the making: the merge of two listings of them, in the memory of a page
/// and of the versions of one key for each.
#[derive(Debug)]
pub struct VersionPlan {
    join: Join<History>,
}

/// One key of the source, with all that both sides have under it.
#[derive(Debug, Clone)]
pub struct KeyVersions {
    /// What the source has.
    pub source: History,
    /// What the target has, if it has the key.
    pub target: Option<History>,
    /// What the filters say of each of the source's [`History::entries`]; empty where they admit
    /// all.
    pub rulings: Vec<Ruling>,
}

/// What is to be done with one version. The steps of a key are taken one after the other.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The target has it, as this.
    IsThere(Entry, Listed),
    /// The target has none of it but a later one: it would become the newest.
    IsLate(Entry),
    /// A filter keeps it out, whether the target has it or not.
    Filtered(Entry, Arc<Rule>),
    /// No filter could tell whether it goes.
    Unfiltered(Entry, HookError),
    /// Bring it over.
    Bring(Entry),
    /// The key is deleted, and is to be deleted at the target.
    Mark(&'a Marker),
    /// The key is deleted, and the target shows no object under it; this is its own marker.
    IsMarked(&'a Marker, Option<&'a Marker>),
}

impl VersionPlan {
    /// Begins both listings. `sinks` hear of every page.
    pub fn new(source: Histories, target: Histories, filters: Filters, sinks: &Sinks) -> Self {
        let started = Instant::now();
        let source = Cursor::new(source, Side::Source, false, started, sinks.clone());
        let source = source.admitting(filters);
        let target = Cursor::new(target, Side::Target, false, started, sinks.clone());
        Self {
            join: Join::new(source, target),
        }
    }

    /// The next key of the source; `None` when both sides are completely listed.
    pub async fn next(&mut self) -> Result<Option<KeyVersions>, StoreError> {
        while let Some(joined) = self.join.next().await? {
            let (source, target) = match joined {
                Joined::Both { source, target } => (source, Some(target)),
                Joined::OnlySource(source) => (source, None),
                Joined::OnlyTarget(_) | Joined::Hidden(_) => continue,
            };
            return Ok(Some(KeyVersions {
                rulings: self.join.source.take_ruling(),
                source,
                target,
            }));
        }
        Ok(None)
    }

    /// What the source has listed and this plan has not given out: to be counted when a run ends
    /// early.
    pub fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_ {
        self.join
            .undecided()
            .flat_map(|history| history.entries().collect::<Vec<_>>())
    }
}

impl KeyVersions {
    /// The steps to take, where of each version of the source it is known what the target has of
    /// it. Those that are filtered come along: an older one cannot be added behind what the target
    /// has of them.
    pub fn steps(&self, found: Vec<Option<Listed>>) -> Vec<Step<'_>> {
        let newest = found.iter().rposition(Option::is_some);
        let mut steps: Vec<Step<'_>> = (self.source.versions.iter().zip(found).enumerate())
            .map(|(at, (version, there))| {
                let entry = self.source.entry(version);
                match (self.ruling(at), there) {
                    (Ruling::Rejected(by), _) => Step::Filtered(entry, by),
                    (Ruling::Failed(error), _) => Step::Unfiltered(entry, error),
                    (Ruling::Admitted, Some(there)) => Step::IsThere(entry, there),
                    (Ruling::Admitted, None) if Some(at) < newest => Step::IsLate(entry),
                    (Ruling::Admitted, None) => Step::Bring(entry),
                }
            })
            .collect();
        if let Some(marker) = &self.source.marker {
            let brings = steps.iter().any(|step| matches!(step, Step::Bring(_)));
            steps.push(match self.ruling(self.source.versions.len()) {
                Ruling::Rejected(by) => Step::Filtered(self.source.deletion(marker), by),
                Ruling::Failed(error) => Step::Unfiltered(self.source.deletion(marker), error),
                Ruling::Admitted if brings || self.shown().is_some() => Step::Mark(marker),
                Ruling::Admitted => {
                    let target = self.target.as_ref();
                    Step::IsMarked(marker, target.and_then(|target| target.marker.as_ref()))
                }
            });
        }
        steps
    }

    /// Whether the filters let anything pass.
    pub fn has_admitted(&self) -> bool {
        self.rulings.is_empty() || self.rulings.contains(&Ruling::Admitted)
    }

    /// Whether they let any version pass; a marker is none.
    pub fn has_admitted_versions(&self) -> bool {
        (0..self.source.versions.len()).any(|at| self.ruling(at) == Ruling::Admitted)
    }

    fn ruling(&self, at: usize) -> Ruling {
        self.rulings.get(at).cloned().unwrap_or_default()
    }

    /// The object that the target shows under the key, if it is not deleted.
    pub fn shown(&self) -> Option<&Version> {
        let target = self.target.as_ref()?;
        target.versions.last().filter(|_| target.marker.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ObjectKey, Timestamp};

    fn history(ids: &[&str], marker: Option<&str>) -> History {
        let modified = Timestamp::new(1, 0);
        History {
            key: ObjectKey::new("k").expect("short"),
            versions: (ids.iter())
                .map(|id| Version {
                    id: (*id).into(),
                    size: 1,
                    modified,
                    etag: None,
                    storage_class: None,
                    checksum: None,
                })
                .collect(),
            marker: marker.map(|id| Marker {
                id: id.into(),
                modified,
            }),
            is_too_long: false,
        }
    }

    fn word(step: &Step<'_>) -> String {
        let id = |entry: &Entry| entry.version.clone().expect("a version");
        match step {
            Step::IsThere(entry, _) => format!("={}", id(entry)),
            Step::IsLate(entry) => format!("-{}", id(entry)),
            Step::Filtered(entry, _) => format!("x{}", id(entry)),
            Step::Unfiltered(entry, _) => format!("?{}", id(entry)),
            Step::Bring(entry) => format!("+{}", id(entry)),
            Step::Mark(_) => "mark".to_owned(),
            Step::IsMarked(..) => "marked".to_owned(),
        }
    }

    #[test]
    fn each_version_is_added_once_and_in_order() {
        // the target's versions are named for those they were made from, or `f` for foreign ones
        for (name, source, marker, target, expected) in [
            ("nothing there", vec!["1", "2"], None, None, "+1 +2"),
            (
                "all there",
                vec!["1", "2"],
                None,
                Some((vec!["1", "2"], None)),
                "=1 =2",
            ),
            (
                "the first there",
                vec!["1", "2"],
                None,
                Some((vec!["1"], None)),
                "=1 +2",
            ),
            (
                "an old one gone",
                vec!["1", "2", "3"],
                None,
                Some((vec!["2"], None)),
                "-1 =2 +3",
            ),
            (
                "another's there",
                vec!["1"],
                None,
                Some((vec!["f"], None)),
                "+1",
            ),
            (
                "deleted there",
                vec!["1"],
                None,
                Some((vec!["1"], Some("m"))),
                "=1",
            ),
            ("deleted", vec!["1"], Some("x"), None, "+1 mark"),
            (
                "deleted since",
                vec!["1"],
                Some("x"),
                Some((vec!["1"], None)),
                "=1 mark",
            ),
            (
                "deleted on both",
                vec!["1"],
                Some("x"),
                Some((vec!["1"], Some("m"))),
                "=1 marked",
            ),
            (
                "back and deleted",
                vec!["1", "2"],
                Some("x"),
                Some((vec!["1"], Some("m"))),
                "=1 +2 mark",
            ),
            ("never more than deleted", vec![], Some("x"), None, "marked"),
            (
                "deleted, and another's there",
                vec![],
                Some("x"),
                Some((vec!["f"], None)),
                "mark",
            ),
            (
                "deleted, and deleted there",
                vec![],
                Some("x"),
                Some((vec![], Some("m"))),
                "marked",
            ),
        ] {
            let there = target.map(|(ids, marker)| history(&ids, marker));
            let found: Vec<Option<Listed>> = (source.iter())
                .map(|id| {
                    let target = there.as_ref()?;
                    let seen = target.versions.iter().find(|seen| *seen.id == **id)?;
                    Some((&target.entry(seen)).into())
                })
                .collect();
            let versions = KeyVersions {
                source: history(&source, marker),
                target: there,
                rulings: Vec::new(),
            };
            let steps: Vec<String> = versions.steps(found).iter().map(word).collect();
            assert_eq!(steps.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn filtered_versions_are_left_and_keep_their_place() {
        let by = Arc::new(Rule {
            filter: "filter.exclude",
            value: "k".to_owned(),
            origin: "job.toml:1".to_owned(),
        });
        let rejected = || Ruling::Rejected(Arc::clone(&by));
        let failed = || Ruling::Failed(HookError::new("no"));
        // which of the three versions the target has; what filters say of those and of the marker
        for (name, there, rulings, expected) in [
            ("no filter", [0, 0, 0], vec![], "+1 +2 +3 mark"),
            (
                "an older one does not block",
                [0, 0, 0],
                vec![rejected(), Ruling::Admitted, Ruling::Admitted, rejected()],
                "x1 +2 +3 xm",
            ),
            (
                "filtered, not there",
                [1, 1, 0],
                vec![
                    Ruling::Admitted,
                    rejected(),
                    Ruling::Admitted,
                    Ruling::Admitted,
                ],
                "=1 x2 +3 mark",
            ),
            (
                "behind a filtered one",
                [0, 1, 0],
                vec![
                    Ruling::Admitted,
                    rejected(),
                    Ruling::Admitted,
                    Ruling::Admitted,
                ],
                "-1 x2 +3 mark",
            ),
            (
                "nothing but the marker",
                [0, 0, 0],
                vec![rejected(), rejected(), rejected(), Ruling::Admitted],
                "x1 x2 x3 marked",
            ),
            (
                "undecided",
                [0, 0, 0],
                vec![Ruling::Admitted, failed(), Ruling::Admitted, failed()],
                "+1 ?2 +3 ?m",
            ),
        ] {
            let versions = KeyVersions {
                source: history(&["1", "2", "3"], Some("m")),
                target: None,
                rulings,
            };
            let entries: Vec<_> = versions.source.entries().collect();
            let found = there.iter().zip(&entries);
            let found = found.map(|(there, entry)| (*there == 1).then(|| entry.into()));
            let steps: Vec<String> = versions.steps(found.collect()).iter().map(word).collect();
            assert_eq!(steps.join(" "), expected, "{name}");
        }
    }
}
