/*! The filters on what only an object itself tells: its media type, its user metadata, its tags.

Each takes one text of it, in which the patterns are looked for: the media type as it is; user
metadata as `key=value,key=value` and tags as `key=value&key=value`, both sorted, with every byte of
a value (and of a tag's key) percent-encoded that is no letter, digit, `-`, `.`, `_` or `~`. So no
value can look like the end of another. Values are taken as they are stored: text that its writer
encoded for HTTP (RFC 2047) is `=?UTF-8?B?…?=`, percent-encoded. An object that has nothing of a
kind is in no `include` and in no `exclude`.
*/

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Ruling;
use super::rule::joined;
use crate::config::{Filters, Pattern, Patterns};
use crate::event::Rule;
use crate::hook::HookError;
use crate::object::{Attributes, Tags};

/// What RFC 3986 reserves nothing of.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The late filters of a pair, in their order.
#[derive(Debug, Clone, Default)]
pub struct LateFilters {
    content_type: Tests,
    metadata: Tests,
    tags: Tests,
}

impl LateFilters {
    /// The late filters of a pair.
    pub fn new(said: &Filters) -> Self {
        Self {
            content_type: Tests::new(&said.content_type),
            metadata: Tests::new(&said.metadata),
            tags: Tests::new(&said.tags),
        }
    }

    /// Whether nothing is ever left out.
    pub fn is_empty(&self) -> bool {
        !self.want_attributes() && !self.want_tags()
    }

    /// Whether they have to know an object's headers and user metadata.
    pub fn want_attributes(&self) -> bool {
        !self.content_type.is_empty() || !self.metadata.is_empty()
    }

    /// Whether they have to know its tags.
    pub fn want_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// What they say of an object with these headers and this user metadata, before its tags.
    pub fn of_attributes(&self, attributes: &Attributes) -> Ruling {
        match self
            .content_type
            .rule_on(attributes.content_type.as_deref())
        {
            Ruling::Admitted => self.metadata.rule_on(metadata_text(attributes).as_deref()),
            left => left,
        }
    }

    /// What they say of an object with these tags, where nothing else rejected it.
    pub fn of_tags(&self, tags: &Tags) -> Ruling {
        self.tags.rule_on(tag_text(tags).as_deref())
    }

    /// The text in which one of them has looked for its patterns.
    pub fn seen(by: &Rule, of: Option<&Attributes>, tags: Option<&Tags>) -> Option<String> {
        match by.filter {
            "filter.include_content_type_regex" | "filter.exclude_content_type_regex" => {
                of?.content_type.clone()
            }
            "filter.include_metadata_regex" | "filter.exclude_metadata_regex" => metadata_text(of?),
            _ => tag_text(tags?),
        }
    }
}

/// The patterns on one text of an object.
#[derive(Debug, Clone, Default)]
struct Tests {
    include: Option<(Arc<Rule>, Arc<[Pattern]>)>,
    exclude: Arc<[(Arc<Rule>, Pattern)]>,
}

impl Tests {
    fn new(said: &Patterns) -> Self {
        let include = said.include.as_ref().map(|patterns| {
            let text = joined(patterns.value.iter().map(Pattern::as_str));
            let rule = Arc::new(patterns.rule(text));
            (rule, patterns.value.clone().into())
        });
        let exclude = said.exclude.iter().flat_map(|patterns| {
            let each = patterns.value.iter();
            each.map(|it| (Arc::new(patterns.rule(it.as_str())), it.clone()))
        });
        Self {
            include,
            exclude: exclude.collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_empty()
    }

    /// What they say of a text, `None` where the object has nothing of its kind.
    fn rule_on(&self, text: Option<&str>) -> Ruling {
        if let Some((rule, patterns)) = &self.include {
            match is_any(rule, patterns, text) {
                Ok(true) => {}
                Ok(false) => return Ruling::Rejected(Arc::clone(rule)),
                Err(error) => return Ruling::Failed(error),
            }
        }
        for (rule, pattern) in &*self.exclude {
            match is_any(rule, std::slice::from_ref(pattern), text) {
                Ok(false) => {}
                Ok(true) => return Ruling::Rejected(Arc::clone(rule)),
                Err(error) => return Ruling::Failed(error),
            }
        }
        Ruling::Admitted
    }
}

/// Whether one of these is found in a text. The error is of a pattern that takes too long.
fn is_any(rule: &Rule, patterns: &[Pattern], text: Option<&str>) -> Result<bool, HookError> {
    let Some(text) = text else {
        return Ok(false);
    };
    for pattern in patterns {
        match pattern.is_match(text) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(message) => return Err(HookError::new(format!("{rule}: {message}"))),
        }
    }
    Ok(false)
}

/// `key=value,key=value`.
fn metadata_text(attributes: &Attributes) -> Option<String> {
    let pairs = attributes.user.iter();
    let pairs = pairs.map(|(key, value)| format!("{key}={}", encoded(value)));
    text_of(pairs, ",")
}

/// `key=value&key=value`.
fn tag_text(tags: &Tags) -> Option<String> {
    let pairs = tags.iter();
    let pairs = pairs.map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
    text_of(pairs, "&")
}

fn text_of(pairs: impl Iterator<Item = String>, between: &str) -> Option<String> {
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join(between))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Said;

    fn said(path: &'static str, patterns: &[&str]) -> Option<Said<Vec<Pattern>>> {
        let compiled = patterns.iter().map(|text| Pattern::new(text).unwrap());
        (!patterns.is_empty()).then(|| Said {
            path,
            value: compiled.collect(),
            origin: "flag".to_owned(),
        })
    }

    fn pairs(of: &[(&str, &str)]) -> Tags {
        let each = of.iter();
        each.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn texts_are_sorted_and_encoded_as_the_predecessor_has_them() {
        for (name, of, metadata, tags) in [
            ("nothing", &[][..], None, None),
            (
                "sorted by bytes",
                &[("b", "2"), ("a", "1"), ("a-b", "3"), ("B", "4")][..],
                Some("B=4,a=1,a-b=3,b=2"),
                Some("B=4&a=1&a-b=3&b=2"),
            ),
            (
                "unreserved stays",
                &[("k", "aZ09-._~")],
                Some("k=aZ09-._~"),
                Some("k=aZ09-._~"),
            ),
            (
                "separators in values",
                &[("k", "a,b=c&d e+f/g:h@i")],
                Some("k=a%2Cb%3Dc%26d%20e%2Bf%2Fg%3Ah%40i"),
                Some("k=a%2Cb%3Dc%26d%20e%2Bf%2Fg%3Ah%40i"),
            ),
            (
                "keys of tags too",
                &[("a b", "größe"), ("empty", "")],
                Some("a b=gr%C3%B6%C3%9Fe,empty="),
                Some("a%20b=gr%C3%B6%C3%9Fe&empty="),
            ),
        ] {
            let attributes = Attributes {
                user: pairs(of),
                ..Attributes::default()
            };
            assert_eq!(metadata_text(&attributes).as_deref(), metadata, "{name}");
            assert_eq!(tag_text(&pairs(of)).as_deref(), tags, "{name}");
        }
    }

    #[test]
    fn includes_come_before_excludes_and_the_first_rejects() {
        for (name, include, exclude, text, expected) in [
            ("no filter", &[][..], &[][..], None, "admitted"),
            ("found", &["x", "b"], &[], Some("abc"), "admitted"),
            (
                "not found",
                &["x", "^b"],
                &[],
                Some("abc"),
                "rejected by i = x, ^b (flag)",
            ),
            (
                "nothing to look in",
                &["", ".*"],
                &[],
                None,
                "rejected by i = , .* (flag)",
            ),
            ("nothing to exclude", &[], &[".*"], None, "admitted"),
            (
                "by the second",
                &[],
                &["x", "c$"],
                Some("abc"),
                "rejected by e = c$ (flag)",
            ),
            (
                "by both",
                &["x"],
                &["a"],
                Some("abc"),
                "rejected by i = x (flag)",
            ),
            (
                "looking around",
                &["^(?!.*secret)"],
                &[],
                Some("top secret"),
                "rejected by i = ^(?!.*secret) (flag)",
            ),
        ] {
            let tests = Tests::new(&Patterns {
                include: said("i", include),
                exclude: said("e", exclude),
            });
            assert_eq!(tests.rule_on(text).to_string(), expected, "{name}");
        }
    }

    #[test]
    fn a_pattern_that_takes_too_long_decides_nothing() {
        let tests = Tests::new(&Patterns {
            include: None,
            exclude: said("e", &[r"(?=x)(x+x+)+\1y"]),
        });
        let text = "x".repeat(60);
        assert!(matches!(tests.rule_on(Some(&text)), Ruling::Failed(_)));
    }
}
