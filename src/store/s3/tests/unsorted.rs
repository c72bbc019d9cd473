//! Listings in an order of the server's own.

use std::fmt::Write as _;

use super::{Seen, Server, Told, settings};
use crate::object::ObjectKey;
use crate::store::s3::{KeyOrder, S3Settings};
use crate::store::{OddityKind, Source as _};

/// A server that lists these keys in the order they have here.
fn server(keys: Vec<String>) -> Server {
    Server::new(move |seen: &Seen| {
        let number = |name| {
            seen.parameter(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let from = number("continuation-token").unwrap_or(0);
        let to = (from + number("max-keys").expect("a page")).min(keys.len());
        let mut rows = String::new();
        for key in &keys[from..to] {
            let _ = write!(
                rows,
                "<Contents><Key>{key}</Key><Size>1</Size>\
                 <LastModified>2026-01-31T00:00:00.000Z</LastModified></Contents>"
            );
        }
        let more = to < keys.len();
        Told(
            200,
            Vec::new(),
            format!(
                "<ListBucketResult><IsTruncated>{more}</IsTruncated>\
                 <NextContinuationToken>{to}</NextContinuationToken>{rows}</ListBucketResult>"
            ),
        )
    })
}

#[tokio::test]
async fn are_put_into_order_and_each_key_counts_once() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut keys: Vec<String> = (0..random.usize(2..200))
            .map(|_| {
                let slash = ["", "/"][random.usize(0..2)];
                format!("p{slash}{}/{}", random.u8(0..9), random.u8(0..99))
            })
            .collect();
        if random.bool() {
            keys.push("p".to_owned());
        }
        random.shuffle(&mut keys);
        // a key that moves while it is listed may come on two pages
        keys.push(keys[0].clone());
        // the first page is out of order
        keys.sort_by_key(|key| *key != "p9");
        keys.insert(0, "pz".to_owned());
        for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
            for max_keys in [2, 7, 1000] {
                let mut settings = S3Settings {
                    order,
                    ..settings("s3://b/p")
                };
                settings.listing.max_keys = max_keys;
                let store = server(keys.clone()).store(settings).await;
                let mut pages = store.list();
                let (mut seen, mut odd) = (Vec::new(), Vec::new());
                while let Some(page) = futures::StreamExt::next(&mut pages).await {
                    let page = page.expect("a page");
                    assert!(page.entries.len() <= usize::from(max_keys));
                    seen.extend(page.entries.into_iter().map(|entry| entry.key));
                    odd.extend(page.oddities.into_iter().map(|oddity| oddity.kind));
                }
                let relative = keys.iter().filter_map(|key| key.strip_prefix('p'));
                let mut expected: Vec<_> = relative
                    .filter(|key| !key.is_empty())
                    .map(|key| ObjectKey::new(key).expect("short"))
                    .collect();
                expected.sort_by(|a, b| order.compare(a, b));
                expected.dedup();
                assert_eq!(seen, expected, "seed {seed} {order:?} {max_keys}");
                let own = keys.contains(&"p".to_owned());
                let own = own.then_some(OddityKind::KeyIsPrefix);
                assert_eq!(odd, Vec::from_iter(own), "seed {seed} {order:?} {max_keys}");
            }
        }
    }
}

/// Statement 42: an unsorted listing → the same result as a sorted one. The order is lost behind
/// the first page, be it in a range that is cut or where one begins behind a key (`start-after`)
/// that has another place there: nothing is missed in silence, and sorted all of it is there.
#[tokio::test]
async fn what_is_out_of_order_later_ends_the_listing() {
    // of 40 keys in 4 prefixes, each moved to where it does not belong
    let sorted: Vec<String> = (0..40).map(|n| format!("{}/{n:02}", n / 10)).collect();
    for from in (0..sorted.len()).step_by(7) {
        for to in (0..sorted.len()).step_by(4) {
            let mut keys = sorted.clone();
            let moved = keys.remove(from);
            keys.insert(to, moved);
            for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
                for (parallel, max_keys) in [(1, 4), (4, 4), (4, 3)] {
                    let mut settings = S3Settings {
                        order,
                        ..settings("s3://b/")
                    };
                    settings.listing.max_keys = max_keys;
                    settings.listing.parallel = parallel;
                    let store = positioned(keys.clone()).store(settings).await;
                    let case = format!("{from} to {to}, {order:?}, {parallel}, {max_keys}");
                    match keys_of(store.list()).await {
                        Err(error) => assert!(error.is_out_of_order(), "{case}: {error}"),
                        Ok(seen) => assert_eq!(seen, sorted, "{case}"),
                    }
                    let all = keys_of(store.list_sorted()).await;
                    assert_eq!(all.expect("sorted"), sorted, "{case}");
                }
            }
        }
    }
}

/// A server whose order is one of its own, and which finds its place in it by that order: nobody
/// is told of the keys that it has before where a range begins.
#[tokio::test]
async fn of_another_order_nothing_is_missed_between_two_ranges() {
    let by_words = |key: &str| key.replace('-', "").to_lowercase();
    let sorted: Vec<String> = (0..60)
        .map(|n| format!("d{:02}{}/{n:02}", n / 4, ["", "-"][n / 4 % 2]))
        .chain(["D09/x".to_owned(), "d1-1".to_owned(), "d10".to_owned()])
        .collect();
    let mut ended = 0;
    for (parallel, max_keys) in [(4, 4), (4, 3), (8, 5), (4, 10)] {
        let mut keys = sorted.clone();
        keys.sort_by_key(|key| by_words(key));
        let mut settings = settings("s3://b/");
        settings.listing.max_keys = max_keys;
        settings.listing.parallel = parallel;
        let server = ordered(keys.clone(), by_words);
        let store = server.store(settings).await;
        keys.sort();
        match keys_of(store.list()).await {
            Ok(seen) => assert_eq!(seen, keys, "{parallel} {max_keys}"),
            Err(error) => {
                assert!(error.is_out_of_order(), "{error}");
                ended += 1;
            }
        }
        assert_eq!(keys_of(store.list_sorted()).await.expect("all"), keys);
    }
    assert!(ended > 0, "the order of the server was never in the way");
}

/// Tokens or pages that come again and again are an error in every way of listing, soon.
#[tokio::test]
async fn a_listing_that_never_ends_is_an_error() {
    for same_token in [true, false] {
        for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
            for keys in [&["a", "b"][..], &["b", "a"], &[]] {
                let page = std::sync::atomic::AtomicU64::new(0);
                let server = Server::new(move |_: &Seen| {
                    let n = page.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let token = if same_token { n % 3 } else { n };
                    Told(200, Vec::new(), page_of(keys, true, &token.to_string()))
                });
                let store = server
                    .store(S3Settings {
                        order,
                        ..settings("s3://b/")
                    })
                    .await;
                let case = format!("{same_token} {order:?} {keys:?}");
                for (is_sorted, listing) in [(false, store.list()), (true, store.list_sorted())] {
                    let error = keys_of(listing).await.expect_err(&case);
                    let is_told = error.message.contains("never end")
                        || (!is_sorted && error.is_out_of_order());
                    assert!(is_told, "{case}: {error}");
                }
            }
        }
    }
}

async fn keys_of(
    mut pages: crate::store::Listing,
) -> Result<Vec<String>, crate::store::StoreError> {
    let mut seen = Vec::new();
    while let Some(page) = futures::StreamExt::next(&mut pages).await {
        seen.extend(page?.entries.into_iter().map(|it| it.key.to_string()));
    }
    Ok(seen)
}

fn page_of(keys: &[&str], more: bool, token: &str) -> String {
    let rows: Vec<String> = keys
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{key}</Key><Size>1</Size>\
                 <LastModified>2026-01-31T00:00:00.000Z</LastModified></Contents>"
            )
        })
        .collect();
    let rows = rows.concat();
    format!(
        "<ListBucketResult><IsTruncated>{more}</IsTruncated>\
         <NextContinuationToken>{token}</NextContinuationToken>{rows}</ListBucketResult>"
    )
}

/// A server that lists these keys in the order they have here, and finds its place in them by the
/// key it is to go on behind.
fn positioned(keys: Vec<String>) -> Server {
    ordered(keys, str::to_owned)
}

/// The same of one that finds it by what it makes of a key.
fn ordered(keys: Vec<String>, rank: fn(&str) -> String) -> Server {
    Server::new(move |seen: &Seen| {
        let text = |name| {
            let value = seen.parameter(name).unwrap_or_default();
            value.replace("%2F", "/")
        };
        let (prefix, after) = (text("prefix"), text("start-after"));
        let max_keys: usize = text("max-keys").parse().expect("a page");
        let token = text("continuation-token");
        let behind = if token.is_empty() {
            // where it would stand
            keys.iter().position(|key| rank(key) > rank(&after))
        } else {
            let at = keys.iter().position(|key| *key == token);
            at.map(|at| at + 1)
        };
        let from = behind.unwrap_or(keys.len());
        let mut rows = String::new();
        let mut prefixes: Vec<&str> = Vec::new();
        let (mut count, mut last) = (0, None);
        let mut left = keys[from..]
            .iter()
            .filter(|key| key.starts_with(&prefix))
            .peekable();
        while count < max_keys
            && let Some(key) = left.next()
        {
            last = Some(key);
            let below = &key[prefix.len()..];
            if seen.parameter("delimiter").is_some()
                && let Some(at) = below.find('/')
            {
                let common = &key[..=prefix.len() + at];
                if prefixes.last() != Some(&common) {
                    prefixes.push(common);
                    count += 1;
                }
                continue;
            }
            count += 1;
            let _ = write!(
                rows,
                "<Contents><Key>{key}</Key><Size>1</Size>\
                 <LastModified>2026-01-31T00:00:00.000Z</LastModified></Contents>"
            );
        }
        for prefix in prefixes {
            let _ = write!(
                rows,
                "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"
            );
        }
        let more = left.peek().is_some();
        let next = last.map_or("", String::as_str);
        Told(
            200,
            Vec::new(),
            format!(
                "<ListBucketResult><IsTruncated>{more}</IsTruncated>\
                 <NextContinuationToken>{next}</NextContinuationToken>{rows}</ListBucketResult>"
            ),
        )
    })
}
