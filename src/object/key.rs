//! Keys: any that S3 accepts, and those that may become a path.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest key S3 accepts, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub const MAX_KEY_BYTES: usize = 1024;

/// A key relative to its store's root: UTF-8, ordered by its bytes as S3 orders listings.
///
/// Cloning shares the text. A relative key may be empty (an object whose key equals the prefix).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<str>);

/// Why a text is no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// More bytes than S3 takes.
    #[error("a key of {0} bytes is longer than S3 accepts (1024)")]
    TooLong(usize),
}

impl ObjectKey {
    /// Takes a relative key; the prefix it will stand under counts towards S3's limit elsewhere.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, KeyError> {
        let text = text.into();
        if text.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong(text.len()));
        }
        Ok(Self(text))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key without one leading slash: what it is called, and ordered by, in a directory.
    pub fn unslashed(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// Whether the key stands for a directory: it ends in `/`.
    pub fn is_directory_marker(&self) -> bool {
        self.0.ends_with('/')
    }
}

impl Borrow<str> for ObjectKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A relative path that stays below the root it is joined to: no empty segment, no `.` or `..`,
/// no NUL, not absolute.
///
/// One leading slash of the key is taken off first, so that `s3://bucket/dir` lays `/a` down as
/// `a`; a second one is an empty segment like any other. A trailing slash marks a directory and is
/// not part of the path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalKey(Box<str>);

/// Why a key cannot be a path below the root.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnsafeKey {
    /// Nothing is left of it.
    #[error("the key is empty below the prefix")]
    Empty,
    /// Two slashes in a row, which a file system would fold into one.
    #[error("the key has an empty segment (`//`)")]
    EmptySegment,
    /// A `.` or `..` segment.
    #[error("the key has a `{0}` segment")]
    DotSegment(&'static str),
    /// A NUL byte, which ends a path.
    #[error("the key has a NUL byte")]
    Nul,
    /// A segment no file system takes (255 bytes at most).
    #[error("the key has a segment of {0} bytes, longer than a file name may be (255)")]
    SegmentTooLong(usize),
}

impl LocalKey {
    /// Accepts a key that names something below the root, and nothing else.
    pub fn new(key: &ObjectKey) -> Result<Self, UnsafeKey> {
        let path = key.unslashed();
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Err(UnsafeKey::Empty);
        }
        for segment in path.split('/') {
            match segment {
                "" => return Err(UnsafeKey::EmptySegment),
                "." => return Err(UnsafeKey::DotSegment(".")),
                ".." => return Err(UnsafeKey::DotSegment("..")),
                _ if segment.contains('\0') => return Err(UnsafeKey::Nul),
                _ if segment.len() > 255 => return Err(UnsafeKey::SegmentTooLong(segment.len())),
                _ => {}
            }
        }
        Ok(Self(path.into()))
    }

    /// The path relative to the root.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The directory it stands in, relative to the root (empty for the root itself), and its name.
    pub fn split(&self) -> (&Path, &str) {
        match self.0.rsplit_once('/') {
            Some((parent, name)) => (Path::new(parent), name),
            None => (Path::new(""), &self.0),
        }
    }

    /// The path below `root`.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(self.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> Result<String, UnsafeKey> {
        let key = ObjectKey::new(text).expect("short");
        LocalKey::new(&key).map(|key| key.as_path().to_str().expect("UTF-8").to_owned())
    }

    #[test]
    fn only_keys_below_the_root_become_paths() {
        let long = "x".repeat(256);
        for (key, path) in [
            ("a", Ok("a")),
            ("a/b.txt", Ok("a/b.txt")),
            ("/data1", Ok("data1")),
            ("dir/", Ok("dir")),
            ("..a/b..", Ok("..a/b..")),
            ("\\x", Ok("\\x")),
            ("", Err(UnsafeKey::Empty)),
            ("/", Err(UnsafeKey::Empty)),
            ("//", Err(UnsafeKey::Empty)),
            ("//data1", Err(UnsafeKey::EmptySegment)),
            ("///data1", Err(UnsafeKey::EmptySegment)),
            ("//dir/", Err(UnsafeKey::EmptySegment)),
            ("a//b", Err(UnsafeKey::EmptySegment)),
            ("a//", Err(UnsafeKey::EmptySegment)),
            ("../x", Err(UnsafeKey::DotSegment(".."))),
            ("a/../../x", Err(UnsafeKey::DotSegment(".."))),
            ("..", Err(UnsafeKey::DotSegment(".."))),
            ("/..", Err(UnsafeKey::DotSegment(".."))),
            ("a/./b", Err(UnsafeKey::DotSegment("."))),
            ("a\0b", Err(UnsafeKey::Nul)),
            (&*long, Err(UnsafeKey::SegmentTooLong(256))),
        ] {
            assert_eq!(local(key), path.map(str::to_owned), "{key:?}");
        }
    }

    #[test]
    fn keys_order_by_bytes() {
        let mut keys: Vec<_> = ["a/b", "a.b", "a-b", "a/", "a", "ab"]
            .map(|k| ObjectKey::new(k).expect("short"))
            .into();
        keys.sort();
        let sorted: Vec<_> = keys.iter().map(ObjectKey::as_str).collect();
        assert_eq!(sorted, ["a", "a-b", "a.b", "a/", "a/b", "ab"]);
    }

    #[test]
    fn a_key_has_1024_bytes_at_most() {
        assert!(ObjectKey::new("k".repeat(1024)).is_ok());
        assert_eq!(
            ObjectKey::new("k".repeat(1025)),
            Err(KeyError::TooLong(1025))
        );
    }
}
