/*! Endpoints that take what is to be encrypted, and do not say that they did.

Nothing is left in the clear that the user wanted encrypted. An upload in parts is told before any
part of it is sent. What is written or copied at once is told only afterwards: then it is removed
again. So the first of those goes alone, and the others wait for what is said of it.
*/

use std::sync::OnceLock;

use aws_sdk_s3::types::ServerSideEncryption;
use tokio::sync::{Mutex, MutexGuard};

use crate::store::s3::{Encryption, S3Store, withdraw};
use crate::store::{ErrorKind, Put, StoreError, Stored, Withdrawn};

/// What the first answer to a write said.
#[derive(Debug, Default)]
pub(super) struct Encrypts {
    turn: Mutex<()>,
    known: OnceLock<Result<(), StoreError>>,
}

/// What an answer says of how the object is encrypted.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::s3) struct Told<'a> {
    pub(in crate::store::s3) method: Option<&'a ServerSideEncryption>,
    /// The algorithm of SSE-C.
    pub(in crate::store::s3) customer: Option<&'a str>,
}

impl S3Store {
    /// Waits until the endpoint is known to encrypt as it is asked to, or until it is this write's
    /// turn to find that out, which then keeps what it is given until it knows.
    pub(in crate::store::s3) async fn turn_to_encrypt(
        &self,
        operation: &'static str,
        full_key: &str,
    ) -> Result<Option<MutexGuard<'_, ()>>, StoreError> {
        if *self.encryption() == Encryption::Bucket {
            return Ok(None);
        }
        let first = &self.0.learnt.encrypts;
        let known = || {
            let known = first.known.get()?.clone();
            Some(known.map(|()| None).map_err(|error| StoreError {
                operation,
                subject: full_key.to_owned(),
                message: format!("nothing was written: {error}"),
                ..error
            }))
        };
        if let Some(known) = known() {
            return known;
        }
        let turn = first.turn.lock().await;
        known().unwrap_or(Ok(Some(turn)))
    }

    /// Whether the answer says that the object is encrypted as the user asked; otherwise the error
    /// that ends the pair, once `undone` has taken it back and says so.
    pub(in crate::store::s3) async fn encrypted<F>(
        &self,
        operation: &'static str,
        full_key: &str,
        told: Told<'_>,
        undone: impl FnOnce() -> F,
    ) -> Result<(), StoreError>
    where
        F: Future<Output = String>,
    {
        let Some((option, asked, told)) = self.dropped(told) else {
            let _ = self.0.learnt.encrypts.known.set(Ok(()));
            return Ok(());
        };
        let message = format!(
            "{option} asks for {asked}, and the answer says {told}; {}; leave {option} out if the endpoint encrypts by itself",
            undone().await
        );
        let error = StoreError::new(operation, full_key, ErrorKind::Fatal, message);
        let _ = self.0.learnt.encrypts.known.set(Err(error.clone()));
        Err(error)
    }

    /// Removes what was stored in the clear, and says whether that was done.
    pub(in crate::store::s3) async fn remove_in_the_clear(
        &self,
        put: &Put,
        stored: &Stored,
    ) -> String {
        match withdraw::withdraw(self, &put.key, stored).await {
            Ok(Withdrawn::Removed | Withdrawn::Absent) => "the object was removed again".to_owned(),
            Ok(Withdrawn::Other) => "another object took its place".to_owned(),
            Err(error) => {
                format!("the object is there, and could not be removed again: {error}")
            }
        }
    }

    /// The option that asks for another encryption than is told, what it asks for, and what is
    /// told.
    fn dropped(&self, told: Told<'_>) -> Option<(&'static str, &str, String)> {
        let (option, asked, told) = match self.encryption() {
            Encryption::Bucket => return None,
            Encryption::Customer(_) => (
                "target.sse_c",
                crate::store::s3::CustomerKey::ALGORITHM,
                told.customer,
            ),
            Encryption::Managed | Encryption::Kms(_) | Encryption::DualKms(_) => (
                "target.sse",
                self.encryption().method().unwrap_or_default(),
                told.method.map(ServerSideEncryption::as_str),
            ),
        };
        let words = told.map_or_else(
            || "nothing of an encryption".to_owned(),
            |told| format!("`{told}`"),
        );
        (told != Some(asked)).then_some((option, asked, words))
    }
}
