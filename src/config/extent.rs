//! Where a side of a pair is, with everything in it.

use std::path::{Component, Path, PathBuf};

use super::resolved::{Job, Pair, SourceSpec, TargetSpec};
use super::sides::aws_or;
use crate::store::s3::S3Settings;

/// A place and all that is in it, by one name for each: links are followed, and endpoints are
/// written in one way. That an access point leads to a bucket cannot be known, nor that two names
/// lead to one server.
///
/// In their order, an extent stands before all that are in it, and nothing else stands between
/// them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// A directory, or a file.
    Local(PathBuf),
    /// Every key that begins with a prefix.
    S3 {
        /// Where the bucket is, if not at AWS.
        endpoint: Option<String>,
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
    },
}

impl Extent {
    /// What is below a path.
    pub fn local(path: &Path) -> Self {
        Self::Local(real(path))
    }

    /// Where a pair of a job reads. It is the place the job says, which a sandbox is not yet in
    /// the way of.
    pub fn of_source(job: &Job, pair: &Pair) -> Self {
        match &pair.source {
            SourceSpec::Local(local) => Self::local(&local.root),
            SourceSpec::S3(s3) => Self::of_s3(job, s3),
        }
    }

    /// Where a pair of a job writes, likewise.
    pub fn of_target(job: &Job, pair: &Pair) -> Self {
        match &pair.target {
            TargetSpec::Local(local) => Self::local(&local.root),
            TargetSpec::S3(s3) => Self::of_s3(job, s3),
        }
    }

    fn of_s3(job: &Job, s3: &S3Settings) -> Self {
        let endpoint = s3.endpoint_url.as_deref().and_then(aws_or);
        let endpoint = match (&job.sandbox, endpoint) {
            (None, endpoint) => endpoint,
            (Some(sandbox), endpoint) => {
                let at = real(&sandbox.dir);
                let of = endpoint.map_or_else(String::new, |of| format!(" for {of}"));
                Some(format!("sandbox {}{of}", at.display()))
            }
        };
        Self::S3 {
            endpoint,
            bucket: s3.location.bucket.clone(),
            prefix: s3.location.prefix.clone(),
        }
    }

    /// Whether all of the other is in it.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(own), Self::Local(other)) => other.starts_with(own),
            (
                Self::S3 {
                    endpoint,
                    bucket,
                    prefix,
                },
                Self::S3 {
                    endpoint: other_endpoint,
                    bucket: other_bucket,
                    prefix: other_prefix,
                },
            ) => {
                endpoint == other_endpoint
                    && bucket == other_bucket
                    && other_prefix.starts_with(prefix)
            }
            (Self::Local(_), Self::S3 { .. }) | (Self::S3 { .. }, Self::Local(_)) => false,
        }
    }

    /// Whether something may be in both. Siblings (`a/` and `b/`) have nothing in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }
}

/// A path without symbolic links, as far as it exists, and without `..` behind that.
fn real(path: &Path) -> PathBuf {
    // of a relative one nothing may exist yet
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = path
        .ancestors()
        .find_map(|known| Some((known, known.canonicalize().ok()?)));
    let Some((known, mut real)) = known else {
        return path.to_owned();
    };
    for component in path.strip_prefix(known).unwrap_or(path).components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            Component::Normal(name) => real.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(endpoint: Option<&str>, bucket: &str, prefix: &str) -> Extent {
        Extent::S3 {
            endpoint: endpoint.map(str::to_owned),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        }
    }

    #[test]
    fn what_is_in_both_is_known_and_siblings_have_nothing_in_common() {
        let local = |path: &str| Extent::Local(path.into());
        for (one, other, overlap) in [
            (s3(None, "b", "a/"), s3(None, "b", "a/"), true),
            (s3(None, "b", ""), s3(None, "b", "a/"), true),
            // a prefix is every key that begins with it
            (s3(None, "b", "pho"), s3(None, "b", "photos/"), true),
            (s3(None, "b", "a/"), s3(None, "b", "b/"), false),
            (s3(None, "b", "a/"), s3(None, "c", "a/"), false),
            (s3(None, "b", ""), s3(Some("http://x"), "b", ""), false),
            (local("/a"), local("/a/b"), true),
            (local("/a/b"), local("/a/bc"), false),
            (local("/"), local("/a"), true),
            (local("/a"), s3(None, "b", ""), false),
        ] {
            assert_eq!(one.overlaps(&other), overlap, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), overlap, "{other:?} {one:?}");
        }
    }

    #[test]
    fn links_are_followed_as_far_as_there_is_something() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("a folder");
        std::fs::create_dir(root.join("real")).expect("a folder");
        std::os::unix::fs::symlink("real", root.join("link")).expect("a link");
        for (path, expected) in [
            ("link", "real"),
            ("link/new/deep", "real/new/deep"),
            ("link/../new", "new"),
            ("gone/../real", "real"),
        ] {
            let seen = Extent::local(&root.join(path));
            assert_eq!(seen, Extent::Local(root.join(expected)), "{path}");
        }
        let here = std::env::current_dir().expect("a directory");
        let seen = Extent::local(Path::new("no-such-directory/below"));
        let expected = here
            .canonicalize()
            .expect("a path")
            .join("no-such-directory/below");
        assert_eq!(seen, Extent::Local(expected));
    }
}
