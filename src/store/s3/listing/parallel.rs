/*! Many listing requests at once, one ordered stream.

Keys are split into consecutive ranges `(after, until]`; each range is listed on its own, and the
pages of the ranges are handed on in the order of the ranges. Every key lies in exactly one range,
whatever the split, so the split can be guessed: a small bucket costs one request; a range that
proves longer than a page is split at the prefixes (`/`) below it. Where prefixes hold few keys,
several make one range, so that a page is never asked for the sake of a handful of keys. Where a
range is just one prefix, the server is asked for that prefix, and tells itself where it ends.

Where a range begins behind a key, the server is believed that it has told all keys before it to
whoever listed the range before: a server with an order of its own has not. So the key at which one
range was left must be there for the next ([`Lister::meet`]); where it is not, the whole listing is
out of order.

Ranges ahead of the reader hold one page each, and only the range being read splits further; so
what is listed ahead is bounded by the number of requests in flight.
*/

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::order::{Order, Wrong};
use super::page::RawPage;
use super::unsorted::{go_on, is_unsorted};
use super::{Query, fetch, lie, out_of_order, relative};
use crate::object::ObjectKey;
use crate::store::s3::S3Store;
use crate::store::to_its_end::{broken_off, to_its_end};
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
    /// Where the pages before it ended, which leads on more surely than `after`.
    pub(super) token: Option<String>,
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
            token: None,
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
        if let Err(error) = to_its_end(listing).await {
            // nobody listening is no loss
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

/// How the listing of a span ended.
#[derive(Debug)]
enum End {
    /// This is the next key, which is behind the span.
    Before(String),
    /// There are no more keys.
    OfKeys,
    /// Nobody listens.
    Unheard,
}

/// A span that is being listed.
struct Begun {
    span: Span,
    pages: Arriving,
    end: oneshot::Receiver<End>,
}

impl End {
    /// The key that the span behind this one has to begin with, where that begins where this ended.
    fn leads_to(self, from: &Span, to: &Span) -> Option<String> {
        match self {
            Self::Before(key) if from.until.is_some() && from.until == to.after => Some(key),
            Self::Before(_) | Self::OfKeys | Self::Unheard => None,
        }
    }
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
        in_a_task(|out| async move { lister.span(&span, &out).await.map(|_| ()) })
    }

    fn begin(&self, span: Span) -> Begun {
        let (ended, end) = oneshot::channel();
        let (lister, of) = (self.clone(), span.clone());
        let pages = in_a_task(|out| async move {
            // nobody listening is no loss
            let _ = ended.send(lister.span(&of, &out).await?);
            Ok(())
        });
        Begun { span, pages, end }
    }

    /// Lists spans that follow each other.
    pub(super) fn start_all(&self, spans: Vec<Span>) -> Arriving {
        let lister = self.clone();
        in_a_task(|out| async move { lister.in_order(spans, &out).await.map(|_| ()) })
    }

    /// Hands on all pages of a span, splitting what is long.
    fn span<'a>(
        &'a self,
        span: &'a Span,
        out: &'a Pages,
    ) -> BoxFuture<'a, Result<End, StoreError>> {
        async move {
            let mut token = span.token.clone();
            let mut order = Order::of(span);
            // a span that was split off is about a page long: one more before it counts as long
            let mut flat_pages_until_split = u32::from(span.depth > 0);
            let mut flat_pages = 1_u32;
            loop {
                let mut raw = self.page(span, token.as_deref()).await?;
                let root = token.is_none() && *span == Span::below(self.store.prefix());
                if root && is_unsorted(&raw) {
                    go_on(&self.store, raw, out).await?;
                    return Ok(End::OfKeys);
                }
                order.take(&raw).map_err(|wrong| self.disbelieved(wrong))?;
                let last = raw.rows.last().map(|row| row.key.clone());
                let may_split = flat_pages_until_split == 0;
                let prefixes_seen = if may_split {
                    prefixes_in(&raw, &span.prefix)
                } else {
                    0
                };
                let end = match raw.cut(span) {
                    Some(next) => Some(End::Before(next)),
                    None => (!raw.truncated).then_some(End::OfKeys),
                };
                token = raw.next_token.take();
                let page = relative(&self.store, raw, root)?;
                if out.send(Ok(page)).await.is_err() {
                    return Ok(End::Unheard);
                }
                if let Some(end) = end {
                    return Ok(end);
                }
                if !may_split {
                    flat_pages_until_split -= 1;
                    continue;
                }
                // waits until the page was taken: the reader is in this span now
                if out.reserve().await.is_err() {
                    return Ok(End::Unheard);
                }
                if let Some(last) = last
                    && let Some(mut spans) = self.split(span, &last, prefixes_seen).await?
                {
                    spans[0].token.clone_from(&token);
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
    async fn in_order(&self, spans: Vec<Span>, out: &Pages) -> Result<End, StoreError> {
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
            .map(|span| self.begin(span))
            .collect();
        let mut end = End::OfKeys;
        let mut before: Option<Span> = None;
        while let Some(mut begun) = started.pop_front() {
            let mut next = (before.as_ref()).and_then(|it| end.leads_to(it, &begun.span));
            while let Some(page) = begun.pages.recv().await {
                let page = page?;
                if let Some(first) = page.entries.first()
                    && let Some(next) = next.take()
                {
                    self.meet(&begun.span, &next, Some(&first.key)).await?;
                }
                if out.send(Ok(page)).await.is_err() {
                    return Ok(End::Unheard);
                }
            }
            if let Some(next) = next {
                self.meet(&begun.span, &next, None).await?;
            }
            // pages that end without an error have told how before
            end = begun.end.await.map_err(|_| broken_off("a part of it"))?;
            before = Some(begun.span);
            started.extend(waiting.next().map(|span| self.begin(span)));
        }
        Ok(end)
    }

    /// Holds the first key of a span to that at which the span before it was left. Where they are
    /// the same, nothing lies between the two. Otherwise it may be that the bucket has changed since:
    /// the key only has to be behind where the span begins, for the server too.
    async fn meet(
        &self,
        span: &Span,
        next: &str,
        first: Option<&ObjectKey>,
    ) -> Result<(), StoreError> {
        let prefix = self.store.prefix();
        if first.is_some_and(|first| next.strip_prefix(prefix) == Some(first.as_str())) {
            return Ok(());
        }
        let after = span.after.as_deref();
        let is_there = async |after| {
            let query = Query {
                prefix: next,
                after,
                max_keys: 1,
                ..Query::default()
            };
            let page = self.fetch(&query).await?;
            Ok::<_, StoreError>(page.rows.first().is_some_and(|row| row.key == next))
        };
        if is_there(after).await? || !is_there(None).await? {
            return Ok(());
        }
        let after = after.unwrap_or_default();
        let what = format!(
            "the listing is not in order: `{next}` comes after `{after}`, and not in what is listed behind that; keys may be missing from it"
        );
        Err(out_of_order(&self.store, &what))
    }

    /// What is wrong with a page, as an error.
    fn disbelieved(&self, wrong: Wrong) -> StoreError {
        let place = self.place();
        match wrong {
            Wrong::Order(what) => out_of_order(&self.store, &what),
            Wrong::Scope(what) => lie(&place, &what),
            Wrong::Endless(what) => lie(&place, what),
        }
    }

    /// What is listed.
    pub(super) fn place(&self) -> String {
        self.store.0.settings.location.url()
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
        token: None,
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
                token: None,
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
                token: None,
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
            token: None,
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
    /// Drops what lies behind the span, and tells the first of it if the span ends in this page,
    /// which is in order.
    fn cut(&mut self, span: &Span) -> Option<String> {
        let until = span.until.as_ref()?;
        let end = self.rows.partition_point(|row| row.key <= *until);
        let next = self
            .rows
            .get_mut(end)
            .map(|row| std::mem::take(&mut row.key));
        self.rows.truncate(end);
        next
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

    #[tokio::test]
    async fn a_listing_that_panics_does_not_look_complete() {
        let mut pages = in_a_task(|out: Pages| async move {
            let _ = out.send(Ok(Page::default())).await;
            let last = 2;
            assert_eq!(last, 3, "a page that is none");
            Ok(())
        });
        assert!(pages.recv().await.is_some_and(|page| page.is_ok()));
        let error = pages.recv().await.and_then(Result::err);
        let error = error.expect("an error and not the end");
        assert!(error.kind.is_fatal(), "{error}");
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
