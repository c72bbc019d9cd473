//! Sending content: files are read a piece at a time, away from the connection's task.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::Body;

use super::blobs::{Blobs, Hold, Segment};
use super::error::{Result, internal};
use crate::digest::{Algorithm, Digest, Hashers};

const PIECE: u64 = 512 << 10;

/// A body of these runs of bytes.
pub(super) fn body(blobs: &Arc<Blobs>, segments: Vec<Segment>) -> Body {
    if segments.is_empty() {
        return Body::empty();
    }
    Body::http_body_unsync(StreamBody::new(
        pieces(blobs, segments).map(|piece| piece.map(Frame::data)),
    ))
}

/// The digests of these runs of bytes.
pub(super) async fn hash(
    blobs: &Arc<Blobs>,
    segments: Vec<Segment>,
    algorithms: impl IntoIterator<Item = Algorithm>,
) -> Result<Vec<Digest>> {
    let mut hashers = Hashers::new(algorithms);
    let mut pieces = std::pin::pin!(pieces(blobs, segments));
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(internal)?;
        hashers = tokio::task::spawn_blocking(move || {
            hashers.update(&piece);
            hashers
        })
        .await
        .map_err(internal)?;
    }
    Ok(hashers.finish())
}

fn pieces(
    blobs: &Arc<Blobs>,
    segments: Vec<Segment>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let reading = Reading {
        hold: blobs.hold(segments.iter().map(|segment| segment.blob)),
        segments: segments.into_iter(),
        open: None,
    };
    stream::try_unfold(reading, |reading| async move {
        tokio::task::spawn_blocking(move || reading.next())
            .await
            .map_err(io::Error::other)?
    })
}

struct Reading {
    /// The files stay while this body is sent, whatever happens to the object.
    hold: Hold,
    segments: std::vec::IntoIter<Segment>,
    /// The file being read and how much of its run is left.
    open: Option<(File, u64)>,
}

impl Reading {
    fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            let Some((file, left)) = &mut self.open else {
                let Some(segment) = self.segments.next() else {
                    return Ok(None);
                };
                let mut file = self.hold.blobs().read(segment.blob)?;
                if segment.offset > 0 {
                    file.seek(SeekFrom::Start(segment.offset))?;
                }
                self.open = Some((file, segment.length));
                continue;
            };
            if *left == 0 {
                self.open = None;
                continue;
            }
            let mut piece = vec![0; (*left).min(PIECE) as usize];
            file.read_exact(&mut piece)?;
            *left -= piece.len() as u64;
            return Ok(Some((piece.into(), self)));
        }
    }
}
