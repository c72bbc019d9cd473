//! Annotations: named payloads beside an object's content.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;

use super::bucket::Change;
use super::checksums::{Claims, StoredChecksum};
use super::conditions;
use super::error::{Result, error, invalid_argument, not_implemented, precondition_failed};
use super::get::{self, Located};
use super::object::{Annotation, Object};
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::store::Store;
use super::times;
use super::xml::Writer;
use crate::digest::{Algorithm, digest};

const LONGEST_NAME: usize = 512;
const LARGEST_PAYLOAD: usize = 1 << 20;
const MOST: usize = 1000;

/// PutObjectAnnotation.
pub(super) async fn put(store: &Store, call: &mut Call) -> Result<Answer> {
    let claimed = Claims::of(&call.headers)?.algorithm();
    let payload = call.small_body().await?;
    if payload.len() > LARGEST_PAYLOAD {
        return Err(error(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ));
    }
    let name = name(call)?.to_owned();
    let located = locate(store, call)?;
    let md5 = digest(Algorithm::Md5, &payload).hex();
    let annotation = Annotation {
        etag: located.object().encryption.etag(md5),
        size: payload.len() as u64,
        modified: Timestamp::now(),
        checksum: StoredChecksum::whole(digest(claimed.unwrap_or(Algorithm::Crc64Nvme), &payload)),
        payload: STANDARD.encode(&payload),
    };
    let document = Writer::document("PutObjectAnnotationOutput", |xml| {
        xml.text("Key", call.key());
        xml.text("AnnotationName", &name);
    });
    let mut answer = told(response::xml(document), &located);
    answer.set("etag", quoted(&annotation.etag));
    annotation.checksum.tell(&mut answer);
    located.object().encryption.tell(&mut answer);
    change(&located, call, |object| {
        object.annotations.insert(name, annotation);
        if object.annotations.len() > MOST {
            return Err(error(
                400,
                "AnnotationLimitExceeded",
                "The object has too many annotations.",
            ));
        }
        Ok(())
    })?;
    Ok(answer)
}

/// GetObjectAnnotation.
pub(super) fn get(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    let annotation = located
        .object()
        .annotations
        .get(name(call)?)
        .ok_or_else(no_such_annotation)?;
    let payload = STANDARD.decode(&annotation.payload).unwrap_or_default();
    let mut answer = told(Answer::empty(200), &located);
    answer.set("etag", quoted(&annotation.etag));
    answer.set("last-modified", times::http(annotation.modified));
    answer.set("content-length", payload.len().to_string());
    answer.set("content-type", "binary/octet-stream");
    annotation.checksum.tell(&mut answer);
    located.object().encryption.tell(&mut answer);
    answer.body = payload.into();
    Ok(answer)
}

/// ListObjectAnnotations.
pub(super) fn list(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    let prefix = call.query.get("annotation-prefix").unwrap_or_default();
    let limit = call.page_size("max-annotation-results")?;
    let token = call.query.filled("continuation-token");
    let behind = token.map(read_token).transpose()?;
    let from = behind.map_or(Bound::Included(prefix.to_owned()), Bound::Excluded);
    let mut rest = located
        .object()
        .annotations
        .range((from, Bound::Unbounded))
        .take_while(|(name, _)| name.starts_with(prefix));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = rest
        .next()
        .and(page.last())
        .map(|(name, _)| URL_SAFE_NO_PAD.encode(name));
    let document = Writer::document("ListObjectAnnotationsOutput", |xml| {
        xml.text("Bucket", call.bucket());
        xml.text("Key", call.key());
        xml.text("AnnotationPrefix", prefix);
        xml.text("MaxAnnotationResults", limit);
        xml.text("AnnotationCount", page.len());
        xml.optional("ContinuationToken", token);
        xml.optional("NextContinuationToken", next);
        xml.element("Annotations", |xml| {
            for (name, annotation) in &page {
                xml.element("AnnotationEntry", |xml| {
                    xml.text("AnnotationName", name);
                    xml.text("LastModified", times::iso(annotation.modified));
                    xml.text("ETag", quoted(&annotation.etag));
                    xml.text("ChecksumAlgorithm", annotation.checksum.algorithm);
                    xml.text("Size", annotation.size);
                });
            }
        });
    });
    Ok(told(response::xml(document), &located))
}

/// DeleteObjectAnnotation.
pub(super) fn delete(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    let name = name(call)?;
    change(&located, call, |object| {
        object.annotations.remove(name);
        Ok(())
    })?;
    Ok(told(Answer::empty(204), &located))
}

fn locate(store: &Store, call: &Call) -> Result<Located> {
    let located = get::locate(store, call)?;
    if located.bucket.is_directory() {
        return Err(not_implemented("annotations in directory buckets"));
    }
    Ok(located)
}

fn change(
    located: &Located,
    call: &Call,
    change: impl FnOnce(&mut Object) -> Result<()>,
) -> Result<()> {
    located.bucket.transact(|state| {
        let mut version = get::select(state, call.key(), Some(&located.version.id))?
            .as_ref()
            .clone();
        if let Some(object) = &mut version.object {
            if call
                .header("x-amz-object-if-match")
                .is_some_and(|wanted| !conditions::names(wanted, &object.etag))
            {
                return Err(precondition_failed());
            }
            change(object)?;
        }
        Ok((
            vec![Change::Update {
                key: call.key().to_owned(),
                version,
            }],
            (),
        ))
    })
}

fn told(mut answer: Answer, located: &Located) -> Answer {
    answer.set_some(
        "x-amz-object-version-id",
        located.bucket.read().told_id(&located.version.id),
    );
    answer
}

fn name(call: &Call) -> Result<&str> {
    match call.query.filled("annotationName") {
        None => Err(error(
            400,
            "InvalidAnnotationName",
            "The annotation name is not valid.",
        )),
        Some(name) if name.len() > LONGEST_NAME => Err(error(
            400,
            "AnnotationNameTooLong",
            "The annotation name is too long.",
        )),
        Some(name) => Ok(name),
    }
}

fn no_such_annotation() -> s3s::S3Error {
    error(
        404,
        "NoSuchAnnotation",
        "The specified annotation does not exist.",
    )
}

fn read_token(token: &str) -> Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|name| String::from_utf8(name).ok())
        .ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}
