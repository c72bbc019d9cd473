/*! Whether a listing keeps the order that S3 promises.

Spans are cut where their keys end, and the two sides of a pair are joined by the order of their
keys. So of a listing that is in no order keys would be missed, and what is missing at the source is
deleted at the target: such a listing ends the pair before any of it counts.
*/

use super::page::RawPage;
use super::parallel::Span;
use super::unsorted::is_unsorted;

/// How far the keys of a span were read.
#[derive(Debug)]
pub(super) struct Order<'a> {
    scope: &'a str,
    last: Option<String>,
}

impl<'a> Order<'a> {
    /// Before the first page of a span.
    pub(super) fn of(span: &'a Span) -> Self {
        Self {
            scope: &span.scope,
            last: span.after.clone(),
        }
    }

    /// Holds the next page to the order, before anything is cut from it; what is wrong comes back
    /// in words. Keys behind the span's end are no fault: the server is not told where that is.
    pub(super) fn take(&mut self, page: &RawPage) -> Result<(), String> {
        let (Some(first), Some(last)) = (page.rows.first(), page.rows.last()) else {
            return Ok(());
        };
        if let Some(before) = self.last.as_ref().filter(|before| **before >= first.key) {
            return Err(broken(before, &first.key));
        }
        if is_unsorted(page) {
            let pairs = page.rows.iter().zip(&page.rows[1..]);
            let mut broken_at = pairs.filter(|(row, next)| row.key >= next.key);
            let (row, next) = broken_at.next().unwrap_or((first, last));
            return Err(broken(&row.key, &next.key));
        }
        // in order, so that what is between them begins as they do
        for row in [first, last] {
            if !row.key.starts_with(self.scope) {
                return Err(format!(
                    "the listing has `{}`, which is outside the prefix asked for, `{}`",
                    row.key, self.scope
                ));
            }
        }
        self.last = Some(last.key.clone());
        Ok(())
    }
}

fn broken(before: &str, key: &str) -> String {
    format!(
        "the listing is not in order: `{key}` comes after `{before}`; only a listing whose first page is out of order is sorted, of this one keys may be missing"
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
            let words = found.unwrap_or_default();
            assert!(words.contains(wrong.unwrap_or_default()), "{name}: {words}");
        }
    }
}
