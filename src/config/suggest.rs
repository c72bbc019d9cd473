//! "Did you mean …": the nearest of some names.

/// The name that was probably meant: at most a third of its letters are wrong.
pub(crate) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if typed.len() > LONGEST {
        return None;
    }
    let bearable = |name: &str| (name.len().max(typed.len()) / 3).max(1);
    names
        .into_iter()
        .take(MOST)
        // what is much longer or shorter need not be compared letter by letter
        .filter(|name| name.len().abs_diff(typed.len()) <= 2 * bearable(name))
        .map(|name| (distance(typed, name), name))
        .filter(|(distance, name)| *distance <= bearable(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many names are looked at: a file may have any number of them.
const MOST: usize = 1000;

/// Nobody slips in a longer name, and comparing takes its length squared.
const LONGEST: usize = 200;

/// How many letters must be inserted, removed, replaced or swapped with their neighbour
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_does_not() {
        let names = ["larger_size", "smaller_size", "region", "url"];
        for (typed, meant) in [
            ("larger_siz", Some("larger_size")),
            ("lagrer_size", Some("larger_size")),
            ("regoin", Some("region")),
            ("urll", Some("url")),
            ("banana", None),
            ("xyz", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
    }
}
