//! The body of an answer, as it comes in.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use crate::store::Stream;
use crate::store::overdue::Patient;

/// A body that comes in.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) body: ByteStream,
    /// How long nothing may come.
    pub(super) silence: Option<Duration>,
    /// Its bytes, each with its turn.
    pub(super) content: Stream,
}

impl Arrival {
    /// The next bytes; an error is in words. The connection may be silent no longer than it may;
    /// how long the bytes wait for their turn, and for whoever takes them, is no silence.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let frame = match self.silence {
            None => self.body.next().await,
            Some(silence) => tokio::time::timeout(silence, self.body.next())
                .await
                .map_err(|_| format!("the body fell silent for {silence:?} (timeout.read)"))?,
        };
        let frame = frame
            .transpose()
            .map_err(|error| format!("the body broke off: {error}"))?;
        let length = frame.as_ref().map_or(0, Bytes::len);
        if let Some(at) = self.content.reserve(length as u64) {
            let _held_up = Patient::here().hold_up();
            tokio::time::sleep_until(at).await;
        }
        Ok(frame)
    }
}

/// All of a body that is small enough to be in memory; an error is in words.
pub(super) async fn whole(body: ByteStream, silence: Option<Duration>) -> Result<Bytes, String> {
    let mut arrival = Arrival {
        body,
        silence,
        content: Stream::default(),
    };
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    loop {
        match arrival.next().await? {
            None => return Ok(first.unwrap_or_else(|| all.freeze())),
            Some(frame) if all.is_empty() && first.is_none() => first = Some(frame),
            Some(frame) => {
                if let Some(first) = first.take() {
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&frame);
            }
        }
    }
}
