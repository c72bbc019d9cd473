//! Points in time, from before 1970 to long after 2038.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970-01-01T00:00:00Z; seconds may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time; write it like 2026-01-31T23:59:59Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// From seconds since the epoch and nanoseconds within that second (below 10⁹).
    pub fn new(seconds: i64, nanos: u32) -> Self {
        debug_assert!(nanos < 1_000_000_000);
        Self { seconds, nanos }
    }

    /// The present.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Whole seconds since the epoch, rounded down: what S3 keeps and comparisons use.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Reads an RFC 3339 time.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp = text.parse().map_err(|_| TimestampError(text.to_owned()))?;
        Ok(Self::from_nanos(time.as_nanosecond()))
    }

    /// Reads the time of an HTTP header: `Wed, 01 Dec 2055 16:00:00 GMT`. A wrong name of the day
    /// is passed over: who writes a date by hand looks at no calendar.
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>
    pub fn parse_http(text: &str) -> Result<Self, TimestampError> {
        let time = jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(text);
        let time = time.map_err(|_| TimestampError(text.to_owned()))?;
        Ok(Self::from_nanos(time.as_nanosecond()))
    }

    /// As an HTTP header has it, with whole seconds.
    pub fn http(self) -> String {
        self.format("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// RFC 3339 in UTC with milliseconds: `2026-08-22T02:31:09.511Z`.
    pub fn rfc3339_millis(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// RFC 3339 in UTC with as many digits as it takes: `2024-05-06T07:08:09Z`, `…:09.5Z`.
    pub fn rfc3339(self) -> String {
        let nanos = i32::try_from(self.nanos).unwrap_or(0);
        // faster than a pattern
        jiff::Timestamp::new(self.seconds, nanos)
            .map_or_else(|_| self.to_string(), |time| time.to_string())
    }

    /// RFC 3339 in UTC with whole seconds and a numeric offset, as the predecessor writes its
    /// metadata: `2024-05-06T07:08:09+00:00`.
    pub fn rfc3339_offset(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S+00:00")
    }

    /// The same with milliseconds where there are any: `2024-05-06T07:08:09.500+00:00`.
    pub fn rfc3339_offset_millis(self) -> String {
        if self.nanos < 1_000_000 {
            return self.rfc3339_offset();
        }
        self.format("%Y-%m-%dT%H:%M:%S%.3f+00:00")
    }

    /// RFC 3339 in UTC with as many digits as it takes, cut to microseconds:
    /// `2024-05-06T07:08:09.5Z`.
    pub fn rfc3339_micros(self) -> String {
        let cut = Self {
            nanos: self.nanos / 1000 * 1000,
            ..self
        };
        cut.format("%Y-%m-%dT%H:%M:%S%.fZ")
    }

    /// The same without what is below a second.
    pub fn whole_seconds(self) -> Self {
        Self { nanos: 0, ..self }
    }

    /// The same point as the standard library has it.
    pub fn to_system_time(self) -> SystemTime {
        let nanos = Duration::from_nanos(u64::from(self.nanos));
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        if self.seconds < 0 {
            UNIX_EPOCH - whole + nanos
        } else {
            UNIX_EPOCH + whole + nanos
        }
    }

    fn from_nanos(nanos: i128) -> Self {
        let seconds = nanos.div_euclid(1_000_000_000);
        let rest = nanos.rem_euclid(1_000_000_000);
        Self {
            seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
            nanos: u32::try_from(rest).unwrap_or(0),
        }
    }

    fn format(self, pattern: &str) -> String {
        let nanos = i32::try_from(self.nanos).unwrap_or(0);
        match jiff::Timestamp::new(self.seconds, nanos) {
            Ok(time) => time.strftime(pattern).to_string(),
            // beyond the year 9999, where RFC 3339 ends
            Err(_) => format!("@{}", self.seconds),
        }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::from_nanos(i128::try_from(after.as_nanos()).unwrap_or(i128::MAX)),
            Err(before) => {
                Self::from_nanos(-i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX))
            }
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_long_after_the_epoch_survive() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1965-03-01T12:00:00Z", -152_625_600),
            ("2076-01-01T00:00:00Z", 3_345_062_400),
        ] {
            let time = Timestamp::parse(text).expect(text);
            assert_eq!(time.seconds(), seconds, "{text}");
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::from(time.to_system_time()), time, "{text}");
        }
    }

    #[test]
    fn fractions_before_the_epoch_round_down() {
        let time = Timestamp::from(UNIX_EPOCH - Duration::from_millis(250));
        assert_eq!((time.seconds(), time.nanos()), (-1, 750_000_000));
        assert_eq!(time.rfc3339_millis(), "1969-12-31T23:59:59.750Z");
        assert_eq!(Timestamp::from(time.to_system_time()), time);
    }

    #[test]
    fn times_of_headers_are_read_and_written() {
        for (text, expected) in [
            (
                "Wed, 01 Dec 2055 16:00:00 GMT",
                Some("Wed, 01 Dec 2055 16:00:00 GMT"),
            ),
            (
                "Mon, 01 Dec 2055 16:00:00 GMT",
                Some("Wed, 01 Dec 2055 16:00:00 GMT"),
            ),
            (
                "Wed, 1 Dec 2055 18:00:00 +0200",
                Some("Wed, 01 Dec 2055 16:00:00 GMT"),
            ),
            ("2055-12-01T16:00:00Z", None),
            ("0", None),
            ("-1", None),
            ("", None),
        ] {
            let seen = Timestamp::parse_http(text).ok().map(Timestamp::http);
            assert_eq!(seen.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_offset_form_is_the_predecessors() {
        let time = Timestamp::parse("2024-05-06T07:08:09.999Z").expect("a time");
        assert_eq!(time.rfc3339_offset(), "2024-05-06T07:08:09+00:00");
    }
}
