//! A few warnings and errors in full, so that a report explains its numbers.

use crate::store::StoreError;

/// How many of each are kept.
const KEPT: usize = 10;

/// The first of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples(Vec<Sample>);

/// One warning or error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The object it is about, if it is about one.
    pub key: Option<String>,
    /// What was tried.
    pub operation: Option<&'static str>,
    /// S3's or the system's code, or our word for the reason.
    pub code: Option<String>,
    /// In words.
    pub message: String,
    /// S3's request id.
    pub request_id: Option<String>,
}

impl Samples {
    /// Those that were kept.
    pub fn as_slice(&self) -> &[Sample] {
        &self.0
    }

    /// Keeps it if there is room; it is made only then.
    pub(super) fn keep(&mut self, sample: impl FnOnce() -> Sample) {
        if self.0.len() < KEPT {
            self.0.push(sample());
        }
    }
}

impl Sample {
    /// Of a failed operation.
    pub(super) fn of_error(key: Option<&str>, error: &StoreError) -> Self {
        Self {
            key: key.map(str::to_owned),
            operation: Some(error.operation),
            code: error.code.clone(),
            message: error.message.clone(),
            request_id: error.request_id.clone(),
        }
    }
}
