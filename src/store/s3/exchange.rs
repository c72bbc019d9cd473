/*! A request and its answer, as far as bytes of them move.

The SDK tells nothing of a request between its beginning and its answer. What is cut for its
silence must be the connection and not we: a body that waits for its turn under a rate limit, a
slow disk or a full memory is no reason. So the HTTP client is wrapped ([`Watching`]): it tells the
[`Exchange`] under way in its task who has the next move, and lets bodies go no faster than they
may.
*/

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_sdk_s3::config::{ConfigBag, HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::settings::Timeouts;
use crate::store::Stream;
use crate::store::overdue::{HoldUp, Patient};

tokio::task_local! {
    static UNDER_WAY: Arc<Exchange>;
}

/// A body is given to the connection in pieces of so many bytes: each that it takes is a sign of
/// life.
const PIECE: usize = 64 << 10;

/// So many bytes at most are taken by a connection and not on their way yet: the buffers of the
/// HTTP client and of the system.
const BUFFERED: u64 = 4 << 20;

/// A connection that carries fewer bytes a second has stalled.
const SLOWEST: u64 = 64 << 10;

/// One request, from the moment it is begun.
#[derive(Debug)]
pub(super) struct Exchange {
    state: Mutex<(Move, Instant)>,
    /// The bytes of its body, each with its turn.
    content: Mutex<Stream>,
    patient: Patient,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Ours: credentials are looked up, it is signed, a body waits for its turn.
    Ours,
    /// The connection's: it is being made, and takes the request.
    Connection,
    /// The connection's: it takes the body.
    TakesBody,
    /// The server's: it has the whole request.
    Server,
    /// The connection's: the answer has begun to come in.
    Answer,
}

/// What a connection was silent about for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It took no more of the body.
    Body,
    /// No answer came.
    Answer,
    /// No answer came, and maybe no connection, which may take longer.
    Connection,
}

impl Exchange {
    /// A request that has just begun; its body goes as `content` may.
    pub(super) fn new(content: Stream) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((Move::Ours, Instant::now())),
            content: Mutex::new(content),
            patient: Patient::here(),
        })
    }

    /// Does the request, whose connections then tell of it.
    pub(super) async fn carry<T>(self: &Arc<Self>, request: impl Future<Output = T>) -> T {
        UNDER_WAY.scope(Arc::clone(self), request).await
    }

    /// Waits until nothing has moved for too long. `patience` is how much longer than usual the
    /// server may take to answer.
    pub(super) async fn falls_silent(
        &self,
        timeouts: &Timeouts,
        patience: Duration,
    ) -> (Silence, Duration) {
        let Some(read) = timeouts.read else {
            return std::future::pending().await;
        };
        loop {
            let (turn, since) = self.state();
            let limit = match turn {
                Move::Ours => None,
                // connecting has its own limit
                Move::Connection => Some(read.max(timeouts.connect.unwrap_or(read)) + patience),
                Move::TakesBody | Move::Answer => timeouts.of_bodies(),
                Move::Server => Some(read + patience),
            };
            let now = Instant::now();
            // whatever begins meanwhile lasts as long at least
            let look_again = now + read;
            let Some(limit) = limit else {
                tokio::time::sleep_until(look_again).await;
                continue;
            };
            let end = since + limit;
            if end <= now {
                let what = match turn {
                    Move::TakesBody => Silence::Body,
                    Move::Connection if limit > read + patience => Silence::Connection,
                    Move::Ours | Move::Connection | Move::Server | Move::Answer => Silence::Answer,
                };
                return (what, limit);
            }
            tokio::time::sleep_until(end.min(look_again)).await;
        }
    }

    fn state(&self) -> (Move, Instant) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next bytes of the body and says when they may go, and that they hold it up.
    fn reserve(&self, bytes: usize) -> Option<Turn> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let at = content.reserve(bytes as u64)?;
        Some(Turn {
            at: Box::pin(tokio::time::sleep_until(at)),
            _held_up: self.patient.hold_up(),
        })
    }

    fn turns(&self, to: Move) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (to, Instant::now());
    }
}

/// How much longer than usual an answer may take after such a body: what the connection has taken
/// of it is not all on its way.
pub(super) fn patience_for(bytes: u64) -> Duration {
    Duration::from_secs(bytes.min(BUFFERED) / SLOWEST)
}

/// An HTTP client whose requests tell the exchange under way what becomes of them.
#[derive(Debug)]
pub(super) struct Watching(SharedHttpClient);

impl Watching {
    /// Around a client.
    pub(super) fn around(client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Self(client))
    }
}

impl HttpClient for Watching {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(WatchingConnector(
            self.0.http_connector(settings, components),
        ))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct WatchingConnector(SharedHttpConnector);

impl HttpConnector for WatchingConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Ok(exchange) = UNDER_WAY.try_with(Arc::clone) else {
            return self.0.call(request);
        };
        exchange.turns(Move::Connection);
        let body = request.take_body();
        *request.body_mut() = if Body::is_end_stream(&body) {
            body
        } else {
            SdkBody::from_body_1_x(Watched::new(body, Arc::clone(&exchange)))
        };
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            exchange.turns(Move::Answer);
            answer
        })
    }
}

/// A piece that waits.
struct Turn {
    at: Pin<Box<Sleep>>,
    _held_up: HoldUp,
}

/// A body on its way to the connection: in pieces, each at its time.
struct Watched {
    body: SdkBody,
    /// What was taken from the body and not given away yet.
    held: Bytes,
    /// How many bytes are left of all, if it is known.
    left: Option<u64>,
    /// Until when the next piece waits; it is paid for.
    turn: Option<Turn>,
    paid: bool,
    exchange: Arc<Exchange>,
}

impl Watched {
    fn new(body: SdkBody, exchange: Arc<Exchange>) -> Self {
        Self {
            left: body.content_length(),
            body,
            held: Bytes::new(),
            turn: None,
            paid: false,
            exchange,
        }
    }

    fn piece(&self) -> usize {
        self.held.len().min(PIECE)
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        // the connection has room: whatever comes now is our doing
        this.exchange.turns(Move::Ours);
        while this.held.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.held = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.exchange.turns(Move::Server);
                    return Poll::Ready(None);
                }
            }
        }
        if !this.paid {
            this.turn = this.exchange.reserve(this.piece());
            this.paid = true;
        }
        if let Some(turn) = &mut this.turn {
            ready!(turn.at.as_mut().poll(cx));
            this.turn = None;
        }
        this.paid = false;
        let piece = this.held.split_to(this.piece());
        this.left = this
            .left
            .map(|left| left.saturating_sub(piece.len() as u64));
        this.exchange.turns(if this.left == Some(0) {
            Move::Server
        } else {
            Move::TakesBody
        });
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Pace;

    const READ: Duration = Duration::from_millis(800);

    fn timeouts() -> Timeouts {
        Timeouts {
            read: Some(READ),
            ..Timeouts::default()
        }
    }

    /// What is found silent within some time, where this happens in an eighth of the limit each.
    async fn found(timeouts: Timeouts, moves: &'static [Move]) -> Option<Silence> {
        let exchange = Exchange::new(Stream::default());
        let moving = Arc::clone(&exchange);
        tokio::spawn(async move {
            for turn in moves {
                moving.turns(*turn);
                tokio::time::sleep(READ / 8).await;
            }
        });
        let silent = exchange.falls_silent(&timeouts, Duration::ZERO);
        let found = tokio::time::timeout(4 * READ, silent).await;
        found.ok().map(|(silence, _)| silence)
    }

    /// A body that takes longer than the limit, and moves.
    const BUSY: &[Move] = &{
        let mut moves = [Move::TakesBody; 13];
        moves[12] = Move::Ours;
        moves
    };

    #[tokio::test]
    async fn only_the_other_side_is_silent() {
        use Move::{Answer, Connection, Ours, Server, TakesBody};
        let unprotected = Timeouts {
            cuts_stalled: false,
            ..timeouts()
        };
        let unlimited = Timeouts {
            read: None,
            ..timeouts()
        };
        let cases = [
            (timeouts(), &[Ours][..], None),
            (timeouts(), &[Connection], None),
            (timeouts(), &[Connection, Server], Some(Silence::Answer)),
            (timeouts(), &[Connection, TakesBody], Some(Silence::Body)),
            (timeouts(), &[Connection, TakesBody, Ours], None),
            (timeouts(), BUSY, None),
            (timeouts(), &[Server, Answer], Some(Silence::Answer)),
            (unprotected, &[Connection, TakesBody], None),
            (unprotected, &[Connection, Server], Some(Silence::Answer)),
            (unlimited, &[Server], None),
        ];
        let all = cases.map(|(timeouts, moves, expected)| async move {
            assert_eq!(found(timeouts, moves).await, expected, "{moves:?}");
        });
        futures::future::join_all(all).await;
    }

    #[tokio::test]
    async fn a_body_is_given_in_pieces_and_whole() {
        for size in [0, 1, PIECE, PIECE + 1, 3 * PIECE - 1] {
            let bytes: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let pace = Pace::of(Some(100 << 20));
            let exchange = Exchange::new(pace.begin(size as u64).await);
            let mut body = Watched::new(SdkBody::from(bytes.clone()), Arc::clone(&exchange));
            let mut given = Vec::new();
            let mut left = size;
            while let Some(frame) =
                std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
            {
                let piece = frame.expect("no error").into_data().expect("data");
                assert!(piece.len() <= PIECE);
                left -= piece.len();
                given.extend_from_slice(&piece);
                assert_eq!(body.size_hint().exact(), Some(left as u64));
                assert_eq!(exchange.state().0 == Move::Server, left == 0, "{size}");
            }
            assert_eq!(given, bytes);
        }
    }
}
