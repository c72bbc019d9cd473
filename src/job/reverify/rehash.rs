//! The digest of a file, read again.

use crate::digest::{Algorithm, Checksum, Digest, Hasher, composite};
use crate::object::ObjectKey;
use crate::store::{ErrorKind, Head, Read, StoreError, Target};

/// So much is in memory of each file.
const PIECE: u64 = 1 << 20;

/// Reads an object piece by piece: its digest, or with a part size the composite of its parts'.
/// One that is written to meanwhile is [`ErrorKind::Changed`].
pub(super) async fn rehash(
    target: &dyn Target,
    key: &ObjectKey,
    size: u64,
    algorithm: Algorithm,
    part_size: Option<u64>,
) -> Result<Option<Checksum>, StoreError> {
    let mut hasher = Hasher::new(algorithm);
    let mut parts: Vec<Digest> = Vec::new();
    let mut first: Option<Head> = None;
    let mut at = 0;
    loop {
        let part_end = part_size.map_or(size, |part_size| {
            let next = (at / part_size + 1).saturating_mul(part_size);
            next.min(size)
        });
        let end = (at + PIECE).min(part_end);
        let read = Read {
            key: key.clone(),
            range: Some(at..end),
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
        hasher = tokio::task::spawn_blocking(move || {
            hasher.update(&content.bytes);
            hasher
        })
        .await
        .expect("hashing does not panic");
        at = end;
        if at == size {
            break;
        }
        if part_size.is_some() && at == part_end {
            parts.push(std::mem::replace(&mut hasher, Hasher::new(algorithm)).finish());
        }
    }
    parts.push(hasher.finish());
    Ok(match part_size {
        None => parts.first().copied().map(Checksum::Whole),
        Some(_) => composite(&parts),
    })
}
