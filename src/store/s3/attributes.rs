//! GetObjectAttributes: the parts an object was uploaded in.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>

use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::operation::get_object_attributes::GetObjectAttributesOutput;
use aws_sdk_s3::types::{ObjectAttributes, ObjectPart};

use super::S3Store;
use super::answer::checksum_texts;
use super::encryption::with_key;
use super::learnt::Lack;
use crate::digest::Digest;
use crate::object::{ETag, ObjectVersion};
use crate::store::{ErrorKind, PartLayout, StoreError, ToldPart};

const OPERATION: &str = "GetObjectAttributes";

/// The parts of an object, where the endpoint tells them: S3 does of those that were uploaded with
/// additional checksums. An endpoint that refuses the question is no failure, and is told of once.
pub(super) async fn parts(
    store: &S3Store,
    of: ObjectVersion<'_>,
) -> Result<Option<PartLayout>, StoreError> {
    let mut layout = PartLayout::default();
    let mut marker = None;
    loop {
        let output = match page(store, of, marker.clone()).await {
            Ok(output) => output,
            Err(error) if cannot(&error) => {
                store.learn(Lack::Parts, &error.to_string());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let etag = output.e_tag().map(ETag::parse);
        if marker.is_some() && etag != layout.etag {
            // the object was replaced between two pages
            return Ok(None);
        }
        layout.etag = etag;
        let Some(page) = output.object_parts() else {
            return Ok(None);
        };
        layout.parts.extend(page.parts().iter().filter_map(told));
        match page.next_part_number_marker() {
            Some(next) if page.is_truncated() == Some(true) && marker.as_deref() != Some(next) => {
                marker = Some(next.to_owned());
            }
            _ => {
                let count = page.total_parts_count();
                let count = count.and_then(|count| usize::try_from(count).ok());
                let complete = !layout.parts.is_empty()
                    && count.is_none_or(|count| count == layout.parts.len());
                return Ok(complete.then_some(layout));
            }
        }
    }
}

async fn page(
    store: &S3Store,
    of: ObjectVersion<'_>,
    marker: Option<String>,
) -> Result<GetObjectAttributesOutput, StoreError> {
    let full_key = store.full_key(of.key);
    store
        .retrying(OPERATION, async || {
            let request = store
                .client()
                .get_object_attributes()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned))
                .object_attributes(ObjectAttributes::Etag)
                .object_attributes(ObjectAttributes::ObjectParts)
                .set_part_number_marker(marker.clone());
            let request = with_key!(request, store.key())
                .customize()
                .interceptor(NoObject)
                .send();
            let answer = store.send(OPERATION, &full_key, Duration::ZERO, request);
            answer.await.map_err(no_answer)
        })
        .await
}

/// A server that does not know the question answers it with the object: that is no bad night.
fn no_answer(error: StoreError) -> StoreError {
    match error.code.as_deref() {
        Some("HTTP 200") => StoreError {
            kind: ErrorKind::Unsupported,
            ..error
        },
        _ => error,
    }
}

fn cannot(error: &StoreError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unsupported | ErrorKind::AccessDenied | ErrorKind::Other
    )
}

fn told(part: &ObjectPart) -> Option<ToldPart> {
    let mut checksums = checksum_texts!(part);
    Some(ToldPart {
        size: u64::try_from(part.size()?).ok()?,
        checksum: checksums.find_map(|(algorithm, text)| Digest::from_base64(algorithm, text)),
    })
}

/// Refuses an answer that is an object rather than a page of a thousand parts, before it is in
/// memory.
#[derive(Debug)]
struct NoObject;

/// More than a thousand parts take, with all they are told with.
const LARGEST_PAGE: u64 = 4 << 20;

impl Intercept for NoObject {
    fn name(&self) -> &'static str {
        "NoObject"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let length = context.response().headers().get("content-length");
        let length = length.and_then(|text| text.parse::<u64>().ok());
        if length.is_some_and(|length| length > LARGEST_PAGE) {
            return Err("the answer is the object itself".into());
        }
        Ok(())
    }
}
