//! Sizes and durations as people write them.

use std::time::Duration;

/// Reads a size in bytes: a number, fractions allowed, with `K`, `M`, `G`, `T`, `P` or `E`, then
/// `i` for powers of 1024, then `B` or nothing; a space in between is allowed. `8M` is 8,000,000,
/// `7.5MiB` is 7,864,320. All but the `B` may be of either case: a small `b` would be bits.
pub fn read_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let prefix = unit.strip_suffix('B').unwrap_or(unit);
    let letter = prefix.trim_end_matches(['i', 'I']);
    let power = match letter {
        "" => 0,
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        "P" | "p" => 5,
        "E" | "e" => 6,
        _ => return None,
    };
    let base: u64 = match prefix.len() - letter.len() {
        0 => 1000,
        1 if power > 0 => 1024,
        _ => return None,
    };
    scale(number, base.pow(power))
}

/// Writes a size so that it reads back: in the largest unit that divides it.
pub(super) fn write_size(bytes: u64) -> String {
    let units = [
        ("TiB", 1_u64 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
    ];
    units
        .into_iter()
        .find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor))
        .map_or_else(
            || bytes.to_string(),
            |(unit, factor)| format!("{}{unit}", bytes / factor),
        )
}

/// Reads a duration: a number, fractions allowed, with `ms`, `s`, `m`, `h` or `d`. It is kept in
/// whole milliseconds.
pub(super) fn read_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        // nothing of whichever unit
        "" if number == "0" => 0,
        _ => return None,
    };
    scale(number, factor).map(Duration::from_millis)
}

/// Writes a duration so that it reads back: in the largest unit that divides it.
pub(super) fn write_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)];
    let whole = units
        .into_iter()
        .find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor));
    match whole {
        Some((unit, factor)) => format!("{}{unit}", millis / factor),
        None if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        None => format!("{millis}ms"),
    }
}

/// The number in front and the unit behind it.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (!number.is_empty()).then(|| (number, unit.trim_start()))
}

/// `number × factor` without the rounding of floating point; fractions of the result are cut off.
fn scale(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') || fraction.len() > 18 {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let digits = u32::try_from(fraction.len()).ok()?;
    let fraction: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let parts = fraction * u128::from(factor) / 10_u128.pow(digits);
    let total = whole.checked_mul(u128::from(factor))?.checked_add(parts)?;
    u64::try_from(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_predecessor_reads_them() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("8388608", Some(8 << 20)),
            ("8MiB", Some(8 << 20)),
            ("8 MiB", Some(8 << 20)),
            ("8M", Some(8_000_000)),
            ("8MB", Some(8_000_000)),
            ("7.5MiB", Some(7_864_320)),
            ("0.1KB", Some(100)),
            ("5GiB", Some(5 << 30)),
            ("2TiB", Some(2 << 40)),
            ("1PB", Some(1_000_000_000_000_000)),
            ("1EiB", Some(1 << 60)),
            ("8m", Some(8_000_000)),
            ("8mi", Some(8 << 20)),
            ("8MIB", Some(8 << 20)),
            ("8mB", Some(8_000_000)),
            ("8B", Some(8)),
            ("8mb", None),
            ("8Mib", None),
            ("8b", None),
            ("8iB", None),
            ("8MiiB", None),
            ("8MBB", None),
            ("16EiB", None),
            ("MiB", None),
            ("", None),
            ("-1", None),
            ("1.", None),
            (".5K", None),
            ("1.2.3K", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read_size(text), bytes, "{text:?}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        for (text, millis) in [
            ("90s", Some(90_000)),
            ("5h", Some(18_000_000)),
            ("250ms", Some(250)),
            ("1.5s", Some(1500)),
            ("2m", Some(120_000)),
            ("90d", Some(7_776_000_000)),
            ("0s", Some(0)),
            ("0", Some(0)),
            ("90", None),
            ("s", None),
            ("90S", None),
        ] {
            let seen = read_duration(text).map(|duration| duration.as_millis());
            assert_eq!(seen, millis, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0", "1023", "1KiB", "8MiB", "5GiB", "3TiB", "1000"] {
            assert_eq!(write_size(read_size(text).expect(text)), text);
        }
        for text in ["0s", "250ms", "90s", "2m", "5h", "90d", "1500ms"] {
            assert_eq!(write_duration(read_duration(text).expect(text)), text);
        }
    }
}
