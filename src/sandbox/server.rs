//! Connections, and the faults that strike below S3: before a request is read, after it is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::SecretKey;
use s3s::service::S3Service;
use s3s::{Body, StdError};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::error;
use super::faults::{Action, Faults, Moment, Tampering};
use super::operation::{Operation, Target};
use super::query::Query;
use super::wire::{self, Remains};
use super::{express, host, lies, words};

/// An unread request body is read to its end up to this size.
const DRAINED: u64 = 64 << 20;

/// What every connection needs.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) service: S3Service,
    pub(super) faults: Arc<Faults>,
    pub(super) secret_key: SecretKey,
}

impl Server {
    /// Accepts connections until told to stop; connections still open then are closed.
    pub(super) async fn run(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(Arc::clone(&self).serve(stream, peer));
                    }
                    Err(cause) => {
                        tracing::warn!(%cause, "sandbox: cannot accept a connection");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        connections.shutdown().await;
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let answer = service_fn(|request| Arc::clone(&self).answer(request));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), answer)
            .await;
        if let Err(cause) = served {
            tracing::debug!(%peer, %cause, "sandbox: connection ended");
        }
    }

    /// Answers one request; an error closes the connection.
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, StdError> {
        let tampering = self.strike(&request);
        let awaits_continue = request.headers().contains_key(header::EXPECT);
        let never_continued = awaits_continue && request.body().is_end_stream();
        let (mut parts, body) = request.into_parts();
        let remains = Remains::of(body);
        let mut body = Body::http_body(remains.clone());
        for action in tampering.actions() {
            match action {
                Action::Delay(delay) => tampering.late(*delay).await,
                Action::Close(Moment::Before) => return Err("closed by a fault".into()),
                Action::FlipRequest(offset) => body = wire::flip(body, *offset),
                Action::Refuse {
                    status,
                    code,
                    retry_after,
                } => {
                    if !awaits_continue {
                        remains.drain(DRAINED).await;
                    }
                    return refusal(*status, code, *retry_after);
                }
                Action::Ignore(_)
                | Action::Close(Moment::After)
                | Action::CutResponse(_)
                | Action::FlipResponse(_)
                | Action::FlipStored
                | Action::SwapParts
                | Action::WrongETag
                | Action::WrongChecksum
                | Action::UnknownChecksum
                | Action::HideClasses
                | Action::Without(_)
                | Action::Reword(..)
                | Action::TurnRound
                | Action::Trickle(_)
                | Action::DelayAnswer(_)
                | Action::ErrorInOk(_) => {}
            }
        }
        express::translate(&mut parts, self.secret_key.expose());
        parts.extensions.insert(tampering.clone());
        let mut response = self.service.call(Request::from_parts(parts, body)).await?;
        response = words::given(response).await?;
        if !awaits_continue {
            remains.drain(DRAINED).await;
        }
        sign(&mut response);
        if never_continued {
            // S3 says 100 Continue to an empty body too, and hyper does not: botocore reads the
            // next answer on such a connection wrong
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        for action in tampering.actions() {
            match action {
                Action::Close(Moment::After) => return Err("closed by a fault".into()),
                Action::CutResponse(length) => {
                    response = response.map(|body| wire::cut(body, *length));
                }
                Action::FlipResponse(offset) => {
                    response = response.map(|body| wire::flip(body, *offset));
                }
                Action::WrongETag => response = lies::of_etag(response).await?,
                Action::WrongChecksum => response = lies::of_checksum(response).await?,
                Action::UnknownChecksum => lies::of_algorithm(response.headers_mut()),
                Action::HideClasses => response = lies::without(response, "StorageClass").await?,
                Action::Without(name) => response = lies::without(response, name).await?,
                Action::Reword(this, that) => {
                    response = lies::of_text(response, |text| text.replace(this, that)).await?;
                }
                Action::TurnRound => response = lies::of_text(response, lies::turned_round).await?,
                Action::Trickle(pause) => {
                    let pause = *pause;
                    response = response.map(|body| wire::trickle(body, pause));
                }
                Action::DelayAnswer(delay) => tampering.late(*delay).await,
                Action::Ignore(_)
                | Action::Close(Moment::Before)
                | Action::Delay(_)
                | Action::FlipRequest(_)
                | Action::Refuse { .. }
                | Action::FlipStored
                | Action::SwapParts
                | Action::ErrorInOk(_) => {}
            }
        }
        Ok(response)
    }

    fn strike(&self, request: &Request<Incoming>) -> Tampering {
        let query = Query::parse(request.uri().query().unwrap_or_default());
        Target::of(host::bucket_of(request.headers()), request.uri().path())
            .and_then(|target| {
                let operation =
                    Operation::of(request.method(), &target, &query, request.headers())?;
                let carries = |name: &str| request.headers().contains_key(name) || query.has(name);
                Some(self.faults.strike(operation, &target, carries))
            })
            .unwrap_or_default()
    }
}

fn refusal(status: u16, code: &str, retry_after: Option<u64>) -> Result<Response<Body>, StdError> {
    let mut refused = error(status, "InternalError", "refused by a fault");
    refused.set_code(s3s::S3ErrorCode::from_bytes(code.as_bytes()).ok_or("a code is UTF-8")?);
    let mut response = refused.to_http_response()?;
    sign(&mut response);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// Adds the ids that S3 gives every answer.
fn sign(response: &mut Response<Body>) {
    let id = Uuid::now_v7().simple().to_string().to_uppercase();
    if let Ok(value) = HeaderValue::try_from(&id[16..]) {
        response.headers_mut().insert("x-amz-request-id", value);
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-amz-id-2", value);
    }
}
