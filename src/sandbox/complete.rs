//! CompleteMultipartUpload.

use std::collections::BTreeMap;

use super::bucket::Bucket;
use super::checksums::{self, Kind, StoredChecksum};
use super::conditions::Conditions;
use super::encryption::CustomerKey;
use super::error::{Result, error, invalid_request, malformed_xml, no_such_upload};
use super::list::Encoding;
use super::multipart::{self, MOST_PARTS, Upload, UploadedPart};
use super::object::{Object, Part};
use super::put;
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::store::Store;
use super::xml::{Node, Writer};
use crate::digest::{Algorithm, Checksum, Digest, combine_crc, composite};

/// All parts but the last have at least so many bytes.
const SMALLEST_PART: u64 = 5 << 20;

/// A part as CompleteMultipartUpload lists it.
struct Listed {
    number: u16,
    etag: String,
    checksum: Option<(Algorithm, String)>,
}

/// CompleteMultipartUpload.
pub(super) async fn upload(store: &Store, call: &mut Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    // The checksum headers of this request are about the object, not about the body.
    let body = call.unclaimed_body().await?;
    let listed = read_list(&body)?;
    let (key, id) = multipart::name(call);
    let upload = bucket
        .read()
        .uploads
        .get(&(key, id.clone()))
        .cloned()
        .ok_or_else(no_such_upload)?;
    Conditions::of(&call.headers)
        .check_write(bucket.read().latest(call.key()).map(AsRef::as_ref))?;
    if let Some(key) = CustomerKey::of(&call.headers)? {
        upload.encryption.admit_part(Some(&key))?;
    }
    let mut parts = choose(&upload, &listed)?;
    if call.tampering.swaps_parts() && parts.len() > 1 {
        parts.swap(0, 1);
    }
    let checksum = checksum(&upload, &parts)?;
    check_claims(call, &upload, &parts, &checksum)?;
    let object = assemble(&bucket, &upload, &parts, checksum)?;
    let etag = object.etag.clone();
    let checksum = object.checksum.clone();
    let version_id = put::publish(&bucket, call, object, upload.initiated, Some(&id))?;
    let mut answer = response::xml(Writer::document("CompleteMultipartUploadResult", |xml| {
        let host = call.header("host").unwrap_or_default();
        let path = Encoding::Url.encode(call.key());
        xml.text(
            "Location",
            format!("http://{host}/{}/{path}", call.bucket()),
        );
        xml.text("Bucket", call.bucket());
        xml.text("Key", call.key());
        xml.text("ETag", quoted(&etag));
        if let Some(checksum) = &checksum {
            checksum.write(xml);
        }
    }));
    answer.set_some("x-amz-version-id", version_id);
    upload.encryption.tell(&mut answer);
    Ok(answer)
}

fn read_list(body: &[u8]) -> Result<Vec<Listed>> {
    let document = Node::parse(body, "CompleteMultipartUpload")?;
    let listed = document
        .all("Part")
        .map(|part| {
            let number = part
                .child_text("PartNumber")
                .and_then(|text| text.trim().parse().ok());
            let etag = part
                .child_text("ETag")
                .map(|text| text.trim().trim_matches('"').to_owned());
            let checksum = Algorithm::ALL.into_iter().find_map(|algorithm| {
                Some((
                    algorithm,
                    part.child_text(checksums::element(algorithm))?
                        .trim()
                        .to_owned(),
                ))
            });
            Ok(Listed {
                number: number.ok_or_else(malformed_xml)?,
                etag: etag.ok_or_else(malformed_xml)?,
                checksum,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if listed.is_empty() || listed.len() > usize::from(MOST_PARTS) {
        return Err(malformed_xml());
    }
    if listed
        .windows(2)
        .any(|pair| pair[0].number >= pair[1].number)
    {
        return Err(error(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ));
    }
    Ok(listed)
}

/// The parts that were listed, if each is what the client believes it is.
fn choose<'a>(upload: &'a Upload, listed: &[Listed]) -> Result<Vec<(u16, &'a UploadedPart)>> {
    let invalid = || {
        error(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        )
    };
    let algorithm = upload.algorithm();
    let mut chosen = Vec::with_capacity(listed.len());
    for Listed {
        number,
        etag,
        checksum,
    } in listed
    {
        let part = upload
            .parts
            .get(number)
            .filter(|part| part.etag == *etag)
            .ok_or_else(invalid)?;
        match checksum {
            Some((named, value))
                if upload.algorithm.is_some() && (*named, value) != (algorithm, &part.checksum) =>
            {
                return Err(invalid());
            }
            None if upload.kind == Kind::Composite => {
                let name = algorithm.as_str().to_lowercase();
                return Err(invalid_request(format!(
                    "The upload was created using a {name} checksum. The complete request must include the checksum for each part. It was missing for part {number} in the request."
                )));
            }
            _ => chosen.push((*number, part)),
        }
    }
    let (_, all_but_last) = chosen.split_last().ok_or_else(malformed_xml)?;
    if all_but_last
        .iter()
        .any(|(_, part)| part.size < SMALLEST_PART)
    {
        return Err(error(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    Ok(chosen)
}

fn checksum(upload: &Upload, parts: &[(u16, &UploadedPart)]) -> Result<StoredChecksum> {
    let algorithm = upload.algorithm();
    let digests = parts
        .iter()
        .map(|(_, part)| Ok((checksums::parse(algorithm, &part.checksum)?, part.size)))
        .collect::<Result<Vec<_>>>()?;
    let whole = match upload.kind {
        Kind::FullObject => combine_crc(&digests).map(Checksum::Whole),
        Kind::Composite => composite(
            &digests
                .iter()
                .map(|(digest, _)| *digest)
                .collect::<Vec<_>>(),
        ),
    };
    whole
        .as_ref()
        .map(StoredChecksum::of)
        .ok_or_else(|| error(500, "InternalError", "the parts have no common checksum"))
}

/// What the request says about the whole object must be so.
fn check_claims(
    call: &Call,
    upload: &Upload,
    parts: &[(u16, &UploadedPart)],
    checksum: &StoredChecksum,
) -> Result<()> {
    if call
        .header("x-amz-checksum-type")
        .is_some_and(|kind| kind != upload.kind.as_str())
    {
        return Err(invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            upload.kind.as_str()
        )));
    }
    let size: u64 = parts.iter().map(|(_, part)| part.size).sum();
    if call
        .number_header("x-amz-mp-object-size")?
        .is_some_and(|claimed| claimed != size)
    {
        return Err(invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header does not match what was computed. Expected object size: {size}"
        )));
    }
    let Some((algorithm, claimed)) = checksums::checksum_header(&call.headers)? else {
        return Ok(());
    };
    if algorithm != checksum.algorithm {
        return Err(invalid_request(format!(
            "The upload was created using the {} checksum algorithm, the complete request claims {algorithm}.",
            checksum.algorithm
        )));
    }
    let bare = checksum
        .value
        .split_once('-')
        .map_or(checksum.value.as_str(), |(digest, _)| digest);
    if claimed == checksum.value || claimed == bare {
        Ok(())
    } else {
        checksums::parse(
            algorithm,
            claimed
                .split_once('-')
                .map_or(claimed, |(digest, _)| digest),
        )?;
        Err(checksums::mismatch(algorithm))
    }
}

fn assemble(
    bucket: &Bucket,
    upload: &Upload,
    parts: &[(u16, &UploadedPart)],
    checksum: StoredChecksum,
) -> Result<Object> {
    let md5s = parts
        .iter()
        .filter_map(|(_, part)| Digest::from_bytes(Algorithm::Md5, &hex::decode(&part.md5).ok()?))
        .collect::<Vec<_>>();
    let Some(Checksum::Composite {
        digest,
        parts: count,
    }) = composite(&md5s)
    else {
        return Err(error(
            500,
            "InternalError",
            "an upload has between 1 and 10000 parts",
        ));
    };
    Ok(Object {
        etag: put::etag(
            bucket,
            &upload.encryption,
            format!("{}-{count}", digest.hex()),
        ),
        size: parts.iter().map(|(_, part)| part.size).sum(),
        segments: parts
            .iter()
            .flat_map(|(_, part)| part.segments.iter().copied())
            .collect(),
        parts: parts
            .iter()
            .map(|(number, part)| Part {
                number: *number,
                size: part.size,
                checksum: upload.algorithm.is_some().then(|| part.checksum.clone()),
            })
            .collect(),
        checksum: Some(checksum),
        encryption: upload.encryption.clone(),
        attributes: upload.attributes.clone(),
        restored_until: None,
        annotations: BTreeMap::new(),
    })
}
