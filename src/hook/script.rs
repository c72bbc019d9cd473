//! Which script was it?

/// A script that has a say in a pair, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFact {
    /// `filter`, `preprocess` or `event`.
    pub kind: String,
    /// Its file.
    pub path: String,
    /// SHA-256 of what was in it when it was read, hexadecimal.
    pub sha256: String,
}
