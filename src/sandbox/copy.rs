//! CopyObject and UploadPartCopy. A copy shares its source's files; only missing digests are computed.

use std::sync::Arc;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::blobs::{Hold, Segment};
use super::bucket::{Bucket, State};
use super::checksums::{StoredChecksum, named_algorithm};
use super::conditions::Conditions;
use super::encryption::{CustomerKey, Encryption};
use super::error::{Result, error, invalid_argument, invalid_request};
use super::get::{self, Located};
use super::multipart::{self, UploadedPart};
use super::object::{Attributes, Object};
use super::operation::Operation;
use super::query::Query;
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::routes::{permit, versioned_action};
use super::store::Store;
use super::xml::Writer;
use super::{headers, outflow, put, tags, times};
use crate::digest::{Algorithm, Digest};

/// S3 copies no more in one request.
const LARGEST_COPY: u64 = 5 << 30;

/// The source of a copy, ready to be read.
struct Source {
    located: Located,
    /// Keeps the source's files although it may be overwritten meanwhile.
    _hold: Hold,
    bucket: String,
    key: String,
    /// Whether the request names a version.
    version_named: bool,
}

/// CopyObject.
pub(super) async fn object(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let source = source(store, call)?;
    let from = source.located.object();
    if from.size > LARGEST_COPY {
        return Err(invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_COPY}"
        )));
    }
    if call.header("x-amz-tagging-directive") != Some("REPLACE") && !from.attributes.tags.is_empty()
    {
        let reads = versioned_action(Operation::GetObjectTagging, source.version_named);
        permit(store, call.anonymous, reads, &source.bucket, &source.key)?;
        let writes = "PutObjectTagging";
        permit(store, call.anonymous, writes, call.bucket(), call.key())?;
    }
    let (encryption, attributes) = {
        let state = bucket.read();
        (
            put::encryption(call, &state)?,
            attributes(call, &source, &bucket, &state)?,
        )
    };
    refuse_idle_copy(call, &source, &bucket, &encryption)?;
    let algorithm = match call.header("x-amz-checksum-algorithm") {
        Some(name) => named_algorithm(name)?,
        None => from
            .checksum
            .as_ref()
            .map_or(Algorithm::Crc64Nvme, |checksum| checksum.algorithm),
    };
    let rotten = call
        .tampering
        .rots_stored()
        .then(|| halves_swapped(from, 0, from.size));
    let (md5, checksum) = digests(store, &source.located, algorithm, rotten.as_ref()).await?;
    let annotations = match call.header("x-amz-object-annotation-directive") {
        None | Some("COPY") => from.annotations.clone(),
        Some("EXCLUDE") => Default::default(),
        Some(_) => return Err(invalid_argument("Unknown annotation directive.")),
    };
    let copy = Object {
        etag: put::etag(&bucket, &encryption, md5),
        size: from.size,
        segments: rotten.unwrap_or_else(|| from.segments.clone()),
        parts: Vec::new(),
        checksum: Some(checksum),
        encryption,
        attributes,
        restored_until: None,
        annotations,
    };
    let modified = Timestamp::now();
    let document = Writer::document("CopyObjectResult", |xml| {
        xml.text("ETag", quoted(&copy.etag));
        xml.text("LastModified", times::iso(modified));
        if let Some(checksum) = &copy.checksum {
            checksum.write(xml);
        }
    });
    let mut answer = response::xml(document);
    copy.encryption.tell(&mut answer);
    tell_source(&mut answer, &source);
    answer.set_some(
        "x-amz-version-id",
        put::publish(&bucket, call, copy, modified, None)?,
    );
    Ok(answer)
}

/// UploadPartCopy.
pub(super) async fn part(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let slot = multipart::slot(&bucket, call)?;
    slot.encryption
        .admit_part(CustomerKey::of(&call.headers)?.as_ref())?;
    let source = source(store, call)?;
    let from = source.located.object();
    let (start, length) = match call.header("x-amz-copy-source-range") {
        Some(range) => copy_range(range, from.size)?,
        None => (0, from.size),
    };
    if length > LARGEST_COPY {
        return Err(invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_COPY}"
        )));
    }
    let mut segments: Vec<Segment> = from.slice(start, length);
    if call.tampering.rots_stored() {
        segments = halves_swapped(from, start, length);
    }
    let digests = outflow::hash(
        &store.blobs,
        segments.clone(),
        [Algorithm::Md5, slot.algorithm],
    )
    .await?;
    let digest = |algorithm| {
        digests
            .iter()
            .find(|digest: &&Digest| digest.algorithm() == algorithm)
    };
    let md5 = digest(Algorithm::Md5).map(Digest::hex).unwrap_or_default();
    let part = UploadedPart {
        etag: put::etag(&bucket, &slot.encryption, md5.clone()),
        md5,
        size: length,
        segments,
        checksum: digest(slot.algorithm)
            .map(Digest::base64)
            .unwrap_or_default(),
        modified: Timestamp::now(),
    };
    let document = Writer::document("CopyPartResult", |xml| {
        xml.text("ETag", quoted(&part.etag));
        xml.text("LastModified", times::iso(part.modified));
        if slot.explicit {
            xml.text(super::checksums::element(slot.algorithm), &part.checksum);
        }
    });
    let mut answer = response::xml(document);
    slot.encryption.tell(&mut answer);
    tell_source(&mut answer, &source);
    multipart::store_part(&bucket, call, &slot, part)?;
    Ok(answer)
}

fn source(store: &Store, call: &Call) -> Result<Source> {
    let malformed = || {
        invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    };
    let text = call.header("x-amz-copy-source").ok_or_else(malformed)?;
    let (path, query) = match text.rsplit_once("?versionId=") {
        Some((path, id)) => (path, Query::parse(&format!("versionId={id}"))),
        None => (text, Query::default()),
    };
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| malformed())?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path
        .split_once('/')
        .filter(|(_, key)| !key.is_empty())
        .ok_or_else(malformed)?;
    let version_id = query.filled("versionId");
    let action = if version_id.is_some() {
        "GetObjectVersion"
    } else {
        "GetObject"
    };
    permit(store, call.anonymous, action, bucket, key)?;
    let located = {
        let bucket = store.bucket(bucket)?;
        let version = match get::select(&bucket.read(), key, version_id) {
            Ok(version) => Arc::clone(version),
            Err(refused) if refused.code().as_str() == "MethodNotAllowed" => {
                return Err(invalid_request(
                    "The source of a copy request may not specifically refer to a delete marker by version id.",
                ));
            }
            Err(refused) => return Err(refused),
        };
        Located { bucket, version }
    };
    let object = located.object();
    object
        .encryption
        .admit(CustomerKey::of_copy_source(&call.headers)?.as_ref())?;
    Conditions::of_copy_source(&call.headers)
        .check_source(&object.etag, located.version.modified)?;
    if object.is_archived() {
        return Err(get::archived());
    }
    let hold = store
        .blobs
        .hold(object.segments.iter().map(|segment| segment.blob));
    Ok(Source {
        _hold: hold,
        located,
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version_named: version_id.is_some(),
    })
}

/// What the copy says about itself: the source's or the request's, as the directives want it.
fn attributes(call: &Call, source: &Source, target: &Bucket, state: &State) -> Result<Attributes> {
    let from = &source.located.object().attributes;
    let mut attributes = match call.header("x-amz-metadata-directive") {
        Some("REPLACE") => headers::metadata(&call.headers)?,
        None | Some("COPY") => {
            let mut system = from.system.clone();
            system.retain(|(name, _)| name != headers::WEBSITE_REDIRECT);
            if let Some(redirect) = call.header(headers::WEBSITE_REDIRECT) {
                system.push((headers::WEBSITE_REDIRECT.to_owned(), redirect.to_owned()));
            }
            Attributes {
                system,
                user: from.user.clone(),
                ..Attributes::default()
            }
        }
        Some(_) => return Err(invalid_argument("Unknown metadata directive.")),
    };
    attributes.tags = match call.header("x-amz-tagging-directive") {
        Some("REPLACE") => tags::of_header(&call.headers)?,
        None | Some("COPY") => from.tags.clone(),
        Some(_) => return Err(invalid_argument("Unknown tagging directive.")),
    };
    attributes.storage_class = headers::storage_class(&call.headers, target)?;
    attributes.acl = headers::acl(&call.headers)?;
    (attributes.retention, attributes.legal_hold) = headers::lock(&call.headers, state)?;
    Ok(attributes)
}

/// S3 refuses to copy an object onto itself when nothing would change.
fn refuse_idle_copy(
    call: &Call,
    source: &Source,
    target: &Bucket,
    encryption: &Encryption,
) -> Result<()> {
    let from = source.located.object();
    let onto_itself =
        source.bucket == call.bucket() && source.key == call.key() && !source.version_named;
    let changes = call.header("x-amz-metadata-directive") == Some("REPLACE")
        || call.header(headers::WEBSITE_REDIRECT).is_some()
        || call.header("x-amz-server-side-encryption").is_some()
        || headers::storage_class(&call.headers, target)? != from.attributes.storage_class
        || *encryption != from.encryption;
    if onto_itself && !changes {
        return Err(invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

/// The MD5 and the checksum of all of the source, read again only if it does not keep them.
async fn digests(
    store: &Store,
    located: &Located,
    algorithm: Algorithm,
    rotten: Option<&Vec<Segment>>,
) -> Result<(String, StoredChecksum)> {
    let object = located.object();
    let known_md5 = (rotten.is_none()
        && object.parts.is_empty()
        && object.encryption == Encryption::Managed
        && !located.bucket.is_directory())
    .then(|| object.etag.clone());
    let known_checksum = located
        .whole_checksum()
        .filter(|checksum| checksum.algorithm == algorithm)
        .cloned();
    if let (Some(md5), Some(checksum)) = (&known_md5, &known_checksum) {
        return Ok((md5.clone(), checksum.clone()));
    }
    let digests = outflow::hash(
        &store.blobs,
        rotten.unwrap_or(&object.segments).clone(),
        [Algorithm::Md5, algorithm],
    )
    .await?;
    let digest = |algorithm| {
        *digests
            .iter()
            .find(|digest| digest.algorithm() == algorithm)
            .expect("each algorithm named has a digest")
    };
    Ok((
        digest(Algorithm::Md5).hex(),
        StoredChecksum::whole(digest(algorithm)),
    ))
}

/// A run of an object's bytes as a fault has it: of the same length, and not the same.
fn halves_swapped(from: &Object, start: u64, length: u64) -> Vec<Segment> {
    let half = length / 2;
    let mut segments = from.slice(start + half, length - half);
    segments.extend(from.slice(start, half));
    segments
}

fn tell_source(answer: &mut Answer, source: &Source) {
    let Located { bucket, version } = &source.located;
    answer.set_some("x-amz-copy-source-version-id", told_id(bucket, &version.id));
}

fn told_id(bucket: &Bucket, id: &str) -> Option<String> {
    bucket.read().told_id(id).map(str::to_owned)
}

fn copy_range(text: &str, size: u64) -> Result<(u64, u64)> {
    let (first, last) = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)))
        .filter(|(first, last)| first <= last)
        .ok_or_else(|| {
            invalid_argument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
        })?;
    if last >= size {
        return Err(error(
            400,
            "InvalidArgument",
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok((first, last - first + 1))
}
