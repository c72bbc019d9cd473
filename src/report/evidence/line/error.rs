//! What went wrong.

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::StoreError;

/// What went wrong.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Error<'a> {
    /// What was tried.
    operation: Option<&'static str>,
    /// S3's or the system's code.
    code: Option<&'a str>,
    /// In words.
    message: &'a str,
    /// S3's id of the request.
    request_id: Option<&'a str>,
}

impl<'a> Error<'a> {
    /// As a store tells it.
    pub(super) fn of(error: &'a StoreError) -> Self {
        Self {
            operation: Some(error.operation),
            code: error.code.as_deref(),
            message: &error.message,
            request_id: error.request_id.as_deref(),
        }
    }

    /// What no request has failed with.
    pub(super) fn in_words(operation: Option<&'static str>, message: &'a str) -> Self {
        Self {
            operation,
            code: None,
            message,
            request_id: None,
        }
    }
}
