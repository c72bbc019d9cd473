//! Uploads that an earlier run, or an attempt whose answer was lost, left behind: what they have
//! (ListParts), how they end (AbortMultipartUpload), and how one is found whose id was never heard
//! (ListMultipartUploads).

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{EncodingType, MultipartUpload};

use super::S3Store;
use super::answer::{checksum_texts, digest_under};
use super::encryption::with_key;
use super::headers::payer;
use super::listing::decode;
use crate::digest::{Algorithm, Digest};
use crate::object::{ETag, Timestamp};
use crate::store::{
    ErrorKind, LeftUpload, Part, Payer, Put, StoreError, StoredPart, Unheard, UnheardUpload,
};

/// An upload begun within so many seconds of when one was asked for is that one: the server's clock
/// tells no more than seconds, and nobody else is likely to have asked for the same at that moment.
const AT_THAT_MOMENT: RangeInclusive<i64> = -2..=30;

/// S3 takes requests from whoever has a clock that is wrong by no more than this, in seconds.
const MOST_SKEW: RangeInclusive<i64> = -900..=900;

/// What was begun at another moment by the server's clock may be ours, or that of somebody who has
/// just begun and has no part yet: whoever works on it has one after an hour.
const SURELY_LEFT: i64 = 3600;

/// Which uploads may be the one whose id was not heard.
#[derive(Debug, Clone, Copy)]
struct Begun<'a> {
    /// When it may have been begun, in the server's seconds since 1970, both included.
    first: i64,
    last: i64,
    /// The id of one that it is not.
    except: Option<&'a str>,
    /// Who has begun it, where that is known.
    by: Option<&'a str>,
}

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
/// with nothing that says otherwise. The checksum that the upload is to have must be among them,
/// because it cannot be completed without.
pub(super) fn is_confirmed(listed: &StoredPart, part: &Part, wanted: Option<Algorithm>) -> bool {
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
    let has_its_checksum = wanted.is_none() || listed.checksum.is_some();
    has_its_checksum
        && listed.size == part.bytes.len() as u64
        && told.reduce(|one, other| one && other) == Some(true)
}

/// Ends the uploads that were begun by attempts before the one that was answered, so many at most:
/// begun by the same, and in the time for which this one was `asked`. What cannot be found or ended
/// is told, and harms nothing.
pub(super) async fn end_twins(
    store: &S3Store,
    put: &Put,
    (heard, most): (&LeftUpload, usize),
    asked: Instant,
) {
    let unheard = UnheardUpload {
        key: heard.key.clone(),
        since: 0,
        checksum: heard.checksum,
        storage_class: put.storage_class.as_ref().map(|it| it.as_str().to_owned()),
    };
    let took = i64::try_from(asked.elapsed().as_secs()).unwrap_or(i64::MAX);
    let ended = async {
        let uploads = uploads_of(store, &heard.key).await?;
        let ours = (uploads.iter()).find(|it| it.upload_id() == Some(&heard.upload_id));
        let Some((ours, last)) = ours.and_then(|it| Some((it, it.initiated()?.secs()))) else {
            return Ok(Unheard::Ended);
        };
        let begun = Begun {
            first: last.saturating_sub(took + 2),
            last,
            except: Some(&heard.upload_id),
            by: initiator(ours),
        };
        let found = without_parts(store, &uploads, &unheard, begun).await?;
        end_those(store, &found, most).await
    };
    match ended.await {
        Ok(Unheard::Ended | Unheard::MayBeAnothers) => {}
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

/// Finds an upload whose id was not heard, and ends it. It is one of just this key, begun when it
/// was asked for and with what it was asked for, that has no part yet; where that is true of
/// several, none of them is touched. What was begun at some other moment by the server's clock,
/// which may be another one than ours, is touched only when nobody can be at work on it any more.
pub(super) async fn end_unheard(
    store: &S3Store,
    unheard: &UnheardUpload,
) -> Result<Unheard, StoreError> {
    let uploads = uploads_of(store, &unheard.key).await?;
    let within = |seconds: &RangeInclusive<i64>| Begun {
        first: unheard.since.saturating_add(*seconds.start()),
        last: unheard.since.saturating_add(*seconds.end()),
        except: None,
        by: None,
    };
    let found = without_parts(store, &uploads, unheard, within(&AT_THAT_MOMENT)).await?;
    if !found.is_empty() {
        return end_those(store, &found, 1).await;
    }
    let found = without_parts(store, &uploads, unheard, within(&MOST_SKEW)).await?;
    let is_surely_left = Timestamp::now().seconds() - unheard.since >= SURELY_LEFT;
    if !found.is_empty() && !is_surely_left {
        return Ok(Unheard::MayBeAnothers);
    }
    end_those(store, &found, 1).await
}

/// Those of some uploads that may be the one, and have no part.
async fn without_parts(
    store: &S3Store,
    uploads: &[MultipartUpload],
    unheard: &UnheardUpload,
    begun: Begun<'_>,
) -> Result<Vec<LeftUpload>, StoreError> {
    let mut found = Vec::new();
    for upload in uploads {
        let Some(id) = upload.upload_id().filter(|id| Some(*id) != begun.except) else {
            continue;
        };
        if !may_be(upload, unheard, begun) {
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
    Ok(found)
}

/// Ends uploads if there are no others that they may be: so many at most.
async fn end_those(
    store: &S3Store,
    found: &[LeftUpload],
    most: usize,
) -> Result<Unheard, StoreError> {
    if found.len() > most {
        return Ok(Unheard::OneOf(found.len()));
    }
    for left in found {
        end(store, &left.key, &left.upload_id, Payer::default()).await?;
    }
    Ok(Unheard::Ended)
}

/// Whether an upload is what was asked for, as far as S3 tells.
fn may_be(upload: &MultipartUpload, unheard: &UnheardUpload, begun: Begun<'_>) -> bool {
    let class = |name: Option<&str>| name.unwrap_or("STANDARD").to_owned();
    let at = upload.initiated().map(DateTime::secs);
    let is_by_another = (begun.by.zip(initiator(upload))).is_some_and(|(by, it)| by != it);
    at.is_some_and(|at| (begun.first..=begun.last).contains(&at))
        && !is_by_another
        && class(upload.storage_class().map(|it| it.as_str()))
            == class(unheard.storage_class.as_deref())
        && match (upload.checksum_algorithm(), unheard.checksum) {
            (told, Some(asked)) => told.is_some_and(|told| told.as_str() == asked.as_str()),
            // S3 keeps this one unasked
            (told, None) => told.is_none_or(|told| told.as_str() == Algorithm::Crc64Nvme.as_str()),
        }
}

/// Who has begun an upload.
fn initiator(upload: &MultipartUpload) -> Option<&str> {
    upload.initiator()?.id()
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
        for (name, size, etag, is_digest, checksum, wanted, expected) in [
            ("by its ETag", 5, etag(md5), true, None, None, true),
            ("of another length", 6, etag(md5), true, None, None, false),
            ("of other content", 5, etag(other), true, None, None, false),
            (
                "encrypted, no checksum",
                5,
                etag(md5),
                false,
                None,
                None,
                false,
            ),
            (
                "encrypted, by checksum",
                5,
                etag(other),
                false,
                Some(sum),
                Some(Algorithm::Crc64Nvme),
                true,
            ),
            (
                "one says otherwise",
                5,
                etag(md5),
                true,
                Some(wrong),
                None,
                false,
            ),
            (
                "the other does",
                5,
                etag(other),
                true,
                Some(sum),
                None,
                false,
            ),
            (
                "without the checksum it is to have",
                5,
                etag(md5),
                true,
                None,
                Some(Algorithm::Sha256),
                false,
            ),
            ("nothing is told", 5, None, true, None, None, false),
        ] {
            let listed = StoredPart {
                number,
                etag,
                etag_is_digest: is_digest,
                checksum,
                size,
            };
            assert_eq!(is_confirmed(&listed, &part, wanted), expected, "{name}");
        }
    }

    #[test]
    fn an_upload_is_known_by_its_time_and_by_who_began_it() {
        use aws_sdk_s3::types::Initiator;
        let unheard = UnheardUpload {
            key: "k".to_owned(),
            since: 0,
            checksum: None,
            storage_class: None,
        };
        let begun = Begun {
            first: 100,
            last: 110,
            except: None,
            by: Some("us"),
        };
        for (name, at, by, expected) in [
            ("before", 99, None, false),
            ("in time", 100, None, true),
            ("at its end", 110, None, true),
            ("after it", 111, None, false),
            ("by us", 105, Some("us"), true),
            ("by another", 105, Some("them"), false),
        ] {
            let by = by.map(|id| Initiator::builder().id(id).build());
            let upload = MultipartUpload::builder()
                .initiated(DateTime::from_secs(at))
                .set_initiator(by)
                .build();
            assert_eq!(may_be(&upload, &unheard, begun), expected, "{name}");
        }
    }
}
