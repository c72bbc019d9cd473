//! An entry of a listing as bytes, on its way through a file nobody else reads.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::object::{ETag, Entry, ListedChecksum, ObjectKey, StorageClass, Timestamp};

/// The length of a text that is not there.
const NONE: u16 = u16::MAX;

/// Writes one entry.
pub(super) fn write(to: &mut impl Write, entry: &Entry) -> io::Result<()> {
    text(to, Some(entry.key.as_str()))?;
    to.write_all(&entry.size.to_le_bytes())?;
    to.write_all(&entry.modified.seconds().to_le_bytes())?;
    to.write_all(&entry.modified.nanos().to_le_bytes())?;
    let etag = entry.etag.as_ref().map(ETag::to_string);
    text(to, etag.as_deref())?;
    text(to, entry.version.as_deref())?;
    text(to, entry.storage_class.as_ref().map(StorageClass::as_str))?;
    to.write_all(&ListedChecksum::to_bytes(entry.checksum))
}

/// Reads one entry; a file that ends within it is an error.
pub(super) fn read(from: &mut impl Read) -> io::Result<Entry> {
    let key = read_text(from)?.ok_or_else(damaged)?;
    let size = u64::from_le_bytes(bytes(from)?);
    let seconds = i64::from_le_bytes(bytes(from)?);
    let nanos = u32::from_le_bytes(bytes(from)?);
    if nanos >= 1_000_000_000 {
        return Err(damaged());
    }
    Ok(Entry {
        key: ObjectKey::new(key).map_err(|_| damaged())?,
        size,
        modified: Timestamp::new(seconds, nanos),
        etag: read_text(from)?.map(|text| ETag::parse(&text)),
        version: read_text(from)?.map(Arc::from),
        storage_class: read_text(from)?.map(|name| StorageClass::new(&name)),
        checksum: ListedChecksum::from_bytes(bytes(from)?),
    })
}

fn text(to: &mut impl Write, text: Option<&str>) -> io::Result<()> {
    let length = match text {
        None => NONE,
        Some(text) => u16::try_from(text.len())
            .ok()
            .filter(|length| *length != NONE)
            .ok_or_else(|| io::Error::other("a text of the listing is longer than any S3 has"))?,
    };
    to.write_all(&length.to_le_bytes())?;
    to.write_all(text.unwrap_or_default().as_bytes())
}

fn read_text(from: &mut impl Read) -> io::Result<Option<String>> {
    let length = u16::from_le_bytes(bytes(from)?);
    if length == NONE {
        return Ok(None);
    }
    let mut text = vec![0; usize::from(length)];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map(Some).map_err(|_| damaged())
}

fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::other("a spilled listing came back damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_were() {
        let entry =
            |key: &str, etag: Option<&str>, version: Option<&str>, class: Option<&str>| Entry {
                key: ObjectKey::new(key).expect("short"),
                size: u64::MAX,
                modified: Timestamp::new(-1, 999_999_999),
                etag: etag.map(ETag::parse),
                version: version.map(Arc::from),
                storage_class: class.map(StorageClass::new),
                checksum: class.and_then(|_| ListedChecksum::new("SHA1")),
            };
        let long = "ü".repeat(512);
        let entries = [
            entry("", None, None, None),
            entry("a/b", Some("d41d8cd98f00b204e9800998ecf8427e"), None, None),
            entry(
                "a",
                Some("d41d8cd98f00b204e9800998ecf8427e-3"),
                Some("v"),
                None,
            ),
            entry(&long, Some(""), Some(""), Some("EXPRESS_ONEZONE")),
            entry("\u{10ffff}\0", Some("x\"y z"), None, Some("")),
        ];
        let mut file = Vec::new();
        for entry in &entries {
            write(&mut file, entry).expect("written");
        }
        let mut rest = &file[..];
        for entry in &entries {
            assert_eq!(read(&mut rest).expect("read"), *entry);
        }
        assert!(rest.is_empty());
        assert!(
            read(&mut &file[..file.len() / 2][..2]).is_err(),
            "it ends within"
        );
    }
}
