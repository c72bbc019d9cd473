//! Receiving content: each byte is hashed, verified and written in one pass.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;

use super::blobs::{Blobs, Hold, Segment};
use super::checksums::Claims;
use super::error::{Result, error, internal};
use super::request::{Call, body_error};
use crate::digest::{Algorithm, Digest, Hashers};

/// So much is collected before it is hashed and written, away from the connection's task.
const BATCH: usize = 1 << 20;

/// S3 takes no more in one request.
const LARGEST_BODY: u64 = 5 << 30;

/// Content that arrived and was what the request said it is.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) size: u64,
    pub(super) segments: Vec<Segment>,
    /// The digests of what is stored.
    digests: Vec<Digest>,
    /// Keeps the file until a version or part is committed that needs it.
    _hold: Option<Hold>,
}

impl Received {
    /// The digest under an algorithm that was asked for.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        self.digests
            .iter()
            .find(|digest| digest.algorithm() == algorithm)
            .copied()
    }

    /// The MD5, which is always computed.
    pub(super) fn md5(&self) -> Digest {
        self.digest(Algorithm::Md5)
            .expect("MD5 is always among the algorithms")
    }
}

/// Receives a request's body, with its MD5 and the checksum under `keep`.
pub(super) async fn receive(
    blobs: &Arc<Blobs>,
    call: &mut Call,
    claims: &Claims,
    keep: Option<Algorithm>,
) -> Result<Received> {
    let algorithms = [Algorithm::Md5]
        .into_iter()
        .chain(claims.algorithm())
        .chain(keep);
    let declared = call
        .header("x-amz-decoded-content-length")
        .and_then(|text| text.parse::<u64>().ok());
    if declared.is_some_and(|size| size > LARGEST_BODY) {
        return Err(too_large());
    }
    let mut writing = Writing {
        blobs: Arc::clone(blobs),
        file: None,
        size: 0,
        claimed: Hashers::new(algorithms.clone()),
        stored: call
            .tampering
            .rots_stored()
            .then(|| Hashers::new(algorithms)),
    };
    let mut batch = Vec::new();
    let mut collected = 0;
    while let Some(piece) = call.body.next().await {
        let piece = piece.map_err(|cause| body_error(cause.as_ref()))?;
        collected += piece.len();
        batch.push(piece);
        if collected >= BATCH {
            writing = writing.take(std::mem::take(&mut batch)).await?;
            collected = 0;
            if writing.size > LARGEST_BODY {
                return Err(too_large());
            }
        }
    }
    writing = writing.take(batch).await?;
    if declared.is_some_and(|declared| declared != writing.size) {
        return Err(error(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header",
        ));
    }
    let trailers = call.trailers.as_ref().and_then(s3s::TrailingHeaders::take);
    let digests = writing.claimed.finish();
    claims.verify(&digests, trailers.as_ref())?;
    let hold = writing.file.map(|(_, hold)| hold);
    Ok(Received {
        size: writing.size,
        segments: hold
            .iter()
            .map(|hold| Segment {
                blob: hold.id(),
                offset: 0,
                length: writing.size,
            })
            .collect(),
        digests: writing.stored.map_or(digests, Hashers::finish),
        _hold: hold,
    })
}

fn too_large() -> s3s::S3Error {
    error(
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
    )
}

struct Writing {
    blobs: Arc<Blobs>,
    file: Option<(File, Hold)>,
    size: u64,
    /// Over what came.
    claimed: Hashers,
    /// Over what is stored, when a fault makes that differ.
    stored: Option<Hashers>,
}

impl Writing {
    async fn take(self, batch: Vec<Bytes>) -> Result<Self> {
        if batch.is_empty() {
            return Ok(self);
        }
        tokio::task::spawn_blocking(move || self.write(batch))
            .await
            .map_err(internal)?
            .map_err(internal)
    }

    fn write(mut self, batch: Vec<Bytes>) -> io::Result<Self> {
        for mut piece in batch.into_iter().filter(|piece| !piece.is_empty()) {
            self.claimed.update(&piece);
            if let Some(stored) = &mut self.stored {
                if self.size == 0 {
                    piece = flipped(&piece);
                }
                stored.update(&piece);
            }
            if self.file.is_none() {
                self.file = Some(self.blobs.create()?);
            }
            if let Some((file, _)) = &mut self.file {
                file.write_all(&piece)?;
            }
            self.size += piece.len() as u64;
        }
        Ok(self)
    }
}

fn flipped(piece: &Bytes) -> Bytes {
    let mut bytes = piece.to_vec();
    bytes[0] ^= 1;
    bytes.into()
}
