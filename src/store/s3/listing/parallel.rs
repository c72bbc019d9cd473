/*! Many listing requests at once, one ordered stream.

Keys are split into consecutive ranges `(after, until]`; each range is listed on its own, and the
pages of the ranges are handed on in the order of the ranges. Every key lies in exactly one range,
whatever the split, so the split can be guessed: a small bucket costs one request; a range that
proves longer than a page is split at the prefixes (`/`) below it. Where prefixes hold few keys,
several make one range, so that a page is never asked for the sake of a handful of keys. Where a
range is just one prefix, the server is asked for that prefix, and tells itself where it ends.

Ranges ahead of the reader hold one page each, and only the range being read splits further; so
what is listed ahead is bounded by the number of requests in flight.
*/

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{Semaphore, mpsc};

use super::order::Order;
use super::page::RawPage;
use super::unsorted::{go_on, is_unsorted};
use super::{Query, fetch, lie, relative};
use crate::store::s3::S3Store;
use crate::store::{Listing, Page, StoreError};

/// Where pages are handed on to.
pub(super) type Pages = mpsc::Sender<Result<Page, StoreError>>;

/// Where pages come from: complete if it ends without an error.
pub(super) type Arriving = mpsc::Receiver<Result<Page, StoreError>>;

/// So many spans of one level are listed at the same time, whatever the user allows: with pages
/// of 1000 keys this is far more than decisions are made, and each costs memory on both sides.
const SPANS_AHEAD: usize = 8;

/// Consecutive keys: those under `scope`, behind `after`, up to and including `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// What the server is asked for: all of its keys begin so.
    pub(super) scope: String,
    pub(super) after: Option<String>,
    pub(super) until: Option<String>,
    /// What most of its keys begin with: where to look for prefixes to split at.
    pub(super) prefix: String,
    /// How often it was split off already.
    pub(super) depth: u16,
}

impl Span {
    /// All keys that begin with `prefix`.
    pub(super) fn below(prefix: &str) -> Self {
        Self {
            scope: prefix.to_owned(),
            after: None,
            until: None,
            prefix: prefix.to_owned(),
            depth: 0,
        }
    }
}

/// The whole prefix of a store, in order.
pub(super) fn list(store: &S3Store) -> Listing {
    let everything = Span::below(store.prefix());
    stream(Lister::of(store).start(everything))
}

/// Pages that are being listed in a task, as a listing.
pub(super) fn stream<P: Send + 'static>(
    pages: mpsc::Receiver<Result<P, StoreError>>,
) -> BoxStream<'static, Result<P, StoreError>> {
    futures::stream::unfold(pages, |mut pages| async {
        pages.recv().await.map(|page| (page, pages))
    })
    .boxed()
}

/// Lists in a task of its own, which ends when nobody listens any more.
pub(super) fn in_a_task<T, F>(
    list: impl FnOnce(mpsc::Sender<Result<T, StoreError>>) -> F,
) -> mpsc::Receiver<Result<T, StoreError>>
where
    T: Send + 'static,
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let listing = list(sender.clone());
    tokio::spawn(async move {
        if let Err(error) = listing.await {
            // nobody listening is no loss
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

#[derive(Clone)]
pub(super) struct Lister {
    store: S3Store,
    /// Requests in flight, over all spans.
    requests: Arc<Semaphore>,
}

impl Lister {
    pub(super) fn of(store: &S3Store) -> Self {
        let parallel = usize::from(store.0.settings.listing.parallel);
        Self {
            store: store.clone(),
            requests: Arc::new(Semaphore::new(parallel)),
        }
    }

    /// Lists one span.
    pub(super) fn start(&self, span: Span) -> Arriving {
        let lister = self.clone();
        in_a_task(|out| async move { lister.span(span, &out).await })
    }

    /// Lists spans that follow each other.
    pub(super) fn start_all(&self, spans: Vec<Span>) -> Arriving {
        let lister = self.clone();
        in_a_task(|out| async move { lister.in_order(spans, &out).await })
    }

    /// Hands on all pages of a span, splitting what is long.
    fn span<'a>(&'a self, span: Span, out: &'a Pages) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut token: Option<String> = None;
            let mut order = Order::of(&span);
            // a span that was split off is about a page long: one more before it counts as long
            let mut flat_pages_until_split = u32::from(span.depth > 0);
            let mut flat_pages = 1_u32;
            loop {
                let mut raw = self.page(&span, token.as_deref()).await?;
                let root = token.is_none() && span == Span::below(self.store.prefix());
                if root && is_unsorted(&raw) {
                    return go_on(&self.store, raw, out).await;
                }
                let place = &self.store.0.settings.location;
                order.take(&raw).map_err(|what| lie(&place.url(), &what))?;
                let last = raw.rows.last().map(|row| row.key.clone());
                let may_split = flat_pages_until_split == 0;
                let prefixes_seen = if may_split {
                    prefixes_in(&raw, &span.prefix)
                } else {
                    0
                };
                let ends_here = raw.cut(&span);
                let finished = ends_here || !raw.truncated;
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
    pub(super) async fn page(
        &self,
        span: &Span,
        token: Option<&str>,
    ) -> Result<RawPage, StoreError> {
        let after = if token.is_none() {
            span.after.as_deref()
        } else {
            None
        };
        self.fetch(&Query {
            prefix: &span.scope,
            after,
            token,
            ..self.query()
        })
        .await
    }

    /// One page of anything.
    pub(super) async fn fetch(&self, query: &Query<'_>) -> Result<RawPage, StoreError> {
        let _permit = self
            .requests
            .acquire()
            .await
            .expect("the semaphore is never closed");
        fetch(&self.store, query).await
    }

    /// For all keys, a page at a time.
    pub(super) fn query(&self) -> Query<'static> {
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
        let ahead = usize::from(settings.parallel)
            .min(pages as usize)
            .clamp(1, SPANS_AHEAD);
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
    // what stands elsewhere than it belongs would be in none of the spans
    let prefixes = &rolled_up.common_prefixes;
    let is_in_order = prefixes.is_sorted_by(|a, b| a < b) && !is_unsorted(rolled_up);
    if bounds.len() < 2 || !is_in_order {
        return None;
    }
    let current = rolled_up
        .common_prefixes
        .iter()
        .find(|prefix| last.starts_with(prefix.as_str()));
    let mut spans = vec![Span {
        scope: span.scope.clone(),
        after: Some(last.to_owned()),
        until: Some(bounds[0].clone()),
        prefix: current.unwrap_or(&span.prefix).clone(),
        depth: span.depth + 1,
    }];
    let alone = alone(span, rolled_up, &bounds, prefixes_a_page);
    for (at, bound) in bounds.iter().enumerate() {
        let next = bounds.get(at + 1);
        let after_alone = at > 0 && alone[at - 1];
        if alone[at] {
            spans.push(Span {
                scope: (*bound).clone(),
                // a range before this one reaches up to the bound itself
                after: (!after_alone).then(|| (*bound).clone()),
                until: None,
                prefix: (*bound).clone(),
                depth: span.depth + 1,
            });
            continue;
        }
        if after_alone {
            // the bound may be a key: the prefix before it ends earlier, this range begins later
            spans.push(Span {
                scope: (*bound).clone(),
                after: None,
                until: Some((*bound).clone()),
                prefix: (*bound).clone(),
                depth: u16::MAX,
            });
        }
        // beyond the last prefix of a truncated page there may be as many again
        let more = next.is_none() && rolled_up.truncated;
        spans.push(Span {
            scope: span.scope.clone(),
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

/// Which bounds make a span by themselves: nothing but their own keys lies before the next bound,
/// or before the end.
fn alone(span: &Span, rolled_up: &RawPage, bounds: &[&String], step: usize) -> Vec<bool> {
    if step > 1 {
        return vec![false; bounds.len()];
    }
    let ends_with_last = !rolled_up.truncated && span.until.is_none() && span.scope == span.prefix;
    let rows = &rolled_up.rows;
    (0..bounds.len())
        .map(|at| {
            let from = rows.partition_point(|row| row.key <= *bounds[at]);
            match bounds.get(at + 1) {
                Some(next) => rows.get(from).is_none_or(|row| row.key > **next),
                None => ends_with_last && from == rows.len(),
            }
        })
        .collect()
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
    /// Drops what lies behind the span; whether the span ends in this page, which is in order.
    fn cut(&mut self, span: &Span) -> bool {
        let Some(until) = &span.until else {
            return false;
        };
        let before = self.rows.len();
        let end = self.rows.partition_point(|row| row.key <= *until);
        self.rows.truncate(end);
        self.rows.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::RawRow;
    use super::*;

    fn rolled_up(prefixes: &[&str], truncated: bool) -> RawPage {
        RawPage {
            common_prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
            truncated,
            ..RawPage::default()
        }
    }

    /// `(scope, after, until)` of every span but the first.
    fn shapes(spans: &[Span]) -> Vec<(&str, &str, &str)> {
        spans[1..]
            .iter()
            .map(|span| {
                let after = span.after.as_deref().unwrap_or("");
                (
                    span.scope.as_str(),
                    after,
                    span.until.as_deref().unwrap_or(""),
                )
            })
            .collect()
    }

    #[test]
    fn spans_follow_each_other_without_gap_or_overlap() {
        let all = &["a/", "b/", "c/", "d/"][..];
        for (name, prefixes, rows, a_page, truncated, expected) in [
            (
                "prefixes stand alone",
                all,
                &[][..],
                1,
                false,
                &[("b/", "b/", ""), ("c/", "", ""), ("d/", "", "")][..],
            ),
            (
                "an object lies between",
                all,
                &["c0"][..],
                1,
                false,
                &[
                    ("b/", "b/", ""),
                    ("c/", "", "c/"),
                    ("", "c/", "d/"),
                    ("d/", "d/", ""),
                ],
            ),
            (
                "many prefixes a page",
                all,
                &[],
                2,
                true,
                &[("", "b/", "d/"), ("", "d/", "")],
            ),
            (
                "more to come",
                &["b/", "c/"],
                &[],
                1,
                true,
                &[("b/", "b/", ""), ("c/", "", "c/"), ("", "c/", "")],
            ),
        ] {
            let mut page = rolled_up(prefixes, truncated);
            page.rows = rows.iter().map(|key| RawRow::bare(key)).collect();
            let whole = Span::below("");
            let spans = spans(&whole, "a/x", &page, a_page).expect("worth splitting");
            assert_eq!(spans[0].after.as_deref(), Some("a/x"), "{name}");
            assert_eq!(spans[0].until.as_deref(), Some("b/"), "{name}");
            assert_eq!(shapes(&spans), expected, "{name}");
        }
    }

    #[test]
    fn few_prefixes_are_not_worth_a_split() {
        let whole = Span::below("");
        let many = rolled_up(&["b/", "c/", "d/"], false);
        assert!(spans(&whole, "a/x", &rolled_up(&["a/"], false), 1).is_none());
        assert!(spans(&whole, "a/x", &many, 1000).is_none());
    }
}
