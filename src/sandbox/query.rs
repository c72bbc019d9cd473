//! The query string of a request.

use percent_encoding::percent_decode_str;

/// Decoded names and values, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// Parameters that refine an operation; every other name selects one.
const REFINEMENTS: [&str; 16] = [
    "x-id",
    "versionId",
    "partNumber",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "encoding-type",
    "continuation-token",
    "fetch-owner",
    "start-after",
    "expected-bucket-owner",
    "max-buckets",
    // of a URL presigned with the old signature
    "AWSAccessKeyId",
    "Signature",
    "Expires",
];

impl Query {
    /// Reads what stands behind the `?`; `+` is a space.
    pub(super) fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            percent_decode_str(&part.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The value of the first parameter of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(seen, _)| seen == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of the first parameter of this name, if it is not empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether there is a parameter of this name, with or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Leaves all parameters of this name out.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.retain(|(seen, _)| seen != name);
    }

    /// All names and values.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// Whether nothing selects another operation than the method and path do.
    pub(super) fn has_no_subresource(&self) -> bool {
        self.0.iter().all(|(name, _)| {
            REFINEMENTS.contains(&name.as_str())
                || name.starts_with("response-")
                || name.to_ascii_lowercase().starts_with("x-amz-")
        })
    }
}
