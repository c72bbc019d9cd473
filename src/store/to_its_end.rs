//! A listing that panics is not one that is complete.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use super::{ErrorKind, StoreError};

/// Waits for what hands on a listing. That no more pages come says nothing to whoever takes them: a
/// panic would look like the end of all keys, and whatever comes after it like missing. So it is an
/// error here, to be handed on behind the pages.
pub(super) async fn to_its_end(
    listing: impl Future<Output = Result<(), StoreError>>,
) -> Result<(), StoreError> {
    // nothing of it is used any more
    match AssertUnwindSafe(listing).catch_unwind().await {
        Ok(ended) => ended,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(broken_off(words.unwrap_or("a panic")))
        }
    }
}

/// A listing ended, and not because there was no more.
pub(super) fn broken_off(why: &str) -> StoreError {
    let message = format!("the listing ended before its time, which is a bug of s3sync: {why}");
    StoreError::new("list", "", ErrorKind::Fatal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_words() {
        for (name, panics) in [("ends", false), ("panics", true)] {
            let ended = to_its_end(async move {
                assert!(!panics, "no such page");
                Ok(())
            })
            .await;
            let error = ended.err();
            assert_eq!(error.is_some(), panics, "{name}");
            if let Some(error) = error {
                assert_eq!(error.kind, ErrorKind::Fatal);
                assert!(error.message.contains("no such page"), "{error}");
            }
        }
    }
}
