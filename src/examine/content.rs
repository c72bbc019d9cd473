//! Checksums of a content, as many as are wanted in one pass.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;

use super::Examiner;
use super::line::{Line, Wanted};
use super::side::{Obstacle, Side};
use crate::digest::{Algorithm, Checksum};
use crate::store::{Content, Read};

/// Content is read in pieces of so many bytes.
pub(super) const PIECE: u64 = 2 << 20;

/// Pieces read ahead of the one that is being hashed.
const AHEAD: usize = 2;

/// Reads the content once and makes all checksums that are wanted, in their order. It holds a few
/// pieces, whatever the size; what changes meanwhile is an error.
pub(super) async fn checksums(
    via: &Examiner,
    of: Side<'_>,
    wanted: Vec<Wanted>,
) -> Result<Vec<Checksum>, Obstacle> {
    let size = of.entry.size;
    via.context.check_stopped(of.entry.key.as_str())?;
    if size <= PIECE && wanted.iter().all(|wanted| wanted.parts.is_none()) {
        let _reserved = via.context.budget.reserve(size).await;
        let hash = wanted.iter().map(|wanted| wanted.algorithm).collect();
        let content = piece(of, 0, size, hash).await?;
        return Ok(content.digests.into_iter().map(Checksum::Whole).collect());
    }
    let _reserved = via.context.budget.reserve(PIECE * (AHEAD as u64 + 1)).await;
    let mut pieces = futures::stream::iter(0..size.div_ceil(PIECE).max(1))
        .map(|number| {
            let start = number * PIECE;
            piece(of, start, (start + PIECE).min(size), Vec::new())
        })
        .buffered(AHEAD);
    let mut lines: Vec<Line> = wanted.into_iter().map(Line::new).collect();
    let mut first = None;
    while let Some(content) = pieces.next().await {
        let Content { bytes, head, .. } = content?;
        if !first
            .get_or_insert_with(|| head.clone())
            .same_content(&head)
        {
            return Err(of.changed("it was written to while it was read"));
        }
        via.context.check_stopped(of.entry.key.as_str())?;
        lines = hash(lines, &bytes).await;
    }
    Ok(lines.into_iter().map(Line::finish).collect())
}

/// Reads a piece of an object that is as long as it was listed.
async fn piece(
    of: Side<'_>,
    start: u64,
    end: u64,
    hash: Vec<Algorithm>,
) -> Result<Content, Obstacle> {
    let read = Read {
        key: of.entry.key.clone(),
        version: of.entry.version.clone(),
        range: Some(start..end),
        expected: end - start,
        if_match: of.entry.etag.clone(),
        hash,
    };
    let content = of.store.read(&read).await;
    let content = content.map_err(|error| of.obstacle(error))?;
    if content.head.size != of.entry.size {
        return Err(of.changed("its size changed since it was listed"));
    }
    Ok(content)
}

/// Takes a piece through all lines, each on a thread of its own beside the async ones.
async fn hash(lines: Vec<Line>, bytes: &Bytes) -> Vec<Line> {
    let bytes = Arc::new(bytes.clone());
    let hashed = lines.into_iter().map(|mut line| {
        let bytes = Arc::clone(&bytes);
        tokio::task::spawn_blocking(move || {
            line.update(&bytes);
            line
        })
    });
    let hashed = futures::future::join_all(hashed).await.into_iter();
    hashed
        .map(|line| line.expect("hashing does not panic"))
        .collect()
}
