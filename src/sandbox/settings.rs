//! The documents a bucket keeps and gives back as they came: CORS, lifecycle, encryption and so on.
//!
//! Only two of them have an effect here: the default encryption decides what an upload without
//! encryption headers gets, and the object lock makes the bucket versioned.

use super::bucket::Change;
use super::error::{Result, error, malformed_xml};
use super::operation::Verb;
use super::request::Call;
use super::response::{self, Answer};
use super::store::Store;
use super::xml::Node;

/// One kind of document.
#[derive(Debug)]
pub(super) struct Setting {
    /// The query parameter that selects it.
    pub(super) query: &'static str,
    pub(super) get: &'static str,
    pub(super) put: &'static str,
    pub(super) delete: &'static str,
    /// What a bucket without one answers.
    absent: Absent,
}

#[derive(Debug)]
enum Absent {
    /// 404 with this code.
    Missing(&'static str),
    /// This document.
    Default(&'static str),
}

macro_rules! setting {
    ($query:literal, $name:literal, $absent:expr) => {
        Setting {
            query: $query,
            get: concat!("Get", $name),
            put: concat!("Put", $name),
            delete: concat!("Delete", $name),
            absent: $absent,
        }
    };
}

/// All of them.
pub(super) static SETTINGS: [Setting; 13] = [
    setting!(
        "cors",
        "BucketCors",
        Absent::Missing("NoSuchCORSConfiguration")
    ),
    Setting {
        query: "lifecycle",
        get: "GetBucketLifecycleConfiguration",
        put: "PutBucketLifecycleConfiguration",
        delete: "DeleteBucketLifecycle",
        absent: Absent::Missing("NoSuchLifecycleConfiguration"),
    },
    setting!(
        "encryption",
        "BucketEncryption",
        Absent::Default(
            "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
        )
    ),
    setting!(
        "publicAccessBlock",
        "PublicAccessBlock",
        Absent::Missing("NoSuchPublicAccessBlockConfiguration")
    ),
    setting!(
        "ownershipControls",
        "BucketOwnershipControls",
        Absent::Missing("OwnershipControlsNotFoundError")
    ),
    setting!("tagging", "BucketTagging", Absent::Missing("NoSuchTagSet")),
    setting!(
        "website",
        "BucketWebsite",
        Absent::Missing("NoSuchWebsiteConfiguration")
    ),
    setting!(
        "replication",
        "BucketReplication",
        Absent::Missing("ReplicationConfigurationNotFoundError")
    ),
    setting!(
        "object-lock",
        "ObjectLockConfiguration",
        Absent::Missing("ObjectLockConfigurationNotFoundError")
    ),
    setting!(
        "accelerate",
        "BucketAccelerateConfiguration",
        Absent::Default(
            "<AccelerateConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"
        )
    ),
    setting!(
        "requestPayment",
        "BucketRequestPayment",
        Absent::Default(
            "<RequestPaymentConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
        )
    ),
    setting!(
        "logging",
        "BucketLogging",
        Absent::Default("<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>")
    ),
    setting!(
        "notification",
        "BucketNotificationConfiguration",
        Absent::Default(
            "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"
        )
    ),
];

/// Reads, replaces or removes a document.
pub(super) async fn handle(
    store: &Store,
    call: &mut Call,
    verb: Verb,
    setting: &'static Setting,
) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let name = setting.query.to_owned();
    match verb {
        Verb::Get => {
            let document = bucket.read().settings.get(setting.query).cloned();
            match (document, &setting.absent) {
                (Some(document), _) => Ok(response::xml(document)),
                (None, Absent::Default(document)) => Ok(response::xml((*document).to_owned())),
                (None, Absent::Missing(code)) => {
                    Err(error(404, code, "The configuration does not exist"))
                }
            }
        }
        Verb::Put => {
            let body = call.small_body().await?;
            let document = String::from_utf8(body.to_vec()).map_err(|_| malformed_xml())?;
            Node::parse_any(document.as_bytes())?;
            bucket.commit(Change::Setting {
                name,
                document: Some(document),
            })?;
            Ok(Answer::empty(200))
        }
        Verb::Delete => {
            bucket.commit(Change::Setting {
                name,
                document: None,
            })?;
            Ok(Answer::empty(204))
        }
    }
}
