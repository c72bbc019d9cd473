//! Conditional requests.

use http::HeaderMap;
use jiff::Timestamp;

use super::error::{Result, error, no_such_key, precondition_failed};
use super::object::Version;
use super::response::quoted;
use super::times;

/// `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since` of one request.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    matches: Option<&'a str>,
    none_matches: Option<&'a str>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

/// What conditions say of an object that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Go,
    NotModified,
    Failed,
}

impl<'a> Conditions<'a> {
    /// The conditions on the object the request is about.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self::read(headers, "")
    }

    /// The conditions on the source of a copy.
    pub(super) fn of_copy_source(headers: &'a HeaderMap) -> Self {
        Self::read(headers, "x-amz-copy-source-")
    }

    fn read(headers: &'a HeaderMap, stem: &str) -> Self {
        let header = |name: &str| {
            headers
                .get(format!("{stem}{name}"))
                .and_then(|value| value.to_str().ok())
        };
        let time = |name: &str| header(name).and_then(times::parse_http);
        Self {
            matches: header("if-match"),
            none_matches: header("if-none-match"),
            modified_since: time("if-modified-since"),
            unmodified_since: time("if-unmodified-since"),
        }
    }

    /// For reads. ETags come before dates: a date is not asked where the ETag has decided.
    pub(super) fn check(&self, etag: &str, modified: Timestamp) -> Outcome {
        let modified = modified.as_second();
        match self.matches {
            Some(wanted) if !names(wanted, etag) => return Outcome::Failed,
            Some(_) => {}
            None if self
                .unmodified_since
                .is_some_and(|since| modified > since.as_second()) =>
            {
                return Outcome::Failed;
            }
            None => {}
        }
        match self.none_matches {
            Some(unwanted) if names(unwanted, etag) => Outcome::NotModified,
            Some(_) => Outcome::Go,
            None if self
                .modified_since
                .is_some_and(|since| modified <= since.as_second()) =>
            {
                Outcome::NotModified
            }
            None => Outcome::Go,
        }
    }

    /// For the source of a copy, where there is no "not modified".
    pub(super) fn check_source(&self, etag: &str, modified: Timestamp) -> Result<()> {
        match self.check(etag, modified) {
            Outcome::Go => Ok(()),
            Outcome::NotModified | Outcome::Failed => Err(precondition_failed()),
        }
    }

    /// For writes, against the latest version of the key; only ETags count.
    pub(super) fn check_write(&self, latest: Option<&Version>) -> Result<()> {
        let current = latest.and_then(Version::object);
        if let Some(wanted) = self.matches {
            let Some(current) = current else {
                return Err(no_such_key());
            };
            if !names(wanted, &current.etag) {
                return Err(precondition_failed());
            }
        }
        match (self.none_matches, current) {
            (Some("*"), Some(_)) => Err(precondition_failed()),
            (Some("*") | None, _) => Ok(()),
            (Some(_), _) => Err(error(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            )),
        }
    }
}

/// Whether a list of ETags in a header has this one in it.
pub(super) fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|item| {
        let item = item.strip_prefix("W/").unwrap_or(item);
        item == "*" || item == etag || item == quoted(etag)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn reads() {
        let modified: Timestamp = "2024-05-06T07:08:09Z".parse().expect("a time");
        let (before, same) = (
            "Mon, 06 May 2024 07:08:08 GMT",
            "Mon, 06 May 2024 07:08:09 GMT",
        );
        for (headers, outcome) in [
            (vec![], Outcome::Go),
            (vec![("if-match", "\"e\"")], Outcome::Go),
            (vec![("if-match", "e")], Outcome::Go),
            (vec![("if-match", "*")], Outcome::Go),
            (vec![("if-match", "\"x\"")], Outcome::Failed),
            (
                vec![("if-none-match", "\"x\", \"e\"")],
                Outcome::NotModified,
            ),
            (vec![("if-none-match", "\"x\"")], Outcome::Go),
            (vec![("if-modified-since", before)], Outcome::Go),
            (vec![("if-modified-since", same)], Outcome::NotModified),
            (vec![("if-unmodified-since", before)], Outcome::Failed),
            (vec![("if-unmodified-since", same)], Outcome::Go),
            (
                vec![("if-match", "\"e\""), ("if-unmodified-since", before)],
                Outcome::Go,
            ),
            (
                vec![("if-none-match", "\"x\""), ("if-modified-since", same)],
                Outcome::Go,
            ),
            (vec![("if-modified-since", "never")], Outcome::Go),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.parse().expect("a name"),
                        HeaderValue::from_static(value),
                    )
                })
                .collect();
            assert_eq!(
                Conditions::of(&map).check("e", modified),
                outcome,
                "{headers:?}"
            );
        }
    }
}
