//! The body of an answer as the server wrote it, where the SDK's own parser is too slow or too
//! strict for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::{Bytes, BytesMut};

/// Takes the body of a successful answer away before the SDK parses it.
#[derive(Debug, Clone)]
pub(super) struct RawBody {
    taken: Arc<Mutex<Option<SdkBody>>>,
    /// What the SDK's parser gets to see instead.
    instead: &'static str,
}

impl Intercept for RawBody {
    fn name(&self) -> &'static str {
        "RawBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::from(self.instead));
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}

impl RawBody {
    /// Gives the SDK's parser `instead`, which must be a complete answer.
    pub(super) fn giving(instead: &'static str) -> Self {
        Self {
            taken: Arc::default(),
            instead,
        }
    }

    /// All of the body that was taken.
    pub(super) async fn collect(&self, silence: Duration) -> Result<Bytes, String> {
        let taken = self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut body = ByteStream::new(taken.ok_or("the answer had no body")?);
        let mut first: Option<Bytes> = None;
        let mut all = BytesMut::new();
        loop {
            let frame = tokio::time::timeout(silence, body.next())
                .await
                .map_err(|_| format!("the body fell silent for {} s", silence.as_secs()))?;
            match frame {
                None => return Ok(first.unwrap_or_else(|| all.freeze())),
                Some(Err(error)) => return Err(format!("the body broke off: {error}")),
                Some(Ok(frame)) if all.is_empty() && first.is_none() => first = Some(frame),
                Some(Ok(frame)) => {
                    if let Some(first) = first.take() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&frame);
                }
            }
        }
    }
}
