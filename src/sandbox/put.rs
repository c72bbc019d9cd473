//! PutObject, and what all ways of making an object have in common.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::bucket::{Bucket, Change, State};
use super::checksums::{Claims, StoredChecksum};
use super::conditions::Conditions;
use super::encryption::Encryption;
use super::error::Result;
use super::object::{Object, Version};
use super::request::Call;
use super::response::{Answer, quoted};
use super::store::Store;
use super::{headers, intake, lock};
use crate::digest::Algorithm;

/// PutObject.
pub(super) async fn object(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let claims = Claims::of(&call.headers)?;
    let (encryption, attributes) = {
        let state = bucket.read();
        Conditions::of(&call.headers).check_write(state.latest(call.key()).map(AsRef::as_ref))?;
        let attributes = headers::attributes(&call.headers, &bucket, &state)?;
        let is_locked = lock::is_locked(&attributes, &state);
        lock::check_claims(&claims, is_locked, "Put Object")?;
        (encryption(call, &state)?, attributes)
    };
    let algorithm = claims.algorithm().unwrap_or(Algorithm::Crc64Nvme);
    let received = intake::receive(&store.blobs, call, &claims, Some(algorithm)).await?;
    let object = Object {
        etag: etag(&bucket, &encryption, received.md5().hex()),
        size: received.size,
        segments: received.segments.clone(),
        parts: Vec::new(),
        checksum: received.digest(algorithm).map(StoredChecksum::whole),
        encryption,
        attributes,
        restored_until: None,
        annotations: BTreeMap::new(),
    };
    let mut answer = Answer::empty(200);
    answer.set("etag", quoted(&object.etag));
    if let Some(checksum) = &object.checksum {
        checksum.tell(&mut answer);
    }
    object.encryption.tell(&mut answer);
    answer.set_some(
        "x-amz-version-id",
        publish(&bucket, call, object, Timestamp::now(), None)?,
    );
    Ok(answer)
}

/// The encryption an upload gets.
pub(super) fn encryption(call: &Call, state: &State) -> Result<Encryption> {
    let bucket_default = state.settings.get("encryption").map(String::as_str);
    Encryption::of_upload(&call.headers, bucket_default, &state.region)
}

/// The ETag of content with this MD5-made one; a directory bucket's are always random.
pub(super) fn etag(bucket: &Bucket, encryption: &Encryption, of_md5: String) -> String {
    if bucket.is_directory() {
        Encryption::opaque_etag(&of_md5)
    } else {
        encryption.etag(of_md5)
    }
}

/// Makes the object the latest of its key, if the request's conditions still hold; its version id.
pub(super) fn publish(
    bucket: &Bucket,
    call: &Call,
    object: Object,
    modified: Timestamp,
    upload: Option<&str>,
) -> Result<Option<String>> {
    let key = call.key().to_owned();
    bucket.transact(|state| {
        Conditions::of(&call.headers).check_write(state.latest(&key).map(AsRef::as_ref))?;
        let version = Version {
            id: state.next_id(),
            modified,
            object: Some(object),
        };
        let told = state.told_id(&version.id).map(str::to_owned);
        let ended = upload.map(|id| Change::UploadEnded {
            key: key.clone(),
            id: id.to_owned(),
        });
        let changes = [Change::Put { key, version }]
            .into_iter()
            .chain(ended)
            .collect();
        Ok((changes, told))
    })
}
