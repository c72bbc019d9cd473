//! Buckets that keep what is overwritten and deleted.

use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, StoreError};
use crate::object::History;

/// The pages of a listing of versions: each key once, in ascending byte order, with everything
/// that is under it. It ends after the first error, as [`Listing`](super::Listing) does.
pub type Histories = BoxStream<'static, Result<Page<History>, StoreError>>;

/// Whether a bucket keeps what is overwritten and deleted:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// It never has.
    Off,
    /// It does.
    Enabled,
    /// It did, and has what it kept; what is written now replaces what is there.
    Suspended,
}

impl Versioning {
    /// The word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
    }
}
