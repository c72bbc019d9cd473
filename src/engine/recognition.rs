/*! Whether the target keeps by what its versions are recognized.

Which version of the source a version was made from stands in its user metadata. A target that lets
that fall would get every version again in every run, so the first version that is brought over goes
alone, and the others wait until it was seen there.
*/

use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, MutexGuard};

use crate::object::{Entry, ObjectVersion};
use crate::store::{ErrorKind, StoreError, Target};
use crate::transfer::origin_of;

/// What the first version told that was brought over.
#[derive(Debug, Default)]
pub(super) struct Recognition {
    turn: Mutex<()>,
    known: OnceLock<bool>,
}

/// Whether a version may be brought over now.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    /// It may: the target keeps what it has to.
    Known,
    /// It may, and tells; the others wait for it.
    First(#[expect(dead_code, reason = "it is held")] MutexGuard<'a, ()>),
    /// It may not: the target does not keep it.
    Never,
}

impl Recognition {
    /// Waits until the target is known, or until it is this version's turn to make it known.
    pub(super) async fn turn(&self) -> Turn<'_> {
        if let Some(turn) = self.known() {
            return turn;
        }
        let turn = self.turn.lock().await;
        self.known().unwrap_or(Turn::First(turn))
    }

    fn known(&self) -> Option<Turn<'_>> {
        let keeps = *self.known.get()?;
        Some(if keeps { Turn::Known } else { Turn::Never })
    }

    /// Looks at the first version that arrived; an error is the one that ends the pair. What cannot
    /// be seen tells nothing: then the next one is the first.
    pub(super) async fn look(
        &self,
        target: &dyn Target,
        source: &Entry,
        arrived: Option<Arc<str>>,
    ) -> Result<(), StoreError> {
        let at = ObjectVersion {
            version: arrived.as_deref(),
            ..(&source.key).into()
        };
        let keeps = match target.head(at, false).await {
            Ok(head) => origin_of(&head.attributes.user) == source.version.as_deref(),
            // the next run is refused the same, and brings over nothing it cannot recognize
            Err(error) if error.kind == ErrorKind::AccessDenied => true,
            Err(_) => return Ok(()),
        };
        let _ = self.known.set(keeps);
        if keeps {
            return Ok(());
        }
        let url = target.describe().url;
        let message = format!(
            "the target {url} keeps no user metadata, by which the versions brought over are recognized: each run would bring all of them again; versioning.enabled cannot be used with it"
        );
        Err(StoreError::new(
            "HeadObject",
            source.key.as_str(),
            ErrorKind::Fatal,
            message,
        ))
    }
}
