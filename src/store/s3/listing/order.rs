/*! Whether a listing keeps the order that S3 promises.

Spans are cut where their keys end, and the two sides of a pair are joined by the order of their
keys. So of a listing that is in no order keys would be missed, and what is missing at the source is
deleted at the target: such a listing ends here, and both sides are listed once more and sorted.
*/

use super::endless::Endless;
use super::page::RawPage;
use super::parallel::Span;
use super::unsorted::is_unsorted;

/// What is wrong with a page, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not in order.
    Order(String),
    /// It is not of what was asked for.
    Scope(String),
    /// There is no end to it.
    Endless(&'static str),
}

/// How far the keys of a span were read.
#[derive(Debug)]
pub(super) struct Order<'a> {
    scope: &'a str,
    last: Option<String>,
    endless: Endless,
}

impl<'a> Order<'a> {
    /// Before the first page of a span.
    pub(super) fn of(span: &'a Span) -> Self {
        Self {
            scope: &span.scope,
            last: span.after.clone(),
            endless: Endless::default(),
        }
    }

    /// Holds the next page to the order, before anything is cut from it; what is wrong comes back
    /// in words. Keys behind the span's end are no fault: the server is not told where that is.
    pub(super) fn take(&mut self, page: &RawPage) -> Result<(), Wrong> {
        let (Some(first), Some(last)) = (page.rows.first(), page.rows.last()) else {
            return self.endless.take(page).map_err(Wrong::Endless);
        };
        if let Some(before) = self.last.as_ref().filter(|before| **before >= first.key) {
            return Err(Wrong::Order(broken(before, &first.key)));
        }
        if is_unsorted(page) {
            let pairs = page.rows.iter().zip(&page.rows[1..]);
            let mut broken_at = pairs.filter(|(row, next)| row.key >= next.key);
            let (row, next) = broken_at.next().unwrap_or((first, last));
            return Err(Wrong::Order(broken(&row.key, &next.key)));
        }
        // in order, so that what is between them begins as they do
        for row in [first, last] {
            if !row.key.starts_with(self.scope) {
                return Err(Wrong::Scope(format!(
                    "the listing has `{}`, which is outside the prefix asked for, `{}`",
                    row.key, self.scope
                )));
            }
        }
        self.last = Some(last.key.clone());
        self.endless.take(page).map_err(Wrong::Endless)
    }
}

fn broken(before: &str, key: &str) -> String {
    format!(
        "the listing is not in order: `{key}` comes after `{before}`; keys may be missing from it"
    )
}

#[cfg(test)]
mod tests {
    use super::super::page::RawRow;
    use super::*;

    fn page(keys: &[&str]) -> RawPage {
        RawPage {
            rows: keys.iter().map(|key| RawRow::bare(key)).collect(),
            ..RawPage::default()
        }
    }

    #[test]
    fn every_page_is_held_to_the_order_of_its_span() {
        for (name, after, pages, wrong) in [
            (
                "all is well",
                None,
                &[&["p/a", "p/b"][..], &[], &["p/c"]][..],
                None,
            ),
            ("behind its beginning", Some("p/a"), &[&["p/b"]], None),
            (
                "at its beginning",
                Some("p/b"),
                &[&["p/b"]],
                Some("`p/b` comes after `p/b`"),
            ),
            (
                "before its beginning",
                Some("p/b"),
                &[&["p/a"]],
                Some("`p/a` comes after `p/b`"),
            ),
            (
                "within a page",
                None,
                &[&["p/a"], &["p/b", "p/z", "p/c"]],
                Some("`p/c` comes after `p/z`"),
            ),
            (
                "from page to page",
                None,
                &[&["p/a", "p/z"], &[], &["p/c"]],
                Some("`p/c` comes after `p/z`"),
            ),
            (
                "twice",
                None,
                &[&["p/a", "p/a"]],
                Some("`p/a` comes after `p/a`"),
            ),
            (
                "of another prefix",
                None,
                &[&["o", "p/a"]],
                Some("outside the prefix"),
            ),
            (
                "of a prefix behind",
                None,
                &[&["p/a", "q"]],
                Some("outside the prefix"),
            ),
        ] {
            let span = Span {
                after: after.map(str::to_owned),
                ..Span::below("p/")
            };
            let mut order = Order::of(&span);
            let found = pages.iter().find_map(|keys| order.take(&page(keys)).err());
            assert_eq!(found.is_some(), wrong.is_some(), "{name}: {found:?}");
            let words = found.map_or(String::new(), |wrong| format!("{wrong:?}"));
            assert!(words.contains(wrong.unwrap_or_default()), "{name}: {words}");
        }
    }
}
