/*! Versions, listed the newest first and over several pages, brought together by their keys.

In the memory of one key's versions, or of one version where only a time counts.
*/

use std::cmp::Ordering;
use std::mem::take;

use super::version_page::RawVersion;
use crate::object::{Entry, History, Marker, ObjectKey, Timestamp, Version};

/// Where a key has more versions, they are not held.
const MOST_VERSIONS: usize = 100_000;

/// What is kept of the versions of one key.
pub(super) trait Keep: Default + Send {
    /// What comes of them.
    type Kept: Send;

    /// Takes the next one: they come as they are listed.
    fn take(&mut self, row: RawVersion, at: Option<Timestamp>);

    /// What there is under the key, if anything.
    fn finish(self, key: ObjectKey) -> Option<Self::Kept>;
}

/// Brings versions together by their keys.
#[derive(Debug)]
pub(super) struct Grouping<K> {
    /// What counts, where not everything does.
    at: Option<Timestamp>,
    /// The whole key that is being listed.
    key: Option<String>,
    kept: K,
    /// The id of the row before.
    last: String,
}

impl<K: Keep> Grouping<K> {
    pub(super) fn new(at: Option<Timestamp>) -> Self {
        Self {
            at,
            key: None,
            kept: K::default(),
            last: String::new(),
        }
    }

    /// Takes the next row; gives the key before it, and what was kept of that, if this is of
    /// another. What cannot be believed comes back in words.
    pub(super) fn take(&mut self, mut row: RawVersion) -> Result<Option<(String, K)>, String> {
        let key = take(&mut row.key);
        let ended = match self.key.as_deref().map(|last| last.cmp(&key)) {
            Some(Ordering::Equal) if self.last == row.id => {
                return Err(format!("version {} of `{key}` is listed twice", row.id));
            }
            Some(Ordering::Equal) => None,
            Some(Ordering::Greater) => {
                let last = self.key.as_deref().unwrap_or_default();
                return Err(format!(
                    "the listing of versions is not in order: `{key}` comes after `{last}`"
                ));
            }
            Some(Ordering::Less) | None => self.key.replace(key),
        };
        let ended = ended.map(|key| (key, take(&mut self.kept)));
        self.last.clone_from(&row.id);
        self.kept.take(row, self.at);
        Ok(ended)
    }

    /// The last key.
    pub(super) fn end(self) -> Option<(String, K)> {
        self.key.map(|key| (key, self.kept))
    }
}

/// Everything under a key, as it is listed.
#[derive(Debug, Default)]
pub(super) struct All {
    rows: Vec<RawVersion>,
    is_too_long: bool,
}

impl Keep for All {
    type Kept = History;

    fn take(&mut self, row: RawVersion, _: Option<Timestamp>) {
        if self.is_too_long {
            return;
        }
        if self.rows.len() == MOST_VERSIONS {
            self.is_too_long = true;
            self.rows.retain(|row| row.content.is_some());
            self.rows.truncate(1);
            self.rows.shrink_to_fit();
            return;
        }
        self.rows.push(row);
    }

    /// Oldest first. Times may be no finer than a second, so that versions of one time stand in
    /// the order they were listed, turned round; whatever its time, the latest is the latest.
    fn finish(mut self, key: ObjectKey) -> Option<History> {
        self.rows.reverse();
        let latest = self.rows.iter().rposition(|row| row.is_latest);
        let latest = latest.map(|at| self.rows.remove(at));
        self.rows.sort_by_key(|row| row.modified);
        let marker = latest
            .as_ref()
            .filter(|latest| latest.content.is_none())
            .map(|marker| Marker {
                id: marker.id.as_str().into(),
                modified: marker.modified,
            });
        let versions: Vec<Version> = self
            .rows
            .into_iter()
            .chain(latest)
            .filter_map(of_row)
            .collect();
        (!versions.is_empty() || marker.is_some()).then_some(History {
            key,
            versions,
            marker,
            is_too_long: self.is_too_long,
        })
    }
}

/// What a key had at a time: the version or marker written last until then.
#[derive(Debug, Default)]
pub(super) struct Then(Option<RawVersion>);

impl Keep for Then {
    type Kept = Entry;

    fn take(&mut self, row: RawVersion, at: Option<Timestamp>) {
        let counts = at.is_none_or(|at| row.modified <= at);
        // of one time, the first that is listed is the newest
        let is_newer =
            (self.0.as_ref()).is_none_or(|seen| !seen.is_latest && row.modified > seen.modified);
        if counts && is_newer {
            self.0 = Some(row);
        }
    }

    fn finish(self, key: ObjectKey) -> Option<Entry> {
        Some(of_row(self.0?)?.under(&key))
    }
}

/// A version; `None` of a delete marker.
fn of_row(row: RawVersion) -> Option<Version> {
    let content = row.content?;
    Some(Version {
        id: row.id.into(),
        size: content.size,
        modified: row.modified,
        etag: content.etag,
        storage_class: content.storage_class,
        checksum: content.checksum,
    })
}

#[cfg(test)]
mod tests {
    use super::super::version_page::RawContent;
    use super::*;

    /// A row by what it is called: `1@10` is a version, `x1@10` a delete marker, `!1@10` the latest.
    fn row(key: &str, text: &str) -> RawVersion {
        let (is_latest, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (id, time) = text.split_once('@').expect("a time");
        RawVersion {
            key: key.to_owned(),
            id: id.to_owned(),
            is_latest,
            modified: Timestamp::new(time.parse().expect("seconds"), 0),
            content: (!id.starts_with('x')).then_some(RawContent {
                size: 1,
                etag: None,
                storage_class: None,
                checksum: None,
            }),
        }
    }

    fn grouped<K: Keep>(rows: &[(&str, &str)], at: Option<i64>) -> Result<Vec<K::Kept>, String> {
        let mut grouping = Grouping::<K>::new(at.map(|at| Timestamp::new(at, 0)));
        let mut ended = Vec::new();
        for (key, text) in rows {
            ended.extend(grouping.take(row(key, text))?);
        }
        ended.extend(grouping.end());
        let key = |key: String| ObjectKey::new(key).expect("short");
        Ok(ended
            .into_iter()
            .filter_map(|(name, kept)| kept.finish(key(name)))
            .collect())
    }

    #[test]
    fn versions_of_a_key_come_oldest_first_and_the_latest_last() {
        for (name, rows, expected, marker) in [
            (
                "as listed",
                vec!["!3@30", "2@20", "1@10"],
                vec!["1", "2", "3"],
                None,
            ),
            (
                "of one second",
                vec!["!3@10", "2@10", "1@10"],
                vec!["1", "2", "3"],
                None,
            ),
            (
                "out of order",
                vec!["!3@30", "1@10", "2@20"],
                vec!["1", "2", "3"],
                None,
            ),
            (
                "an upload begun early",
                vec!["!3@5", "2@20", "1@10"],
                vec!["1", "2", "3"],
                None,
            ),
            (
                "deleted",
                vec!["!x@30", "2@20", "1@10"],
                vec!["1", "2"],
                Some("x"),
            ),
            (
                "come back",
                vec!["!2@20", "x@15", "1@10"],
                vec!["1", "2"],
                None,
            ),
            ("only a marker", vec!["!x@30"], vec![], Some("x")),
            (
                "old markers",
                vec!["!x3@30", "x2@20", "1@10"],
                vec!["1"],
                Some("x3"),
            ),
            (
                "nothing says which is the latest",
                vec!["2@20", "1@10"],
                vec!["1", "2"],
                None,
            ),
        ] {
            let rows: Vec<_> = rows.into_iter().map(|row| ("k", row)).collect();
            let histories = grouped::<All>(&rows, None).expect(name);
            let [history] = &histories[..] else {
                panic!("{name}: {histories:?}");
            };
            let ids: Vec<_> = history.versions.iter().map(|it| &*it.id).collect();
            assert_eq!(ids, expected, "{name}");
            let latest = history.marker.as_ref().map(|marker| &*marker.id);
            assert_eq!(latest, marker, "{name}");
        }
    }

    #[test]
    fn the_past_is_what_was_written_last_until_then() {
        for (name, rows, at, expected) in [
            ("now", vec!["!3@30", "2@20", "1@10"], 30, Some("3")),
            (
                "a second before",
                vec!["!3@30", "2@20", "1@10"],
                29,
                Some("2"),
            ),
            ("before all", vec!["!3@30", "2@20", "1@10"], 9, None),
            ("deleted then", vec!["!3@30", "x@20", "1@10"], 25, None),
            ("deleted now", vec!["!x@30", "1@10"], 29, Some("1")),
            ("of one second", vec!["!2@10", "1@10"], 10, Some("2")),
            ("of one second, gone", vec!["!x@10", "1@10"], 10, None),
            (
                "an upload begun early",
                vec!["!3@5", "2@20", "1@10"],
                20,
                Some("3"),
            ),
            ("out of order", vec!["!3@30", "1@10", "2@20"], 25, Some("2")),
        ] {
            let rows: Vec<_> = rows.into_iter().map(|row| ("k", row)).collect();
            let entries = grouped::<Then>(&rows, Some(at)).expect(name);
            let ids: Vec<_> = entries
                .iter()
                .filter_map(|it| it.version.as_deref())
                .collect();
            assert_eq!(ids, Vec::from_iter(expected), "{name}");
        }
    }

    #[test]
    fn keys_come_once_and_in_order() {
        let rows = [("a", "!2@20"), ("a", "1@10"), ("b", "!1@5")];
        let keys: Vec<_> = grouped::<All>(&rows, None)
            .expect("in order")
            .into_iter()
            .map(|history| (history.key.to_string(), history.versions.len()))
            .collect();
        assert_eq!(keys, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
        for (rows, words) in [
            (
                [("a", "!2@20"), ("b", "!1@5"), ("a", "1@10")],
                "not in order",
            ),
            (
                [("a", "!2@20"), ("a", "2@20"), ("b", "!1@5")],
                "listed twice",
            ),
        ] {
            let error = grouped::<All>(&rows, None).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn of_more_versions_than_are_held_the_newest_is_told() {
        let mut all = All::default();
        all.take(row("k", "!x@3"), None);
        all.take(row("k", "2@2"), None);
        for _ in 2..MOST_VERSIONS {
            all.take(row("k", "1@1"), None);
        }
        assert!(!all.is_too_long && all.rows.len() == MOST_VERSIONS);
        all.take(row("k", "1@1"), None);
        all.take(row("k", "1@1"), None);
        let key = ObjectKey::new("k").expect("short");
        let history = all.finish(key).expect("a history");
        assert!(history.is_too_long && history.marker.is_none());
        let ids: Vec<_> = history.versions.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, ["2"]);
    }
}
