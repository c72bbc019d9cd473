/*! The statements of how s3sync behaves, and the tests that hold them.

A test says so in its documentation, in a line `/// Statement 14: …`. `S3SYNC_TEST_STATEMENTS=1`
prints the table.
*/

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::case;

/// How many there are.
const COUNT: usize = 57;

/// What begins a line that names one.
const MARK: &str = "/// Statement ";

#[test]
fn each_statement_is_held_by_a_test() {
    let held = held();
    let missing: Vec<usize> = (1..=COUNT)
        .filter(|number| !held.contains_key(number))
        .collect();
    let unknown: Vec<&usize> = held
        .keys()
        .filter(|number| !(1..=COUNT).contains(*number))
        .collect();
    if std::env::var_os("S3SYNC_TEST_STATEMENTS").is_some() {
        case(format_args!("{}", table(&held)));
    }
    assert!(missing.is_empty(), "held by no test: {missing:?}");
    assert!(unknown.is_empty(), "no such statement: {unknown:?}");
}

#[test]
fn tests_are_found_by_what_stands_before_them() {
    let text = "/// Statement 7: the same pair\n/// with another size.\n/// Statement 31: parts.\n\
        #[cfg(unix)]\n#[tokio::test]\nasync fn parts() {}\n\
        /// Statement 8: no test.\nfn helper() {}\n\
        #[test]\nfn bare() {}\n    /// Statement 9: x.\n    #[test]\n    fn inner() {}\n";
    let seen: Vec<_> = claims(text)
        .map(|claim| (claim.number, claim.test))
        .collect();
    let expected = [
        (7, Some("parts")),
        (31, Some("parts")),
        (8, None),
        (9, Some("inner")),
    ];
    assert_eq!(
        seen,
        expected.map(|(number, test)| (number, test.map(str::to_owned)))
    );
    let words: Vec<_> = claims(text).map(|claim| claim.words).collect();
    assert_eq!(words[0], "the same pair with another size.");
    assert_eq!(words[1], "parts.");
}

/// A line that names a statement.
#[derive(Debug)]
struct Claim {
    number: usize,
    /// What it says of it.
    words: String,
    /// The test below it; none where it is none.
    test: Option<String>,
}

/// The claims of a file, in its order.
fn claims(text: &str) -> impl Iterator<Item = Claim> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let starts = lines.iter().enumerate().filter_map(|(at, line)| {
        let (number, words) = line.strip_prefix(MARK)?.split_once(": ")?;
        Some((at, number.parse().ok()?, words))
    });
    let claims: Vec<Claim> = starts
        .map(|(at, number, words): (usize, usize, &str)| {
            let rest = lines[at + 1..].iter();
            let more = rest
                .clone()
                .take_while(|line| line.starts_with("/// ") && !line.starts_with(MARK));
            let words = more.fold(words.to_owned(), |words, line| words + &line[3..]);
            let below: Vec<&str> = rest
                .copied()
                .skip_while(|line| line.starts_with("///"))
                .take_while(|line| !line.is_empty() && !line.starts_with('}'))
                .collect();
            let head = below.iter().position(|line| line.contains("fn "));
            let attributes = &below[..head.unwrap_or(0)];
            let is_test = attributes
                .iter()
                .any(|line| line.starts_with("#[") && line.contains("test"));
            let name = head.and_then(|at| below[at].split("fn ").nth(1));
            let name = name.and_then(|rest| rest.split(['(', '<']).next());
            Claim {
                number,
                words,
                test: name.filter(|_| is_test).map(str::to_owned),
            }
        })
        .collect();
    claims.into_iter()
}

/// Where each statement is held: the file and the test.
fn held() -> BTreeMap<usize, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("tests/it"), root.join("src")];
    let mut held: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let own = Path::new(file!()).file_name().expect("a name");
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && path.file_name() != Some(own)
            {
                let text = fs::read_to_string(&path).expect("a source");
                let file = path.strip_prefix(root).expect("below it").display();
                for claim in claims(&text) {
                    let test = claim.test.unwrap_or_else(|| {
                        panic!("{file}: `Statement {}` stands above no test", claim.number)
                    });
                    assert!(
                        !claim.words.trim().is_empty(),
                        "{file}: {test} says nothing of it"
                    );
                    held.entry(claim.number)
                        .or_default()
                        .insert(format!("{file}: {test}"));
                }
            }
        }
    }
    held
}

/// The statements and their tests, in Markdown.
fn table(held: &BTreeMap<usize, BTreeSet<String>>) -> String {
    let rows = (1..=COUNT).map(|number| {
        let tests: Vec<&str> = held
            .get(&number)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let tests = if tests.is_empty() {
            "–".to_owned()
        } else {
            tests.join("<br>")
        };
        format!("| {number} | {tests} |\n")
    });
    let head = "| statement | tests |\n|---|---|\n".to_owned();
    rows.fold(head, |table, row| table + &row)
}
