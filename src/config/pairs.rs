//! Names of pairs, how many there may be, and the order they run in.

use super::problem::{Place, Problem};

/// Why a pair cannot have this name; names become variables, labels and file names.
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    if name.len() > 63 {
        return Some("is longer than 63 characters");
    }
    let word = |word: &str| {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(legal)
    };
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let is_legal = begins_well && name.split('_').all(word);
    (!is_legal).then_some("is not allowed")
}

/// Most pairs in a job.
const MOST: usize = 10_000;

/// What is wrong with so many pairs, if anything is.
pub(super) fn too_many(count: usize) -> Option<Problem> {
    let message = format!("{count} pairs in one job, and {MOST} are the most");
    (count > MOST).then(|| Problem::new(message, &Place::Nowhere).remedy("make more jobs of them"))
}

/// The order pairs run in: as they stand, except that those named in `after` come first. The
/// error is a circle of pairs that wait for each other.
pub(super) fn order(after: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut walk = Walk {
        after,
        seen: vec![Seen::Never; after.len()],
        ordered: Vec::with_capacity(after.len()),
    };
    for pair in 0..after.len() {
        walk.visit(pair)?;
    }
    Ok(walk.ordered)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    /// It is on the way from where the walk began.
    OnTheWay,
    Ordered,
}

struct Walk<'a> {
    after: &'a [Vec<usize>],
    seen: Vec<Seen>,
    ordered: Vec<usize>,
}

impl Walk<'_> {
    /// Orders a pair and all it waits for.
    fn visit(&mut self, pair: usize) -> Result<(), Vec<usize>> {
        if self.seen[pair] == Seen::Ordered {
            return Ok(());
        }
        // each pair on the way, with how many of those it waits for are done; a recursion would
        // be as deep as the longest chain
        let mut way = vec![(pair, 0)];
        self.seen[pair] = Seen::OnTheWay;
        while let Some((pair, done)) = way.last_mut() {
            let Some(before) = self.after[*pair].get(*done).copied() else {
                self.seen[*pair] = Seen::Ordered;
                self.ordered.push(*pair);
                way.pop();
                continue;
            };
            *done += 1;
            match self.seen[before] {
                Seen::Ordered => {}
                Seen::Never => {
                    self.seen[before] = Seen::OnTheWay;
                    way.push((before, 0));
                }
                Seen::OnTheWay => {
                    let circle = way.iter().map(|(pair, _)| *pair);
                    return Err(circle.skip_while(|pair| *pair != before).collect());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_variables_and_files() {
        let long = "x".repeat(64);
        for (name, is_legal) in [
            ("photos", true),
            ("file_server2", true),
            ("a", true),
            ("Photos", false),
            ("2nd", false),
            ("a__b", false),
            ("_a", false),
            ("a_", false),
            ("a-b", false),
            ("", false),
            ("ä", false),
            (&*long, false),
        ] {
            assert_eq!(name_problem(name).is_none(), is_legal, "{name:?}");
        }
    }

    #[test]
    fn pairs_run_as_they_stand_unless_they_wait() {
        assert_eq!(order(&[vec![], vec![], vec![]]), Ok(vec![0, 1, 2]));
        assert_eq!(order(&[vec![2], vec![], vec![]]), Ok(vec![2, 0, 1]));
        assert_eq!(order(&[vec![1], vec![2], vec![]]), Ok(vec![2, 1, 0]));
        assert_eq!(order(&[vec![1], vec![0], vec![]]), Err(vec![0, 1]));
        assert_eq!(order(&[vec![], vec![1]]), Err(vec![1]));
        // two ways to the same pair are no circle
        let after = [vec![1, 2], vec![3], vec![3], vec![]];
        assert_eq!(order(&after), Ok(vec![3, 1, 2, 0]));
    }

    #[test]
    fn a_chain_may_be_longer_than_a_stack_is_deep() {
        let count = 200_000;
        let mut after: Vec<_> = (1..count).map(|next| vec![next]).collect();
        after.push(Vec::new());
        let ordered = order(&after).expect("no circle");
        assert!(ordered.into_iter().eq((0..count).rev()));
    }
}
