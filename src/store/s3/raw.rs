//! The body of an answer as the server wrote it, where the SDK's own parser is too slow or too
//! strict for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;

use super::arrival;

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

    /// All of the body that was taken; it may be silent for so long.
    pub(super) async fn collect(&self, silence: Option<Duration>) -> Result<Bytes, String> {
        let taken = self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let body = ByteStream::new(taken.ok_or("the answer had no body")?);
        arrival::whole(body, silence).await
    }
}
