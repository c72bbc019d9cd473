//! Which keys go together in one call.

/// Keys in one call: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
const MOST_KEYS: usize = 1000;

/// Bytes of keys in one call, so that its body stays small where all of them are to be escaped.
const MOST_BYTES: usize = 256 << 10;

/// Whether a key comes out of XML as it went in, whoever reads it: without what XML has no
/// characters for, what it takes for another, and what some servers trim.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub(super) fn travels_in_xml(key: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{fffe}' | '\u{ffff}');
    !key.contains(is_odd) && key.trim().len() == key.len()
}

/// As few batches as S3 takes them in.
pub(super) fn batches(all: &[usize], length: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (end, at) in all.iter().enumerate() {
        let more = length(*at);
        if end > start && (end - start == MOST_KEYS || bytes + more > MOST_BYTES) {
            batches.push(&all[start..end]);
            (start, bytes) = (end, 0);
        }
        bytes += more;
    }
    if start < all.len() {
        batches.push(&all[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_xml_would_change_go_alone() {
        for (key, expected) in [
            ("a/b c", true),
            ("a&b<c>'\"", true),
            ("\u{e9}\u{3000}x", true),
            ("a\u{1}b", false),
            ("a\nb", false),
            ("a\rb", false),
            ("a\u{85}b", false),
            ("a\u{ffff}b", false),
            (" a", false),
            ("a ", false),
            ("a\u{3000}", false),
        ] {
            assert_eq!(travels_in_xml(key), expected, "{key:?}");
        }
    }

    #[test]
    fn a_batch_is_no_larger_than_s3_takes_it() {
        for (keys, length, expected) in [
            (0, 1, &[][..]),
            (1, 1, &[1]),
            (1000, 10, &[1000]),
            (1001, 10, &[1000, 1]),
            (600, 1024, &[256, 256, 88]),
            (2, MOST_BYTES + 1, &[1, 1]),
        ] {
            let all: Vec<_> = (0..keys).collect();
            let sizes: Vec<_> = batches(&all, |_| length).iter().map(|b| b.len()).collect();
            assert_eq!(sizes, expected, "{keys} {length}");
        }
    }
}
