//! Tags as the header `x-amz-tagging` has them: `k=v&…`, URL-encoded.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Tags;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Tags as the header has them; `None` where there are none.
pub fn tagging(tags: &Tags) -> Option<String> {
    let pairs = tags.iter().map(|(key, value)| {
        let encoded = |text| utf8_percent_encode(text, ENCODED);
        format!("{}={}", encoded(key), encoded(value))
    });
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

/// Reads the header as S3 does: what need not be encoded may be, a `+` is a space, and a key alone
/// has an empty value. The error is in words.
pub fn tags_of(tagging: &str) -> Result<Tags, String> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8();
        decoded
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| format!("`{text}` is not UTF-8 once it is decoded"))
    };
    let mut tags = Tags::new();
    for pair in tagging.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decoded(key)?;
        if tags.insert(key.clone(), decoded(value)?).is_some() {
            return Err(format!("it says `{key}` twice"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_s3_reads_it() {
        for (text, read) in [
            ("", Some("")),
            ("tag1=value1&tag2=value2", Some("tag1=value1&tag2=value2")),
            ("a+b=1%2B1", Some("a%20b=1%2B1")),
            (
                "url=https://a.b/c d?e",
                Some("url=https%3A%2F%2Fa.b%2Fc%20d%3Fe"),
            ),
            ("key", Some("key=")),
            ("&k=v&", Some("k=v")),
            ("k=a=b", Some("k=a%3Db")),
            ("%E3%82%AD=%E5%80%A4", Some("%E3%82%AD=%E5%80%A4")),
            ("k=1&k=2", None),
            ("k=%FF", None),
        ] {
            let seen = tags_of(text).ok();
            let seen = seen.map(|tags| tagging(&tags).unwrap_or_default());
            assert_eq!(seen.as_deref(), read, "{text}");
        }
    }
}
