//! What a request claims about its content, and the checksum an object keeps.

use http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{Result, error, invalid_request};
use super::response::Answer;
use super::xml::Writer;
use crate::digest::{Algorithm, Checksum, Digest};

/// What a multipart object's checksum is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Composite,
    FullObject,
}

impl Kind {
    /// The word S3 has for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    /// The kind a multipart upload gets that asks for this algorithm and, maybe, this kind.
    pub(super) fn of_upload(algorithm: Algorithm, asked: Option<&str>) -> Result<Self> {
        let kind = match asked {
            Some("COMPOSITE") => Self::Composite,
            Some("FULL_OBJECT") => Self::FullObject,
            None if algorithm.is_always_full_object() => Self::FullObject,
            None => Self::Composite,
            Some(_) => {
                return Err(invalid_request(
                    "Value for x-amz-checksum-type header is invalid.",
                ));
            }
        };
        let legal = match kind {
            Self::Composite => !algorithm.is_always_full_object(),
            Self::FullObject => algorithm.is_crc(),
        };
        if legal {
            Ok(kind)
        } else {
            Err(invalid_request(format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                kind.as_str(),
                algorithm.as_str().to_lowercase()
            )))
        }
    }
}

/// The checksum an object keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredChecksum {
    #[serde(
        serialize_with = "write_algorithm",
        deserialize_with = "read_algorithm"
    )]
    pub(super) algorithm: Algorithm,
    /// Base64, with `-N` behind a composite.
    pub(super) value: String,
    pub(super) kind: Kind,
}

impl StoredChecksum {
    /// The checksum of content that came in one piece.
    pub(super) fn whole(digest: Digest) -> Self {
        Self {
            algorithm: digest.algorithm(),
            value: digest.base64(),
            kind: Kind::FullObject,
        }
    }

    /// A checksum as [`crate::digest`] has it.
    pub(super) fn of(checksum: &Checksum) -> Self {
        let kind = match checksum {
            Checksum::Whole(_) => Kind::FullObject,
            Checksum::Composite { .. } => Kind::Composite,
        };
        Self {
            algorithm: checksum.algorithm(),
            value: checksum.to_string(),
            kind,
        }
    }

    /// Adds the headers that tell it.
    pub(super) fn tell(&self, answer: &mut Answer) {
        answer.set(self.algorithm.header(), &self.value);
        answer.set("x-amz-checksum-type", self.kind.as_str());
    }

    /// Writes the elements that tell it.
    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text(element(self.algorithm), &self.value);
        xml.text("ChecksumType", self.kind.as_str());
    }
}

/// The element that carries an algorithm's value in XML.
pub(super) fn element(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "ChecksumMD5",
        Algorithm::Sha1 => "ChecksumSHA1",
        Algorithm::Sha256 => "ChecksumSHA256",
        Algorithm::Sha512 => "ChecksumSHA512",
        Algorithm::Crc32 => "ChecksumCRC32",
        Algorithm::Crc32c => "ChecksumCRC32C",
        Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
        Algorithm::XxHash64 => "ChecksumXXHASH64",
        Algorithm::XxHash3 => "ChecksumXXHASH3",
        Algorithm::XxHash128 => "ChecksumXXHASH128",
    }
}

/// The algorithm a header names, e.g. `x-amz-checksum-algorithm: CRC32`.
pub(super) fn named_algorithm(name: &str) -> Result<Algorithm> {
    name.to_uppercase()
        .parse()
        .map_err(|_| invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]"))
}

/// The value of the one `x-amz-checksum-*` header there is, as it came.
pub(super) fn checksum_header(headers: &HeaderMap) -> Result<Option<(Algorithm, &str)>> {
    let mut found = Algorithm::ALL.into_iter().filter_map(|algorithm| {
        Some((
            algorithm,
            headers
                .get(algorithm.header())?
                .to_str()
                .unwrap_or_default(),
        ))
    });
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )),
    }
}

/// What a request says its body is.
#[derive(Debug, Default)]
pub(super) struct Claims {
    md5: Option<Digest>,
    checksum: Option<Digest>,
    /// The algorithm of a checksum that follows the body.
    trailing: Option<Algorithm>,
}

impl Claims {
    /// Reads `Content-MD5`, `x-amz-checksum-*` and the announcement of a trailer.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let md5 = match headers.get("content-md5") {
            None => None,
            Some(value) => Some(
                value
                    .to_str()
                    .ok()
                    .and_then(|text| Digest::from_base64(Algorithm::Md5, text))
                    .ok_or_else(|| {
                        error(
                            400,
                            "InvalidDigest",
                            "The Content-MD5 you specified was invalid.",
                        )
                    })?,
            ),
        };
        let checksum = checksum_header(headers)?
            .map(|(algorithm, text)| parse(algorithm, text))
            .transpose()?;
        let trailing = headers
            .get("x-amz-trailer")
            .and_then(|value| value.to_str().ok())
            .and_then(|names| {
                names.split(',').find_map(|name| {
                    Algorithm::ALL
                        .into_iter()
                        .find(|algorithm| algorithm.header().eq_ignore_ascii_case(name.trim()))
                })
            });
        if checksum.is_some() && trailing.is_some() {
            return Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let claims = Self {
            md5,
            checksum,
            trailing,
        };
        if let Some(name) = headers
            .get("x-amz-sdk-checksum-algorithm")
            .and_then(|value| value.to_str().ok())
        {
            let announced = named_algorithm(name)?;
            match claims.algorithm() {
                None => {
                    return Err(invalid_request(
                        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
                    ));
                }
                Some(algorithm) if algorithm != announced => {
                    return Err(invalid_request(
                        "Value for x-amz-sdk-checksum-algorithm header is invalid.",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(claims)
    }

    /// The algorithm of the checksum that is claimed.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.checksum
            .map(|digest| digest.algorithm())
            .or(self.trailing)
    }

    /// Whether anything at all is claimed.
    pub(super) fn any(&self) -> bool {
        self.md5.is_some() || self.algorithm().is_some()
    }

    /// Compares what was claimed with what the body had; `digests` has one for each algorithm claimed.
    pub(super) fn verify(&self, digests: &[Digest], trailers: Option<&HeaderMap>) -> Result<()> {
        let computed = |algorithm| {
            digests
                .iter()
                .find(|digest| digest.algorithm() == algorithm)
                .copied()
        };
        if self
            .md5
            .is_some_and(|claimed| computed(Algorithm::Md5) != Some(claimed))
        {
            return Err(error(
                400,
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        let checksum = match self.trailing {
            None => self.checksum,
            Some(algorithm) => {
                let text =
                    trailers.and_then(|trailers| trailers.get(algorithm.header())?.to_str().ok());
                let text = text.ok_or_else(|| {
                    error(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
                })?;
                Some(parse(algorithm, text)?)
            }
        };
        match checksum {
            Some(claimed) if computed(claimed.algorithm()) != Some(claimed) => {
                Err(mismatch(claimed.algorithm()))
            }
            _ => Ok(()),
        }
    }
}

/// 400 BadDigest for a checksum of this algorithm.
pub(super) fn mismatch(algorithm: Algorithm) -> s3s::S3Error {
    error(
        400,
        "BadDigest",
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

/// Reads a value that is not a composite.
pub(super) fn parse(algorithm: Algorithm, text: &str) -> Result<Digest> {
    Digest::from_base64(algorithm, text).ok_or_else(|| {
        invalid_request(format!(
            "Value for {} header is invalid.",
            algorithm.header()
        ))
    })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn write_algorithm<S: Serializer>(
    algorithm: &Algorithm,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(algorithm.as_str())
}

fn read_algorithm<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Algorithm, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}
