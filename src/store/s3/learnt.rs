/*! What an endpoint was found not to do.

S3-compatible stores leave things out, each of them others. None is known here by its name: what is
refused is learnt from the refusal, once per run; the request is made again without it, and the
report's `guarantees_lost` says what is missing and in what words it was refused.

A refusal alone proves little, because the object may be to blame. What is learnt is therefore what
a request was refused *with* and taken *without*; and where the refusal says nothing of it, only what
that befell twice in a row. Three things are never left out, because the user
named them and nothing could take their place: encryption, ACL and storage class. Those refused are
errors, which say so; and so is an encryption that an answer does not confirm.
*/

mod checksums;
mod conditions;
mod deletions;
mod doubts;
mod encrypted;
mod extras;
mod worn;

pub(super) use checksums::asking_for;
pub(super) use conditions::under;
pub(super) use deletions::Heed;
pub(super) use doubts::Learning;
pub(super) use encrypted::Told;
pub(super) use extras::{Extra, LeaveOut, Trials, is_left_out};

use self::deletions::Heeds;
use self::doubts::Doubts;
use self::encrypted::Encrypts;
use self::worn::{Looks, Worn};

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::S3Store;
use crate::digest::Algorithm;
use crate::store::{ErrorKind, StoreError};

/// Something that an endpoint does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    /// Taking something that a request can do without.
    Extra(Extra),
    /// Keeping what it took.
    Keeping(Worn),
    /// Taking a checksum under this algorithm.
    Checksum(Algorithm),
    /// Telling the checksum under this algorithm of what was written.
    Told(Algorithm),
    /// Giving what is written an ETag that is its MD5.
    DigestETags,
    /// Writing under a condition.
    Conditions,
    /// Deleting under a condition.
    DeleteConditions,
    /// Listing what may be a condition of a deletion.
    ListedETags,
    /// DeleteObjects.
    Batches,
    /// ListObjectsV2.
    ListV2,
    /// Keys encoded in a listing.
    EncodedKeys,
    /// GetObjectAttributes.
    Parts,
}

impl Lack {
    /// What is lost by it, as the report has it.
    fn what(self) -> String {
        match self {
            Self::Extra(extra) => extra.lost().to_owned(),
            Self::Keeping(worn) => worn.lost().to_owned(),
            Self::Checksum(algorithm) => format!("{algorithm} checksums of what is written"),
            Self::Told(algorithm) => {
                format!("proof of what is written by its {algorithm} checksum")
            }
            Self::DigestETags => "proof of what is written by its ETag".to_owned(),
            Self::Conditions => "conditions in the moment of writing: the key is looked at before, and may change until it is written".to_owned(),
            Self::DeleteConditions => "conditions in the moment of deleting: the object is looked at before, and may be replaced until it is deleted".to_owned(),
            Self::ListedETags => "conditions in the moment of deleting what a listing tells no ETag of: it is looked at before, and may be replaced until it is deleted".to_owned(),
            Self::Batches => "deleting many objects at once: they are deleted one by one".to_owned(),
            Self::ListV2 => "listing by ListObjectsV2: it is done by ListObjects".to_owned(),
            Self::EncodedKeys => "keys with characters that XML cannot carry".to_owned(),
            Self::Parts => "the parts of objects that were uploaded in unequal parts".to_owned(),
        }
    }
}

/// What was learnt of an endpoint so far.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    lacks: Mutex<BTreeSet<Lack>>,
    /// What was refused in words that may mean anything.
    doubts: Doubts,
    /// What was looked for on objects already.
    looks: Looks,
    /// Whether it heeds the conditions of deletions.
    heeds: Heeds,
    /// Whether it encrypts what it is asked to encrypt.
    encrypts: Encrypts,
}

fn lock<T>(learnt: &Mutex<T>) -> MutexGuard<'_, T> {
    learnt.lock().unwrap_or_else(PoisonError::into_inner)
}

impl S3Store {
    /// Whether the endpoint was found not to do this.
    pub(super) fn lacks(&self, lack: Lack) -> bool {
        lock(&self.0.learnt.lacks).contains(&lack)
    }

    /// Notes that the endpoint does not do this, and tells it the first time.
    pub(super) fn learn(&self, lack: Lack, why: &str) {
        if lock(&self.0.learnt.lacks).insert(lack) {
            self.0.meter.lost(&lack.what(), why);
        }
    }
}

/// Whether a server may say this to what it does not know: it is none of S3's answers about the
/// object, the bucket, or who asks.
pub(super) fn is_refusal(error: &StoreError) -> bool {
    match error.kind {
        ErrorKind::Unsupported => true,
        ErrorKind::Other => match error.code.as_deref() {
            // a HEAD is answered without words
            Some("HTTP 400" | "HTTP 405" | "MethodNotAllowed" | "NotSupported") => true,
            Some("InvalidArgument" | "InvalidRequest") => is_of_the_unknown(&error.message),
            _ => false,
        },
        _ => false,
    }
}

/// Whether these are words for what somebody has never heard of.
fn is_of_the_unknown(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["support", "implement", "unknown", "unrecognized"]
        .iter()
        .any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_says_of_an_object_is_no_refusal() {
        for (kind, code, message, expected) in [
            (ErrorKind::Unsupported, "NotImplemented", "", true),
            (ErrorKind::Other, "HTTP 400", "", true),
            (
                ErrorKind::Other,
                "InvalidArgument",
                "Unsupported header 'x-amz-tagging' received for this API call",
                true,
            ),
            (
                ErrorKind::Other,
                "InvalidArgument",
                "The header 'x-amz-tagging' shall be encoded as UTF-8",
                false,
            ),
            (ErrorKind::Other, "InvalidTag", "not supported", false),
            (ErrorKind::AccessDenied, "AccessDenied", "", false),
            (
                ErrorKind::PreconditionFailed,
                "PreconditionFailed",
                "",
                false,
            ),
            (ErrorKind::Transient, "SlowDown", "", false),
        ] {
            let error = StoreError {
                code: Some(code.to_owned()),
                ..StoreError::new("PutObject", "k", kind, message)
            };
            assert_eq!(is_refusal(&error), expected, "{code}: {message}");
        }
    }
}
