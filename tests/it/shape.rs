//! The shape of the house: modules stand in a line, and foreign types stop at the border.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Crates that only some rooms may name, by the beginning of the crate's name.
const BORDERS: &[(&str, &[&str])] = &[
    ("aws_", &["store/s3"]),
    ("figment", &["config"]),
    // the option table makes clap's arguments
    ("clap", &["cli", "config"]),
    ("s3s", &["sandbox"]),
    ("mlua", &["lua"]),
];

#[test]
fn modules_use_only_those_above_them() {
    let line = modules(&code_of(&source_dir().join("lib.rs")));
    assert!(line.len() > 4, "lib.rs lists its modules: {line:?}");
    let place = |module: &str| line.iter().position(|one| one == module);
    let mut wrong = Vec::new();
    for file in sources() {
        let code = code_of(&source_dir().join(&file.path));
        let Some(own) = place(&file.room) else {
            // main.rs and lib.rs may use everything
            continue;
        };
        for used in imports(&code, file.depth) {
            match place(&used) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{}: `{used}` stands below", file.path)),
                None => wrong.push(format!("{}: `{used}` is no module", file.path)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn foreign_types_stop_at_the_border() {
    let mut wrong = Vec::new();
    for file in sources() {
        let code = code_of(&source_dir().join(&file.path));
        for (name, rooms) in BORDERS {
            let is_at_home = rooms.iter().any(|room| {
                let rest = file.path.strip_prefix(room);
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
            if !is_at_home && names_crate(&code, name) {
                wrong.push(format!("{} names `{name}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A method that a wrapper leaves to the trait's default would be lost without a word.
#[test]
fn a_wrapper_around_a_target_forwards_everything() {
    let wrapper = code_of(&source_dir().join("store/throttle.rs"));
    for (name, file) in [("Source", "source"), ("Target", "target")] {
        let contract = code_of(&source_dir().join(format!("store/{file}.rs")));
        let asked = methods(&contract, &format!("pub trait {name}: "));
        assert!(asked.len() > 5, "{name} has methods: {asked:?}");
        let answered = methods(&wrapper, &format!("impl {name} for Throttle "));
        assert_eq!(asked, answered, "{name}");
    }
}

/// The names of the methods of a block that begins so and ends at the margin.
fn methods(code: &str, beginning: &str) -> BTreeSet<String> {
    let (_, block) = code.split_once(beginning).expect("it is there");
    let block = block.split("\n}").next().unwrap_or(block);
    let names = block.split("fn ").skip(1);
    names
        .filter_map(|rest| rest.split(['(', '<']).next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn imports_are_found_however_they_are_written() {
    for (code, depth, expected) in [
        ("use crate::store::Put;", 1, &["store"][..]),
        ("use crate::{store::Put, event};", 1, &["event", "store"]),
        ("use crate::{\n    a::{b, c},\n    d,\n};", 1, &["a", "d"]),
        ("fn f() -> crate::plan::Decision {}", 1, &["plan"]),
        ("pub(crate) use crate::plan;", 1, &["plan"]),
        ("pub(in crate::plan) fn f() {}", 1, &["plan"]),
        ("use super::event;", 1, &["event"]),
        ("use super::super::event;", 2, &["event"]),
        ("use super::{Put, Read};", 2, &[]),
        ("mod tests {\n    use super::*;\n}", 1, &[]),
        ("use std::fmt;\nuse mycrate::x;", 1, &[]),
    ] {
        let seen: Vec<_> = imports(code, depth).into_iter().collect();
        assert_eq!(seen, expected, "{code}");
    }
}

#[test]
fn crates_are_found_by_whole_names() {
    for (code, name, expected) in [
        ("use aws_sdk_s3::Client;", "aws_", true),
        ("fn f(x: aws_smithy_types::DateTime) {}", "aws_", true),
        ("let aws_max_attempts = 3;", "aws_", false),
        ("use clap::Parser;", "clap", true),
        ("use clap as c;", "clap", true),
        ("use myclap::Parser;", "clap", false),
        ("use s3sync::x;", "s3s", false),
        ("s3s::host::S3Host", "s3s", true),
        ("#[derive(clap::Parser)]", "clap", true),
    ] {
        assert_eq!(names_crate(code, name), expected, "{code}");
    }
}

#[test]
fn comments_name_what_they_like() {
    let text = "/*! See [`crate::a`].\ncrate::b */\nuse crate::c; // crate::d\n// crate::e\n";
    let seen: Vec<_> = imports(&without_comments(text), 1).into_iter().collect();
    assert_eq!(seen, ["c"]);
}

/// One file of the library.
struct File {
    /// Below `src`, with slashes.
    path: String,
    /// The module of lib.rs it belongs to.
    room: String,
    /// How many `super` lead from it to the crate.
    depth: usize,
}

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<File> {
    let root = source_dir();
    let mut open = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("src is a tree") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let path = path.strip_prefix(&root).expect("below src");
                let path = path.to_string_lossy().replace('\\', "/");
                let module = path.trim_end_matches(".rs");
                files.push(File {
                    room: module.split('/').next().unwrap_or(module).to_owned(),
                    depth: module.split('/').count(),
                    path,
                });
            }
        }
    }
    files
}

/// A file without its comments, which may name what they like.
fn code_of(path: &Path) -> String {
    without_comments(&fs::read_to_string(path).expect("a source file"))
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut in_block = false;
    for line in text.lines() {
        // elsewhere in a line it may be a glob in a string
        in_block |= line.trim_start().starts_with("/*");
        if in_block {
            in_block = !line.contains("*/");
            continue;
        }
        code.push_str(match line.find("//") {
            // not the slashes of a URL
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        });
        code.push('\n');
    }
    code
}

/// The modules lib.rs declares, in its order.
fn modules(code: &str) -> Vec<String> {
    code.lines()
        .map(|line| line.trim())
        .filter_map(|line| {
            line.strip_prefix("pub ")
                .unwrap_or(line)
                .strip_prefix("mod ")
        })
        .filter_map(|rest| rest.split([';', ' ']).next())
        .map(str::to_owned)
        .collect()
}

/// The modules of the crate that a file names, by `crate::` or by climbing up to it.
fn imports(code: &str, depth: usize) -> BTreeSet<String> {
    let climb = "super::".repeat(depth);
    let by_name = code.match_indices("crate::").filter_map(|(at, found)| {
        let before = code[..at].chars().next_back();
        (!before.is_some_and(is_word)).then(|| &code[at + found.len()..])
    });
    // inside an inline module one `super` leads no further than the file
    let by_climbing = code.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("use ")?.strip_prefix(&*climb)
    });
    by_name.chain(by_climbing).flat_map(first_names).collect()
}

/// The name that stands first, or all of those in braces.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return Vec::from_iter(leading_word(rest));
    };
    let mut names = Vec::new();
    let mut nesting = 0;
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '}' if nesting == 0 => break,
            '{' => nesting += 1,
            '}' => nesting -= 1,
            ',' if nesting == 0 => names.extend(leading_word(&std::mem::take(&mut item))),
            _ => item.push(c),
        }
    }
    names.extend(leading_word(&item));
    names
}

fn leading_word(text: &str) -> Option<String> {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(|c| is_word(*c))
        .collect();
    (!word.is_empty()).then_some(word)
}

/// Whether a path begins with a crate of that name, or with one that begins so if it ends in `_`.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let rest = &code[at..];
        let word = leading_word(rest).unwrap_or_default();
        let is_whole = word == name || name.ends_with('_');
        let begins = !code[..at].chars().next_back().is_some_and(is_word);
        let is_path = rest[word.len()..].starts_with("::") || code[..at].ends_with("use ");
        begins && is_whole && is_path
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
