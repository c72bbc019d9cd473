//! What lies beside the contents of two objects: is it the same?

use std::collections::BTreeMap;

use super::{Examiner, ORIGIN_LAST_MODIFIED, ORIGIN_VERSION, annotations};
use crate::event::{Beside, Facet, Headers};
use crate::object::{Attributes, Entry, ObjectVersion, Tags};
use crate::store::{Annotations, ErrorKind, Head, StoreError};

/// Compares what the user wants compared. That either object went away meanwhile is an error, and
/// so is everything but what may not be read.
pub(super) async fn compare(
    via: &Examiner,
    source: &Entry,
    target: &Entry,
) -> Result<Beside, StoreError> {
    let wanted = via.check.beside;
    let (source, target) = (source.at(), target.at());
    let mut beside = Beside::default();
    if wanted.metadata {
        let ours = headers(via.ends.source.head(source, false).await?);
        let theirs = via.ends.target.head(target, false).await;
        beside.metadata = Some(metadata(ours, headers(theirs.map_err(gone_since_listed)?)));
    }
    if wanted.tagging {
        beside.tagging = Some(tagging(via, source, target).await?);
    }
    if wanted.annotations {
        beside.annotations = Some(annotations(via, source, target).await?);
    }
    Ok(beside)
}

/// The target's object went away since it was listed: whoever compares looks again.
pub(super) fn gone_since_listed(error: StoreError) -> StoreError {
    match error.kind {
        ErrorKind::NotFound => StoreError {
            kind: ErrorKind::Changed,
            ..error
        },
        _ => error,
    }
}

async fn tagging(
    via: &Examiner,
    source: ObjectVersion<'_>,
    target: ObjectVersion<'_>,
) -> Result<Facet<Tags>, StoreError> {
    let (ours, theirs) = futures::join!(via.ends.source.tags(source), via.ends.target.tags(target));
    let (ours, theirs) = (
        readable(ours)?,
        readable(theirs.map_err(gone_since_listed))?,
    );
    let (Some(source), Some(target)) = (ours, theirs) else {
        return Ok(Facet::Denied);
    };
    let differs = differing(&source, &target);
    Ok(Facet::Told {
        source,
        target,
        differs,
    })
}

async fn annotations(
    via: &Examiner,
    source: ObjectVersion<'_>,
    target: ObjectVersion<'_>,
) -> Result<Facet<Annotations>, StoreError> {
    let compared = annotations::compare(via, source, target).await;
    let Some(compared) = readable(compared)? else {
        return Ok(Facet::Denied);
    };
    let mut differs = [compared.differing, compared.extra].concat();
    differs.sort();
    Ok(Facet::Told {
        source: compared.source,
        target: compared.target,
        differs,
    })
}

fn metadata(source: Headers, target: Headers) -> Facet<Headers> {
    let differs = differing(&named(&source.attributes), &named(&target.attributes));
    Facet::Told {
        source,
        target,
        differs,
    }
}

/// What was told, `None` where it may not be read.
fn readable<T>(told: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(error) if error.kind == ErrorKind::AccessDenied => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata that users have given, not what this program adds of its own.
fn headers(head: Head) -> Headers {
    let mut attributes = head.attributes;
    for own in [ORIGIN_LAST_MODIFIED, ORIGIN_VERSION] {
        attributes.user.remove(own);
    }
    Headers {
        attributes,
        version: head.version,
    }
}

/// Every header by its name in HTTP, lower case.
fn named(attributes: &Attributes) -> BTreeMap<String, String> {
    let system = [
        ("content-type", &attributes.content_type),
        ("cache-control", &attributes.cache_control),
        ("content-disposition", &attributes.content_disposition),
        ("content-encoding", &attributes.content_encoding),
        ("content-language", &attributes.content_language),
        ("expires", &attributes.expires),
        (
            "x-amz-website-redirect-location",
            &attributes.website_redirect,
        ),
    ];
    let system = system
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let user = attributes.user.iter();
    let user = user.map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone()));
    system.chain(user).collect()
}

/// The keys under which two tables do not have the same.
fn differing(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let in_one = one
        .iter()
        .filter(|(key, value)| other.get(*key) != Some(value));
    let only_in_other = other.iter().filter(|(key, _)| !one.contains_key(*key));
    let mut keys: Vec<String> = in_one
        .chain(only_in_other)
        .map(|(key, _)| key.clone())
        .collect();
    keys.sort();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_differ_under_the_names_that_are_not_the_same_in_both() {
        let table = |text: &str| -> BTreeMap<String, String> {
            let pairs = text.split_whitespace().filter_map(|it| it.split_once('='));
            pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        for (one, other, differ) in [
            ("", "", ""),
            ("a=1 b=2", "a=1 b=2", ""),
            ("a=1 b=2", "a=1 b=3", "b"),
            ("b=2 d=4", "a=1 d=4", "a b"),
            ("c=", "", "c"),
        ] {
            let differs = differing(&table(one), &table(other)).join(" ");
            assert_eq!(differs, differ, "{one} | {other}");
        }
    }
}
