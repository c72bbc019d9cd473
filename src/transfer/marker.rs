//! Directory markers, which are directories where files are.

use super::{Became, Ended, Transferrer};
use crate::event::{Cause, Event, SkipReason};
use crate::object::Entry;
use crate::store::Put;

impl Transferrer {
    /// A marker becomes a directory, unless the run is dry; either way it is no object that moved.
    pub(super) async fn make_directory(
        &self,
        marker: &Entry,
        because: Cause,
    ) -> Result<Became, Ended> {
        let put = Put::bare(marker.key.clone(), marker.size, marker.modified);
        let made = if self.dry_run {
            Ok(())
        } else {
            let nothing = bytes::Bytes::new();
            self.target.put(&put, nothing, &[]).await.map(|_| ())
        };
        match made {
            Ok(()) => {
                self.sinks.emit(&Event::Skipped {
                    key: marker.key.as_str().to_owned(),
                    source: Some(marker.into()),
                    reason: SkipReason::DirectoryMarker,
                    message: None,
                });
                Ok(Became::Arrived(None))
            }
            Err(error) if self.may_yet_go(&error) => Ok(Became::blocked(marker, because)),
            Err(error) => self.conclude(marker, error.into(), 1),
        }
    }
}
