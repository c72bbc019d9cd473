//! Buckets themselves: making and removing them, their location, versioning, policy and ACL.

use super::bucket::{Change, Versioning};
use super::error::{Result, error, malformed_xml};
use super::list::OWNER;
use super::policy::Policy;
use super::request::Call;
use super::response::{self, Answer};
use super::store::Store;
use super::times;
use super::xml::{Node, Writer};

/// The name under which a bucket keeps its canned ACL.
const ACL: &str = "acl";

/// ListBuckets.
pub(super) fn list(store: &Store, call: &Call) -> Result<Answer> {
    let limit = call.number::<usize>("max-buckets")?.unwrap_or(usize::MAX);
    let prefix = call.query.get("prefix").unwrap_or_default();
    let token = call.query.get("continuation-token").unwrap_or_default();
    let mut buckets = store
        .buckets()
        .into_iter()
        .filter(|bucket| {
            !bucket.is_directory()
                && bucket.name.starts_with(prefix)
                && bucket.name.as_str() > token
        })
        .peekable();
    let page: Vec<_> = buckets.by_ref().take(limit).collect();
    let next = page
        .last()
        .filter(|_| buckets.peek().is_some())
        .map(|bucket| bucket.name.clone());
    Ok(response::xml(Writer::document(
        "ListAllMyBucketsResult",
        |xml| {
            xml.element("Owner", |xml| xml.raw(OWNER));
            xml.element("Buckets", |xml| {
                for bucket in &page {
                    let state = bucket.read();
                    xml.element("Bucket", |xml| {
                        xml.text("Name", &bucket.name);
                        xml.text("CreationDate", times::iso(state.created));
                        xml.text("BucketRegion", &state.region);
                    });
                }
            });
            xml.optional("ContinuationToken", next);
        },
    )))
}

/// The region where creating a bucket of one's own again is no error.
const OLDEST_REGION: &str = "us-east-1";

/// CreateBucket.
pub(super) async fn create(store: &Store, call: &mut Call) -> Result<Answer> {
    let body = call.small_body().await?;
    let region = if body.is_empty() {
        None
    } else {
        let document = Node::parse(&body, "CreateBucketConfiguration")?;
        document
            .child_text("LocationConstraint")
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    };
    let region = region.unwrap_or_else(|| store.region.clone());
    let Some(bucket) = store.create(call.bucket(), &region)? else {
        let own = store.bucket(call.bucket())?;
        let both = [region.as_str(), &own.read().region];
        if both == [OLDEST_REGION; 2] && !own.is_directory() {
            // it was always so there, and stays so for the programs that rely on it
            let mut answer = Answer::empty(200);
            answer.set("location", format!("/{}", call.bucket()));
            return Ok(answer);
        }
        return Err(error(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        ));
    };
    if call
        .header("x-amz-bucket-object-lock-enabled")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        let document = Writer::document("ObjectLockConfiguration", |xml| {
            xml.text("ObjectLockEnabled", "Enabled");
        });
        bucket.commit(Change::Setting {
            name: "object-lock".to_owned(),
            document: Some(document),
        })?;
        bucket.commit(Change::Versioning(Versioning::Enabled))?;
    }
    let mut answer = Answer::empty(200);
    answer.set("location", format!("/{}", call.bucket()));
    Ok(answer)
}

/// DeleteBucket.
pub(super) fn delete(store: &Store, call: &Call) -> Result<Answer> {
    store.remove(call.bucket())?;
    Ok(Answer::empty(204))
}

/// HeadBucket.
pub(super) fn head(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let mut answer = Answer::empty(200);
    answer.set("x-amz-bucket-region", &bucket.read().region);
    answer.set("x-amz-access-point-alias", "false");
    if bucket.is_directory() {
        answer.set("x-amz-bucket-location-type", "AvailabilityZone");
    }
    Ok(answer)
}

/// GetBucketLocation, which calls the oldest region nothing.
pub(super) fn location(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let region = bucket.read().region.clone();
    let told = if region == OLDEST_REGION { "" } else { &region };
    Ok(response::xml(Writer::document_with_text(
        "LocationConstraint",
        told,
    )))
}

/// GetBucketVersioning.
pub(super) fn versioning(store: &Store, call: &Call) -> Result<Answer> {
    let versioning = store.bucket(call.bucket())?.read().versioning;
    Ok(response::xml(Writer::document(
        "VersioningConfiguration",
        |xml| match versioning {
            Versioning::Off => {}
            Versioning::Enabled => xml.text("Status", "Enabled"),
            Versioning::Suspended => xml.text("Status", "Suspended"),
        },
    )))
}

/// PutBucketVersioning.
pub(super) async fn set_versioning(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let body = call.small_body().await?;
    let document = Node::parse(&body, "VersioningConfiguration")?;
    let versioning = match document.child_text("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(malformed_xml()),
    };
    if versioning == Versioning::Suspended && bucket.read().settings.contains_key("object-lock") {
        return Err(error(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        ));
    }
    bucket.commit(Change::Versioning(versioning))?;
    Ok(Answer::empty(200))
}

/// GetBucketPolicy.
pub(super) fn policy(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let document = bucket.read().settings.get(Policy::SETTING).cloned();
    let document = document.ok_or_else(|| {
        error(
            404,
            "NoSuchBucketPolicy",
            "The bucket policy does not exist",
        )
    })?;
    let mut answer = Answer::empty(200);
    answer.set("content-type", "application/json");
    answer.body = document.into();
    Ok(answer)
}

/// PutBucketPolicy.
pub(super) async fn set_policy(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let body = call.small_body().await?;
    let document = String::from_utf8(body.to_vec())
        .map_err(|_| error(400, "MalformedPolicy", "Policies must be valid JSON"))?;
    Policy::parse(&document)?;
    bucket.commit(Change::Setting {
        name: Policy::SETTING.to_owned(),
        document: Some(document),
    })?;
    Ok(Answer::empty(204))
}

/// DeleteBucketPolicy.
pub(super) fn delete_policy(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    bucket.commit(Change::Setting {
        name: Policy::SETTING.to_owned(),
        document: None,
    })?;
    Ok(Answer::empty(204))
}

/// GetBucketAcl.
pub(super) fn acl(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let canned = bucket.read().settings.get(ACL).cloned();
    Ok(response::xml(acl_document(canned.as_deref())))
}

/// PutBucketAcl: a canned ACL is kept, grants are accepted.
pub(super) async fn set_acl(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    call.small_body().await?;
    let document = super::headers::acl(&call.headers)?;
    bucket.commit(Change::Setting {
        name: ACL.to_owned(),
        document,
    })?;
    Ok(Answer::empty(200))
}

/// The grants a canned ACL stands for.
pub(super) fn acl_document(canned: Option<&str>) -> String {
    const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
    const ACCOUNTS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    let grants: &[(&str, &str)] = match canned {
        Some("public-read") => &[(EVERYONE, "READ")],
        Some("public-read-write") => &[(EVERYONE, "READ"), (EVERYONE, "WRITE")],
        Some("authenticated-read") => &[(ACCOUNTS, "READ")],
        _ => &[],
    };
    Writer::document("AccessControlPolicy", |xml| {
        xml.element("Owner", |xml| xml.raw(OWNER));
        xml.element("AccessControlList", |xml| {
            grant(xml, "CanonicalUser", OWNER, "FULL_CONTROL");
            for (group, permission) in grants {
                grant(xml, "Group", &format!("<URI>{group}</URI>"), permission);
            }
        });
    })
}

fn grant(xml: &mut Writer, kind: &str, grantee: &str, permission: &str) {
    xml.element("Grant", |xml| {
        xml.raw(&format!(
            "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{grantee}</Grantee>"
        ));
        xml.text("Permission", permission);
    });
}
