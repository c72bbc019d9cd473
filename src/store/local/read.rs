//! Reading a file that may be changing.

use std::ops::Range;
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, OFlags, Stat, fstat};
use rustix::io::{Errno, pread};

use crate::digest::{Algorithm, Hashers};
use crate::object::{Attributes, Timestamp};
use crate::store::buffers::{Buffer, buffer};
use crate::store::{Content, ErrorKind, Head, StoreError};

/// How files are opened: a fifo in place of a file must not make us wait for its writer.
pub(super) const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Reads all of a file or a range of it and hashes it, and looks before and after: a file that
/// grew, shrank or was written to in between is [`ErrorKind::Changed`].
///
/// The system stamps a write when it begins. One write call that overwrites in place, had begun
/// before the first look and is still going on at the second cannot be seen; its time, though,
/// is newer than what is then stored, so that the next run looks again.
pub(super) fn content(
    file: &OwnedFd,
    path: impl Fn() -> String,
    range: Option<Range<u64>>,
    hash: &[Algorithm],
) -> Result<Content, StoreError> {
    let failed = |error: Errno| StoreError::io("read", path(), &error.into());
    let changed = |how: &str| StoreError::new("read", path(), ErrorKind::Changed, how);

    let before = regular("read", &path, &fstat(file).map_err(failed)?)?;
    let range = range.unwrap_or(0..before.size);
    if range.end > before.size || range.start > range.end {
        return Err(changed("the file is shorter than it was"));
    }
    let bytes = exactly(file, &range)
        .map_err(failed)?
        .ok_or_else(|| changed("the file became shorter while it was read"))?;
    let mut hashers = Hashers::new(hash.iter().copied());
    hashers.update(&bytes);
    let after = regular("read", &path, &fstat(file).map_err(failed)?)?;
    if before != after {
        return Err(changed("the file was written to while it was read"));
    }
    Ok(Content {
        bytes: bytes.freeze(),
        digests: hashers.finish(),
        head: after,
        request_id: None,
    })
}

/// What is said of a file by name; anything else than a file is not found.
pub(super) fn regular(
    operation: &'static str,
    path: impl Fn() -> String,
    status: &Stat,
) -> Result<Head, StoreError> {
    if FileType::from_raw_mode(status.st_mode) == FileType::RegularFile {
        Ok(head(status))
    } else {
        Err(StoreError::new(
            operation,
            path(),
            ErrorKind::NotFound,
            "it is no regular file",
        ))
    }
}

/// What is said of a file or directory.
pub(super) fn head(status: &Stat) -> Head {
    Head {
        size: u64::try_from(status.st_size).unwrap_or(0),
        modified: modified(status),
        etag: None,
        etag_is_digest: false,
        version: None,
        checksums: Vec::new(),
        unknown_checksum: None,
        attributes: Attributes::default(),
        storage_class: None,
        is_archived: false,
        tag_count: None,
        file_id: Some(status.st_ino),
        details: None,
    }
}

/// When the content was last changed, to the nanosecond.
#[allow(
    clippy::useless_conversion,
    reason = "the fields' types differ between platforms"
)]
pub(super) fn modified(status: &Stat) -> Timestamp {
    Timestamp::new(
        status.st_mtime.into(),
        u32::try_from(status.st_mtime_nsec).unwrap_or(0),
    )
}

/// The bytes of a range; `None` when the file ends before it does.
fn exactly(file: &OwnedFd, range: &Range<u64>) -> Result<Option<Buffer>, Errno> {
    let length = usize::try_from(range.end - range.start).map_err(|_| Errno::NOMEM)?;
    let mut bytes = buffer(length);
    while bytes.len() < length {
        let at = range.start + bytes.len() as u64;
        match pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Ok(None),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    // a buffer may have more capacity than was asked for
    bytes.truncate(length);
    Ok(Some(bytes))
}
