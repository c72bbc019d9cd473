//! Names that are no text, as patterns see them.

/// Takes a name whose bytes that are not UTF-8 are written `\xNN` for what it is: each such byte
/// is one character that is no other (U+FFFD). By the letters of what is written for it, it must
/// not be found.
pub(super) fn as_text(escaped: &str) -> String {
    let mut parts = escaped.split("\\x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // what is not UTF-8 is not ASCII either
        if let [b'8'..=b'9' | b'a'..=b'f', b'0'..=b'9' | b'a'..=b'f', ..] = part.as_bytes() {
            text.push(char::REPLACEMENT_CHARACTER);
            text.push_str(&part[2..]);
        } else {
            text.push_str("\\x");
            text.push_str(part);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_one_character() {
        for (escaped, text) in [
            ("caf\\xe9.jpg", "caf\u{fffd}.jpg"),
            ("\\xff\\xfe/", "\u{fffd}\u{fffd}/"),
            ("\\x41\\xE9\\x", "\\x41\\xE9\\x"),
            ("plain", "plain"),
        ] {
            assert_eq!(as_text(escaped), text, "{escaped}");
        }
    }
}
