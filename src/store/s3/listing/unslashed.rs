/*! A bucket in the order of the names its keys have in a directory: without one leading slash.

Below `photos`, S3 lists `/z.jpg` before `2/a`, and a directory `2/a` before `z.jpg`. Keys that
begin with a slash are in order among themselves, and so are all others; they are listed as two and
merged, in the memory of a page for each. A bucket of one page is sorted as it is.
*/

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::parallel::{Arriving, Lister, Pages, Span, in_a_task, stream};
use super::unsorted::{go_on, is_unsorted};
use super::{relative, versions};
use crate::object::{Entry, ObjectKey, Timestamp};
use crate::store::s3::{KeyOrder, S3Store};
use crate::store::{Listing, Page, StoreError};

/// The whole prefix of a store, in order of name.
pub(super) fn list(store: &S3Store) -> Listing {
    let store = store.clone();
    stream(in_a_task(
        |out| async move { unslashed(&store, &out).await },
    ))
}

/// The same as it was at a time.
pub(super) fn as_of(store: &S3Store, time: Timestamp) -> Listing {
    let store = store.clone();
    stream(in_a_task(|out| async move {
        let behind = Behind::of(store.prefix(), None);
        let merge = Merge {
            plain: Half::of(versions::start(&store, time, behind.plain), false),
            slashed: Half::of(
                versions::start(&store, time, behind.slashed.into_iter().collect()),
                true,
            ),
            max_entries: usize::from(store.0.settings.listing.max_keys),
        };
        merge.run(Page::default(), &out).await
    }))
}

async fn unslashed(store: &S3Store, out: &Pages) -> Result<(), StoreError> {
    let lister = Lister::of(store);
    let first = lister.page(&Span::below(store.prefix()), None).await?;
    let more = first.truncated;
    let token = first.next_token.clone();
    if is_unsorted(&first) {
        return go_on(store, first, out).await;
    }
    let last = first.rows.last().map(|row| row.key.clone());
    let mut page = relative(store, first, true)?;
    if !more {
        page.entries
            .sort_by(|a, b| KeyOrder::AsInADirectory.compare(&a.key, &b.key));
        // nobody listening is no loss
        let _ = out.send(Ok(page)).await;
        return Ok(());
    }
    let (slashed, plain) = page
        .entries
        .into_iter()
        .partition(|entry| is_slashed(&entry.key));
    let mut behind = Behind::of(store.prefix(), last.as_deref());
    behind.go_on_at(token, last.as_deref());
    let merge = Merge {
        plain: Half {
            ready: plain,
            pages: lister.start_all(behind.plain),
            slashed: false,
            ended: false,
        },
        slashed: Half {
            ready: slashed,
            pages: lister.start_all(behind.slashed.into_iter().collect()),
            slashed: true,
            ended: false,
        },
        max_entries: usize::from(store.0.settings.listing.max_keys),
    };
    let told = Page {
        entries: Vec::new(),
        oddities: page.oddities,
        failures: page.failures,
        is_one_object: page.is_one_object,
    };
    merge.run(told, out).await
}

fn is_slashed(key: &ObjectKey) -> bool {
    key.as_str().starts_with('/')
}

/// What is left to list behind the last key of the first page.
#[derive(Debug, PartialEq, Eq)]
struct Behind {
    /// Keys without a leading slash; some with one stand at the seams.
    plain: Vec<Span>,
    /// Keys with a leading slash.
    slashed: Option<Span>,
}

impl Behind {
    /// Has the range that begins behind the last key of the first page go on with its token.
    fn go_on_at(&mut self, token: Option<String>, last: Option<&str>) {
        let next = self.plain.first_mut();
        if let Some(next) = next.filter(|next| last.is_some() && next.after.as_deref() == last) {
            next.token = token;
        }
    }

    fn of(prefix: &str, last: Option<&str>) -> Self {
        let slash = format!("{prefix}/");
        // nearly all keys with the slash are before this one
        let beyond = format!("{slash}{}", char::MAX);
        let last = last.unwrap_or_default();
        let after = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        let before_slash = (last < &*slash).then(|| Span {
            after: after(last),
            until: Some(slash.clone()),
            ..Span::below(prefix)
        });
        let behind_slash = Span {
            after: after(last.max(&beyond)),
            ..Span::below(prefix)
        };
        let within = last.starts_with(&*slash);
        Self {
            plain: before_slash.into_iter().chain([behind_slash]).collect(),
            slashed: (within || last < &*slash).then(|| Span {
                after: after(last).filter(|_| within),
                ..Span::below(&slash)
            }),
        }
    }
}

/// One of the two listings.
struct Half {
    /// What was read of it and not handed on yet.
    ready: VecDeque<Entry>,
    pages: Arriving,
    /// Whether its keys begin with a slash; the others are dropped.
    slashed: bool,
    ended: bool,
}

impl Half {
    fn of(pages: Arriving, slashed: bool) -> Self {
        Self {
            ready: VecDeque::new(),
            pages,
            slashed,
            ended: false,
        }
    }

    /// Reads on until there is an entry, or no more of them.
    async fn fill(&mut self, told: &mut Page) -> Result<(), StoreError> {
        while self.ready.is_empty() && !self.ended {
            let Some(page) = self.pages.recv().await else {
                self.ended = true;
                break;
            };
            let page = page?;
            told.oddities.extend(page.oddities);
            told.is_one_object |= page.is_one_object;
            let own = |entry: &Entry| is_slashed(&entry.key) == self.slashed;
            self.ready.extend(page.entries.into_iter().filter(own));
        }
        Ok(())
    }

    /// Whether it must be filled before it is known what comes next.
    fn is_dry(&self) -> bool {
        self.ready.is_empty() && !self.ended
    }
}

struct Merge {
    plain: Half,
    slashed: Half,
    /// In a page.
    max_entries: usize,
}

impl Merge {
    /// Hands on all pages, the first with what `page` has to tell. A page is handed on before
    /// either half is waited for, so that an error takes nothing with it.
    async fn run(mut self, mut page: Page, out: &Pages) -> Result<(), StoreError> {
        loop {
            self.plain.fill(&mut page).await?;
            self.slashed.fill(&mut page).await?;
            while page.entries.len() < self.max_entries
                && let Some(entry) = self.next()
            {
                page.entries.push(entry);
            }
            let ended = page.entries.is_empty();
            if ended && page.oddities.is_empty() {
                return Ok(());
            }
            if out.send(Ok(std::mem::take(&mut page))).await.is_err() || ended {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Option<Entry> {
        if self.plain.is_dry() || self.slashed.is_dry() {
            return None;
        }
        let half = match (self.plain.ready.front(), self.slashed.ready.front()) {
            (Some(plain), Some(slashed))
                if KeyOrder::AsInADirectory.compare(&slashed.key, &plain.key) == Ordering::Less =>
            {
                &mut self.slashed
            }
            (Some(_), _) => &mut self.plain,
            (None, _) => &mut self.slashed,
        };
        half.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_begins_behind_the_first_page() {
        let beyond = "p/\u{10ffff}";
        for (name, last, plain, slashed) in [
            (
                "a page without keys",
                None,
                &[("", "p/"), (beyond, "")][..],
                Some(""),
            ),
            (
                "before the slash",
                Some("p-x"),
                &[("p-x", "p/"), (beyond, "")],
                Some(""),
            ),
            ("the slash itself", Some("p/"), &[(beyond, "")], Some("p/")),
            (
                "keys with the slash",
                Some("p/x"),
                &[(beyond, "")],
                Some("p/x"),
            ),
            (
                "the highest character",
                Some("p/\u{10ffff}x"),
                &[("p/\u{10ffff}x", "")],
                Some("p/\u{10ffff}x"),
            ),
            ("behind the slash", Some("p0"), &[("p0", "")], None),
        ] {
            let behind = Behind::of("p", last);
            let text = |key: &Option<String>| key.clone().unwrap_or_default();
            let spans: Vec<_> = behind
                .plain
                .iter()
                .map(|span| (text(&span.after), text(&span.until)))
                .collect();
            let expected: Vec<_> = plain
                .iter()
                .map(|(after, until)| ((*after).to_owned(), (*until).to_owned()))
                .collect();
            assert_eq!(spans, expected, "{name}");
            let seen = behind.slashed.as_ref().map(|span| text(&span.after));
            assert_eq!(seen.as_deref(), slashed, "{name}");
            assert!(behind.plain.iter().all(|span| span.scope == "p"), "{name}");
            assert!(
                behind.slashed.iter().all(|span| span.scope == "p/"),
                "{name}"
            );
        }
    }
}
