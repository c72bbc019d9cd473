//! Uploads that an earlier run, or an attempt whose answer was lost, left behind: what they have
//! (ListParts), how they end (AbortMultipartUpload), and how one is found whose id was never heard
//! (ListMultipartUploads).

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

use aws_sdk_s3::types::{EncodingType, MultipartUpload};

use super::S3Store;
use super::answer::{checksum_texts, digest_under};
use super::encryption::with_key;
use super::headers::payer;
use super::listing::decode;
use crate::digest::{Algorithm, Digest};
use crate::object::ETag;
use crate::store::{
    ErrorKind, LeftUpload, Part, Payer, Put, StoreError, StoredPart, Unheard, UnheardUpload,
};

/// An upload that was not heard of was begun so many seconds after it was asked for at most, and by
/// the server's clock, which tells no more than seconds, not much earlier.
const WINDOW: std::ops::RangeInclusive<i64> = -2..=900;

/// What an upload was when it was to be aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Under way: nothing of it stays.
    Now,
    /// Completed, or aborted by somebody else.
    Before,
}

/// AbortMultipartUpload.
pub(super) async fn end(
    store: &S3Store,
    key: &str,
    upload_id: &str,
    paying: Payer,
) -> Result<Ended, StoreError> {
    const OPERATION: &str = "AbortMultipartUpload";
    let store = &store.cleaning_up();
    let aborted = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .abort_multipart_upload()
                .bucket(store.bucket())
                .key(key)
                .upload_id(upload_id)
                .set_request_payer(payer(paying));
            store.send(OPERATION, key, Duration::ZERO, request.send())
        })
        .await;
    match aborted {
        Ok(_) => Ok(Ended::Now),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Ended::Before),
        Err(error) => Err(error),
    }
}

/// All parts an upload has; `None` where it is not there.
pub(super) async fn parts(
    store: &S3Store,
    left: &LeftUpload,
) -> Result<Option<BTreeMap<NonZeroU16, StoredPart>>, StoreError> {
    const OPERATION: &str = "ListParts";
    let mut parts = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let marker = &after;
        let page = store
            .retrying(OPERATION, || {
                let request = store
                    .client()
                    .list_parts()
                    .bucket(store.bucket())
                    .key(&left.key)
                    .upload_id(&left.upload_id)
                    .set_part_number_marker(marker.clone());
                let request = with_key!(request, store.key());
                store.send(OPERATION, &left.key, Duration::ZERO, request.send())
            })
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        for part in page.parts() {
            let number = part.part_number().and_then(|it| u16::try_from(it).ok());
            let size = part.size().and_then(|it| u64::try_from(it).ok());
            let (Some(number), Some(size)) = (number.and_then(NonZeroU16::new), size) else {
                continue;
            };
            let stored = StoredPart {
                number,
                etag: part.e_tag().map(ETag::parse),
                etag_is_digest: left.etag_is_digest,
                checksum: digest_under(checksum_texts!(part), left.checksum),
                size,
            };
            parts.insert(number, stored);
        }
        let next = page.next_part_number_marker().map(str::to_owned);
        match next.filter(|next| page.is_truncated() == Some(true) && after.as_ref() != Some(next))
        {
            Some(next) => after = Some(next),
            None => return Ok(Some(parts)),
        }
    }
}

/// Whether what S3 says of a part it has proves that it is this one: by its ETag or its checksum,
/// with nothing that says otherwise. A checksum that the upload is to have must be among them,
/// because it cannot be completed without.
pub(super) fn is_confirmed(listed: &StoredPart, part: &Part) -> bool {
    let made = |algorithm: Algorithm| {
        let mut digests = part.digests.iter();
        digests.find(|digest| digest.algorithm() == algorithm)
    };
    let etag = match &listed.etag {
        Some(ETag::Md5Shaped(md5)) if listed.etag_is_digest => {
            made(Algorithm::Md5).map(|made| Digest::from_bytes(Algorithm::Md5, md5) == Some(*made))
        }
        _ => None,
    };
    let checksum = listed
        .checksum
        .and_then(|kept| made(kept.algorithm()).map(|made| *made == kept));
    let told = [etag, checksum].into_iter().flatten();
    listed.size == part.bytes.len() as u64 && told.reduce(|one, other| one && other) == Some(true)
}

/// Ends the uploads that were begun by attempts before the one that was answered, so many at most.
/// What cannot be found or ended is told, and harms nothing.
pub(super) async fn end_twins(
    store: &S3Store,
    put: &Put,
    (heard, most): (&LeftUpload, usize),
    since: i64,
) {
    let unheard = UnheardUpload {
        key: heard.key.clone(),
        since,
        checksum: heard.checksum,
        storage_class: put.storage_class.as_ref().map(|it| it.as_str().to_owned()),
    };
    match end_unheard(store, &unheard, Some(&heard.upload_id), most).await {
        Ok(Unheard::Ended) => {}
        Ok(Unheard::OneOf(many)) => {
            tracing::warn!(
                key = heard.key,
                many,
                "an upload that was begun and not heard of stays: which one it is cannot be told"
            );
        }
        Err(error) => {
            tracing::warn!(%error, "an upload that was begun and not heard of cannot be looked for");
        }
    }
}

/// Finds the uploads whose ids were not heard, `most` of them, and ends them. Each is one of just
/// this key, begun when it was asked for and with what it was asked for, that has no part yet, and
/// not the one named by `except`; where that is true of more than `most`, none of them is touched.
pub(super) async fn end_unheard(
    store: &S3Store,
    unheard: &UnheardUpload,
    except: Option<&str>,
    most: usize,
) -> Result<Unheard, StoreError> {
    let mut found = Vec::new();
    for upload in uploads_of(store, &unheard.key).await? {
        let Some(id) = upload.upload_id().filter(|id| Some(*id) != except) else {
            continue;
        };
        if !may_be(&upload, unheard) {
            continue;
        }
        let left = LeftUpload {
            key: unheard.key.clone(),
            upload_id: id.to_owned(),
            etag_is_digest: false,
            checksum: None,
        };
        if parts(store, &left).await?.is_some_and(|has| has.is_empty()) {
            found.push(left);
        }
    }
    if found.len() > most {
        return Ok(Unheard::OneOf(found.len()));
    }
    for left in &found {
        end(store, &left.key, &left.upload_id, Payer::default()).await?;
    }
    Ok(Unheard::Ended)
}

/// Whether an upload is what was asked for, as far as S3 tells.
fn may_be(upload: &MultipartUpload, unheard: &UnheardUpload) -> bool {
    let class = |name: Option<&str>| name.unwrap_or("STANDARD").to_owned();
    let begun = upload.initiated().map(|it| it.secs() - unheard.since);
    begun.is_some_and(|after| WINDOW.contains(&after))
        && class(upload.storage_class().map(|it| it.as_str()))
            == class(unheard.storage_class.as_deref())
        && match (upload.checksum_algorithm(), unheard.checksum) {
            (told, Some(asked)) => told.is_some_and(|told| told.as_str() == asked.as_str()),
            // S3 keeps this one unasked
            (told, None) => told.is_none_or(|told| told.as_str() == Algorithm::Crc64Nvme.as_str()),
        }
}

/// ListMultipartUploads of one key.
async fn uploads_of(store: &S3Store, key: &str) -> Result<Vec<MultipartUpload>, StoreError> {
    const OPERATION: &str = "ListMultipartUploads";
    let mut uploads = Vec::new();
    let mut after: (Option<String>, Option<String>) = (None, None);
    loop {
        let marker = &after;
        let page = store
            .retrying(OPERATION, || {
                let request = store
                    .client()
                    .list_multipart_uploads()
                    .bucket(store.bucket())
                    .prefix(key)
                    .encoding_type(EncodingType::Url)
                    .set_key_marker(marker.0.clone())
                    .set_upload_id_marker(marker.1.clone());
                store.send(OPERATION, key, Duration::ZERO, request.send())
            })
            .await?;
        let is_encoded = page.encoding_type().is_some();
        let whole = |name: &str| {
            let mut name = name.to_owned();
            if is_encoded {
                decode(&mut name).ok()?;
            }
            Some(name)
        };
        // other keys begin like this one, and all of them come after it
        let mut is_past = false;
        for upload in page.uploads() {
            match upload.key().and_then(whole) {
                Some(name) if name == key => uploads.push(upload.clone()),
                Some(_) | None => is_past = true,
            }
        }
        let next = (
            page.next_key_marker().and_then(whole),
            page.next_upload_id_marker().map(str::to_owned),
        );
        if is_past || page.is_truncated() != Some(true) || next.0.is_none() || next == after {
            return Ok(uploads);
        }
        after = next;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::digest::digest;

    #[test]
    fn a_part_is_confirmed_by_a_digest_and_never_by_its_length_alone() {
        let bytes = Bytes::from_static(b"light");
        let number = NonZeroU16::MIN;
        let (md5, other) = (digest(Algorithm::Md5, &bytes), digest(Algorithm::Md5, b"x"));
        let sum = digest(Algorithm::Crc64Nvme, &bytes);
        let wrong = digest(Algorithm::Crc64Nvme, b"x");
        let part = Part {
            number,
            offset: 0,
            bytes,
            digests: vec![md5, sum],
        };
        let etag = |of: Digest| Some(ETag::parse(&format!("\"{}\"", of.hex())));
        for (name, size, etag, is_digest, checksum, expected) in [
            ("by its ETag", 5, etag(md5), true, None, true),
            ("of another length", 6, etag(md5), true, None, false),
            ("of other content", 5, etag(other), true, None, false),
            ("encrypted, no checksum", 5, etag(md5), false, None, false),
            (
                "encrypted, by checksum",
                5,
                etag(other),
                false,
                Some(sum),
                true,
            ),
            ("one says otherwise", 5, etag(md5), true, Some(wrong), false),
            ("the other does", 5, etag(other), true, Some(sum), false),
            ("nothing is told", 5, None, true, None, false),
        ] {
            let listed = StoredPart {
                number,
                etag,
                etag_is_digest: is_digest,
                checksum,
                size,
            };
            assert_eq!(is_confirmed(&listed, &part), expected, "{name}");
        }
    }
}
