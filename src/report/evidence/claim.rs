//! What a line of evidence says, read back.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line about an object or a subtree. Words are texts: a file of another version may have more
/// of them.
#[derive(Debug, Clone, Deserialize)]
pub struct Claim {
    /// The pair.
    pub pair: String,
    /// Its place among the lines, counted from 1.
    pub seq: u64,
    /// What was done.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The key relative to both roots.
    pub key: String,
    /// How the key is encoded, where it is.
    #[serde(default)]
    pub key_encoding: Option<String>,
    /// The object at the source.
    pub source: Option<ClaimedEnd>,
    /// The object at the target.
    pub target: Option<ClaimedEnd>,
    /// What was proved.
    pub verify: Option<ClaimedProof>,
    /// How it was cut.
    pub parts: Option<ClaimedParts>,
    /// What went wrong.
    pub error: Option<ClaimedError>,
}

/// One end of a transfer, as it was.
#[derive(Debug, Clone, Deserialize)]
pub struct ClaimedEnd {
    /// The whole key.
    pub key: String,
    /// Its version.
    pub version_id: Option<String>,
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag in quotes.
    pub etag: Option<String>,
    /// By algorithm, as S3 reports them.
    pub checksum: Option<BTreeMap<String, String>>,
}

/// What was compared.
#[derive(Debug, Clone, Deserialize)]
pub struct ClaimedProof {
    /// ETags.
    pub etag: Option<ClaimedComparison>,
    /// Additional checksums.
    pub checksum: Option<ClaimedComparison>,
    /// Checksums of another algorithm than the one asked for.
    #[serde(default)]
    pub aside: Option<ClaimedComparison>,
}

/// One comparison.
#[derive(Debug, Clone, Deserialize)]
pub struct ClaimedComparison {
    /// What it showed.
    pub result: String,
    /// The algorithm of a checksum.
    #[serde(default)]
    pub algorithm: Option<String>,
    /// What it rests on.
    pub method: String,
    /// Why nothing could be proved.
    #[serde(default)]
    pub why: Option<String>,
}

/// How an object was cut.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ClaimedParts {
    /// Into how many parts.
    pub count: u64,
    /// The length of each but the last, where they are of one.
    pub size: Option<u64>,
}

/// What went wrong.
#[derive(Debug, Clone, Deserialize)]
pub struct ClaimedError {
    /// In words.
    pub message: String,
}

impl Claim {
    /// Whether it says that the object came to the target.
    pub fn is_arrival(&self) -> bool {
        self.action == "transfer" && matches!(&*self.outcome, "ok" | "warning")
    }

    /// Whether it says that the object was removed from the target.
    pub fn is_removal(&self) -> bool {
        self.action == "delete" && self.outcome == "ok"
    }

    /// Whether it failed.
    pub fn is_failure(&self) -> bool {
        self.outcome == "failed"
    }

    /// Whether the object arrived and nothing proves that it did so unharmed.
    pub fn is_unproved(&self) -> bool {
        self.is_arrival() && !self.comparisons().any(|(_, it)| it.result == "matched")
    }

    /// Everything compared, by its axis.
    pub fn comparisons(&self) -> impl Iterator<Item = (&'static str, &ClaimedComparison)> {
        let verify = self.verify.as_ref();
        let etag = verify.and_then(|verify| verify.etag.as_ref());
        let checksum = verify.and_then(|verify| verify.checksum.as_ref());
        let aside = verify.and_then(|verify| verify.aside.as_ref());
        let axes = [("ETag", etag), ("checksum", checksum), ("checksum", aside)];
        axes.into_iter()
            .filter_map(|(axis, compared)| Some((axis, compared?)))
    }
}
