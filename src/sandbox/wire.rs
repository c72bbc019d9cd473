//! Bodies that are damaged on their way.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use s3s::{Body, StdError};
use tokio::time::Sleep;

/// The body with one bit of the byte at `offset` flipped.
pub(super) fn flip(body: Body, offset: u64) -> Body {
    let mut seen = 0_u64;
    let flipped = body.map_frame(move |frame| {
        frame.map_data(|data| {
            let place = offset
                .checked_sub(seen)
                .filter(|place| *place < data.len() as u64);
            seen += data.len() as u64;
            match place {
                None => data,
                Some(place) => {
                    let mut bytes = data.to_vec();
                    bytes[place as usize] ^= 1;
                    Bytes::from(bytes)
                }
            }
        })
    });
    Body::http_body_unsync(flipped)
}

/// The body's first `length` bytes, then an error, which makes the server close the connection.
pub(super) fn cut(body: Body, length: u64) -> Body {
    Body::http_body_unsync(Cut {
        body,
        left: length,
        lull: None,
    })
}

/// So long the server has to send what it has, which it would drop at an error.
const LULL: Duration = Duration::from_millis(50);

struct Cut {
    body: Body,
    left: u64,
    lull: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.left == 0 {
            let lull = self
                .lull
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(LULL)));
            return lull
                .as_mut()
                .poll(context)
                .map(|()| Some(Err("cut by a fault".into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| {
            frame.map_data(|mut data| {
                data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= data.len() as u64;
                data
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body in small pieces, with a pause before each.
pub(super) fn trickle(body: Body, pause: Duration) -> Body {
    Body::http_body_unsync(Trickle {
        length: body.size_hint(),
        body,
        held: Bytes::new(),
        pause,
        waits: None,
    })
}

/// So much of a slow body comes at once.
const PIECE: usize = 8 << 10;

struct Trickle {
    body: Body,
    length: SizeHint,
    /// What has come and is not handed on.
    held: Bytes,
    pause: Duration,
    waits: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Trickle {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        while self.held.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.held = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let pause = self.pause;
        let wait = self
            .waits
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        ready!(wait.as_mut().poll(context));
        self.waits = None;
        let length = self.held.len().min(PIECE);
        let piece = self.held.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
    }
}

/// A request body that can still be read to its end after the operation has answered.
///
/// Without that a client which is still sending meets a closed connection instead of the answer.
#[derive(Debug, Clone)]
pub(super) struct Remains(Arc<Mutex<Incoming>>);

impl Remains {
    /// Takes the body; the clone that is dropped first leaves the rest to the other.
    pub(super) fn of(body: Incoming) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// Reads and drops up to `limit` bytes of what is left.
    pub(super) async fn drain(mut self, limit: u64) {
        let mut seen = 0;
        while let Some(Ok(frame)) = self.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
            if seen > limit {
                break;
            }
        }
    }
}

impl HttpBody for Remains {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .size_hint()
    }
}
