//! CreateSession, with which clients begin to talk to a directory bucket.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::bucket::is_directory_bucket;
use super::error::{Result, invalid_request};
use super::request::Call;
use super::response::{self, Answer};
use super::routes::Keys;
use super::times;
use super::xml::Writer;

/// CreateSession. The session's keys are the sandbox's own, so that signatures stay checkable.
///
/// The bucket need not be there: S3 creates directory buckets at another endpoint, but a client
/// with only one endpoint asks for a session even before CreateBucket. What it then does with a
/// bucket that is not there meets NoSuchBucket all the same.
pub(super) fn create(keys: &Keys, call: &Call) -> Result<Answer> {
    if !is_directory_bucket(call.bucket()) {
        return Err(invalid_request(
            "CreateSession is only for directory buckets",
        ));
    }
    let ends = Timestamp::now() + SignedDuration::from_mins(5);
    Ok(response::xml(Writer::document(
        "CreateSessionResult",
        |xml| {
            xml.element("Credentials", |xml| {
                xml.text("AccessKeyId", &keys.access_key);
                xml.text("SecretAccessKey", keys.secret_key.expose());
                xml.text("SessionToken", Uuid::now_v7().simple());
                xml.text("Expiration", times::iso(ends));
            });
        },
    )))
}
