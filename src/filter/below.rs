//! Which directories a pattern keeps out whole, whatever is in them.

use regex_syntax::hir::{Dot, Hir, HirKind, Look};

/// Proves of directories that every key below them is matched by one pattern.
///
/// What a regular expression finds in `cache/` by looking at nothing behind that, it finds in
/// `cache/` followed by anything as well. So whatever looks at what comes next is taken out of it
/// as if it never held, and what is left finds less than the whole of it, but never more.
#[derive(Debug)]
pub(super) struct Below(regex::Regex);

impl Below {
    /// Of a pattern. `None` for one that looks around itself, of which this is not known.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        // looking around is not even parsed; what is too large is left to the slower engine
        let whole = regex_syntax::parse(pattern).ok()?;
        regex::Regex::new(pattern).ok()?;
        let behind = only_behind(whole, true);
        regex::Regex::new(&behind.to_string()).ok().map(Self)
    }

    /// Whether it matches everything below a directory, whose name ends in `/`.
    pub(super) fn holds(&self, directory: &str) -> bool {
        self.0.is_match(directory)
    }
}

/// The same, where whatever depends on what comes next never matches. At the end of the pattern
/// that is all but `.*$`, which holds whatever comes.
fn only_behind(whole: Hir, is_last: bool) -> Hir {
    match whole.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look @ (Look::Start | Look::StartLF)) => Hir::look(look),
        HirKind::Look(_) => Hir::fail(),
        HirKind::Repetition(mut repetition) => {
            *repetition.sub = only_behind(*repetition.sub, false);
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => only_behind(*capture.sub, is_last),
        HirKind::Concat(mut all) => {
            if is_last
                && let [.., anything, end] = &*all
                && is_the_rest(anything, end)
            {
                all.truncate(all.len() - 2);
                return Hir::concat(all.into_iter().map(|it| only_behind(it, false)).collect());
            }
            let last = all.len() - 1;
            let all = all.into_iter().enumerate();
            Hir::concat(
                all.map(|(at, it)| only_behind(it, is_last && at == last))
                    .collect(),
            )
        }
        HirKind::Alternation(each) => Hir::alternation(
            each.into_iter()
                .map(|it| only_behind(it, is_last))
                .collect(),
        ),
    }
}

/// Whether these are `.*` and `$`, where the dot stands for newlines too.
fn is_the_rest(anything: &Hir, end: &Hir) -> bool {
    let HirKind::Repetition(repetition) = anything.kind() else {
        return false;
    };
    (repetition.min, repetition.max) == (0, None)
        && *repetition.sub == Hir::dot(Dot::AnyChar)
        && *end.kind() == HirKind::Look(Look::End)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Glob, Pattern};

    /// What a key below a directory may look like.
    const RESTS: [&str; 9] = [
        "a",
        "x/y",
        "\n",
        "a\nb",
        "\u{e9}",
        ".git",
        "a/",
        "node_modules",
        "\r\n",
    ];

    const DIRECTORIES: [&str; 15] = [
        "cache/",
        "a/cache/",
        "cachet/",
        "node_modules/",
        "a/b/node_modules/",
        "xnode_modules/",
        ".git/",
        "a/.git/",
        "x.tmp/",
        "a\nb/",
        "\n/",
        "\u{e9}/",
        "a/",
        "a/b/",
        "a b/",
    ];

    fn left_out(below: Option<Below>) -> Vec<&'static str> {
        let holds = |directory: &&str| below.as_ref().is_some_and(|it| it.holds(directory));
        DIRECTORIES.into_iter().filter(holds).collect()
    }

    #[test]
    fn what_a_regular_expression_keeps_out_whole() {
        for (text, expected) in [
            ("^cache/", vec!["cache/"]),
            ("cache/", vec!["cache/", "a/cache/"]),
            ("^cache", vec!["cache/", "cachet/"]),
            (
                "(^|/)node_modules/",
                vec!["node_modules/", "a/b/node_modules/"],
            ),
            (r"(^|/)\.git(/|$)", vec![".git/", "a/.git/"]),
            (r"^(?:cache|\.git)/.*", vec!["cache/", ".git/"]),
            (r"(?i)^CACHE/", vec!["cache/"]),
            (r"^cache/.+", vec![]),
            (r"^cache/.*$", vec![]),
            (r"(?s)^cache/.*$", vec!["cache/"]),
            (r"(?s)^(cache/.*|a)$", vec![]),
            (r"(?s)^(cache/.*$|a$)", vec!["cache/"]),
            (r"(?s)^cache/.*$^", vec![]),
            (r"(?s)^cache/.+$", vec![]),
            (r"^cache/.*\.log$", vec![]),
            (r"\bcache\b", vec![]),
            (r"^cache/\b", vec![]),
            (r"(?m)^b/", vec!["a\nb/"]),
            (r"(?mR)^b/", vec![]),
            (r"/\B", vec![]),
            (
                "[^a]/",
                vec![
                    "cache/",
                    "a/cache/",
                    "cachet/",
                    "node_modules/",
                    "a/b/node_modules/",
                    "xnode_modules/",
                    ".git/",
                    "a/.git/",
                    "x.tmp/",
                    "a\nb/",
                    "\n/",
                    "\u{e9}/",
                    "a/b/",
                    "a b/",
                ],
            ),
            (r"^\p{Ll}{1}/$|^\u{e9}/", vec!["\u{e9}/"]),
            (r"\.tmp", vec!["x.tmp/"]),
            (r"\.tmp$", vec![]),
            (r"^(?!keep)cache/", vec![]),
            (r"cache/(?=x)", vec![]),
            (r"(c)a\1he/", vec![]),
            ("", DIRECTORIES.to_vec()),
            (".*", DIRECTORIES.to_vec()),
            ("$", vec![]),
        ] {
            let pattern = Pattern::new(text).expect(text);
            assert_eq!(left_out(Below::of(pattern.as_str())), expected, "{text}");
        }
    }

    #[test]
    fn what_a_glob_keeps_out_whole() {
        for (text, expected) in [
            ("cache/**", vec!["cache/"]),
            ("cache/**/*", vec![]),
            ("cache/*", vec![]),
            ("cache", vec![]),
            ("cache/", vec![]),
            (
                "**/node_modules/**",
                vec!["node_modules/", "a/b/node_modules/"],
            ),
            ("{cache,.git}/**", vec!["cache/", ".git/"]),
            ("{cache/**,.git/**}", vec![]),
            ("*.tmp/**", vec!["x.tmp/"]),
            (
                "?/*/**",
                vec!["a/cache/", "a/b/node_modules/", "a/.git/", "a/b/"],
            ),
            ("a/**/b/**", vec!["a/b/node_modules/", "a/b/"]),
            (r"a\/**", vec![]),
            ("**", DIRECTORIES.to_vec()),
            ("/**", vec![]),
            ("**/**", DIRECTORIES.to_vec()),
            ("**/*", vec![]),
        ] {
            let glob = Glob::new(text).expect(text);
            assert_eq!(left_out(Below::of(glob.as_regex())), expected, "{text}");
        }
    }

    /// What is left out is what the whole pattern would reject, key by key.
    #[test]
    fn nothing_is_left_out_that_would_pass() {
        let pieces = [
            "^",
            "$",
            "a",
            "cache",
            "/",
            ".",
            ".*",
            r"\b",
            r"\B",
            "(^|/)",
            "(/|$)",
            "(?m)",
            "(?s)",
            "[^/]*",
            r"\n",
            "x?",
            "|",
            r"\.",
            "(?R)",
            "(?m:$)",
            "(?mR:^)",
            r"\z",
            r"\b{start-half}",
            r"\b{end}",
            "(?i)",
            "+",
            "{1,2}",
        ];
        let glob_pieces = [
            "*", "**", "/", "a", "cache", "?", "/**", "{a,b}", "[!a]", "{x,y/**}",
        ];
        let mut random = fastrand::Rng::with_seed(5);
        let mut proved = 0;
        for _ in 0..1000 {
            let mut text = |pieces: &[&'static str]| -> String {
                (0..random.usize(1..7))
                    .map(|_| pieces[random.usize(0..pieces.len())])
                    .collect()
            };
            let (text, glob) = (text(&pieces), text(&glob_pieces));
            if let Ok(pattern) = Pattern::new(&text)
                && let Some(below) = Below::of(pattern.as_str())
            {
                proved += all_match(&text, &below, |key| pattern.is_match(key) == Ok(true));
            }
            if let Ok(pattern) = Glob::new(&glob)
                && let Some(below) = Below::of(pattern.as_regex())
            {
                proved += all_match(&glob, &below, |key| pattern.is_match(key));
            }
        }
        assert!(proved > 200, "{proved}");
    }

    fn all_match(text: &str, below: &Below, is_match: impl Fn(&str) -> bool) -> usize {
        let left_out = DIRECTORIES.iter().filter(|it| below.holds(it));
        left_out
            .map(|directory| {
                for rest in RESTS {
                    let key = format!("{directory}{rest}");
                    assert!(
                        is_match(&key),
                        "{text:?} leaves out {directory:?}, not {key:?}"
                    );
                }
            })
            .count()
    }
}
