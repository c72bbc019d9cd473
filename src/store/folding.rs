//! File systems that take different names for the same.

/// Which differences between two names a file system does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Folding {
    /// `README` and `readme` are one.
    pub case: bool,
    /// An é is one whether it is one character or two.
    pub normal_form: bool,
}

impl Folding {
    /// Sees every difference.
    pub const NONE: Self = Self {
        case: false,
        normal_form: false,
    };

    /// Whether there is a difference it does not see.
    pub fn folds(self) -> bool {
        self != Self::NONE
    }

    /// What all names have in common that are one. Tables differ between file systems: this takes
    /// more for the same than some of them do, because a key that is left out and told is better
    /// than one that is written over.
    pub fn fold(self, name: &str) -> String {
        let nfd = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
        let mut name = name.to_owned();
        if self.case {
            name = name.to_uppercase().to_lowercase();
        }
        if self.normal_form || self.case && !name.is_ascii() {
            name = nfd.normalize(&name).into_owned();
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_one() {
        let case = Folding {
            case: true,
            normal_form: false,
        };
        let normal_form = Folding {
            case: false,
            normal_form: true,
        };
        let both = Folding {
            case: true,
            normal_form: true,
        };
        for (folding, a, b, same) in [
            (Folding::NONE, "A", "a", false),
            (Folding::NONE, "\u{e9}", "e\u{301}", false),
            (case, "README", "readme", true),
            (case, "\u{c9}t\u{e9}", "\u{e9}T\u{c9}", true),
            (case, "stra\u{df}e", "STRASSE", true),
            (case, "\u{3a3}", "\u{3c2}", true),
            (case, "\u{212a}", "k", true),
            (case, "a", "b", false),
            (normal_form, "\u{e9}", "e\u{301}", true),
            (normal_form, "A", "a", false),
            (both, "\u{c9}", "e\u{301}", true),
            (both, "\u{212b}", "a\u{30a}", true),
        ] {
            let is_one = folding.fold(a) == folding.fold(b);
            assert_eq!(is_one, same, "{folding:?} {a:?} {b:?}");
        }
    }
}
