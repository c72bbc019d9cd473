//! Numbers for people: thousands commas, binary sizes, durations.

use std::time::Duration;

/// `1,204,511`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2M`: three digits and a letter, where a table is too narrow for more.
pub(super) fn short_count(number: u64) -> String {
    scaled(number, 1000.0, &["", "k", "M", "G", "T", "P", "E"], 1)
}

/// `37.4 GiB`.
pub(super) fn bytes(number: u64) -> String {
    let units = [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"];
    scaled(number, 1024.0, &units, 1)
}

/// `0.4s`, `33s`, `21m33s`, `5h02m`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Text that keeps to its line and leaves the terminal alone: control characters are escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn scaled(number: u64, step: f64, units: &[&str], decimals: usize) -> String {
    let mut value = number as f64;
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let decimals = if unit == 0 { 0 } else { decimals };
    format!("{value:.decimals$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, commas, short, size) in [
            (0, "0", "0", "0 B"),
            (999, "999", "999", "999 B"),
            (1000, "1,000", "1.0k", "1000 B"),
            (1_204_511, "1,204,511", "1.2M", "1.1 MiB"),
            (40_157_941_555, "40,157,941,555", "40.2G", "37.4 GiB"),
        ] {
            assert_eq!(count(number), commas);
            assert_eq!(short_count(number), short);
            assert_eq!(bytes(number), size);
        }
        for (millis, text) in [
            (0, "0.0s"),
            (412, "0.4s"),
            (33_000, "33s"),
            (1_293_000, "21m33s"),
            (18_120_000, "5h02m"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }
}
