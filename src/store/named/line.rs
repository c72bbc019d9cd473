//! A key, and where it is named.

use std::cmp::Ordering;
use std::io::{self, Read, Write};

use crate::object::ObjectKey;
use crate::store::Oddity;
use crate::store::sort::Sortable;

/// A key that a file names.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) key: ObjectKey,
    /// In which line, from 1; 0 where no file names it.
    pub(super) number: u64,
}

impl Line {
    /// The same with the line that names it.
    pub(super) fn named(&self, oddity: Oddity) -> Oddity {
        if self.number == 0 {
            return oddity;
        }
        let message = match oddity.message {
            Some(message) => format!("named in line {}; {message}", self.number),
            None => format!("named in line {}", self.number),
        };
        Oddity {
            message: Some(message),
            ..oddity
        }
    }
}

impl Sortable for Line {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The first line counts.
    fn rival(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }

    fn footprint(&self) -> usize {
        // two counters and what the allocator rounds up to
        size_of::<Self>() + self.key.as_str().len() + 32
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let key = self.key.as_str();
        let length = u16::try_from(key.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(key.as_bytes())?;
        to.write_all(&self.number.to_le_bytes())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut length = [0; 2];
        from.read_exact(&mut length)?;
        let mut key = vec![0; usize::from(u16::from_le_bytes(length))];
        from.read_exact(&mut key)?;
        let mut number = [0; 8];
        from.read_exact(&mut number)?;
        let key = String::from_utf8(key).map_err(io::Error::other)?;
        Ok(Self {
            key: ObjectKey::new(key).map_err(io::Error::other)?,
            number: u64::from_le_bytes(number),
        })
    }
}
