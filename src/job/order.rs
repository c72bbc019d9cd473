//! In which order pairs run.

use crate::config::Pair;

/// Pairs that cannot be put in an order.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum OrderError {
    /// A pair was asked for that the job does not have.
    #[error("the job has no pair `{asked}`; it has {has}")]
    NoSuchPair { asked: String, has: String },
    /// Each waits for another.
    #[error("pairs wait for each other: {0}; remove one `after`")]
    Circle(String),
}

/// The pairs that are to run, each behind those it comes `after`, otherwise in the order of the
/// file. With `only`, the others are left out and nobody waits for them.
pub(super) fn ordered(pairs: Vec<Pair>, only: &[String]) -> Result<Vec<Pair>, OrderError> {
    if let Some(asked) = only.iter().find(|name| !names(&pairs).any(|n| n == *name)) {
        return Err(OrderError::NoSuchPair {
            asked: asked.clone(),
            has: list(names(&pairs)),
        });
    }
    let mut waiting = pairs;
    waiting.retain(|pair| only.is_empty() || only.contains(&pair.name));
    let mut sorted = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |pair: &Pair| {
            !pair
                .after
                .iter()
                .any(|name| names(&waiting).any(|n| n == name))
        };
        let Some(next) = waiting.iter().position(is_free) else {
            return Err(OrderError::Circle(list(names(&waiting))));
        };
        sorted.push(waiting.remove(next));
    }
    Ok(sorted)
}

fn names(pairs: &[Pair]) -> impl Iterator<Item = &str> {
    pairs.iter().map(|pair| pair.name.as_str())
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::pair;
    use super::*;

    fn order(pairs: &[(&str, &[&str])], only: &[&str]) -> Result<String, OrderError> {
        let pairs = pairs
            .iter()
            .map(|(name, after)| {
                let mut pair = pair(name);
                pair.after = after.iter().map(ToString::to_string).collect();
                pair
            })
            .collect();
        let only: Vec<_> = only.iter().map(ToString::to_string).collect();
        ordered(pairs, &only).map(|pairs| names(&pairs).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn pairs_run_in_file_order_unless_after_says_otherwise() {
        for (pairs, only, expected) in [
            (
                &[("a", &[][..]), ("b", &[]), ("c", &[])][..],
                &[][..],
                "a b c",
            ),
            (&[("a", &["c"]), ("b", &[]), ("c", &[])], &[], "b c a"),
            (&[("a", &["b"]), ("b", &["c"]), ("c", &[])], &[], "c b a"),
            (&[("a", &["b", "c"]), ("b", &[]), ("c", &[])], &[], "b c a"),
            (&[("a", &["b"]), ("b", &[]), ("c", &[])], &["a"], "a"),
            (&[("a", &["b"]), ("b", &[]), ("c", &[])], &["b", "a"], "b a"),
            (&[], &[], ""),
        ] {
            assert_eq!(order(pairs, only).as_deref(), Ok(expected), "{pairs:?}");
        }
    }

    #[test]
    fn what_cannot_be_ordered_is_named() {
        let circle = order(&[("a", &["b"]), ("b", &["a"]), ("c", &[])], &[]);
        assert_eq!(circle, Err(OrderError::Circle("`a`, `b`".to_owned())));
        let missing = order(&[("a", &[]), ("b", &[])], &["x"]).expect_err("no x");
        let text = missing.to_string();
        assert_eq!(text, "the job has no pair `x`; it has `a`, `b`");
    }
}
