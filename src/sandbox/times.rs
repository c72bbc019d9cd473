//! The forms of time S3 uses. It keeps whole seconds.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// `2024-05-06T07:08:09.000Z`, as in XML.
pub(super) fn iso(time: Timestamp) -> String {
    format!(
        "{}",
        Timestamp::from_second(time.as_second()).unwrap_or(time)
    )
    .replace('Z', ".000Z")
}

/// `Mon, 06 May 2024 07:08:09 GMT`, as in headers.
pub(super) fn http(time: Timestamp) -> String {
    rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .unwrap_or_default()
}

/// Reads a date in a header; `None` for what is not one, which HTTP says to ignore.
pub(super) fn parse_http(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
        .or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_time() {
        let time: Timestamp = "2024-05-06T07:08:09.5Z".parse().expect("a time");
        assert_eq!(iso(time), "2024-05-06T07:08:09.000Z");
        assert_eq!(http(time), "Mon, 06 May 2024 07:08:09 GMT");
        assert_eq!(
            parse_http(&http(time)).map(|t| t.as_second()),
            Some(time.as_second())
        );
        assert_eq!(parse_http("yesterday"), None);
    }
}
