//! Keys that want the same path in a directory: the first in order has it, the others are told.

/// Remembers the files that may stand in the way of keys to come: those whose name begins the
/// current one. Between `a` and `a/b` only keys that begin with `a` can come, so these few suffice.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    files: Vec<String>,
}

impl Shadow {
    /// The earlier key whose path this one would need, as a file or as a directory. Names come in
    /// ascending order. A key that is in nobody's way is remembered.
    pub(super) fn of(&mut self, name: &str) -> Option<String> {
        while self
            .files
            .last()
            .is_some_and(|file| !name.starts_with(file.as_str()))
        {
            self.files.pop();
        }
        let taken = self.files.iter().find(|file| {
            let rest = &name[file.len()..];
            rest.is_empty() || rest.starts_with('/')
        });
        if taken.is_some() {
            return taken.cloned();
        }
        // a marker is a directory: what is below it belongs there
        if !name.ends_with('/') {
            self.files.push(name.to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_keys_has_the_path() {
        let mut shadow = Shadow::default();
        for (name, by) in [
            ("a", None),
            ("a", Some("a")),
            ("a-b", None),
            ("a.b/c", None),
            ("a/", Some("a")),
            ("a/b", Some("a")),
            ("a/b/c", Some("a")),
            ("ab", None),
            ("b/", None),
            ("b/c", None),
        ] {
            assert_eq!(shadow.of(name).as_deref(), by, "{name}");
        }
    }
}
