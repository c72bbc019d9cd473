//! Listings in an order of the server's own.

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
        let rows: String = keys[from..to]
            .iter()
            .map(|key| {
                format!(
                    "<Contents><Key>{key}</Key><Size>1</Size>\
                     <LastModified>2026-01-31T00:00:00.000Z</LastModified></Contents>"
                )
            })
            .collect();
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
