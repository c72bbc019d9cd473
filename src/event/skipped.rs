//! Why an object was left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::OddityKind;

/// Why an object was left out although it would have been transferred. Not an error, and for most
/// reasons a warning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It went away between being listed and being read.
    SourceVanished,
    /// It was asked for by its name, and the source does not have it.
    NotFound,
    /// S3 says that it may not be read or written.
    AccessDenied,
    /// The file may not be read.
    UnreadableFile,
    /// Nothing is left of the key below the prefix.
    KeyIsPrefix,
    /// A key ending in `/` with content, which no directory can hold.
    IncompatibleKey,
    /// A fifo, socket or device.
    SpecialFile,
    /// A file name that is not UTF-8.
    NotUtf8Name,
    /// A key that would leave the target directory.
    UnsafeKey,
    /// Two keys map to one path, and this is the one that gives way.
    ShadowedKey,
    /// A directory marker: the directory was made (or is not made for S3).
    DirectoryMarker,
    /// Archived and not restored.
    Archived,
    /// A condition the user asked for did not hold.
    PreconditionFailed,
    /// The target has a later version of it, and a version can only be added as the newest.
    OutOfOrder,
    /// A script said not to transfer it.
    LuaCancelled,
    /// Code of the program that embeds this library said so.
    HookCancelled,
}

impl SkipReason {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceVanished => "source_vanished",
            Self::NotFound => "not_found",
            Self::AccessDenied => "access_denied",
            Self::UnreadableFile => "unreadable_file",
            Self::KeyIsPrefix => "key_is_prefix",
            Self::IncompatibleKey => "incompatible_key",
            Self::SpecialFile => "special_file",
            Self::NotUtf8Name => "not_utf8_name",
            Self::UnsafeKey => "unsafe_key",
            Self::ShadowedKey => "shadowed_key",
            Self::DirectoryMarker => "directory_marker",
            Self::Archived => "archived",
            Self::PreconditionFailed => "precondition_failed",
            Self::OutOfOrder => "out_of_order",
            Self::LuaCancelled => "lua_cancelled",
            Self::HookCancelled => "hook_cancelled",
        }
    }

    /// Whether it makes the pair end with warnings.
    pub fn is_warning(self) -> bool {
        !matches!(
            self,
            Self::SpecialFile | Self::DirectoryMarker | Self::LuaCancelled | Self::HookCancelled
        )
    }

    /// For something a listing met that is no entry; `None` for what is not one object
    /// (a directory).
    pub fn of_oddity(kind: OddityKind) -> Option<Self> {
        match kind {
            OddityKind::SpecialFile => Some(Self::SpecialFile),
            OddityKind::NotUtf8 => Some(Self::NotUtf8Name),
            OddityKind::KeyTooLong => Some(Self::UnsafeKey),
            OddityKind::KeyIsPrefix => Some(Self::KeyIsPrefix),
            OddityKind::Vanished => Some(Self::SourceVanished),
            OddityKind::Absent => Some(Self::NotFound),
            OddityKind::Denied => Some(Self::AccessDenied),
            OddityKind::UnsafeName => Some(Self::UnsafeKey),
            OddityKind::UnreadableDirectory | OddityKind::LeftOut | OddityKind::NotFollowed => None,
        }
    }
}
