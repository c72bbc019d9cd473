//! What is hashed of every object on its way.

use super::Transferrer;
use crate::digest::Algorithm;
use crate::plan::Direction;

impl Transferrer {
    /// The digests a pass over the bytes has to make: MD5 for ETags, the additional one, and the
    /// one that requests are signed with.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let md5 = self.pair.verify.etag || self.direction != Direction::S3ToLocal;
        let checksum = match self.direction {
            Direction::S3ToLocal => None,
            Direction::LocalToS3 | Direction::S3ToS3 => self.pair.checksum,
        };
        md5.then_some(Algorithm::Md5)
            .into_iter()
            .chain(checksum)
            .chain(self.target.signs_with())
            .collect()
    }
}
