//! Asking a bucket, with reads only, whether a run with these settings would get anywhere.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::versioning::{self, VERSIONING};
use super::{S3Settings, S3Store, listing};
use crate::store::retry::RetrySettings;
use crate::store::{
    Description, ErrorKind, Finding, Source as _, StoreError, Unmetered, Versioning,
};

/// What a bucket is probed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its keys are listed and its objects read.
    Source,
    /// Its keys are listed; whether it may be written only writing shows.
    Target,
}

/// A run may wait for a better night; somebody who asks wants an answer.
const ATTEMPTS: u32 = 2;

/// No answer is waited for longer, whatever a run would do.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

const HEAD_BUCKET: &str = "HeadBucket";
const GET_OBJECT: &str = "GetObject";

/// Asks one after the other: is the bucket there, and where; may it be listed; may its first
/// object be read; does it keep versions, which it must where an option is named that wants them.
/// What follows from an earlier answer is not asked.
pub async fn probe(
    settings: &S3Settings,
    wanted: Wanted,
    versions_for: Option<&'static str>,
) -> Vec<Finding> {
    let settings = S3Settings {
        retry: RetrySettings {
            attempts: settings.retry.attempts.min(ATTEMPTS),
            ..settings.retry
        },
        timeouts: super::Timeouts {
            read: Some(
                settings
                    .timeouts
                    .read
                    .map_or(LONGEST_SILENCE, |read| read.min(LONGEST_SILENCE)),
            ),
            ..settings.timeouts
        },
        ..settings.clone()
    };
    match S3Store::open(settings, Arc::new(Unmetered)).await {
        Ok(store) => {
            let probe = Probe {
                store,
                wanted,
                versions_for,
            };
            probe.ask().await
        }
        Err(error) => vec![Finding::wrong(error, "")],
    }
}

struct Probe {
    store: S3Store,
    wanted: Wanted,
    versions_for: Option<&'static str>,
}

/// What is known of the bucket after the first question.
enum Bucket {
    /// It is there; what there is to say of it.
    There(Finding),
    /// Nothing else needs to be asked.
    Lost(Finding),
    /// Refused, and a HEAD has no body to say why.
    Refused(StoreError),
}

impl Probe {
    async fn ask(&self) -> Vec<Finding> {
        let (there, refused) = match self.bucket().await {
            Bucket::Lost(finding) => return vec![finding],
            Bucket::There(finding) => (Some(finding), None),
            Bucket::Refused(error) => (None, Some(error)),
        };
        let first = match listing::first(&self.store).await {
            Ok(first) => first,
            // this answer says why, also why the one before was refused
            Err(error) => {
                let wrong = self.refused_listing(error);
                return there.into_iter().chain([wrong]).collect();
            }
        };
        let mut findings: Vec<_> = there.into_iter().collect();
        findings.extend(refused.map(|error| {
            let words = format!("not told whether it is there ({}), and yet", brief(&error));
            Finding::unclear(HEAD_BUCKET, words)
        }));
        let listed = match &first {
            Some(_) => "may be listed",
            None => "may be listed, and nothing is there",
        };
        findings.push(Finding::fine("ListObjectsV2", listed));
        if let (Some((key, size)), Wanted::Source) = (first, self.wanted) {
            findings.push(self.read(&key, size).await);
        }
        findings.push(self.versioning().await);
        findings
    }

    async fn bucket(&self) -> Bucket {
        let named = OnceLock::new();
        let url = self.store.describe().url;
        let answer = self
            .store
            .retrying(HEAD_BUCKET, || {
                let request = async {
                    let request = self.store.client().head_bucket();
                    let answer = request.bucket(self.store.bucket()).send().await;
                    if let Err(error) = &answer
                        && let Some(response) = error.raw_response()
                        && let Some(region) = response.headers().get("x-amz-bucket-region")
                    {
                        let _ = named.set(region.to_owned());
                    }
                    answer
                };
                self.store.send(HEAD_BUCKET, &url, Duration::ZERO, request)
            })
            .await;
        let description = self.store.describe();
        let asked = description.region.as_deref().unwrap_or_default();
        match answer {
            Ok(answer) => match answer.bucket_region() {
                Some(region) if region != asked => Bucket::There(Finding::unclear(
                    HEAD_BUCKET,
                    format!(
                        "in {region}, and yet it answers where its region is said to be {asked}"
                    ),
                )),
                Some(region) => Bucket::There(Finding::fine(HEAD_BUCKET, format!("in {region}"))),
                None => Bucket::There(Finding::fine(HEAD_BUCKET, "there")),
            },
            Err(error) => of_refusal(error, named.into_inner(), &description),
        }
    }

    fn refused_listing(&self, error: StoreError) -> Finding {
        let remedy = match error.code.as_deref() {
            Some("AccessDenied" | "HTTP 403") => {
                format!("allow s3:ListBucket on {} to {}", self.arn(""), self.whom())
            }
            Some("NoSuchBucket") => "make it, or correct the URL".to_owned(),
            _ => String::new(),
        };
        Finding::wrong(error, remedy)
    }

    async fn read(&self, key: &str, size: u64) -> Finding {
        let answer = self
            .store
            .retrying(GET_OBJECT, || {
                let request = self
                    .store
                    .client()
                    .get_object()
                    .bucket(self.store.bucket())
                    .key(key)
                    // of nothing there is no first byte
                    .set_range((size > 0).then(|| "bytes=0-0".to_owned()))
                    .send();
                self.store.send(GET_OBJECT, key, Duration::ZERO, request)
            })
            .await;
        match answer {
            Ok(_) => Finding::fine(GET_OBJECT, "may be read"),
            Err(error) if error.kind == ErrorKind::Archived => {
                Finding::unclear(GET_OBJECT, format!("its first object `{key}` is archived"))
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                Finding::unclear(GET_OBJECT, format!("its first object `{key}` went away"))
            }
            Err(error) => {
                let remedy = if error.kind == ErrorKind::AccessDenied {
                    format!(
                        "allow s3:GetObject on {} to {}{}",
                        self.arn(&format!("/{}*", self.store.prefix())),
                        self.whom(),
                        if self.store.0.settings.anonymous {
                            ""
                        } else {
                            ", and kms:Decrypt if a key of theirs encrypts it"
                        }
                    )
                } else {
                    String::new()
                };
                Finding::wrong(error, remedy)
            }
        }
    }

    /// A run can do without, if no option wants them.
    async fn versioning(&self) -> Finding {
        if self.store.0.settings.location.is_directory_bucket() {
            return Finding::fine(VERSIONING, "keeps no versions");
        }
        match versioning::ask(&self.store).await {
            Ok(answer) => {
                let words = match answer {
                    Versioning::Enabled => "keeps versions",
                    Versioning::Suspended => "keeps old versions (suspended)",
                    Versioning::Off => "keeps no versions",
                };
                match self.versions_for {
                    Some(option) if answer != Versioning::Enabled => {
                        let message = format!("{words}, and {option} wants them");
                        let url = self.store.describe().url;
                        let error = StoreError::new(VERSIONING, url, ErrorKind::Fatal, message);
                        Finding::wrong(error, "enable versioning on the bucket, or leave it out")
                    }
                    _ => Finding::fine(VERSIONING, words),
                }
            }
            Err(error) if self.versions_for.is_some() => {
                let bucket = self.arn("");
                let remedy = format!(
                    "allow s3:GetBucketVersioning on {bucket} to {}",
                    self.whom()
                );
                Finding::wrong(error, remedy)
            }
            Err(error) => Finding::unclear(
                VERSIONING,
                format!("versions: cannot be told ({})", brief(&error)),
            ),
        }
    }

    /// Who asks.
    fn whom(&self) -> &'static str {
        if self.store.0.settings.anonymous {
            "everyone, or leave source.no_sign_request out"
        } else {
            "these credentials"
        }
    }

    fn arn(&self, below: &str) -> String {
        let bucket = self.store.bucket();
        if bucket.starts_with("arn:") {
            format!("{bucket}{below}")
        } else {
            format!("arn:aws:s3:::{bucket}{below}")
        }
    }
}

/// A HEAD that failed; `named` is the region the answer names.
fn of_refusal(error: StoreError, named: Option<String>, store: &Description) -> Bucket {
    let asked = store.region.as_deref().unwrap_or_default();
    if let Some(region) = named.filter(|region| region != asked) {
        let message = format!("the bucket is in `{region}`, and `{asked}` was asked");
        let error = StoreError {
            kind: ErrorKind::Fatal,
            message,
            ..error
        };
        return Bucket::Lost(Finding::wrong(
            error,
            format!("set the region of this side to \"{region}\""),
        ));
    }
    match error.code.as_deref() {
        Some("NotFound" | "NoSuchBucket" | "HTTP 404") => {
            let message = format!("there is no such bucket: {}", store.url);
            let error = StoreError { message, ..error };
            Bucket::Lost(Finding::wrong(error, "make it, or correct the URL"))
        }
        // no answer, no credentials, a server in trouble
        _ if error.kind.is_retryable() => Bucket::Lost(Finding::wrong(error, "")),
        Some(code) if code.starts_with("HTTP 4") => Bucket::Refused(error),
        Some("AccessDenied" | "Forbidden" | "BadRequest") => Bucket::Refused(error),
        _ if error.kind.is_fatal() => Bucket::Lost(Finding::wrong(error, "")),
        _ => Bucket::Refused(error),
    }
}

/// An error in the middle of a line.
fn brief(error: &StoreError) -> String {
    // a bare status says less than the words
    let code = error.code.as_deref();
    let code = code.filter(|code| !code.starts_with("HTTP"));
    format!("{}: {}", error.operation, code.unwrap_or(&error.message))
}
