//! A bucket in another region than it was asked for in.

use super::{Seen, Server, Told, settings};
use crate::object::ObjectKey;
use crate::store::{ErrorKind, Listing, Source as _, StoreError};

const LISTING: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

/// A bucket in eu-central-1, which answers elsewhere in one of S3's ways.
fn elsewhere(refusal: fn() -> Told) -> Server {
    Server::new(move |seen: &Seen| {
        if !seen.signature().1.starts_with("eu-central-1/") {
            return refusal();
        }
        if seen.method == "HEAD" {
            return Told(
                200,
                vec![
                    ("content-length", "1".to_owned()),
                    ("last-modified", "Sat, 31 Jan 2026 00:00:00 GMT".to_owned()),
                ],
                String::new(),
            );
        }
        Told(200, Vec::new(), LISTING.to_owned())
    })
}

fn region(name: &str) -> Vec<(&'static str, String)> {
    vec![("x-amz-bucket-region", name.to_owned())]
}

fn error(code: &str, more: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>no</Message>{more}</Error>")
}

fn moved() -> Told {
    Told(301, region("eu-central-1"), error("PermanentRedirect", ""))
}

async fn ended(mut listing: Listing) -> Result<usize, StoreError> {
    let mut entries = 0;
    while let Some(page) = futures::StreamExt::next(&mut listing).await {
        entries += page?.entries.len();
    }
    Ok(entries)
}

#[tokio::test]
async fn s3_is_followed_to_the_region_it_names() {
    let refusals: [(&str, fn() -> Told); 5] = [
        ("301", moved),
        ("307", || {
            Told(307, region("eu-central-1"), error("TemporaryRedirect", ""))
        }),
        ("400 with the region in its header", || {
            Told(
                400,
                region("eu-central-1"),
                error("AuthorizationHeaderMalformed", ""),
            )
        }),
        ("400 with the region in its body", || {
            let body = error(
                "AuthorizationHeaderMalformed",
                "<Region>eu-central-1</Region>",
            );
            Told(400, Vec::new(), body)
        }),
        ("400 with the region in words", || {
            let words = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization \
                header is malformed; the region 'eu-west-1' is wrong; expecting 'eu-central-1'\
                </Message></Error>";
            Told(400, Vec::new(), words.to_owned())
        }),
    ];
    for (what, refusal) in refusals {
        let server = elsewhere(refusal);
        let store = server.store(settings("s3://bucket/p/")).await;
        assert_eq!(store.describe().region.as_deref(), Some("eu-west-1"));
        ended(store.list()).await.expect(what);
        assert_eq!(
            store.describe().region.as_deref(),
            Some("eu-central-1"),
            "{what}"
        );
        ended(store.list()).await.expect(what);
        let places: Vec<_> = server
            .seen()
            .iter()
            .map(|it| it.place().to_owned())
            .collect();
        let (there, here) = (
            "https://bucket.s3.eu-central-1.amazonaws.com/",
            "https://bucket.s3.eu-west-1.amazonaws.com/",
        );
        assert_eq!(places, [here, there, there], "{what}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_enough() {
    let server = elsewhere(|| Told(301, region("eu-central-1"), String::new()));
    let store = server.store(settings("s3://bucket/p/")).await;
    let key = ObjectKey::new("k").expect("short");
    store.head((&key).into(), false).await.expect("found");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn nobody_is_led_in_circles() {
    let server = Server::new(|seen| {
        let other = if seen.signature().1.starts_with("eu-central-1/") {
            "eu-west-1"
        } else {
            "eu-central-1"
        };
        Told(301, region(other), error("PermanentRedirect", ""))
    });
    let store = server.store(settings("s3://bucket/p/")).await;
    let refused = ended(store.list()).await.expect_err("it ends");
    assert_eq!(refused.kind, ErrorKind::Fatal);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn another_endpoint_has_no_other_region_to_go_to() {
    let server = elsewhere(moved);
    let mut settings = settings("s3://bucket/p/");
    settings.endpoint_url = Some("https://s3.example.com".to_owned());
    let store = server.store(settings).await;
    let refused = ended(store.list()).await.expect_err("it is not followed");
    assert_eq!(refused.kind, ErrorKind::Fatal);
    for words in [
        "`eu-central-1`",
        "`eu-west-1`",
        "source.region or target.region",
    ] {
        assert!(refused.message.contains(words), "{words}: {refused}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_no_other_region() {
    let server = Server::new(|_| Told(403, region("eu-central-1"), error("AccessDenied", "")));
    let store = server.store(settings("s3://bucket/p/")).await;
    ended(store.list()).await.expect_err("denied");
    assert_eq!(server.seen().len(), 1);
    assert_eq!(store.describe().region.as_deref(), Some("eu-west-1"));
}
