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

/// The order is lost behind the first page, be it in a range that is cut: nothing is missed in
/// silence.
#[tokio::test]
async fn what_is_out_of_order_later_ends_the_listing() {
    // of 40 keys in 4 prefixes, each moved to where it does not belong
    let sorted: Vec<String> = (0..40).map(|n| format!("{}/{n:02}", n / 10)).collect();
    for from in (0..sorted.len()).step_by(5) {
        for to in (0..sorted.len()).step_by(3) {
            let mut keys = sorted.clone();
            let moved = keys.remove(from);
            keys.insert(to, moved);
            for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
                for (parallel, max_keys) in [(1, 4), (4, 4), (4, 3)] {
                    let goes_on_by_token = parallel == 1 && order == KeyOrder::Bytes;
                    if !goes_on_by_token {
                        // nobody is asked for what would have come before where a range begins
                        continue;
                    }
                    let mut settings = S3Settings {
                        order,
                        ..settings("s3://b/")
                    };
                    settings.listing.max_keys = max_keys;
                    settings.listing.parallel = parallel;
                    let store = positioned(keys.clone()).store(settings).await;
                    let mut pages = store.list();
                    let (mut seen, mut error) = (Vec::new(), None);
                    while let Some(page) = futures::StreamExt::next(&mut pages).await {
                        match page {
                            Ok(page) => {
                                seen.extend(page.entries.into_iter().map(|it| it.key.to_string()));
                            }
                            Err(wrong) => error = Some(wrong.to_string()),
                        }
                    }
                    let case = format!("{from} to {to}, {order:?}, {parallel}, {max_keys}");
                    match error {
                        Some(error) => assert!(error.contains("not in order"), "{case}: {error}"),
                        None => assert_eq!(seen, sorted, "{case}"),
                    }
                }
            }
        }
    }
}

/// A server that lists these keys in the order they have here, and finds its place in them by the
/// key it is to go on behind.
fn positioned(keys: Vec<String>) -> Server {
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
            keys.iter().position(|key| *key > after)
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
