//! DeleteObject and DeleteObjects.

use jiff::Timestamp;
use s3s::S3ErrorCode;

use super::bucket::{Bucket, Change, State, Versioning};
use super::conditions;
use super::error::{Result, access_denied, error, malformed_xml, precondition_failed};
use super::object::{NULL_VERSION, Version};
use super::request::Call;
use super::response::{self, Answer};
use super::routes::permit;
use super::store::Store;
use super::times;
use super::xml::{Node, Writer};

/// S3 takes no more keys in one DeleteObjects.
const MOST_KEYS: usize = 1000;

/// What to delete, and when not to.
#[derive(Debug, Default)]
struct Deletion<'a> {
    key: &'a str,
    version_id: Option<&'a str>,
    if_match: Option<&'a str>,
    if_modified: Option<&'a str>,
    if_size: Option<&'a str>,
    bypass_governance: bool,
}

/// What a deletion did.
#[derive(Debug, Default)]
struct Deleted {
    /// The version removed, or the marker made.
    version_id: Option<String>,
    is_marker: bool,
}

/// DeleteObject.
pub(super) fn object(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let deletion = Deletion {
        key: call.key(),
        version_id: call.version_id(),
        if_match: call.header("if-match"),
        if_modified: call.header("x-amz-if-match-last-modified-time"),
        if_size: call.header("x-amz-if-match-size"),
        bypass_governance: bypasses_governance(call),
    };
    permit_condition(store, call, &bucket, &deletion)?;
    let deleted = delete(&bucket, &deletion)?;
    let mut answer = Answer::empty(204);
    if deleted.is_marker {
        answer.set("x-amz-delete-marker", "true");
    }
    answer.set_some("x-amz-version-id", deleted.version_id);
    Ok(answer)
}

/// DeleteObjects.
pub(super) async fn objects(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let body = call.proved_body().await?;
    let request = Node::parse(&body, "Delete")?;
    let wanted: Vec<_> = request.all("Object").collect();
    if wanted.is_empty() || wanted.len() > MOST_KEYS {
        return Err(malformed_xml());
    }
    let quiet = request
        .child_text("Quiet")
        .is_some_and(|text| text.trim() == "true");
    if !wanted
        .iter()
        .all(|wanted| wanted.child_text("Key").is_some_and(is_xml))
    {
        return Err(malformed_xml());
    }
    let ignores = |element: &str| call.tampering.ignores().any(|name| name == element);
    let ignores_etags = ignores("ETag");
    let outcomes: Vec<_> = wanted
        .into_iter()
        .map(|wanted| {
            let deletion = Deletion {
                key: wanted.child_text("Key").unwrap_or_default(),
                version_id: wanted.child_text("VersionId").filter(|id| !id.is_empty()),
                if_match: wanted.child_text("ETag").filter(|_| !ignores_etags),
                if_modified: wanted.child_text("LastModifiedTime"),
                if_size: wanted.child_text("Size"),
                bypass_governance: bypasses_governance(call),
            };
            let action = if deletion.version_id.is_some() {
                "DeleteObjectVersion"
            } else {
                "DeleteObject"
            };
            let outcome = match call.tampering.refusal_of(deletion.key) {
                Some((status, code)) => {
                    let mut refused = error(status, "InternalError", "Refused by a fault.");
                    refused.set_code(S3ErrorCode::Custom(code.into()));
                    Err(refused)
                }
                None => permit(store, call.anonymous, action, &bucket.name, deletion.key)
                    .and_then(|()| permit_condition(store, call, &bucket, &deletion))
                    .and_then(|()| delete(&bucket, &deletion)),
            };
            (deletion, outcome)
        })
        .collect();
    Ok(response::xml(Writer::document("DeleteResult", |xml| {
        for (deletion, outcome) in &outcomes {
            match outcome {
                Ok(_) if quiet => {}
                Ok(deleted) => xml.element("Deleted", |xml| {
                    xml.text("Key", deletion.key);
                    xml.optional("VersionId", deletion.version_id);
                    if deleted.is_marker {
                        xml.text("DeleteMarker", true);
                        xml.optional("DeleteMarkerVersionId", deleted.version_id.as_ref());
                    }
                }),
                Err(refused) => xml.element("Error", |xml| {
                    xml.text("Key", deletion.key);
                    xml.optional("VersionId", deletion.version_id);
                    xml.text("Code", refused.code().as_str());
                    xml.text("Message", refused.message().unwrap_or_default());
                }),
            }
        }
    })))
}

/// A condition on an ETag needs the right to read the object, too:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>.
fn permit_condition(
    store: &Store,
    call: &Call,
    bucket: &Bucket,
    deletion: &Deletion<'_>,
) -> Result<()> {
    match deletion.if_match {
        None | Some("*") => Ok(()),
        Some(_) => permit(
            store,
            call.anonymous,
            "GetObject",
            &bucket.name,
            deletion.key,
        ),
    }
}

/// Whether XML has characters for all of a key, as S3 wants of a request's body.
fn is_xml(key: &str) -> bool {
    let is_odd = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    !key.is_empty() && !key.contains(is_odd) && !key.contains(['\u{fffe}', '\u{ffff}'])
}

fn delete(bucket: &Bucket, deletion: &Deletion<'_>) -> Result<Deleted> {
    bucket.transact(|state| {
        let key = deletion.key.to_owned();
        let seen = state.select(&key, deletion.version_id).map(AsRef::as_ref);
        check(seen, deletion)?;
        match (deletion.version_id, state.versioning) {
            (Some(id), _) => {
                if seen.is_some_and(|version| is_locked(version, deletion.bypass_governance)) {
                    return Err(access_denied());
                }
                let deleted = Deleted {
                    version_id: Some(id.to_owned()),
                    is_marker: seen.is_some_and(Version::is_marker),
                };
                Ok((removal(state, key, id), deleted))
            }
            (None, Versioning::Off) => Ok((removal(state, key, NULL_VERSION), Deleted::default())),
            (None, Versioning::Enabled | Versioning::Suspended) => {
                let id = state.next_id();
                let deleted = Deleted {
                    version_id: Some(id.clone()),
                    is_marker: true,
                };
                let version = Version {
                    id,
                    modified: Timestamp::now(),
                    object: None,
                };
                Ok((vec![Change::Put { key, version }], deleted))
            }
        }
    })
}

/// What is not there needs no change.
fn removal(state: &State, key: String, id: &str) -> Vec<Change> {
    match state.version(&key, id) {
        Some(_) => vec![Change::Remove {
            key,
            id: id.to_owned(),
        }],
        None => Vec::new(),
    }
}

fn check(seen: Option<&Version>, deletion: &Deletion<'_>) -> Result<()> {
    let conditional =
        deletion.if_match.is_some() || deletion.if_modified.is_some() || deletion.if_size.is_some();
    let object = seen.and_then(Version::object);
    let (Some(version), Some(object)) = (seen, object) else {
        return if conditional && deletion.if_match != Some("*") && seen.is_some() {
            Err(precondition_failed())
        } else if conditional && seen.is_none() {
            Err(super::error::no_such_key())
        } else {
            Ok(())
        };
    };
    let holds = deletion
        .if_match
        .is_none_or(|wanted| conditions::names(wanted, &object.etag))
        && deletion
            .if_size
            .is_none_or(|size| size == object.size.to_string())
        && deletion.if_modified.is_none_or(|time| {
            times::parse_http(time)
                .is_some_and(|time| time.as_second() == version.modified.as_second())
        });
    if holds {
        Ok(())
    } else {
        Err(precondition_failed())
    }
}

fn is_locked(version: &Version, bypass_governance: bool) -> bool {
    let Some(object) = version.object() else {
        return false;
    };
    let retained = object
        .attributes
        .retention
        .as_ref()
        .is_some_and(|(mode, until)| {
            let is_over = until
                .parse::<Timestamp>()
                .is_ok_and(|until| until <= Timestamp::now());
            let is_bypassed = mode == "GOVERNANCE" && bypass_governance;
            !is_over && !is_bypassed
        });
    retained || object.attributes.legal_hold.as_deref() == Some("ON")
}

fn bypasses_governance(call: &Call) -> bool {
    call.header("x-amz-bypass-governance-retention")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
