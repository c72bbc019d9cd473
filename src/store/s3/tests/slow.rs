//! Answers whose bodies never end: an attempt's limit holds for them as for what comes before.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body::{Body, Frame};

use super::settings;
use crate::object::{ObjectKey, Timestamp};
use crate::store::s3::{S3Settings, S3Store};
use crate::store::{Put, Source as _, StoreError, Target as _, Unmetered};

/// A body of which nothing comes.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Pending
    }
}

/// A server that answers with it.
#[derive(Debug)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200.try_into().expect("a status");
        let body = SdkBody::from_body_1_x(Never);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

async fn store(as_of: Option<Timestamp>) -> S3Store {
    let http: SharedHttpClient = http_client_fn(|_, _| SharedHttpConnector::new(Silent));
    let mut settings = S3Settings {
        as_of,
        ..settings("s3://b/")
    };
    settings.timeouts.read = None;
    settings.timeouts.attempt = Some(Duration::from_millis(50));
    S3Store::connect(settings, Arc::new(Unmetered), true, Some(http))
        .await
        .expect("a store")
}

#[tokio::test]
async fn a_body_that_never_ends_takes_no_longer_than_an_attempt() {
    let key = ObjectKey::new("k").expect("a key");
    let store_now = store(None).await;
    let then = store(Some(Timestamp::new(1, 0))).await;
    let put = Put::bare(key.clone(), 1, Timestamp::new(1, 0));
    let histories = store_now.histories().expect("S3 has versions");
    let all: [(&str, futures::future::BoxFuture<'_, Option<StoreError>>); 5] = [
        ("ListObjectsV2", Box::pin(first_error(store_now.list()))),
        ("ListObjectVersions", Box::pin(first_error(histories))),
        ("ListObjectVersions", Box::pin(first_error(then.list()))),
        (
            "CreateMultipartUpload",
            Box::pin(async { store_now.begin(&put).await.err() }),
        ),
        (
            "GetObjectAnnotation",
            Box::pin(async { store_now.annotation((&key).into(), "a").await.err() }),
        ),
    ];
    for (operation, doing) in all {
        let ended = tokio::time::timeout(Duration::from_secs(10), doing).await;
        let error = ended.unwrap_or_else(|_| panic!("{operation} never ends"));
        let error = error.unwrap_or_else(|| panic!("{operation} works"));
        assert_eq!(error.operation, operation, "{error}");
        let words = error.to_string();
        assert!(words.contains("timeout.operation_attempt"), "{words}");
    }
}

async fn first_error<P>(
    mut pages: futures::stream::BoxStream<'static, Result<P, StoreError>>,
) -> Option<StoreError> {
    pages.next().await?.err()
}
