//! Multipart uploads, from their beginning to their abortion; `complete` makes objects of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blobs::{BlobId, Segment};
use super::bucket::{Bucket, Change};
use super::checksums::{Claims, Kind, named_algorithm};
use super::encryption::{CustomerKey, Encryption};
use super::error::{Result, invalid_argument, invalid_request, no_such_upload};
use super::object::Attributes;
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::store::Store;
use super::xml::Writer;
use super::{headers, intake, lock, put};
use crate::digest::Algorithm;

/// S3 takes no more parts.
pub(super) const MOST_PARTS: u16 = 10_000;

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) initiated: Timestamp,
    pub(super) attributes: Attributes,
    pub(super) encryption: Encryption,
    /// The name of the checksum algorithm asked for.
    pub(super) algorithm: Option<String>,
    pub(super) kind: Kind,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parts: BTreeMap<u16, UploadedPart>,
}

/// A part of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UploadedPart {
    pub(super) etag: String,
    /// Hex; differs from the ETag where that is opaque.
    pub(super) md5: String,
    pub(super) size: u64,
    pub(super) segments: Vec<Segment>,
    /// Base64, in the upload's algorithm.
    pub(super) checksum: String,
    pub(super) modified: Timestamp,
}

impl Upload {
    /// The files its parts need.
    pub(super) fn blobs(&self) -> impl Iterator<Item = BlobId> {
        self.parts.values().flat_map(UploadedPart::blobs)
    }

    /// The algorithm of its checksums: CRC64NVME where none was asked for.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
            .as_deref()
            .and_then(|name| name.parse().ok())
            .unwrap_or(Algorithm::Crc64Nvme)
    }
}

impl UploadedPart {
    /// The files it needs.
    pub(super) fn blobs(&self) -> impl Iterator<Item = BlobId> {
        self.segments.iter().map(|segment| segment.blob)
    }
}

/// Where a part goes, and under which rules.
#[derive(Debug)]
pub(super) struct Slot {
    upload_id: String,
    number: u16,
    pub(super) encryption: Encryption,
    pub(super) algorithm: Algorithm,
    /// Whether the client asked for the algorithm.
    pub(super) explicit: bool,
    kind: Kind,
    is_locked: bool,
}

/// CreateMultipartUpload.
pub(super) fn create(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let asked = call
        .header("x-amz-checksum-algorithm")
        .map(named_algorithm)
        .transpose()?;
    let kind = match (asked, call.header("x-amz-checksum-type")) {
        (Some(algorithm), kind) => Kind::of_upload(algorithm, kind)?,
        (None, None) => Kind::FullObject,
        (None, Some(_)) => {
            return Err(invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            ));
        }
    };
    let upload = {
        let state = bucket.read();
        Upload {
            initiated: Timestamp::now(),
            attributes: headers::attributes(&call.headers, &bucket, &state)?,
            encryption: put::encryption(call, &state)?,
            algorithm: asked.map(|algorithm| algorithm.as_str().to_owned()),
            kind,
            parts: BTreeMap::new(),
        }
    };
    let id = Uuid::now_v7().simple().to_string();
    let mut answer = response::xml(Writer::document("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", call.bucket());
        xml.text("Key", call.key());
        xml.text("UploadId", &id);
    }));
    if let Some(algorithm) = asked {
        answer.set("x-amz-checksum-algorithm", algorithm.as_str());
        answer.set("x-amz-checksum-type", kind.as_str());
    }
    upload.encryption.tell(&mut answer);
    bucket.commit(Change::UploadBegun {
        key: call.key().to_owned(),
        id,
        upload,
    })?;
    Ok(answer)
}

/// UploadPart.
pub(super) async fn upload_part(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let slot = slot(&bucket, call)?;
    slot.encryption
        .admit_part(CustomerKey::of(&call.headers)?.as_ref())?;
    let claims = Claims::of(&call.headers)?;
    lock::check_claims(&claims, slot.is_locked, "Put Part")?;
    slot.admit(claims.algorithm())?;
    let received = intake::receive(&store.blobs, call, &claims, Some(slot.algorithm)).await?;
    let md5 = received.md5().hex();
    let part = UploadedPart {
        etag: put::etag(&bucket, &slot.encryption, md5.clone()),
        md5,
        size: received.size,
        segments: received.segments.clone(),
        checksum: received
            .digest(slot.algorithm)
            .map(|digest| digest.base64())
            .unwrap_or_default(),
        modified: Timestamp::now(),
    };
    let mut answer = Answer::empty(200);
    answer.set("etag", quoted(&part.etag));
    let told = if slot.explicit {
        Some(slot.algorithm)
    } else {
        claims.algorithm()
    };
    if let Some(digest) = told.and_then(|algorithm| received.digest(algorithm)) {
        answer.set(digest.algorithm().header(), digest.base64());
    }
    slot.encryption.tell(&mut answer);
    store_part(&bucket, call, &slot, part)?;
    Ok(answer)
}

impl Slot {
    /// A part's checksum is in the algorithm the upload asked for, and a composite cannot do
    /// without. Where none was asked for, a part may have any, as the SDKs add one by default.
    fn admit(&self, claimed: Option<Algorithm>) -> Result<()> {
        let fits = match claimed {
            Some(claimed) => claimed == self.algorithm,
            None => self.kind == Kind::FullObject,
        };
        if fits || !self.explicit {
            return Ok(());
        }
        let claimed = claimed.map_or_else(
            || "null".to_owned(),
            |algorithm| algorithm.as_str().to_lowercase(),
        );
        Err(invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {claimed}",
            self.algorithm.as_str().to_lowercase()
        )))
    }
}

/// The place in an upload that a request is about.
pub(super) fn slot(bucket: &Bucket, call: &Call) -> Result<Slot> {
    let number = call
        .number::<u16>("partNumber")?
        .filter(|number| (1..=MOST_PARTS).contains(number))
        .ok_or_else(|| {
            invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
        })?;
    let (key, id) = name(call);
    let state = bucket.read();
    let upload = state
        .uploads
        .get(&(key, id.clone()))
        .ok_or_else(no_such_upload)?;
    Ok(Slot {
        upload_id: id,
        number,
        encryption: upload.encryption.clone(),
        algorithm: upload.algorithm(),
        explicit: upload.algorithm.is_some(),
        kind: upload.kind,
        is_locked: lock::is_locked(&upload.attributes, &state),
    })
}

/// Adds a part to its upload, unless that has ended meanwhile.
pub(super) fn store_part(
    bucket: &Bucket,
    call: &Call,
    slot: &Slot,
    part: UploadedPart,
) -> Result<()> {
    let (key, id) = (call.key().to_owned(), slot.upload_id.clone());
    bucket.transact(|state| {
        if !state.uploads.contains_key(&(key.clone(), id.clone())) {
            return Err(no_such_upload());
        }
        Ok((
            vec![Change::PartStored {
                key,
                id,
                number: slot.number,
                part,
            }],
            (),
        ))
    })
}

/// AbortMultipartUpload.
pub(super) fn abort(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let (key, id) = name(call);
    bucket.transact(|state| {
        if !state.uploads.contains_key(&(key.clone(), id.clone())) {
            return Err(no_such_upload());
        }
        Ok((vec![Change::UploadEnded { key, id }], Answer::empty(204)))
    })
}

/// The key and id of the upload a request is about.
pub(super) fn name(call: &Call) -> (String, String) {
    (
        call.key().to_owned(),
        call.query.get("uploadId").unwrap_or_default().to_owned(),
    )
}
