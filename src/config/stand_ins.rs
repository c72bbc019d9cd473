//! Names of buckets in the sandbox, which is one endpoint in place of all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::resolved::{Pair, SourceSpec, TargetSpec};
use super::sides::normal_endpoint;
use crate::store::s3::S3Settings;

/// Longest name of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const LONGEST: usize = 63;

/// How the names of directory buckets end.
const DIRECTORY: &str = "--x-s3";

/// The bucket in the sandbox that stands for one of several with the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Its name there.
    pub name: String,
    /// The bucket it stands for.
    pub bucket: String,
    /// Where that is; none is AWS.
    endpoint: Option<String>,
}

impl StandIn {
    /// Whether it stands for the bucket of a side.
    pub fn is_for(&self, side: &S3Settings) -> bool {
        self.bucket == side.location.bucket && self.endpoint == endpoint(side)
    }

    /// The endpoint of the bucket it stands for, in words.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS")
    }
}

/// The buckets that need another name in the sandbox: the first endpoint with a bucket of a name
/// has that, and every other one a name made of both.
pub(super) fn stand_ins(pairs: &[Pair]) -> Vec<StandIn> {
    let sides = || pairs.iter().flat_map(s3_sides);
    let mut taken: BTreeSet<String> = sides().map(|side| side.location.bucket.clone()).collect();
    let mut endpoints: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
    let mut made = Vec::new();
    for side in sides() {
        let bucket = side.location.bucket.as_str();
        let known = endpoints.entry(bucket).or_default();
        let endpoint = endpoint(side);
        if known.contains(&endpoint) {
            continue;
        }
        if !known.is_empty() {
            let name = free_name(bucket, endpoint.as_deref(), &taken);
            taken.insert(name.clone());
            made.push(StandIn {
                name,
                bucket: bucket.to_owned(),
                endpoint: endpoint.clone(),
            });
        }
        known.push(endpoint);
    }
    made
}

fn s3_sides(pair: &Pair) -> impl Iterator<Item = &S3Settings> {
    let source = match &pair.source {
        SourceSpec::S3(s3) => Some(&**s3),
        SourceSpec::Local(_) => None,
    };
    let target = match &pair.target {
        TargetSpec::S3(s3) => Some(&**s3),
        TargetSpec::Local(_) => None,
    };
    source.into_iter().chain(target)
}

fn endpoint(side: &S3Settings) -> Option<String> {
    side.endpoint_url.as_deref().map(normal_endpoint)
}

/// `data` at `https://new.example.com:9000` is `data-new.example.com-9000`, and the next of that
/// name `data-new.example.com-9000-2`.
fn free_name(bucket: &str, endpoint: Option<&str>, taken: &BTreeSet<String>) -> String {
    let (stem, end) = match bucket.strip_suffix(DIRECTORY) {
        Some(stem) => (stem, DIRECTORY),
        None => (bucket, ""),
    };
    let place = endpoint.unwrap_or("aws");
    let place = place.split_once("://").map_or(place, |(_, place)| place);
    let words = place.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let wanted = format!("{stem}-{}", words.join("-"));
    let name = |number: String| {
        let room = LONGEST - end.len() - number.len();
        let cut = &wanted[..wanted.len().min(room)];
        format!("{}{number}{end}", cut.trim_end_matches(['-', '.']))
    };
    let numbers = (2..).map(|number| format!("-{number}"));
    let mut names = std::iter::once(String::new()).chain(numbers).map(name);
    names
        .find(|name| !taken.contains(name))
        .expect("there is always another number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_free_and_a_buckets() {
        let long = "x".repeat(63);
        let mut taken = BTreeSet::new();
        for (bucket, endpoint, name) in [
            (
                "data",
                Some("https://new.example.com"),
                "data-new.example.com",
            ),
            (
                "data",
                Some("http://new.example.com"),
                "data-new.example.com-2",
            ),
            ("data", Some("http://[::1]:9000/s3"), "data-1-9000-s3"),
            ("data", None, "data-aws"),
            ("z--euw1-az1--x-s3", None, "z--euw1-az1-aws--x-s3"),
            (&*long, None, &*format!("{}-2", &long[2..])),
        ] {
            taken.insert(bucket.to_owned());
            let seen = free_name(bucket, endpoint, &taken);
            assert_eq!(seen, name);
            assert!(seen.len() <= LONGEST, "{seen}");
            taken.insert(seen);
        }
    }
}
