//! MD5 of several messages at once: one message keeps a core waiting for itself, eight side by
//! side in vector registers take as long as one.

use md5_simd::{Md5Engine, runtime_lanes};

use super::{Algorithm, Digest};

/// More messages at once than this are no faster.
pub const MOST_AT_ONCE: usize = 16;

/// How many messages of one length make it worth to wait no longer for others: eight go at four
/// fifths of the best speed. One, where the processor takes them one by one.
pub fn enough_at_once() -> usize {
    runtime_lanes().min(8)
}

/// The fewest messages the vector kernels take; two or three are made up to as many.
const FEWEST_AT_ONCE: usize = 4;

/// The MD5 of each message, in their order: the same as each alone, in less time where some are
/// of one length and the processor has vector registers.
pub fn md5_each(messages: &[&[u8]]) -> Vec<Digest> {
    let mut by_length: Vec<usize> = (0..messages.len()).collect();
    by_length.sort_by_key(|&index| messages[index].len());
    let mut digests = vec![[0; 16]; messages.len()];
    for equal in by_length.chunk_by(|&a, &b| messages[a].len() == messages[b].len()) {
        for together in equal.chunks(MOST_AT_ONCE) {
            let inputs = together.iter().map(|&index| messages[index]).collect();
            for (&index, digest) in together.iter().zip(equal_lengths(inputs)) {
                digests[index] = digest;
            }
        }
    }
    digests
        .iter()
        .map(|digest| Digest::from_bytes(Algorithm::Md5, digest).expect("16 bytes"))
        .collect()
}

/// Digests of messages of one length, [`MOST_AT_ONCE`] at most. There may be more digests than
/// messages.
fn equal_lengths(mut messages: Vec<&[u8]>) -> [[u8; 16]; MOST_AT_ONCE] {
    // half the lanes doing nothing of use still beat the scalar path
    if (2..FEWEST_AT_ONCE).contains(&messages.len()) && runtime_lanes() >= 2 * FEWEST_AT_ONCE {
        messages.resize(FEWEST_AT_ONCE, messages[0]);
    }
    let mut digests = [[0; 16]; MOST_AT_ONCE];
    Md5Engine::new().hash_many(&messages, &mut digests);
    digests
}

#[cfg(test)]
mod tests {
    use md5::Digest as _;

    use super::*;

    /// The independent implementation.
    fn alone(message: &[u8]) -> String {
        hex::encode(md5::Md5::digest(message))
    }

    fn assert_each(messages: &[Vec<u8>]) {
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let seen: Vec<String> = md5_each(&slices).iter().map(Digest::hex).collect();
        let expected: Vec<String> = slices.iter().map(|message| alone(message)).collect();
        let lengths: Vec<usize> = messages.iter().map(Vec::len).collect();
        assert_eq!(seen, expected, "lengths {lengths:?}");
    }

    fn random(length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| fastrand::u8(..))
            .take(length)
            .collect()
    }

    #[test]
    fn the_test_suite_of_rfc_1321() {
        let suite: [(&str, &str); 7] = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "abcdefghijklmnopqrstuvwxyz",
                "c3fcd3d76192e4007dfb496cca67e13b",
            ),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "d174ab98d277d9f5a5611c2c9f419d9f",
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ];
        let together: Vec<&[u8]> = suite.iter().map(|(text, _)| text.as_bytes()).collect();
        for ((text, value), seen) in suite.iter().zip(md5_each(&together)) {
            assert_eq!(seen.hex(), *value, "`{text}` among the others");
            for count in 1..=MOST_AT_ONCE + 1 {
                for seen in md5_each(&vec![text.as_bytes(); count]) {
                    assert_eq!(seen.hex(), *value, "`{text}`, {count} times");
                }
            }
        }
    }

    #[test]
    fn equal_messages_at_once_equal_each_alone() {
        for count in 0..=MOST_AT_ONCE + 1 {
            for length in (0..300).chain([4095, 4096, 4097, 70_001]) {
                let messages: Vec<_> = (0..count).map(|_| random(length)).collect();
                assert_each(&messages);
            }
        }
    }

    #[test]
    fn unequal_messages_keep_their_order() {
        for _ in 0..300 {
            let lengths = [fastrand::usize(..300), fastrand::usize(..9000), 64];
            let count = fastrand::usize(..40);
            let messages: Vec<_> = (0..count)
                .map(|_| random(fastrand::choice(lengths).unwrap_or(0)))
                .collect();
            assert_each(&messages);
        }
    }

    #[test]
    fn messages_may_begin_anywhere() {
        let bytes = random(20_000);
        for count in [2, 5, 8, 16] {
            let slices: Vec<&[u8]> = (0..count)
                .map(|index| &bytes[index * 7..index * 7 + 9001])
                .collect();
            for (slice, seen) in slices.iter().zip(md5_each(&slices)) {
                assert_eq!(seen.hex(), alone(slice), "{count} at once");
            }
        }
    }
}
