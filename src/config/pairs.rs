//! Names of pairs, and the order they run in.

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

/// The order pairs run in: as they stand, except that those named in `after` come first. The
/// error is a circle of pairs that wait for each other.
pub(super) fn order(after: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut walk = Walk {
        after,
        ordered: Vec::with_capacity(after.len()),
        path: Vec::new(),
    };
    for pair in 0..after.len() {
        walk.visit(pair)?;
    }
    Ok(walk.ordered)
}

struct Walk<'a> {
    after: &'a [Vec<usize>],
    ordered: Vec<usize>,
    /// Pairs on the way from where the walk began.
    path: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, pair: usize) -> Result<(), Vec<usize>> {
        if self.ordered.contains(&pair) {
            return Ok(());
        }
        if let Some(begin) = self.path.iter().position(|on_path| *on_path == pair) {
            return Err(self.path[begin..].to_vec());
        }
        self.path.push(pair);
        for before in &self.after[pair] {
            self.visit(*before)?;
        }
        self.path.pop();
        self.ordered.push(pair);
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
    }
}
