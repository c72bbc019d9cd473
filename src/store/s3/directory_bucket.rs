//! What a directory bucket cannot keep beside an object's bytes:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html>.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::S3Store;
use crate::object::Tags;
use crate::store::Put;

impl S3Store {
    /// What is to be written, without what the bucket would refuse it for: a directory bucket has
    /// no tags and no ACLs, and only one storage class. That tags are left behind is told once.
    pub(super) fn keepable<'p>(&self, put: &'p Put) -> Cow<'p, Put> {
        if !self.0.settings.location.is_directory_bucket() {
            return Cow::Borrowed(put);
        }
        if !put.tags.is_empty() && !self.0.told_no_tags.swap(true, Ordering::Relaxed) {
            let why = "directory buckets have none";
            self.0.meter.lost("tags of what is written", why);
        }
        Cow::Owned(Put {
            tags: Tags::new(),
            storage_class: None,
            acl: None,
            ..put.clone()
        })
    }
}
