/*! Many listing requests at once, one ordered stream.

Keys are split into consecutive ranges `(after, until]`; each range is listed on its own, and the
pages of the ranges are handed on in the order of the ranges. Every key lies in exactly one range,
whatever the split, so the split can be guessed: a small bucket costs one request; a range that
proves longer than a page is split at the prefixes (`/`) below it. Where prefixes hold few keys,
several make one range, so that a page is never asked for the sake of a handful of keys.

Ranges ahead of the reader hold one page each, and only the range being read splits further; so
what is listed ahead is bounded by the number of requests in flight.
*/

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{Semaphore, mpsc};

use super::page::RawPage;
use super::{Query, fetch, relative};
use crate::store::s3::S3Store;
use crate::store::{Listing, Page, StoreError};

type Pages = mpsc::Sender<Result<Page, StoreError>>;

/// Consecutive keys: those behind `after`, up to and including `until`.
#[derive(Debug, Clone)]
struct Span {
    after: Option<String>,
    until: Option<String>,
    /// What most of its keys begin with: where to look for prefixes to split at.
    prefix: String,
    /// How often it was split off already.
    depth: u16,
}

/// The whole prefix of a store, in order.
pub(in super::super) fn list(store: &S3Store) -> Listing {
    let lister = Lister {
        store: store.clone(),
        requests: Arc::new(Semaphore::new(usize::from(
            store.0.settings.listing.parallel,
        ))),
    };
    let everything = Span {
        after: None,
        until: None,
        prefix: store.prefix().to_owned(),
        depth: 0,
    };
    let pages = lister.start(everything);
    futures::stream::unfold(pages, |mut pages| async {
        pages.recv().await.map(|page| (page, pages))
    })
    .boxed()
}

#[derive(Clone)]
struct Lister {
    store: S3Store,
    /// Requests in flight, over all spans.
    requests: Arc<Semaphore>,
}

impl Lister {
    /// Lists a span in a task of its own, which ends when nobody listens any more.
    fn start(&self, span: Span) -> mpsc::Receiver<Result<Page, StoreError>> {
        let (sender, receiver) = mpsc::channel(1);
        let lister = self.clone();
        tokio::spawn(async move {
            if let Err(error) = lister.span(span, &sender).await {
                // nobody listening is no loss
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }

    /// Hands on all pages of a span, splitting what is long.
    fn span<'a>(&'a self, span: Span, out: &'a Pages) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut token: Option<String> = None;
            // a span that was split off is about a page long: one more before it counts as long
            let mut flat_pages_until_split = u32::from(span.depth > 0);
            let mut flat_pages = 1_u32;
            loop {
                let mut raw = self.page(&span, token.as_deref()).await?;
                let last = raw.rows.last().map(|row| row.key.clone());
                let may_split = flat_pages_until_split == 0;
                let prefixes_seen = if may_split {
                    prefixes_in(&raw, &span.prefix)
                } else {
                    0
                };
                let ends_here = raw.cut(&span);
                let finished = ends_here || !raw.truncated;
                let root = span.depth == 0 && span.after.is_none() && token.is_none();
                token = raw.next_token.take();
                let page = relative(&self.store, raw, root)?;
                if out.send(Ok(page)).await.is_err() || finished {
                    return Ok(());
                }
                if !may_split {
                    flat_pages_until_split -= 1;
                    continue;
                }
                // waits until the page was taken: the reader is in this span now
                if out.reserve().await.is_err() {
                    return Ok(());
                }
                if let Some(last) = last
                    && let Some(spans) = self.split(&span, &last, prefixes_seen).await?
                {
                    return self.in_order(spans, out).await;
                }
                flat_pages = (flat_pages * 2).min(64);
                flat_pages_until_split = flat_pages;
            }
        }
        .boxed()
    }

    /// One page of the span, behind `token` or from the span's beginning.
    async fn page(&self, span: &Span, token: Option<&str>) -> Result<RawPage, StoreError> {
        let after = if token.is_none() {
            span.after.as_deref()
        } else {
            None
        };
        self.fetch(&Query {
            prefix: self.store.prefix(),
            after,
            token,
            ..self.query()
        })
        .await
    }

    async fn fetch(&self, query: &Query<'_>) -> Result<RawPage, StoreError> {
        let _permit = self
            .requests
            .acquire()
            .await
            .expect("the semaphore is never closed");
        fetch(&self.store, query).await
    }

    fn query(&self) -> Query<'static> {
        Query {
            max_keys: self.store.0.settings.listing.max_keys,
            ..Query::default()
        }
    }

    /// What is left of a span behind `last` as several spans; `None` where that would not pay.
    async fn split(
        &self,
        span: &Span,
        last: &str,
        prefixes_a_page: usize,
    ) -> Result<Option<Vec<Span>>, StoreError> {
        let settings = self.store.0.settings.listing;
        if settings.parallel < 2 || span.depth >= settings.max_depth {
            return Ok(None);
        }
        let query = Query {
            prefix: &span.prefix,
            after: Some(last),
            roll_up: true,
            ..self.query()
        };
        let rolled_up = self.fetch(&query).await?;
        Ok(spans(span, last, &rolled_up, prefixes_a_page))
    }

    /// Lists spans at the same time and hands their pages on one span after the other.
    async fn in_order(&self, spans: Vec<Span>, out: &Pages) -> Result<(), StoreError> {
        let settings = self.store.0.settings.listing;
        // each span ahead holds a page and has another on its way
        let pages = settings.queue / (2 * u32::from(settings.max_keys));
        let ahead = usize::from(settings.parallel).min(pages as usize).max(1);
        let mut waiting = spans.into_iter();
        let mut started: VecDeque<_> = waiting
            .by_ref()
            .take(ahead)
            .map(|span| self.start(span))
            .collect();
        while let Some(mut first) = started.pop_front() {
            while let Some(page) = first.recv().await {
                if out.send(Ok(page?)).await.is_err() {
                    return Ok(());
                }
            }
            started.extend(waiting.next().map(|span| self.start(span)));
        }
        Ok(())
    }
}

/// The spans between the prefixes found behind `last`, each of about a page or more.
fn spans(
    span: &Span,
    last: &str,
    rolled_up: &RawPage,
    prefixes_a_page: usize,
) -> Option<Vec<Span>> {
    let within = |key: &&String| span.until.as_ref().is_none_or(|until| *key < until);
    let bounds: Vec<&String> = rolled_up
        .common_prefixes
        .iter()
        .filter(|prefix| prefix.as_str() > last)
        .filter(within)
        .step_by(prefixes_a_page.max(1))
        .collect();
    if bounds.len() < 2 || !bounds.is_sorted() {
        return None;
    }
    let current = rolled_up
        .common_prefixes
        .iter()
        .find(|prefix| last.starts_with(prefix.as_str()));
    let mut spans = vec![Span {
        after: Some(last.to_owned()),
        until: Some(bounds[0].clone()),
        prefix: current.unwrap_or(&span.prefix).clone(),
        depth: span.depth + 1,
    }];
    for (at, bound) in bounds.iter().enumerate() {
        let next = bounds.get(at + 1);
        // beyond the last prefix of a truncated page there may be as many again
        let more = next.is_none() && rolled_up.truncated;
        spans.push(Span {
            after: Some((*bound).clone()),
            until: next
                .map(|next| (*next).clone())
                .or_else(|| span.until.clone()),
            prefix: if more {
                span.prefix.clone()
            } else {
                (*bound).clone()
            },
            depth: if more { span.depth } else { span.depth + 1 },
        });
    }
    Some(spans)
}

/// How many prefixes below `prefix` the keys of a page fall under.
fn prefixes_in(page: &RawPage, prefix: &str) -> usize {
    let mut count = 0;
    let mut last = None;
    for row in &page.rows {
        let below = row
            .key
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once('/'));
        if let Some((name, _)) = below
            && last != Some(name)
        {
            count += 1;
            last = Some(name);
        }
    }
    count
}

impl RawPage {
    /// Drops what lies behind the span; whether the span ends in this page.
    fn cut(&mut self, span: &Span) -> bool {
        let Some(until) = &span.until else {
            return false;
        };
        let before = self.rows.len();
        self.rows.retain(|row| row.key <= *until);
        self.rows.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolled_up(prefixes: &[&str], truncated: bool) -> RawPage {
        RawPage {
            common_prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
            truncated,
            ..RawPage::default()
        }
    }

    fn whole() -> Span {
        Span {
            after: None,
            until: None,
            prefix: String::new(),
            depth: 0,
        }
    }

    #[test]
    fn spans_follow_each_other_without_gap_or_overlap() {
        for (prefixes, a_page, truncated, bounds) in [
            (
                &["a/", "b/", "c/", "d/"][..],
                1,
                false,
                &["a/x", "b/", "c/", "d/"][..],
            ),
            (&["a/", "b/", "c/", "d/"], 2, true, &["a/x", "b/", "d/"]),
            (&["b/", "c/"], 1, false, &["a/x", "b/", "c/"]),
        ] {
            let spans = spans(&whole(), "a/x", &rolled_up(prefixes, truncated), a_page)
                .expect("worth splitting");
            let after: Vec<_> = spans
                .iter()
                .map(|span| span.after.as_deref().unwrap_or(""))
                .collect();
            assert_eq!(after, bounds);
            for (this, next) in spans.iter().zip(&spans[1..]) {
                assert_eq!(this.until, next.after);
            }
            assert_eq!(spans.last().and_then(|span| span.until.clone()), None);
        }
    }

    #[test]
    fn few_prefixes_are_not_worth_a_split() {
        assert!(spans(&whole(), "a/x", &rolled_up(&["a/"], false), 1).is_none());
        assert!(
            spans(
                &whole(),
                "a/x",
                &rolled_up(&["b/", "c/", "d/"], false),
                1000
            )
            .is_none()
        );
    }
}
