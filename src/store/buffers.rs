/*! Memory for the content of parts, used again and again.

A part is read by one thread and let go of by another. Allocators keep such memory with the thread
that asked for it, so that the process would hold several parts more than are there. What was let
go of here is what the next part is read into, as long as any part is there at all.
*/

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::huge_pages;

/// Below this many bytes memory is cheaper to ask for than to keep.
const WORTH_KEEPING: usize = 1 << 20;

static POOL: Mutex<Pool> = Mutex::new(Pool {
    idle: Vec::new(),
    in_use: 0,
});

/// An empty buffer with room for so many bytes.
pub(super) fn buffer(capacity: usize) -> Buffer {
    if capacity < WORTH_KEEPING {
        return Buffer {
            bytes: Vec::with_capacity(capacity),
            is_kept: false,
        };
    }
    huge_pages::grant();
    let kept = pool().take(capacity);
    Buffer {
        // allocating may take its time: not under the lock
        bytes: kept.unwrap_or_else(|| Vec::with_capacity(capacity)),
        is_kept: true,
    }
}

/// Bytes on their way in; room that is not asked for may be there too.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    is_kept: bool,
}

impl Buffer {
    /// The bytes, which are not changed any more. Their memory comes back when the last clone of
    /// them is dropped.
    pub(super) fn freeze(mut self) -> Bytes {
        if self.is_kept {
            Bytes::from_owner(self)
        } else {
            Bytes::from(std::mem::take(&mut self.bytes))
        }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.is_kept {
            let unwanted = pool().give(std::mem::take(&mut self.bytes));
            drop(unwanted);
        }
    }
}

#[derive(Debug)]
struct Pool {
    idle: Vec<Vec<u8>>,
    in_use: usize,
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An idle buffer of about this size, if there is one. Otherwise others of as many bytes go,
    /// so that a new one takes no more memory than there was.
    fn take(&mut self, capacity: usize) -> Option<Vec<u8>> {
        self.in_use += 1;
        let fits = |idle: &Vec<u8>| (capacity..=capacity + capacity / 4).contains(&idle.capacity());
        if let Some(index) = self.idle.iter().position(fits) {
            return Some(self.idle.swap_remove(index));
        }
        let mut freed = 0;
        while freed < capacity
            && let Some(idle) = self.idle.pop()
        {
            freed += idle.capacity();
        }
        None
    }

    /// Takes a buffer back; what nobody will want soon is returned.
    fn give(&mut self, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        bytes.clear();
        self.idle.push(bytes);
        self.in_use -= 1;
        if self.in_use == 0 {
            std::mem::take(&mut self.idle)
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn pool_with(idle: &[usize]) -> Pool {
        Pool {
            idle: idle.iter().copied().map(Vec::with_capacity).collect(),
            in_use: 1,
        }
    }

    #[test]
    fn an_idle_buffer_of_about_the_size_is_used_again() {
        for (asked, expected, left) in [
            (8 * MIB, Some(8 * MIB), 1),
            (7 * MIB, Some(8 * MIB), 1),
            (16 * MIB, Some(16 * MIB), 1),
            // too much of it would lie idle; what takes its place is no larger than what goes
            (5 * MIB, None, 1),
            (9 * MIB, None, 1),
            (20 * MIB, None, 0),
        ] {
            let mut pool = pool_with(&[8 * MIB, 16 * MIB]);
            let seen = pool.take(asked).map(|bytes| bytes.capacity());
            assert_eq!((seen, pool.idle.len()), (expected, left), "{asked}");
        }
    }

    #[test]
    fn nothing_is_kept_when_nothing_is_in_use() {
        let mut pool = pool_with(&[8 * MIB]);
        assert!(pool.take(8 * MIB).is_some());
        assert_eq!(pool.give(Vec::with_capacity(8 * MIB)).len(), 0);
        assert_eq!(pool.idle.len(), 1);
        assert_eq!(pool.give(Vec::with_capacity(8 * MIB)).len(), 2);
        assert_eq!(pool.idle.len(), 0);
    }

    #[test]
    fn frozen_bytes_are_those_put_in() {
        for length in [0, 10, MIB, MIB + 1] {
            let mut filling = buffer(length);
            filling.resize(length, 7);
            let frozen = filling.freeze();
            let clone = frozen.slice(length / 2..);
            assert_eq!(frozen.len(), length);
            drop(frozen);
            assert!(clone.iter().all(|byte| *byte == 7), "{length}");
            // what comes back is empty, whatever was in it
            assert!(buffer(length).is_empty());
        }
    }
}
