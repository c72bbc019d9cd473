//! Text beyond ASCII in user metadata, as S3 takes it and gives it back: encoded words
//! (<https://www.rfc-editor.org/rfc/rfc2047>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of text in one word, so that none is longer than the 75 characters allowed.
const MOST: usize = 45;

/// The text as a header can have it: as it is where that is ASCII.
pub fn encoded_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.floor_char_boundary(MOST));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = behind;
    }
    // white space between two of them is no part of the text
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ascii_is_written_in_words() {
        let long = format!("{}€", "a".repeat(44));
        let of_a = "YWFh".repeat(14);
        for (text, header) in [
            ("", ""),
            ("plain = as it is", "plain = as it is"),
            ("größe", "=?UTF-8?B?Z3LDtsOfZQ==?="),
            // a character is not cut in two: 44 bytes, and then one of three
            (&long, &format!("=?UTF-8?B?{of_a}YWE=?= =?UTF-8?B?4oKs?=")),
        ] {
            let seen = encoded_words(text);
            assert_eq!(seen, header, "{text}");
            let mut words = seen.split(' ');
            assert!(words.all(|word| word.len() <= 75), "{seen}");
        }
    }
}
