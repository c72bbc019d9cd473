/*! A directory bucket, whose listings have rules of their own: no order, no place to begin behind
(`start-after`), and prefixes that end in `/`.
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html>

A prefix within a name is listed as the directory it is in, and what does not begin with it is left
out here. Where several requests may be in flight, directories are listed beside each other.
*/

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;

use super::endless::Endless;
use super::page::RawPage;
use super::parallel::{Lister, in_a_task, stream};
use super::unsorted::hand_on;
use super::{Query, lie};
use crate::store::s3::S3Store;
use crate::store::{Listing, StoreError};

/// The whole prefix of a store in a directory bucket, in the order that is asked of it.
pub(super) fn list(store: &S3Store) -> Listing {
    let store = store.clone();
    stream(in_a_task(|out| async move {
        let settings = store.0.settings.listing;
        let walk = Walk {
            lister: Lister::of(&store),
            prefix: store.prefix().to_owned(),
            max_depth: if settings.parallel > 1 {
                settings.max_depth
            } else {
                0
            },
            beside_each_other: usize::from(settings.parallel),
        };
        let pages = in_a_task(|found| async move {
            let top = directory_of(&walk.prefix).to_owned();
            walk.below(top, 0, &found).await
        });
        hand_on(&store, pages, &out).await
    }))
}

/// A prefix up to its last slash.
pub(super) fn directory_of(prefix: &str) -> &str {
    &prefix[..prefix.rfind('/').map_or(0, |at| at + 1)]
}

struct Walk {
    lister: Lister,
    /// What every key wanted begins with.
    prefix: String,
    /// Directories so far down are listed by themselves.
    max_depth: u16,
    beside_each_other: usize,
}

impl Walk {
    /// Finds all keys below a directory, in any order.
    fn below<'a>(
        &'a self,
        directory: String,
        depth: u16,
        found: &'a mpsc::Sender<Result<RawPage, StoreError>>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut token: Option<String> = None;
            let mut endless = Endless::default();
            loop {
                let query = Query {
                    prefix: &directory,
                    token: token.as_deref(),
                    roll_up: depth < self.max_depth,
                    ..self.lister.query()
                };
                let mut page = self.lister.fetch(&query).await?;
                let circle = |what| lie(&self.lister.place(), what);
                endless.take(&page).map_err(circle)?;
                let next = page.next_token.take().filter(|_| page.truncated);
                // a directory that holds nothing but unfinished uploads is named as well
                let directories = std::mem::take(&mut page.common_prefixes);
                if found.send(Ok(page)).await.is_err() {
                    return Ok(());
                }
                let wanted = directories.into_iter().filter(|directory| {
                    directory.starts_with(&self.prefix) && *directory != query.prefix
                });
                futures::stream::iter(wanted)
                    .map(Ok)
                    .try_for_each_concurrent(self.beside_each_other, |directory| {
                        self.below(directory, depth + 1, found)
                    })
                    .await?;
                match next {
                    None => return Ok(()),
                    next => token = next,
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_listed_as_the_directories_they_are_in() {
        for (prefix, directory) in [
            ("", ""),
            ("a", ""),
            ("a/", "a/"),
            ("a/b", "a/"),
            ("a/b/", "a/b/"),
            ("/", "/"),
        ] {
            assert_eq!(directory_of(prefix), directory, "{prefix:?}");
        }
    }
}
