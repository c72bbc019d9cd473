//! Keys that JSON cannot carry.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Everything but what reads well in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A name whose bytes are not UTF-8, given with those bytes written `\xNN`: percent-encoded.
pub(super) fn percent(escaped: &str) -> Cow<'static, str> {
    percent_encode(&unescape(escaped), ENCODED)
        .to_string()
        .into()
}

fn unescape(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if let [b'\\', b'x', high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            bytes.push(high << 4 | low);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_percent() {
        for (escaped, encoded) in [
            ("a/b.txt", "a/b.txt"),
            (r"caf\xe9", "caf%E9"),
            (r"\xFF\xfe/ü", "%FF%FE/%C3%BC"),
            ("100%", "100%25"),
            (r"\x", "%5Cx"),
            (r"a\xg0", "a%5Cxg0"),
        ] {
            assert_eq!(percent(escaped), encoded, "{escaped}");
        }
    }
}
