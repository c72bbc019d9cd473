//! From the digests of parts to the checksum of the object.

use std::num::NonZeroU16;

use super::{Algorithm, Checksum, Digest, Hasher};

/// The composite S3 makes of an object's parts: the digest of their concatenated digests.
///
/// `None` without parts, with more than 65,535, or when the parts' algorithms differ.
pub fn composite(parts: &[Digest]) -> Option<Checksum> {
    let count = NonZeroU16::new(u16::try_from(parts.len()).ok()?)?;
    let algorithm = parts.first()?.algorithm();
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        if part.algorithm() != algorithm {
            return None;
        }
        hasher.update(part.as_bytes());
    }
    Some(Checksum::Composite {
        digest: hasher.finish(),
        parts: count,
    })
}

/// The CRC of the whole from the CRCs of consecutive runs of bytes and their lengths.
///
/// `None` when `parts` is empty, mixes algorithms or is no CRC.
pub fn combine_crc(parts: &[(Digest, u64)]) -> Option<Digest> {
    let (first, _) = parts.first()?;
    let algorithm = first.algorithm();
    let variant = match algorithm {
        Algorithm::Crc32 => crc_fast::CrcAlgorithm::Crc32IsoHdlc,
        Algorithm::Crc32c => crc_fast::CrcAlgorithm::Crc32Iscsi,
        Algorithm::Crc64Nvme => crc_fast::CrcAlgorithm::Crc64Nvme,
        Algorithm::Md5
        | Algorithm::Sha1
        | Algorithm::Sha256
        | Algorithm::Sha512
        | Algorithm::XxHash64
        | Algorithm::XxHash3
        | Algorithm::XxHash128 => return None,
    };
    let value = |digest: &Digest| {
        digest
            .as_bytes()
            .iter()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let mut whole = value(first);
    for (part, length) in &parts[1..] {
        if part.algorithm() != algorithm {
            return None;
        }
        whole = crc_fast::checksum_combine(variant, whole, value(part), *length);
    }
    let bytes = whole.to_be_bytes();
    Digest::from_bytes(algorithm, &bytes[8 - algorithm.len()..])
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    #[test]
    fn combined_crcs_equal_the_crc_of_the_whole() {
        let data: Vec<u8> = (0..100_003_u32).map(|i| (i * 7 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            for size in [1, 1000, 65_536, 100_003, 200_000] {
                let parts: Vec<_> = data
                    .chunks(size)
                    .map(|c| (digest(algorithm, c), c.len() as u64))
                    .collect();
                assert_eq!(
                    combine_crc(&parts),
                    Some(digest(algorithm, &data)),
                    "{algorithm} {size}"
                );
            }
        }
        assert_eq!(combine_crc(&[(digest(Algorithm::Md5, b""), 0)]), None);
        assert_eq!(combine_crc(&[]), None);
    }

    #[test]
    fn a_composite_is_the_digest_of_digests() {
        let parts = [digest(Algorithm::Md5, b"a"), digest(Algorithm::Md5, b"b")];
        let Some(Checksum::Composite {
            digest: seen,
            parts: count,
        }) = composite(&parts)
        else {
            panic!("two parts make a composite");
        };
        // md5(md5("a") ++ md5("b")), by Python's hashlib
        assert_eq!(seen.hex(), "96e024ba2074fe77e8e965ba43a704be");
        assert_eq!(count.get(), 2);
        assert_eq!(composite(&[]), None);
    }
}
