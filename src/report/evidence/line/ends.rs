//! An object at one of the two ends.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::digest::Checksum;
use crate::event::Listed;
use crate::object::ETag;
use crate::report::evidence::Scope;
use crate::report::schema::Time;
use crate::store::{SourceFacts, Stored};

/// An object at the source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct SourceEnd {
    /// The whole key, the prefix included.
    key: String,
    /// Its version.
    version_id: Option<String>,
    /// Its length in bytes.
    size: u64,
    /// Its ETag with its quotes.
    etag: Option<String>,
    /// When it was written.
    #[schemars(with = "Time")]
    last_modified: String,
    /// Its additional checksums, each by its algorithm and as S3 reports it.
    #[schemars(extend("propertyNames" = { "$ref": "#/definitions/Algorithm" }))]
    checksum: Option<Checksums>,
}

impl SourceEnd {
    /// As the source listed it.
    pub(super) fn listed(scope: &Scope, key: &str, source: &Listed) -> Self {
        Self {
            key: scope.source_key(key),
            version_id: source.version.as_deref().map(str::to_owned),
            size: source.size,
            etag: source.etag.as_ref().map(ETag::quoted),
            last_modified: source.modified.to_string(),
            checksum: None,
        }
    }

    /// As it was brought over.
    pub(super) fn sent(scope: &Scope, source: &SourceFacts) -> Self {
        Self {
            key: scope.source_key(source.key.as_str()),
            version_id: source.version.as_deref().map(str::to_owned),
            size: source.size,
            etag: source.etag.as_ref().map(ETag::quoted),
            last_modified: source.modified.to_string(),
            checksum: checksums(&source.checksum),
        }
    }
}

/// An object at the target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct TargetEnd {
    /// The whole key, the prefix included.
    key: String,
    /// Its version.
    version_id: Option<String>,
    /// Its length in bytes.
    size: u64,
    /// Its ETag with its quotes.
    etag: Option<String>,
    /// Only of what was listed: what was just written has the time of its writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    last_modified: Option<String>,
    /// Its additional checksums, each by its algorithm and as S3 reports it.
    #[schemars(extend("propertyNames" = { "$ref": "#/definitions/Algorithm" }))]
    checksum: Option<Checksums>,
}

impl TargetEnd {
    /// What the target has before anything is done.
    pub(super) fn listed(scope: &Scope, key: &str, target: &Listed) -> Self {
        Self {
            key: scope.target_key(key),
            version_id: target.version.as_deref().map(str::to_owned),
            size: target.size,
            etag: target.etag.as_ref().map(ETag::quoted),
            last_modified: Some(target.modified.to_string()),
            checksum: None,
        }
    }

    /// What the target has taken.
    pub(super) fn stored(scope: &Scope, key: &str, stored: &Stored) -> Self {
        Self {
            key: scope.target_key(key),
            version_id: stored.version.as_deref().map(str::to_owned),
            size: stored.size,
            etag: stored.etag.as_ref().map(ETag::quoted),
            last_modified: None,
            checksum: checksums(&stored.checksums),
        }
    }

    /// A delete marker of the target.
    pub(super) fn marker(scope: &Scope, key: &str, id: Option<&str>) -> Self {
        Self {
            key: scope.target_key(key),
            version_id: id.map(str::to_owned),
            size: 0,
            etag: None,
            last_modified: None,
            checksum: None,
        }
    }
}

/// S3's name of the algorithm → the value as S3 reports it; in the order of the names.
type Checksums = BTreeMap<&'static str, String>;

fn checksums<'c>(checksums: impl IntoIterator<Item = &'c Checksum>) -> Option<Checksums> {
    let by_name: Checksums = checksums
        .into_iter()
        .map(|checksum| (checksum.algorithm().as_str(), checksum.to_string()))
        .collect();
    (!by_name.is_empty()).then_some(by_name)
}
