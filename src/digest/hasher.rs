//! Streaming hashers, one per algorithm, and sets of them fed in one pass.

use sha2::Digest as _;

use super::{Algorithm, Digest};

/// Computes one digest over bytes given in any number of pieces.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(md5_simd::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
    Crc32(crc32fast::Hasher),
    Crc32c(crc_fast::Digest),
    Crc64Nvme(crc64fast_nvme::Digest),
    XxHash64(Box<xxhash_rust::xxh64::Xxh64>),
    XxHash3(Box<xxhash_rust::xxh3::Xxh3>),
    XxHash128(Box<xxhash_rust::xxh3::Xxh3>),
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hasher({})", self.algorithm())
    }
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Md5 => State::Md5(md5_simd::Md5::new()),
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::default()),
            Algorithm::Crc32 => State::Crc32(crc32fast::Hasher::new()),
            Algorithm::Crc32c => {
                State::Crc32c(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
            }
            Algorithm::Crc64Nvme => State::Crc64Nvme(crc64fast_nvme::Digest::new()),
            Algorithm::XxHash64 => State::XxHash64(Box::new(xxhash_rust::xxh64::Xxh64::new(0))),
            Algorithm::XxHash3 => State::XxHash3(Box::default()),
            Algorithm::XxHash128 => State::XxHash128(Box::default()),
        })
    }

    /// The algorithm it computes.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Md5(_) => Algorithm::Md5,
            State::Sha1(_) => Algorithm::Sha1,
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
            State::Crc32(_) => Algorithm::Crc32,
            State::Crc32c(_) => Algorithm::Crc32c,
            State::Crc64Nvme(_) => Algorithm::Crc64Nvme,
            State::XxHash64(_) => Algorithm::XxHash64,
            State::XxHash3(_) => Algorithm::XxHash3,
            State::XxHash128(_) => Algorithm::XxHash128,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(data),
            State::Sha1(state) => state.update(data),
            State::Sha256(state) => state.update(data),
            State::Sha512(state) => state.update(data),
            State::Crc32(state) => state.update(data),
            State::Crc32c(state) => state.update(data),
            State::Crc64Nvme(state) => state.write(data),
            State::XxHash64(state) => state.update(data),
            State::XxHash3(state) | State::XxHash128(state) => state.update(data),
        }
    }

    /// The digest of everything taken so far.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        let digest = |bytes: &[u8]| {
            Digest::from_bytes(algorithm, bytes).expect("the algorithm's own length")
        };
        match self.0 {
            State::Md5(state) => digest(&state.finalize()),
            State::Sha1(state) => digest(&state.finalize()),
            State::Sha256(state) => digest(&state.finalize()),
            State::Sha512(state) => digest(&state.finalize()),
            State::Crc32(state) => digest(&state.finalize().to_be_bytes()),
            State::Crc32c(state) => digest(&state.finalize().to_be_bytes()[4..]),
            State::Crc64Nvme(state) => digest(&state.sum64().to_be_bytes()),
            State::XxHash64(state) => digest(&state.digest().to_be_bytes()),
            State::XxHash3(state) => digest(&state.digest().to_be_bytes()),
            State::XxHash128(state) => digest(&state.digest128().to_be_bytes()),
        }
    }
}

/// The digest of bytes that are all there.
pub fn digest(algorithm: Algorithm, data: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(data);
    hasher.finish()
}

/// Several digests of the same bytes in one pass.
#[derive(Debug, Clone)]
pub struct Hashers(Vec<Hasher>);

impl Hashers {
    /// One hasher for each algorithm; an algorithm named twice is computed once.
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut hashers: Vec<Hasher> = Vec::new();
        for algorithm in algorithms {
            if hashers.iter().all(|hasher| hasher.algorithm() != algorithm) {
                hashers.push(Hasher::new(algorithm));
            }
        }
        Self(hashers)
    }

    /// Takes the next bytes, a cache-sized piece at a time through all hashers.
    pub fn update(&mut self, data: &[u8]) {
        if let [only] = &mut self.0[..] {
            return only.update(data);
        }
        for piece in data.chunks(32 << 10) {
            for hasher in &mut self.0 {
                hasher.update(piece);
            }
        }
    }

    /// The digests, in the order the algorithms were named.
    pub fn finish(self) -> Vec<Digest> {
        self.0.into_iter().map(Hasher::finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_123456789() {
        // check values of the catalogues of CRCs; others by openssl and xxhsum
        for (algorithm, value) in [
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Algorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
        ] {
            assert_eq!(digest(algorithm, b"123456789").hex(), value, "{algorithm}");
        }
    }

    #[test]
    fn known_values_of_nothing() {
        for (algorithm, value) in [
            (Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (Algorithm::Crc64Nvme, "0000000000000000"),
            (Algorithm::XxHash64, "ef46db3751d8e999"),
            (Algorithm::XxHash3, "2d06800538d394c2"),
            (Algorithm::XxHash128, "99aa06d3014798d86001c324468d497f"),
        ] {
            assert_eq!(digest(algorithm, b"").hex(), value, "{algorithm}");
        }
    }

    #[test]
    fn pieces_and_sets_change_nothing() {
        let data: Vec<u8> = (0..70_001_u32).map(|i| (i % 253) as u8).collect();
        let mut set = Hashers::new(Algorithm::ALL);
        for piece in data.chunks(1234) {
            set.update(piece);
        }
        for seen in set.finish() {
            assert_eq!(
                seen,
                digest(seen.algorithm(), &data),
                "{}",
                seen.algorithm()
            );
        }
    }
}
