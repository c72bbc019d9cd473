//! Which checksum a listing says an object has; its value stands elsewhere.

/// An algorithm and what it is taken over, by S3's names, in two bytes: listings have millions.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedChecksum {
    algorithm: u8,
    kind: u8,
}

/// What S3 calls the algorithms.
const ALGORITHMS: [&str; 10] = [
    "CRC32",
    "CRC32C",
    "CRC64NVME",
    "SHA1",
    "SHA256",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
];

/// What S3 calls what they are taken over; the first is that it says nothing.
const KINDS: [&str; 3] = ["", "FULL_OBJECT", "COMPOSITE"];

impl ListedChecksum {
    /// By S3's name of an algorithm; `None` of one that is not known.
    pub fn new(algorithm: &str) -> Option<Self> {
        let algorithm = place(&ALGORITHMS, algorithm)?;
        Some(Self { algorithm, kind: 0 })
    }

    /// The same, over what this name says.
    #[must_use]
    pub fn over(self, kind: &str) -> Self {
        Self {
            kind: place(&KINDS, kind).unwrap_or(0),
            ..self
        }
    }

    /// S3's name of the algorithm.
    pub fn algorithm(self) -> &'static str {
        ALGORITHMS[usize::from(self.algorithm)]
    }

    /// S3's name of what it is taken over, where the listing says it.
    pub fn kind(self) -> Option<&'static str> {
        (self.kind > 0).then(|| KINDS[usize::from(self.kind)])
    }

    /// As two bytes, and as two zeros where there is none.
    pub fn to_bytes(this: Option<Self>) -> [u8; 2] {
        this.map_or([0, 0], |it| [it.algorithm + 1, it.kind])
    }

    /// What [`ListedChecksum::to_bytes`] gave.
    pub fn from_bytes([algorithm, kind]: [u8; 2]) -> Option<Self> {
        let algorithm = algorithm.checked_sub(1)?;
        let is_known = usize::from(algorithm) < ALGORITHMS.len() && usize::from(kind) < KINDS.len();
        is_known.then_some(Self { algorithm, kind })
    }
}

fn place(names: &[&str], name: &str) -> Option<u8> {
    let at = names.iter().position(|one| *one == name)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_come_back() {
        for algorithm in ALGORITHMS {
            for kind in KINDS {
                let checksum = ListedChecksum::new(algorithm).expect("known").over(kind);
                assert_eq!(checksum.algorithm(), algorithm);
                assert_eq!(checksum.kind().unwrap_or_default(), kind);
                let bytes = ListedChecksum::to_bytes(Some(checksum));
                assert_eq!(ListedChecksum::from_bytes(bytes), Some(checksum));
            }
        }
        assert_eq!(ListedChecksum::new("BLAKE3"), None);
        assert_eq!(
            ListedChecksum::from_bytes(ListedChecksum::to_bytes(None)),
            None
        );
        assert_eq!(ListedChecksum::from_bytes([99, 99]), None);
    }
}
