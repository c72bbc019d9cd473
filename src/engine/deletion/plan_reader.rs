//! Candidates on their way back from the delete plan.

use std::io::{self, BufRead as _};

use tokio::task::spawn_blocking;

use super::lines::Reading;
use super::plan_file::failed;
use super::plan_line::{Candidate, Line, Object};
use crate::event::Listed;
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::plan::{DeletePermit, Deletion};
use crate::store::StoreError;

/// Reads candidates in the order they were written.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) permit: DeletePermit,
    pub(super) lines: Reading,
    /// So many are still to come.
    pub(super) left: u64,
    /// What to call the file.
    pub(super) name: String,
}

impl Reader {
    /// The next ones, so many at most; none after the last.
    pub(super) async fn batch(mut self, most: usize) -> Result<(Self, Vec<Deletion>), StoreError> {
        let name = self.name.clone();
        let read = spawn_blocking(move || {
            let mut batch = Vec::new();
            let mut text = String::new();
            while batch.len() < most && self.left > 0 {
                text.clear();
                if self.lines.read_line(&mut text)? == 0 {
                    return Err(io::Error::other("the file ends before its last line"));
                }
                let Line::Candidate(candidate) = serde_json::from_str(&text)? else {
                    return Err(io::Error::other("the file ends before its last candidate"));
                };
                batch.push(candidate.read(self.permit)?);
                self.left -= 1;
            }
            Ok((self, batch))
        });
        let read = read.await.expect("reading does not panic");
        read.map_err(|error| failed(&name, &error))
    }
}

impl Candidate {
    fn read(self, permit: DeletePermit) -> io::Result<Deletion> {
        let Object {
            size,
            modified: (seconds, nanos),
            etag,
            version_id,
            ..
        } = self.target;
        let key = ObjectKey::new(self.key).map_err(io::Error::other)?;
        let target = Listed {
            size,
            modified: Timestamp::new(seconds, nanos),
            etag: etag.as_deref().map(ETag::parse),
            version: version_id.map(Into::into),
        };
        Ok(permit.deletion(key, target, self.reason))
    }
}
