//! ListParts and ListMultipartUploads.

use super::checksums;
use super::error::{Result, no_such_upload};
use super::list::{Encoding, OWNER};
use super::multipart::{self, Upload};
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::store::Store;
use super::times;
use super::xml::Writer;

/// ListParts.
pub(super) fn parts(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let (key, id) = multipart::name(call);
    let limit = call.page_size("max-parts")?;
    let marker = call.number::<u16>("part-number-marker")?.unwrap_or(0);
    let state = bucket.read();
    let upload = state
        .uploads
        .get(&(key, id.clone()))
        .ok_or_else(no_such_upload)?;
    let mut rest = upload.parts.range(marker.saturating_add(1)..);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let is_truncated = rest.next().is_some();
    Ok(response::xml(Writer::document("ListPartsResult", |xml| {
        xml.text("Bucket", call.bucket());
        xml.text("Key", call.key());
        xml.text("UploadId", &id);
        xml.text("PartNumberMarker", marker);
        xml.text(
            "NextPartNumberMarker",
            page.last().map_or(0, |(number, _)| **number),
        );
        xml.text("MaxParts", limit);
        xml.text("IsTruncated", is_truncated);
        for (number, part) in page {
            xml.element("Part", |xml| {
                xml.text("PartNumber", number);
                xml.text("LastModified", times::iso(part.modified));
                xml.text("ETag", quoted(&part.etag));
                xml.text("Size", part.size);
                if upload.algorithm.is_some() {
                    xml.text(checksums::element(upload.algorithm()), &part.checksum);
                }
            });
        }
        write_owner_and_class(xml, upload);
        write_algorithm(xml, upload);
    })))
}

/// ListMultipartUploads.
pub(super) fn in_bucket(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let limit = call.page_size("max-uploads")?;
    let encoding = Encoding::of(call)?;
    let prefix = call.query.get("prefix").unwrap_or_default();
    let delimiter = call.query.filled("delimiter");
    let key_marker = call.query.get("key-marker").unwrap_or_default();
    let id_marker = call.query.filled("upload-id-marker");
    let state = bucket.read();
    let after_marker = |key: &str, id: &str| match id_marker {
        Some(marker) => (key, id) > (key_marker, marker),
        None => key_marker.is_empty() || key > key_marker,
    };
    let mut page = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    let mut is_truncated = false;
    for ((key, id), upload) in &state.uploads {
        let Some(rest) = key.strip_prefix(prefix).filter(|_| after_marker(key, id)) else {
            continue;
        };
        let group = delimiter.and_then(|delimiter| {
            rest.find(delimiter)
                .map(|at| format!("{prefix}{}", &rest[..at + delimiter.len()]))
        });
        if group
            .as_ref()
            .is_some_and(|group| groups.contains(group) || group.as_str() <= key_marker)
        {
            continue;
        }
        if page.len() + groups.len() == limit {
            is_truncated = true;
            break;
        }
        match group {
            Some(group) => groups.push(group),
            None => page.push((key, id, upload)),
        }
    }
    Ok(response::xml(Writer::document(
        "ListMultipartUploadsResult",
        |xml| {
            xml.text("Bucket", call.bucket());
            xml.text("KeyMarker", encoding.encode(key_marker));
            xml.text("UploadIdMarker", id_marker.unwrap_or_default());
            if is_truncated {
                let last_key = page.last().map(|(key, ..)| key.as_str());
                let last = last_key
                    .max(groups.last().map(String::as_str))
                    .unwrap_or_default();
                xml.text("NextKeyMarker", encoding.encode(last));
                let id = page
                    .last()
                    .filter(|(key, ..)| key.as_str() == last)
                    .map(|(_, id, _)| *id);
                xml.optional("NextUploadIdMarker", id);
            }
            xml.text("Prefix", encoding.encode(prefix));
            xml.optional(
                "Delimiter",
                delimiter.map(|delimiter| encoding.encode(delimiter)),
            );
            encoding.tell(xml);
            xml.text("MaxUploads", limit);
            xml.text("IsTruncated", is_truncated);
            for (key, id, upload) in &page {
                xml.element("Upload", |xml| {
                    xml.text("Key", encoding.encode(key));
                    xml.text("UploadId", id);
                    write_owner_and_class(xml, upload);
                    xml.text("Initiated", times::iso(upload.initiated));
                    write_algorithm(xml, upload);
                });
            }
            for group in &groups {
                xml.element("CommonPrefixes", |xml| {
                    xml.text("Prefix", encoding.encode(group));
                });
            }
        },
    )))
}

fn write_owner_and_class(xml: &mut Writer, upload: &Upload) {
    for role in ["Initiator", "Owner"] {
        xml.element(role, |xml| xml.raw(OWNER));
    }
    let class = upload.attributes.storage_class.as_deref();
    xml.text("StorageClass", class.unwrap_or("STANDARD"));
}

fn write_algorithm(xml: &mut Writer, upload: &Upload) {
    if let Some(algorithm) = &upload.algorithm {
        xml.text("ChecksumAlgorithm", algorithm);
        xml.text("ChecksumType", upload.kind.as_str());
    }
}
