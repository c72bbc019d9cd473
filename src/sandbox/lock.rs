//! Retention, legal hold and ACL of objects.

use super::bucket::{Change, State};
use super::buckets::acl_document;
use super::checksums::Claims;
use super::error::{Result, error, invalid_request, malformed_xml};
use super::get::{self, Located};
use super::headers;
use super::object::Attributes;
use super::request::Call;
use super::response::{self, Answer};
use super::store::Store;
use super::xml::{Node, Writer};

/// GetObjectAcl.
pub(super) fn acl(store: &Store, call: &Call) -> Result<Answer> {
    let located = get::locate(store, call)?;
    Ok(response::xml(acl_document(
        located.object().attributes.acl.as_deref(),
    )))
}

/// PutObjectAcl: a canned ACL is kept, grants are accepted.
pub(super) async fn set_acl(store: &Store, call: &mut Call) -> Result<Answer> {
    call.small_body().await?;
    let acl = headers::acl(&call.headers)?;
    change(&get::locate(store, call)?, call, |attributes| {
        attributes.acl = acl;
    })
}

/// GetObjectRetention.
pub(super) fn retention(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    let Some((mode, until)) = &located.object().attributes.retention else {
        return Err(no_lock());
    };
    Ok(response::xml(Writer::document("Retention", |xml| {
        xml.text("Mode", mode);
        xml.text("RetainUntilDate", until);
    })))
}

/// PutObjectRetention.
pub(super) async fn set_retention(store: &Store, call: &mut Call) -> Result<Answer> {
    let body = call.small_body().await?;
    let document = Node::parse(&body, "Retention")?;
    let retention = match (
        document.child_text("Mode"),
        document.child_text("RetainUntilDate"),
    ) {
        (None, None) => None,
        (Some(mode @ ("GOVERNANCE" | "COMPLIANCE")), Some(until)) => {
            Some((mode.to_owned(), until.to_owned()))
        }
        _ => return Err(malformed_xml()),
    };
    change(&locate(store, call)?, call, |attributes| {
        attributes.retention = retention;
    })
}

/// GetObjectLegalHold.
pub(super) fn legal_hold(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    let Some(status) = &located.object().attributes.legal_hold else {
        return Err(no_lock());
    };
    Ok(response::xml(Writer::document("LegalHold", |xml| {
        xml.text("Status", status);
    })))
}

/// PutObjectLegalHold.
pub(super) async fn set_legal_hold(store: &Store, call: &mut Call) -> Result<Answer> {
    let body = call.small_body().await?;
    let document = Node::parse(&body, "LegalHold")?;
    let status = document
        .child_text("Status")
        .filter(|status| matches!(*status, "ON" | "OFF"));
    let status = status.ok_or_else(malformed_xml)?.to_owned();
    change(&locate(store, call)?, call, |attributes| {
        attributes.legal_hold = Some(status);
    })
}

/// Whether an object with these attributes will be locked, by itself or by its bucket.
pub(super) fn is_locked(attributes: &Attributes, state: &State) -> bool {
    let asked = attributes.retention.is_some() || attributes.legal_hold.is_some();
    asked || has_default_retention(state)
}

/// Refuses a body of which nothing is claimed where it is to be locked: S3 wants to be sure of what
/// nobody can replace. `what` is what the request is called.
pub(super) fn check_claims(claims: &Claims, is_locked: bool, what: &str) -> Result<()> {
    if claims.any() || !is_locked {
        return Ok(());
    }
    Err(invalid_request(format!(
        "Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with Object Lock parameters"
    )))
}

/// Whether the bucket locks what is written without saying so.
fn has_default_retention(state: &State) -> bool {
    let document = state.settings.get("object-lock");
    let document = document.and_then(|text| Node::parse_any(text.as_bytes()).ok());
    document.is_some_and(|document| document.find("DefaultRetention").is_some())
}

fn locate(store: &Store, call: &Call) -> Result<Located> {
    let located = get::locate(store, call)?;
    if !located.bucket.read().settings.contains_key("object-lock") {
        return Err(invalid_request(
            "Bucket is missing Object Lock Configuration",
        ));
    }
    Ok(located)
}

fn change(located: &Located, call: &Call, change: impl FnOnce(&mut Attributes)) -> Result<Answer> {
    located.bucket.transact(|state| {
        let mut version = get::select(state, call.key(), Some(&located.version.id))?
            .as_ref()
            .clone();
        if let Some(object) = &mut version.object {
            change(&mut object.attributes);
        }
        Ok((
            vec![Change::Update {
                key: call.key().to_owned(),
                version,
            }],
            Answer::empty(200),
        ))
    })
}

fn no_lock() -> s3s::S3Error {
    error(
        404,
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
    )
}
