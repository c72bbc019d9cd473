//! The checksum of a file, read again.

use crate::digest::Checksum;
use crate::examine::{Line, Wanted};
use crate::object::ObjectKey;
use crate::store::{ErrorKind, Head, Read, StoreError, Target};

/// So much is in memory of each file.
const PIECE: u64 = 1 << 20;

/// Reads an object of this size piece by piece and makes its checksum. One that is written to
/// meanwhile is [`ErrorKind::Changed`].
pub(super) async fn rehash(
    target: &dyn Target,
    key: &ObjectKey,
    size: u64,
    wanted: Wanted,
) -> Result<Checksum, StoreError> {
    let mut line = Line::new(wanted);
    let mut first: Option<Head> = None;
    let mut at = 0;
    loop {
        let end = (at + PIECE).min(size);
        let read = Read {
            key: key.clone(),
            version: None,
            range: Some(at..end),
            expected: end - at,
            if_match: None,
            hash: Vec::new(),
        };
        let content = target.read(&read).await?;
        let before = first.get_or_insert_with(|| content.head.clone());
        if !before.same_content(&content.head) {
            let message = "it was written to while it was read";
            return Err(StoreError::new(
                "read",
                key.as_str(),
                ErrorKind::Changed,
                message,
            ));
        }
        line = tokio::task::spawn_blocking(move || {
            line.update(&content.bytes);
            line
        })
        .await
        .expect("hashing does not panic");
        at = end;
        if at == size {
            return Ok(line.finish());
        }
    }
}
