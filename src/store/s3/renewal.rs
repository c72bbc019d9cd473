/*! Credentials that S3 says have expired, looked up anew.

The SDK renews those whose end it knows before it comes. Of others it hears only from S3: a session
token that another program writes into the file of profiles, or that ends earlier than it was said to.
So they are looked up once more where they come from. If what is found there has expired too, it has
for good, and the pair ends.
*/

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use tokio::sync::Mutex;

use super::{S3Store, client};
use crate::store::StoreError;

/// What was looked up so recently is not looked up again.
const FRESH: Duration = Duration::from_secs(10);

/// The client with the credentials that were looked up last, once that was necessary.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    client: RwLock<Option<Client>>,
    /// How often they were.
    times: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Renewal {
    /// The client with them.
    pub(super) fn client(&self) -> Option<Client> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        client.clone()
    }

    /// How often credentials were looked up anew so far.
    pub(super) fn times(&self) -> u64 {
        self.times.load(Ordering::Acquire)
    }
}

/// Whether S3 says that credentials were good once and are no more.
pub(super) fn is_expiry(error: &StoreError) -> bool {
    matches!(
        error.code.as_deref(),
        Some("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired")
    )
}

/// Looks credentials up anew, unless somebody has since a request was begun that saw so many
/// `times`; whether there is something new to try.
pub(super) async fn renew(store: &S3Store, times: u64) -> bool {
    let shared = &store.0;
    // what the settings say themselves is the same as ever
    if shared.settings.keys.is_some() || shared.settings.anonymous {
        return false;
    }
    let renewal = &shared.renewal;
    let mut last = renewal.last.lock().await;
    if renewal.times() != times {
        return true;
    }
    if last.is_some_and(|last| last.elapsed() < FRESH) {
        return false;
    }
    *last = Some(Instant::now());
    let Ok(connected) = client::connect(&shared.settings, None).await else {
        return false;
    };
    let config = connected.regional.client().config().to_builder();
    let region = Region::new(shared.regional.region().to_owned());
    let client = Client::from_conf(config.region(region).build());
    tracing::warn!(
        location = shared.settings.location.url(),
        "the credentials have expired; they were looked up anew"
    );
    *renewal
        .client
        .write()
        .unwrap_or_else(PoisonError::into_inner) = Some(client);
    renewal.times.fetch_add(1, Ordering::Release);
    true
}
