//! Who pays: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};

use crate::store::{CopySource, Payer, Put};

const HEADER: &str = "x-amz-request-payer";

/// Says with every request of a client that whoever asks pays. What a bucket does not want to know
/// it does not read, and so one place serves all operations there are.
#[derive(Debug)]
pub(super) struct RequesterPays;

impl Intercept for RequesterPays {
    fn name(&self) -> &'static str {
        "RequesterPays"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.insert(HEADER, "requester");
        Ok(())
    }
}

/// Takes back for one request what is said with every other.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotPaying(bool);

impl NotPaying {
    /// Where the object is to be written so.
    pub(super) fn for_a(put: &Put) -> Self {
        Self(put.payer == Payer::Owner)
    }

    /// The same of a copy, which is one request to both ends: the source may want it.
    pub(super) fn for_copy(from: &CopySource, put: &Put) -> Self {
        Self(put.payer == Payer::Owner && !from.requester_pays)
    }
}

impl Intercept for NotPaying {
    fn name(&self) -> &'static str {
        "NotPaying"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        if self.0 {
            let headers = context.request_mut().headers_mut();
            headers.remove(HEADER);
        }
        Ok(())
    }
}
