//! GetObjectAttributes.

use super::checksums::{StoredChecksum, element};
use super::encryption::CustomerKey;
use super::error::{Result, invalid_argument};
use super::get;
use super::object::Object;
use super::request::Call;
use super::response::{self, Answer};
use super::store::Store;
use super::times;
use super::xml::Writer;

const KNOWN: [&str; 5] = [
    "ETag",
    "Checksum",
    "ObjectParts",
    "StorageClass",
    "ObjectSize",
];

/// GetObjectAttributes.
pub(super) fn get(store: &Store, call: &Call) -> Result<Answer> {
    let located = get::locate(store, call)?;
    let object = located.object();
    object
        .encryption
        .admit(CustomerKey::of(&call.headers)?.as_ref())?;
    let asked: Vec<&str> = call
        .headers
        .get_all("x-amz-object-attributes")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if asked.is_empty() || asked.iter().any(|name| !KNOWN.contains(name)) {
        return Err(invalid_argument("Invalid attribute name specified."));
    }
    let wants = |name| asked.contains(&name);
    let limit = call
        .number_header("x-amz-max-parts")?
        .unwrap_or(1000)
        .min(1000) as usize;
    let marker = call.number_header("x-amz-part-number-marker")?.unwrap_or(0);
    let document = Writer::document("GetObjectAttributesResponse", |xml| {
        if wants("ETag") {
            xml.text("ETag", &object.etag);
        }
        if let Some(checksum) = object.checksum.as_ref().filter(|_| wants("Checksum")) {
            xml.element("Checksum", |xml| checksum.write(xml));
        }
        if wants("ObjectParts") && !object.parts.is_empty() {
            xml.element("ObjectParts", |xml| write_parts(xml, object, marker, limit));
        }
        if wants("StorageClass") {
            xml.text("StorageClass", object.storage_class());
        }
        if wants("ObjectSize") {
            xml.text("ObjectSize", object.size);
        }
    });
    let mut answer = response::xml(document);
    answer.set("last-modified", times::http(located.version.modified));
    answer.set_some(
        "x-amz-version-id",
        located.bucket.read().told_id(&located.version.id),
    );
    Ok(answer)
}

/// S3 tells the number of parts always, but the parts only where the client asked for checksums.
fn write_parts(xml: &mut Writer, object: &Object, marker: u64, limit: usize) {
    xml.text("PartsCount", object.parts.len());
    let Some(StoredChecksum { algorithm, .. }) = object.checksum else {
        return;
    };
    if object.parts.iter().any(|part| part.checksum.is_none()) {
        return;
    }
    let mut rest = (1_u64..)
        .zip(&object.parts)
        .skip_while(|(number, _)| *number <= marker);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    xml.text("PartNumberMarker", marker);
    xml.text(
        "NextPartNumberMarker",
        page.last().map_or(0, |(number, _)| *number),
    );
    xml.text("MaxParts", limit);
    xml.text("IsTruncated", rest.next().is_some());
    for (number, part) in page {
        xml.element("Part", |xml| {
            xml.text("PartNumber", number);
            xml.text("Size", part.size);
            xml.optional(element(algorithm), part.checksum.as_ref());
        });
    }
}
