//! Checksums that an object has under an algorithm nobody here knows.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};

use crate::digest::{Algorithm, Checksum};

/// Listens to one request's answer: the SDK has no field for what it does not know.
#[derive(Debug, Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<Option<String>>>);

const STEM: &str = "x-amz-checksum-";

/// What stands where an algorithm would, and is none.
const NO_ALGORITHMS: [&str; 3] = ["type", "mode", "algorithm"];

impl Strangers {
    /// The name the answer had for a checksum that is under no algorithm we know, or has no value
    /// of that algorithm.
    pub(super) fn seen(&self) -> Option<String> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take()
    }
}

impl Intercept for Strangers {
    fn name(&self) -> &'static str {
        "Strangers"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let mut headers = context.response().headers().iter();
        let found = headers.find_map(|(name, value)| stranger(name, value));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }
}

fn stranger(header: &str, value: &str) -> Option<String> {
    let header = header.to_ascii_lowercase();
    let name = header.strip_prefix(STEM)?;
    let known = Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.header() == header)
        .is_some_and(|algorithm| Checksum::parse(algorithm, value).is_some());
    (!known && !NO_ALGORITHMS.contains(&name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_checksum_we_know_is_named() {
        for (header, value, seen) in [
            ("x-amz-checksum-blake3", "AAAA", Some("blake3")),
            ("X-Amz-Checksum-Blake3", "AAAA", Some("blake3")),
            ("x-amz-checksum-crc32", "AAAAAA==", None),
            ("x-amz-checksum-crc32", "AAAAAA==-3", None),
            ("x-amz-checksum-crc32", "too long for it", Some("crc32")),
            ("x-amz-checksum-type", "FULL_OBJECT", None),
            ("etag", "x", None),
        ] {
            assert_eq!(
                stranger(header, value).as_deref(),
                seen,
                "{header}: {value}"
            );
        }
    }
}
