//! Random filters against plain lines: what goes, under which filter the rest counts, and that a
//! second run does nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3sync::config::{Filters, Glob, Pattern, Said};
use s3sync::engine::run_between;
use s3sync::event::Event;
use s3sync::object::Timestamp;
use s3sync::plan::Direction;

use crate::engine_room::{Told, context, ends, pair};
use crate::model::{random_tree, store};

/// A pattern, and the keys it is about in plain words.
type Row = (&'static str, fn(&str) -> bool);

const GLOBS: [Row; 4] = [
    ("a*", |key| key.starts_with('a') && !key.contains('/')),
    ("a/**", |key| key.starts_with("a/")),
    ("?", |key| key.chars().count() == 1),
    ("**/[!a]", |key| {
        let name = key.rsplit('/').next().unwrap_or_default();
        name.chars().count() == 1 && name != "a"
    }),
];

const PATTERNS: [Row; 5] = [
    ("^a", |key| key.starts_with('a')),
    ("b$", |key| key.ends_with('b')),
    ("/", |key| key.contains('/')),
    ("^(?!a)", |key| !key.starts_with('a')),
    ("[é%]|//", |key| {
        key.contains(['é', '%']) || key.contains("//")
    }),
];

/// What a filter lets pass: of a key, a size and a time.
type Passes = Box<dyn Fn(&str, u64, Timestamp) -> bool>;

fn said<T>(path: &'static str, value: T) -> Said<T> {
    let origin = "here".to_owned();
    Said {
        path,
        value,
        origin,
    }
}

/// Some filters, and the same in the documented order as plain functions.
fn random_filters(random: &mut fastrand::Rng) -> (Filters, Vec<(&'static str, Passes)>) {
    let mut filters = Filters::default();
    let mut plain: Vec<(&'static str, Passes)> = Vec::new();
    let glob = |row: Row| Glob::new(row.0).expect("a glob");
    let pattern = |row: Row| Pattern::new(row.0).expect("a pattern");
    let mut says = || random.u8(0..4) == 0;
    let spoken: Vec<bool> = (0..8).map(|_| says()).collect();
    let globs = [(); 4].map(|()| GLOBS[random.usize(..GLOBS.len())]);
    let patterns = [(); 4].map(|()| PATTERNS[random.usize(..PATTERNS.len())]);
    let times = [(); 2].map(|()| Timestamp::new(random.i64(1000..1005), random.u32(0..2) * 500));
    let sizes = [(); 2].map(|()| [1, 17, 4096, 8193][random.usize(..4)]);
    for at in (0..8).filter(|at| spoken[*at]) {
        let (name, passes): (_, Passes) = match at {
            0 => {
                filters.include = Some(said(
                    "filter.include",
                    globs[..2].iter().map(|it| glob(*it)).collect(),
                ));
                (
                    "filter.include",
                    Box::new(move |key, _, _| globs[..2].iter().any(|it| it.1(key))),
                )
            }
            1 => {
                filters.exclude = Some(said(
                    "filter.exclude",
                    globs[2..].iter().map(|it| glob(*it)).collect(),
                ));
                (
                    "filter.exclude",
                    Box::new(move |key, _, _| !globs[2..].iter().any(|it| it.1(key))),
                )
            }
            2 => {
                filters.mtime_before = Some(said("filter.mtime_before", times[0]));
                (
                    "filter.mtime_before",
                    Box::new(move |_, _, time| time < times[0]),
                )
            }
            3 => {
                filters.mtime_after = Some(said("filter.mtime_after", times[1]));
                (
                    "filter.mtime_after",
                    Box::new(move |_, _, time| time >= times[1]),
                )
            }
            4 => {
                filters.smaller_size = Some(said("filter.smaller_size", sizes[0]));
                (
                    "filter.smaller_size",
                    Box::new(move |_, size, _| size < sizes[0]),
                )
            }
            5 => {
                filters.larger_size = Some(said("filter.larger_size", sizes[1]));
                (
                    "filter.larger_size",
                    Box::new(move |_, size, _| size >= sizes[1]),
                )
            }
            6 => {
                filters.key.include = Some(said(
                    "filter.include_regex",
                    patterns[..2].iter().map(|it| pattern(*it)).collect(),
                ));
                (
                    "filter.include_regex",
                    Box::new(move |key, _, _| patterns[..2].iter().any(|it| it.1(key))),
                )
            }
            _ => {
                filters.key.exclude = Some(said(
                    "filter.exclude_regex",
                    patterns[2..].iter().map(|it| pattern(*it)).collect(),
                ));
                (
                    "filter.exclude_regex",
                    Box::new(move |key, _, _| !patterns[2..].iter().any(|it| it.1(key))),
                )
            }
        };
        plain.push((name, passes));
    }
    (filters, plain)
}

/// How many each filter kept out, as it was told.
fn counted(told: &Told) -> BTreeMap<&'static str, u64> {
    let mut counted = BTreeMap::new();
    for event in told.events() {
        let (by, count) = match event {
            Event::Filtered { by, .. } => (by, 1),
            Event::FilteredMany { by, count } => (by, count),
            _ => continue,
        };
        *counted.entry(by.filter).or_default() += count;
    }
    counted
}

#[tokio::test]
async fn the_first_filter_that_rejects_counts_and_a_second_run_does_nothing() {
    for seed in 0..600 {
        let mut random = fastrand::Rng::with_seed(seed);
        let tree = random_tree(&mut random);
        let (filters, plain) = random_filters(&mut random);
        let (mut goes, mut expected) = (Vec::new(), BTreeMap::new());
        for (key, (bytes, time)) in &tree {
            let size = bytes.len() as u64;
            let rejects = |row: &&(&str, Passes)| !row.1(key.as_str(), size, *time);
            match plain.iter().find(rejects) {
                Some((name, _)) => *expected.entry(*name).or_default() += 1,
                None => goes.push(key.clone()),
            }
        }
        let (source, target) = (store(&tree), store(&BTreeMap::new()));
        target.set_now(Timestamp::new(2000, 0));
        let mut pair = pair();
        pair.filters = Arc::new(filters);
        pair.check.head_each_target = random.bool();
        let direction = [Direction::LocalToS3, Direction::S3ToS3][random.usize(..2)];
        let stores = ends(&source, &target, direction);
        for round in 0..2 {
            let told = Arc::new(Told::default());
            let ran = run_between(stores.clone(), &pair, &context(&told)).await;
            ran.expect("a run");
            let what = format!("seed {seed}, round {round}: {:?}", pair.filters);
            assert_eq!(counted(&told), expected, "{what}");
            let moved = if round == 0 { goes.clone() } else { Vec::new() };
            assert_eq!(told.transferred(), moved, "{what}");
            assert_eq!(
                (told.failed(), told.skipped()),
                Default::default(),
                "{what}"
            );
            let there: Vec<_> = target.objects().into_keys().collect();
            assert_eq!(there, goes, "{what}");
        }
    }
}
