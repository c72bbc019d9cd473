//! One line of evidence, held against what the target has now.

use super::Standing;
use super::rehash::rehash;
use crate::digest::Checksum;
use crate::examine::{Layout, Wanted};
use crate::object::{ETag, ObjectKey, ObjectVersion};
use crate::report::{Claim, ClaimedEnd};
use crate::store::{ErrorKind, Head, StoreError, Target};

/// What is asked for: the object as it is, or the very version that the run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The object as it is now.
    Latest,
    /// The version, which stays whatever comes after it.
    Version,
}

/// Asks the target about one object. An error is one after which nothing else can be asked.
pub(super) async fn about(
    target: &dyn Target,
    claim: &Claim,
    asked: Asked,
) -> Result<Standing, StoreError> {
    let standing = compare(target, claim, asked).await?;
    Ok(match standing {
        Standing::Holds if claim.is_unproved() => Standing::Unproved(why_unproved(claim)),
        standing => standing,
    })
}

/// Why the run had no proof of what it brought.
fn why_unproved(claim: &Claim) -> String {
    let told = claim.comparisons().filter_map(|(axis, compared)| {
        let why = compared.why.as_ref()?;
        Some(format!("{axis}: {why}"))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        "the run compared nothing".to_owned()
    } else {
        format!("the run could not prove it: {}", told.join(", "))
    }
}

/// Whether the target has what the run left there.
async fn compare(target: &dyn Target, claim: &Claim, asked: Asked) -> Result<Standing, StoreError> {
    let unknown = |why: &str| Ok(Standing::Unknown(why.to_owned()));
    let Ok(key) = ObjectKey::new(claim.key.as_str()) else {
        return unknown("its key is longer than keys are");
    };
    let made = claim.target.as_ref();
    let of = ObjectVersion {
        key: &key,
        version: made
            .filter(|_| asked == Asked::Version)
            .and_then(|made| made.version_id.as_deref()),
    };
    let head = match target.head(of, true).await {
        Ok(head) => Some(head),
        Err(error) => match error.kind {
            ErrorKind::NotFound | ErrorKind::Occupied => None,
            kind if kind.is_fatal() => return Err(error),
            _ => return Ok(Standing::Unknown(error.to_string())),
        },
    };
    let (head, end) = match (head, &claim.target) {
        (None, _) if claim.is_removal() => return Ok(Standing::Holds),
        (Some(_), _) if claim.is_removal() => {
            return Ok(Standing::Changed(
                "it was deleted and is there again".to_owned(),
            ));
        }
        (None, _) => return Ok(Standing::Missing),
        (Some(_), None) => return unknown("the evidence does not say what was stored"),
        (Some(head), Some(end)) => (head, end),
    };
    if let Some(difference) = difference(end, &head) {
        return Ok(Standing::Changed(difference));
    }
    if is_compared(end, &head) {
        return Ok(Standing::Holds);
    }
    if !target.keeps_no_digests() {
        return unknown("it has the same size, and nothing else was recorded that it still has");
    }
    match of_content(target, &key, claim, end.size).await {
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Standing::Missing),
        Err(error) => Ok(Standing::Unknown(error.to_string())),
        Ok(standing) => Ok(standing),
    }
}

/// What the target now says otherwise, if anything.
fn difference(then: &ClaimedEnd, now: &Head) -> Option<String> {
    if then.size != now.size {
        return Some(format!("{} bytes then, {} now", then.size, now.size));
    }
    let differs =
        |what: &str, then: &str, now: &str| Some(format!("{what} {then} then, {now} now"));
    let etag = now.etag.as_ref().map(ETag::quoted);
    if let (Some(then), Some(now)) = (&then.etag, &etag)
        && then != now
    {
        return differs("ETag", then, now);
    }
    for kept in &now.checksums {
        let name = kept.algorithm().as_str();
        let then = then.checksum.as_ref().and_then(|them| them.get(name));
        if let Some(then) = then.filter(|then| **then != kept.to_string()) {
            return differs(name, then, &kept.to_string());
        }
    }
    // some servers name a version where they write and none where they are asked
    match (&then.version_id, now.version.as_deref()) {
        (Some(then), Some(now)) if then != now => differs("version", then, now),
        _ => None,
    }
}

/// Whether anything that stands for the content could be compared.
fn is_compared(then: &ClaimedEnd, now: &Head) -> bool {
    let etag = then.etag.is_some() && now.etag.is_some();
    let checksum = now.checksums.iter().any(|kept| {
        let then = then.checksum.as_ref();
        then.is_some_and(|them| them.contains_key(kept.algorithm().as_str()))
    });
    etag || checksum
}

/// Reads a file again and compares what the evidence has of its content.
async fn of_content(
    target: &dyn Target,
    key: &ObjectKey,
    claim: &Claim,
    size: u64,
) -> Result<Standing, StoreError> {
    let unknown = |why: &str| Ok(Standing::Unknown(why.to_owned()));
    let Some(then) = recorded(claim) else {
        return unknown("it has the same size, and no digest of its content was recorded");
    };
    let parts = match then {
        Checksum::Whole(_) => None,
        Checksum::Composite { parts, .. } => {
            let recorded = claim.parts.and_then(|cut| cut.size);
            // one part is the whole
            let alone = (parts.get() == 1).then_some(size.max(1));
            let cut = alone.or(recorded).filter(|part_size| *part_size > 0);
            let cut = cut.map(|part_size| Layout { size, part_size });
            let Some(cut) = cut.filter(|cut| cut.fits(parts)) else {
                return unknown(
                    "it has the same size, and how it was cut into parts was not recorded",
                );
            };
            Some(cut.into())
        }
    };
    let wanted = Wanted {
        algorithm: then.algorithm(),
        parts,
    };
    let now = rehash(target, key, size, wanted).await?;
    Ok(if now == then {
        Standing::Holds
    } else {
        Standing::Changed(format!("{} {then} then, {now} now", then.algorithm()))
    })
}

/// What the evidence has of the content of a file: what was computed while it was written, or
/// else what was proved to be the same at the source.
fn recorded(claim: &Claim) -> Option<Checksum> {
    let first = |end: Option<&ClaimedEnd>| {
        let mut checksums = end?.checksum.as_ref()?.iter();
        checksums.find_map(|(name, value)| Checksum::parse(name.parse().ok()?, value))
    };
    let matched = |axis| {
        let mut compared = claim.comparisons();
        compared.any(|(it, compared)| it == axis && compared.result == "matched")
    };
    let source = claim.source.as_ref();
    first(claim.target.as_ref())
        .or_else(|| first(source.filter(|_| matched("checksum"))))
        .or_else(|| {
            let etag = source.filter(|_| matched("ETag"))?.etag.as_ref()?;
            Checksum::of_etag(&ETag::parse(etag))
        })
}
