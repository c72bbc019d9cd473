//! What the shape of an entity tag tells, and what it does not.

use std::fmt;
use std::num::NonZeroU16;

/// An entity tag without its quotes, sorted by its shape.
///
/// The shape is a hint, never a proof: an object under SSE-KMS has an ETag of 32 hexadecimal
/// digits too, which is not the MD5 of its content. Equality of two tags of one shape proves
/// sameness; a difference proves nothing until a HEAD has shown how the object is encrypted.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ETag {
    /// 32 hexadecimal digits: the MD5 of the content, if it was put in one request.
    Md5Shaped([u8; 16]),
    /// 32 hexadecimal digits, a dash and a number of parts: the MD5 of the parts' MD5s.
    MultipartShaped {
        /// MD5 over the concatenated binary MD5s of the parts.
        md5_of_md5s: [u8; 16],
        /// How many parts the object was completed from, 1 to 10,000.
        parts: NonZeroU16,
    },
    /// Anything else.
    Opaque(Box<str>),
}

impl ETag {
    /// Sorts a tag by its shape; quotes around it are taken off, a weak prefix (`W/`) is not.
    pub fn parse(text: &str) -> Self {
        let bare = text.trim_matches('"');
        let digest = |hex_digits: &str| {
            let mut bytes = [0; 16];
            hex::decode_to_slice(hex_digits, &mut bytes)
                .ok()
                .map(|()| bytes)
        };
        if let Some(md5) = digest(bare) {
            return Self::Md5Shaped(md5);
        }
        if let Some((head, tail)) = bare.split_once('-')
            && let (Some(md5_of_md5s), Ok(parts)) = (digest(head), tail.parse::<NonZeroU16>())
            && tail == parts.to_string()
        {
            return Self::MultipartShaped { md5_of_md5s, parts };
        }
        Self::Opaque(bare.into())
    }

    /// The tag as HTTP headers carry it, in quotes.
    pub fn quoted(&self) -> String {
        format!("\"{self}\"")
    }

    /// How many parts the shape speaks of; `None` where it does not speak of parts.
    pub fn parts(&self) -> Option<NonZeroU16> {
        match self {
            Self::MultipartShaped { parts, .. } => Some(*parts),
            Self::Md5Shaped(_) | Self::Opaque(_) => None,
        }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5Shaped(md5) => f.write_str(&hex::encode(md5)),
            Self::MultipartShaped { md5_of_md5s, parts } => {
                write!(f, "{}-{parts}", hex::encode(md5_of_md5s))
            }
            Self::Opaque(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        for (text, shape) in [
            (md5.to_owned(), "md5"),
            (format!("\"{md5}\""), "md5"),
            (format!("\"{md5}-2\""), "multipart"),
            (format!("{md5}-10000"), "multipart"),
            (format!("{md5}-0"), "opaque"),
            (format!("{md5}-02"), "opaque"),
            (format!("{md5}-99999"), "opaque"),
            ("abc".to_owned(), "opaque"),
            (String::new(), "opaque"),
        ] {
            let etag = ETag::parse(&text);
            let seen = match &etag {
                ETag::Md5Shaped(_) => "md5",
                ETag::MultipartShaped { .. } => "multipart",
                ETag::Opaque(_) => "opaque",
            };
            assert_eq!(seen, shape, "{text}");
            assert_eq!(etag.to_string(), text.trim_matches('"'), "{text}");
        }
    }
}
