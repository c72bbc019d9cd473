//! The engine's deletions against plain lines: random trees, filters and guards, and a stop midway.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use s3sync::config::{Deletion, Excluded, Guards};
use s3sync::context::Context;
use s3sync::engine::run_between;
use s3sync::event::{Event, Guard, Outcome, Sink, Sinks};
use s3sync::hook::{Hooks, filter_fn};
use s3sync::object::{ObjectKey, Timestamp};
use s3sync::plan::Direction;
use tokio_util::sync::CancellationToken;

use crate::engine_room::{Told, context, ends, pair};
use crate::model::{Tree, random_tree, store};
use crate::support::key;

/// What may go, and how many objects of the target the pair is about.
fn model(
    from: &Tree,
    to: &Tree,
    excluded: Excluded,
    direction: Direction,
    admits: impl Fn(&ObjectKey) -> bool,
) -> (Vec<ObjectKey>, u64) {
    let mut candidates = Vec::new();
    let mut in_scope = 0;
    for (key, (bytes, _)) in to {
        let is_marker = direction == Direction::LocalToS3 && key.as_str().ends_with('/');
        let counts = admits(key) || excluded == Excluded::Deleted;
        if from.contains_key(key) {
            in_scope += u64::from(counts);
            if excluded == Excluded::Deleted && !admits(key) {
                candidates.push(key.clone());
            }
        } else if counts && !(is_marker && bytes.is_empty()) {
            in_scope += 1;
            candidates.push(key.clone());
        }
    }
    (candidates, in_scope)
}

fn outcomes(told: &Told) -> Vec<(ObjectKey, Outcome)> {
    let deletion = |event: Event| match event {
        Event::Deletion(deletion) => Some((deletion.key.clone(), deletion.outcome)),
        _ => None,
    };
    told.events().into_iter().filter_map(deletion).collect()
}

fn judged(told: &Told) -> (u64, u64, Option<Guard>) {
    let judged = |event: &Event| match event {
        Event::Judged(judged) => Some((judged.candidates, judged.in_scope, judged.withheld)),
        _ => None,
    };
    let all: Vec<_> = told.events().iter().filter_map(judged).collect();
    let [one] = all[..] else {
        panic!("judged {} times", all.len());
    };
    one
}

/// Statement 16: what filters reject stays unless `delete.excluded`, whatever the trees are.
#[tokio::test]
async fn the_engine_deletes_what_the_model_deletes() {
    for seed in 0..500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (from, to) = (random_tree(&mut random), random_tree(&mut random));
        let from: Tree = if seed % 50 == 0 { Tree::new() } else { from };
        let direction = if random.bool() {
            Direction::LocalToS3
        } else {
            Direction::S3ToS3
        };
        let excluded = if random.bool() {
            Excluded::Deleted
        } else {
            Excluded::Kept
        };
        // nothing, or what has this letter
        let rejected = ["\0", "b", "a", "/"][random.usize(0..4)];
        let admits = |key: &ObjectKey| !key.as_str().contains(rejected);
        let guards = Guards {
            max_objects: random.bool().then(|| random.u64(0..8)),
            max_percent: 100,
            source_marker: (random.u8(0..4) == 0).then(|| "a-b".to_owned()),
            ..Guards::default()
        };
        let (candidates, in_scope) = model(&from, &to, excluded, direction, admits);
        let count = candidates.len() as u64;
        let expected_guard = if candidates.is_empty() {
            None
        } else if from.is_empty() {
            Some(Guard::MinSourceObjects)
        } else if guards.source_marker.is_some() && !from.contains_key(&key("a-b")) {
            Some(Guard::MarkerMissing)
        } else {
            (guards.max_objects.is_some_and(|most| count > most)).then_some(Guard::MaxObjects)
        };
        let (source, target) = (store(&from), store(&to));
        let mut pair = pair();
        pair.check.mode = s3sync::config::CheckMode::Always;
        pair.check.head_each_target = random.bool();
        pair.performance.worker_size = random.u16(1..5);
        pair.deletion = Some(Deletion { excluded, guards });
        let told = Arc::new(Told::default());
        let filter = filter_fn("letter", move |object| {
            !object.entry.key.as_str().contains(rejected)
        });
        let context = Context {
            hooks: if rejected == "\0" {
                Hooks::new()
            } else {
                Hooks::new().filter(filter)
            },
            ..context(&told)
        };
        run_between(ends(&source, &target, direction), &pair, &context)
            .await
            .expect("a run");

        let mut expected: BTreeMap<ObjectKey, Bytes> = to
            .iter()
            .chain(from.iter().filter(|(key, _)| admits(key)))
            .map(|(key, (bytes, _))| (key.clone(), bytes.clone()))
            .collect();
        if expected_guard.is_none() {
            expected.retain(|key, _| !candidates.contains(key));
        }
        let seen: BTreeMap<_, _> = (target.objects().into_iter())
            .map(|(key, object)| (key, object.bytes))
            .collect();
        assert_eq!(seen, expected, "seed {seed}");
        assert_eq!(
            judged(&told),
            (count, in_scope, expected_guard),
            "seed {seed}"
        );
        let mut told_of: Vec<_> = outcomes(&told).into_iter().map(|(key, _)| key).collect();
        told_of.sort();
        assert_eq!(told_of, candidates, "seed {seed}: each is told of once");
    }
}

/// Stops the run when the first object was deleted.
#[derive(Debug)]
struct Stopping(CancellationToken);

impl Sink for Stopping {
    fn event(&self, event: &Event) {
        if let Event::Deletion(deletion) = event
            && matches!(deletion.outcome, Outcome::Removed(_))
        {
            self.0.cancel();
        }
    }
}

#[tokio::test]
async fn a_stop_lets_the_batch_under_way_end_and_tells_of_the_rest() {
    let one = || (Bytes::from_static(b"1"), Timestamp::new(1000, 0));
    let from: Tree = [(key("a"), one())].into();
    let to: Tree = (0..3500)
        .map(|n| (key(&format!("k{n:04}")), one()))
        .collect();
    let (source, target) = (store(&from), store(&to));
    let mut pair = pair();
    pair.performance.worker_size = 1;
    pair.deletion = Some(Deletion {
        excluded: Excluded::Kept,
        guards: Guards {
            max_percent: 100,
            ..Guards::default()
        },
    });
    let told = Arc::new(Told::default());
    let stop = CancellationToken::new();
    let context = Context {
        sinks: Sinks::new(vec![
            told.clone() as Arc<dyn Sink>,
            Arc::new(Stopping(stop.clone())),
        ]),
        stop,
        ..context(&told)
    };
    let done = run_between(ends(&source, &target, Direction::S3ToS3), &pair, &context)
        .await
        .expect("a run");
    assert!(done.stopped);
    let outcomes = outcomes(&told);
    assert_eq!(outcomes.len(), 3500, "all are told of");
    let gone = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Removed(_)));
    let gone = gone.count();
    assert_eq!(gone, 1000, "one batch");
    assert_eq!(target.objects().len(), 3500 - gone + 1);
}

/// Statement 13: a listing that fails on either side deletes nothing; nor does one that was stopped.
#[tokio::test]
async fn a_run_that_did_not_see_everything_deletes_nothing() {
    let one = || (Bytes::from_static(b"1"), Timestamp::new(1000, 0));
    let from: Tree = [(key("m"), one())].into();
    let to: Tree = ["a", "m", "z"].map(|name| (key(name), one())).into();
    let (source, target) = (store(&from), store(&to));
    let mut pair = pair();
    pair.deletion = Some(Deletion {
        excluded: Excluded::Kept,
        guards: Guards::default(),
    });
    let told = Arc::new(Told::default());
    let context = context(&told);
    context.stop.cancel();
    let done = run_between(ends(&source, &target, Direction::S3ToS3), &pair, &context)
        .await
        .expect("a run");
    assert!(done.stopped);
    assert_eq!(target.objects().len(), 3);
}
