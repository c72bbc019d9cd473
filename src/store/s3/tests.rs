/*! What is sent, down to the request: a server in memory sees it and answers.

What needs AWS itself (its endpoints, SigV4A, regions) is held here to the request it would get.
*/

mod endpoints;
mod regions;
mod slow;
mod unsorted;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::{Keys, S3Location, S3Settings, S3Store};
use crate::store::retry::RetrySettings;
use crate::store::{Secret, Unmetered};

/// A request as the server in memory got it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    /// Scheme, host, path and query.
    url: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(own, value)| (own == name).then_some(value.as_str()))
    }

    /// The URL without the query.
    fn place(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// One parameter of the query, still encoded.
    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.url.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(own, value)| (own == name).then_some(value))
    }

    /// The algorithm of the signature, and the region and service it is for.
    fn signature(&self) -> (String, String) {
        let authorization = self.header("authorization").unwrap_or_default();
        let (algorithm, rest) = authorization.split_once(' ').unwrap_or_default();
        let credential = rest.split(',').next().unwrap_or_default();
        let mut scope: Vec<_> = credential.split('/').skip(2).collect();
        scope.pop();
        (algorithm.to_owned(), scope.join("/"))
    }
}

/// An answer: status, headers, body.
struct Told(u16, Vec<(&'static str, String)>, String);

/// A server in memory.
#[derive(Clone)]
struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<dyn Fn(&Seen) -> Told + Send + Sync>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter();
        let seen = Seen {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        let Told(status, headers, body) =
            if seen.parameter("session").is_some() || seen.url.ends_with("?session") {
                session()
            } else {
                (self.answer)(&seen)
            };
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
        let status = status.try_into().expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// What CreateSession answers.
fn session() -> Told {
    let body = "<CreateSessionResult><Credentials><AccessKeyId>SESSION</AccessKeyId>\
        <SecretAccessKey>secret</SecretAccessKey><SessionToken>token-of-the-session</SessionToken>\
        <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>";
    Told(200, Vec::new(), body.to_owned())
}

impl Server {
    fn new(answer: impl Fn(&Seen) -> Told + Send + Sync + 'static) -> Self {
        Self {
            seen: Arc::default(),
            answer: Arc::new(answer),
        }
    }

    /// What it was asked, CreateSession left out.
    fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = seen.clone();
        seen.retain(|it| !it.url.contains("?session"));
        seen
    }

    fn sessions(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = seen.clone();
        seen.retain(|it| it.url.contains("?session"));
        seen
    }

    /// A store whose requests all come here.
    async fn store(&self, settings: S3Settings) -> S3Store {
        let connector = self.clone();
        let http: SharedHttpClient =
            http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
        S3Store::connect(settings, Arc::new(Unmetered), true, Some(http))
            .await
            .expect("a store")
    }
}

/// A location in `eu-west-1`, with keys and without patience.
fn settings(url: &str) -> S3Settings {
    let location = S3Location::parse(url).expect(url);
    S3Settings {
        region: Some("eu-west-1".to_owned()),
        keys: Some(Keys {
            access_key: Secret::new("ACCESS"),
            secret_access_key: Secret::new("secret"),
            session_token: None,
        }),
        retry: RetrySettings {
            attempts: 1,
            ..RetrySettings::default()
        },
        ..S3Settings::new(location)
    }
}
