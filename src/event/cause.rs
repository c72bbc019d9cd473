//! Why an object is transferred.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why an object is transferred.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The target has no such key.
    #[serde(rename = "missing_in_target")]
    Missing,
    /// The source is newer, in whole seconds.
    Newer,
    /// The sizes differ.
    SizeDiffers,
    /// The ETags differ.
    #[serde(rename = "etag_differs")]
    ETagDiffers,
    /// The additional checksums differ.
    ChecksumDiffers,
    /// The content could not be compared.
    Undecided,
    /// The user wants everything transferred.
    Forced,
    /// An earlier run has left something there that is damaged or was not proved.
    Distrusted,
}

impl Cause {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing_in_target",
            Self::Newer => "newer",
            Self::SizeDiffers => "size_differs",
            Self::ETagDiffers => "etag_differs",
            Self::ChecksumDiffers => "checksum_differs",
            Self::Undecided => "undecided",
            Self::Forced => "forced",
            Self::Distrusted => "distrusted",
        }
    }
}
