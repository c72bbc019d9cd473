/*! Listings that come in any order: of directory buckets, which never promise one, and of servers
that have one of their own.

They are listed to their end before the first entry is handed on, through the external sort of
[`sort`](crate::store::sort); a key that comes twice counts once.
*/

use tokio::sync::mpsc;

use super::endless::Endless;
use super::page::RawPage;
use super::parallel::{Lister, Pages, Span, in_a_task, stream};
use super::{lie, relative};
use crate::store::s3::S3Store;
use crate::store::sort::{Sorter, sorting};
use crate::store::{Listing, Page, StoreError};

/// Where pages come from that are in no order.
pub(super) type Unsorted = mpsc::Receiver<Result<RawPage, StoreError>>;

/// Whether a page breaks the order of S3.
pub(super) fn is_unsorted(page: &RawPage) -> bool {
    !page.rows.is_sorted_by(|a, b| a.key < b.key)
}

/// The whole prefix of a store that is known to be in no order.
pub(super) fn list(store: &S3Store) -> Listing {
    let store = store.clone();
    stream(in_a_task(|out| async move {
        let first = Lister::of(&store)
            .page(&Span::below(store.prefix()), None)
            .await?;
        go_on(&store, first, &out).await
    }))
}

/// Lists a whole store page after page, of which this is the first, and hands it on in order.
pub(super) async fn go_on(store: &S3Store, first: RawPage, out: &Pages) -> Result<(), StoreError> {
    let lister = Lister::of(store);
    let everything = Span::below(store.prefix());
    tracing::warn!(
        location = store.0.settings.location.url(),
        "the listing is not in order; it is sorted before anything is done"
    );
    let pages = in_a_task(|found| async move {
        let mut page = first;
        let mut endless = Endless::default();
        loop {
            let place = lister.place();
            endless.take(&page).map_err(|what| lie(&place, what))?;
            let next = page.next_token.take().filter(|_| page.truncated);
            if found.send(Ok(page)).await.is_err() {
                return Ok(());
            }
            match next {
                None => return Ok(()),
                Some(token) => page = lister.page(&everything, Some(&token)).await?,
            }
        }
    });
    hand_on(store, pages, out).await
}

/// Puts pages into the store's order, and hands them on when the last has come. Keys outside the
/// store's prefix are no part of it.
pub(super) async fn hand_on(
    store: &S3Store,
    mut pages: Unsorted,
    out: &Pages,
) -> Result<(), StoreError> {
    let prefix = store.prefix();
    let dir = std::env::temp_dir();
    let mut sorter = Sorter::new(store.0.settings.order, dir.clone());
    // the object whose key is the prefix itself, which may be the only one
    let mut own = None;
    let mut others = false;
    while let Some(page) = pages.recv().await {
        let mut page = page?;
        if out.is_closed() {
            return Ok(());
        }
        page.rows.retain(|row| row.key.starts_with(prefix));
        if let Some(at) = page.rows.iter().position(|row| row.key == prefix) {
            own = Some(page.rows.swap_remove(at));
        }
        others |= !page.rows.is_empty();
        sorter.extend(relative(store, page, false)?.entries);
        if sorter.is_full() {
            sorter = sorting(&dir, move || {
                sorter.spill()?;
                Ok(sorter)
            })
            .await?;
        }
    }
    if let Some(own) = own {
        let page = RawPage {
            rows: vec![own],
            ..RawPage::default()
        };
        if out.send(relative(store, page, !others)).await.is_err() {
            return Ok(());
        }
    }
    let mut sorted = sorting(&dir, move || sorter.finish()).await?;
    let max_entries = usize::from(store.0.settings.listing.max_keys);
    loop {
        let entries;
        (entries, sorted) = sorting(&dir, move || {
            let entries: Vec<_> = sorted
                .by_ref()
                .take(max_entries)
                .collect::<Result<_, _>>()?;
            Ok((entries, sorted))
        })
        .await?;
        if entries.is_empty() {
            return Ok(());
        }
        let page = Page {
            entries,
            ..Page::default()
        };
        if out.send(Ok(page)).await.is_err() {
            return Ok(());
        }
    }
}
