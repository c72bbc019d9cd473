/*! Headers that a request can do without.

They are set where requests are built, by many hands. Here they are taken out again before the
request is signed: those the endpoint was found to refuse, and those a second try is made without.
*/

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};

use super::{Lack, is_refusal};
use crate::store::StoreError;
use crate::store::s3::S3Store;

/// A header that a request can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store::s3) enum Extra {
    Tags,
    Redirect,
    UploadSize,
    ReadChecksums,
    ReadCondition,
    CopyCondition,
}

impl Extra {
    const ALL: [Self; 6] = [
        Self::Tags,
        Self::Redirect,
        Self::UploadSize,
        Self::ReadChecksums,
        Self::ReadCondition,
        Self::CopyCondition,
    ];

    /// Its headers; the first says whether it is there.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Tags => &["x-amz-tagging", "x-amz-tagging-directive"],
            Self::Redirect => &["x-amz-website-redirect-location"],
            Self::UploadSize => &["x-amz-mp-object-size"],
            Self::ReadChecksums => &["x-amz-checksum-mode"],
            Self::ReadCondition => &["if-match"],
            Self::CopyCondition => &["x-amz-copy-source-if-match"],
        }
    }

    /// What is lost with it, as the report has it.
    pub(super) fn lost(self) -> &'static str {
        match self {
            Self::Tags => "tags of what is written",
            Self::Redirect => "website redirects of what is written",
            Self::UploadSize => "the length of a multipart upload as a condition of completing it",
            Self::ReadChecksums => "the additional checksums of what is read",
            Self::ReadCondition => {
                "reading only what was listed: each answer's ETag is compared instead"
            }
            Self::CopyCondition => {
                "copying only what was listed: the copy's ETag is compared instead"
            }
        }
    }

    /// Whether a request with this header, by this method, can do without it. `If-Match` on a
    /// write says what may be overwritten: that is not left out here.
    fn is_in(self, method: &str) -> bool {
        self != Self::ReadCondition || matches!(method, "GET" | "HEAD")
    }
}

/// What the user named, so that it is never left out: a header, and the option behind it.
const INSISTED: [(&str, &str); 4] = [
    ("x-amz-server-side-encryption", "target.sse"),
    (
        "x-amz-server-side-encryption-customer-algorithm",
        "target.sse_c",
    ),
    ("x-amz-acl", "target.acl"),
    ("x-amz-storage-class", "target.storage_class"),
];

tokio::task_local! {
    /// The request that this task makes.
    static REQUEST: Arc<Request>;
}

/// What a request is made without, and what was seen in it.
#[derive(Debug, Default)]
struct Request {
    without: BTreeSet<Extra>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    extras: BTreeSet<Extra>,
    insisted: BTreeSet<&'static str>,
}

impl Request {
    fn without(without: BTreeSet<Extra>) -> Arc<Self> {
        Arc::new(Self {
            without,
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One operation, as often made as there is something else to leave out: without the headers that
/// the endpoint is known to refuse; where it is refused, once more without each of those it carried.
#[derive(Debug)]
pub(in crate::store::s3) struct Trials {
    known: BTreeSet<Extra>,
    now: Arc<Request>,
    /// What was first refused, and what is still to be left out.
    refused: Option<(StoreError, VecDeque<BTreeSet<Extra>>)>,
}

impl Trials {
    /// Before the first request.
    pub(in crate::store::s3) fn of(store: &S3Store) -> Self {
        let all = Extra::ALL.into_iter();
        let known: BTreeSet<_> = all
            .filter(|extra| store.lacks(Lack::Extra(*extra)))
            .collect();
        Self {
            now: Request::without(known.clone()),
            known,
            refused: None,
        }
    }

    /// Makes the request as it is to be made now.
    pub(in crate::store::s3) fn during<F: Future>(
        &self,
        request: F,
    ) -> impl Future<Output = F::Output> {
        REQUEST.scope(Arc::clone(&self.now), request)
    }

    /// What came of it: the result, or that it is to be made again.
    pub(in crate::store::s3) fn judge<T>(
        &mut self,
        store: &S3Store,
        result: Result<T, StoreError>,
    ) -> ControlFlow<Result<T, StoreError>> {
        let error = match (result, &self.refused) {
            (Ok(done), None) => return ControlFlow::Break(Ok(done)),
            (Ok(done), Some((refusal, _))) => {
                for extra in self.now.without.difference(&self.known) {
                    store.learn(Lack::Extra(*extra), &refusal.to_string());
                }
                return ControlFlow::Break(Ok(done));
            }
            (Err(error), _) => error,
        };
        if !is_refusal(&error) {
            // without it the request was understood, and this is what is to be said of it
            return ControlFlow::Break(Err(self.now.insisting(error)));
        }
        let (refusal, mut left) = self
            .refused
            .take()
            .unwrap_or_else(|| (error, trials(&self.now.seen().extras)));
        let Some(without) = left.pop_front() else {
            return ControlFlow::Break(Err(self.now.insisting(refusal)));
        };
        self.now = Request::without(self.known.union(&without).copied().collect());
        self.refused = Some((refusal, left));
        ControlFlow::Continue(())
    }
}

/// What to leave out in turn: each alone, then all of them.
fn trials(carried: &BTreeSet<Extra>) -> VecDeque<BTreeSet<Extra>> {
    let mut trials: VecDeque<_> = carried.iter().map(|extra| [*extra].into()).collect();
    if carried.len() > 1 {
        trials.push_back(carried.clone());
    }
    trials
}

/// Whether the request that this task makes is made without it: for what is set too late to be
/// taken out.
pub(in crate::store::s3) fn is_left_out(extra: Extra) -> bool {
    REQUEST
        .try_with(|request| {
            request.seen().extras.insert(extra);
            request.without.contains(&extra)
        })
        .unwrap_or(false)
}

impl Request {
    /// The error of a request that carried what is never left out, if that may be why.
    fn insisting(&self, error: StoreError) -> StoreError {
        let of_the_class = error.code.as_deref() == Some("InvalidStorageClass");
        let insisted = std::mem::take(&mut self.seen().insisted);
        if insisted.is_empty() || !(is_refusal(&error) || of_the_class) {
            return error;
        }
        let options: Vec<_> = insisted.into_iter().collect();
        StoreError {
            message: format!(
                "{}; it was asked for {}, which is never left out: change it if the endpoint does not know it",
                error.message,
                options.join(" and ")
            ),
            ..error
        }
    }
}

/// Takes out of each request what it is made without.
#[derive(Debug)]
pub(in crate::store::s3) struct LeaveOut;

impl Intercept for LeaveOut {
    fn name(&self) -> &'static str {
        "LeaveOut"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        // outside of `Trials` there is nothing to leave out
        let _ = REQUEST.try_with(|request| {
            let sent = context.request_mut();
            let mut seen = request.seen();
            for extra in Extra::ALL {
                let headers = extra.headers();
                if !sent.headers().contains_key(headers[0]) || !extra.is_in(sent.method()) {
                    continue;
                }
                if request.without.contains(&extra) {
                    for header in headers {
                        sent.headers_mut().remove(*header);
                    }
                } else {
                    seen.extras.insert(extra);
                }
            }
            if matches!(sent.method(), "GET" | "HEAD") {
                return;
            }
            let insisted = INSISTED.iter();
            let insisted = insisted.filter(|(header, _)| sent.headers().contains_key(*header));
            seen.insisted.extend(insisted.map(|(_, option)| *option));
        });
        Ok(())
    }
}
