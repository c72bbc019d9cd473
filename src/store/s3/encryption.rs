//! How objects are encrypted by S3, and the headers that say so:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::digest::{Algorithm, digest};
use crate::store::Secret;

/// How what is written is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Encryption {
    /// As the bucket has it.
    #[default]
    Bucket,
    /// With keys of S3 (SSE-S3).
    Managed,
    /// With a key of KMS (SSE-KMS).
    Kms(KmsKey),
    /// With a key of KMS, twice (DSSE-KMS).
    DualKms(KmsKey),
    /// With a key of the user's (SSE-C), which every read needs as well.
    Customer(CustomerKey),
}

/// A key of KMS: its id, ARN or alias; AWS's own where none is named.
pub type KmsKey = Option<String>;

/// A key of the user's for SSE-C: 256 bits. It is sent with every request about the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerKey {
    key: Secret,
    md5: String,
}

impl CustomerKey {
    /// The only algorithm there is.
    pub(super) const ALGORITHM: &'static str = "AES256";

    /// A key in base64; `None` where it is none. Its MD5 is computed.
    pub fn new(key: Secret) -> Option<Self> {
        let bytes = STANDARD.decode(key.expose()).map(Zeroizing::new).ok()?;
        let md5 = digest(Algorithm::Md5, &bytes).base64();
        (bytes.len() == 32).then_some(Self { key, md5 })
    }

    pub(super) fn key(&self) -> String {
        self.key.expose().to_owned()
    }

    pub(super) fn md5(&self) -> String {
        self.md5.clone()
    }
}

impl Encryption {
    /// The user's key, where that is how objects are encrypted.
    pub fn customer_key(&self) -> Option<&CustomerKey> {
        match self {
            Self::Customer(key) => Some(key),
            Self::Bucket | Self::Managed | Self::Kms(_) | Self::DualKms(_) => None,
        }
    }

    /// Whether the ETags of what is written so are no digests.
    pub fn hides_digests(&self) -> bool {
        match self {
            Self::Kms(_) | Self::DualKms(_) | Self::Customer(_) => true,
            Self::Bucket | Self::Managed => false,
        }
    }

    /// S3's word for it.
    pub(super) fn method(&self) -> Option<&'static str> {
        match self {
            Self::Managed => Some("AES256"),
            Self::Kms(_) => Some("aws:kms"),
            Self::DualKms(_) => Some("aws:kms:dsse"),
            Self::Bucket | Self::Customer(_) => None,
        }
    }

    pub(super) fn kms_key(&self) -> Option<String> {
        match self {
            Self::Kms(key) | Self::DualKms(key) => key.clone(),
            Self::Bucket | Self::Managed | Self::Customer(_) => None,
        }
    }
}

/// Presents the user's key, if there is one, with any request about an object.
macro_rules! with_key {
    ($request:expr, $key:expr) => {{
        let request = $request;
        match $key {
            None => request,
            Some(key) => request
                .sse_customer_algorithm($crate::store::s3::CustomerKey::ALGORITHM)
                .sse_customer_key(key.key())
                .sse_customer_key_md5(key.md5()),
        }
    }};
}
pub(super) use with_key;

/// Presents the key of what is copied, if it has one.
macro_rules! with_source_key {
    ($request:expr, $key:expr) => {{
        let request = $request;
        match $key {
            None => request,
            Some(key) => request
                .copy_source_sse_customer_algorithm($crate::store::s3::CustomerKey::ALGORITHM)
                .copy_source_sse_customer_key(key.key())
                .copy_source_sse_customer_key_md5(key.md5()),
        }
    }};
}
pub(super) use with_source_key;

/// Says how what is written is to be encrypted.
macro_rules! with_encryption {
    ($request:expr, $encryption:expr) => {{
        use $crate::store::s3::encryption::with_key;
        let encryption = $encryption;
        let request = $request
            .set_server_side_encryption(encryption.method().map(Into::into))
            .set_ssekms_key_id(encryption.kms_key());
        with_key!(request, encryption.customer_key())
    }};
}
pub(super) use with_encryption;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_256_bits_and_shows_itself_nowhere() {
        let text = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let key = CustomerKey::new(Secret::new(text)).expect("a key");
        // `md5sum` of its 32 bytes, in base64
        assert_eq!(key.md5(), "hRasmdxgYDKV3nvbahU1MA==");
        assert!(!format!("{key:?}").contains(text));
        for wrong in ["", "no base64", "c2hvcnQ="] {
            assert_eq!(CustomerKey::new(Secret::new(wrong)), None, "{wrong}");
        }
    }
}
