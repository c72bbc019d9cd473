//! Uploads in parts that outlive the run: each is in the journal from before it begins until it has
//! ended, and one that an earlier run left is gone on with where it is to become the same object.
//!
//! What proves a part that the store has already is the store's own word of it, held against the
//! digests of the bytes as they are read now ([`Upload::has`]). So nothing of the source need be
//! remembered but what makes it likely that the parts still fit; and a part that is not confirmed
//! is sent again. Copies inside S3 are begun anew: nobody here has their bytes.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Transferrer, Work};
use crate::config::TargetSpec;
use crate::context::{Entry, Journal, Left};
use crate::digest::{Algorithm, Digest, digest};
use crate::object::Timestamp;
use crate::plan::Direction;
use crate::store::{
    Condition, CopySource, ErrorKind, Incomplete, LeftUpload, Part, Put, StoreError, Stored,
    StoredPart, UnheardUpload, Upload,
};

/// What the bytes of an upload's parts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    /// They are read here, in parts of this length where all but the last are of one.
    Read(Option<u64>),
    /// The store copies them itself.
    Copied,
}

/// Begins to write an object in parts, or goes on with what an earlier run has left of that.
pub(super) async fn begin(
    via: &Transferrer,
    work: &Work,
    put: &Put,
    filling: Filling,
) -> Result<Box<dyn Upload>, StoreError> {
    if via.direction == Direction::S3ToLocal {
        return via.target.begin(put).await;
    }
    let made_from = made_from(via, work, put, filling);
    let key = format!("{}{}", via.target.describe().prefix, put.key);
    let journaled = |upload, entry| {
        Box::new(Journaled {
            upload,
            journal: Arc::clone(&via.journal),
            entry,
        })
    };
    let mut resumed = None;
    for left in via.journal.take(&key) {
        let upload = match &left.what {
            Left::Upload(upload) => upload,
            Left::Unheard(_) | Left::TemporaryFiles(_) => continue,
        };
        let may_go_on = via.pair.multipart_resume && filling != Filling::Copied;
        if may_go_on && resumed.is_none() && left.made_from == made_from {
            match via.target.resume(put, upload).await {
                Ok(Some(going_on)) => {
                    tracing::info!(%key, upload_id = upload.upload_id, "going on with an interrupted upload");
                    resumed = Some((going_on, left.entry));
                    continue;
                }
                Ok(None) => {
                    via.journal.ended(left.entry);
                    continue;
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "an interrupted upload cannot be gone on with; the object is begun again");
                }
            }
        }
        end(via, left.entry, upload).await;
    }
    if let Some((upload, entry)) = resumed {
        return Ok(journaled(upload, entry));
    }
    let asked = UnheardUpload {
        key,
        since: Timestamp::now().seconds(),
        checksum: put.checksum,
        storage_class: put.storage_class.as_ref().map(|it| it.as_str().to_owned()),
    };
    let entry = via.journal.asking(asked, &made_from);
    match via.target.begin(put).await {
        Ok(upload) => {
            match upload.left() {
                Some(left) => via.journal.begun(entry, &left),
                None => via.journal.ended(entry),
            }
            Ok(journaled(upload, entry))
        }
        Err(error) => {
            // one whose answer was lost is looked for when the pair ends
            if !matches!(error.kind, ErrorKind::Transient | ErrorKind::Cancelled) {
                via.journal.ended(entry);
            }
            Err(error)
        }
    }
}

/// Ends what an earlier run has left; what cannot be ended stays in the journal.
async fn end(via: &Transferrer, entry: Entry, left: &LeftUpload) {
    match via.target.end_left(left).await {
        Ok(()) => via.journal.ended(entry),
        Err(error) => {
            tracing::warn!(%error, "an interrupted upload could not be ended; the next run tries again");
        }
    }
}

/// Stands for everything that parts of one upload have to have in common: what the source is, how
/// it is cut, and what the object is written with. What has to hold of the key counts only when the
/// upload is completed.
fn made_from(via: &Transferrer, work: &Work, put: &Put, filling: Filling) -> String {
    let put = Put {
        condition: Condition::None,
        ..put.clone()
    };
    let encryption = match &via.pair.target {
        TargetSpec::Local(_) => None,
        TargetSpec::S3(settings) => Some(&settings.encryption),
    };
    let entry = &work.entry;
    let source = (via.source.describe().url, &entry.etag, &entry.version);
    let all = format!(
        "{source:?} {} {:?} {filling:?} {put:?} {encryption:?}",
        entry.size, entry.modified
    );
    digest(Algorithm::Sha256, all.as_bytes()).hex()
}

/// An upload that is in the journal until it has ended.
#[derive(Debug)]
struct Journaled {
    upload: Box<dyn Upload>,
    journal: Arc<dyn Journal>,
    entry: Entry,
}

#[async_trait]
impl Upload for Journaled {
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError> {
        self.upload.put_part(part).await
    }

    fn etag_is_digest(&self) -> bool {
        self.upload.etag_is_digest()
    }

    fn id(&self) -> Option<&str> {
        self.upload.id()
    }

    fn left(&self) -> Option<LeftUpload> {
        self.upload.left()
    }

    fn has(&self, part: &Part) -> Option<StoredPart> {
        self.upload.has(part)
    }

    async fn copy_part(
        &self,
        number: NonZeroU16,
        from: &CopySource,
        range: Range<u64>,
    ) -> Result<StoredPart, StoreError> {
        self.upload.copy_part(number, from, range).await
    }

    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, Incomplete> {
        let stored = self.upload.complete(parts, whole).await?;
        self.journal.ended(self.entry);
        Ok(stored)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.upload.abort().await?;
        self.journal.ended(self.entry);
        Ok(())
    }
}
