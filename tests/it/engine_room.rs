//! What engine tests share: a pair, stores at both ends, and a sink that remembers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use s3sync::config::{
    Annotations, Check, Conditional, Metadata, OnUnverifiable, Pair, Performance, SourceSpec,
    Tagging, TargetSpec, Verify, Warnings,
};
use s3sync::context::{Bounds, Budget, Distrusted, Ends};
use s3sync::digest::Verdict;
use s3sync::engine::Context;
use s3sync::event::{Event, FailReason, Side, Sink, Sinks, SkipReason};
use s3sync::object::ObjectKey;
use s3sync::plan::Direction;
use s3sync::store::local::{LocalSourceSettings, LocalTargetSettings};
use s3sync::store::{Source, Target};
use tokio_util::sync::CancellationToken;

/// A pair with small parts and no pauses; its locations are not used.
pub(crate) fn pair() -> Pair {
    Pair {
        name: "test".to_owned(),
        after: Vec::new(),
        source: SourceSpec::Local(LocalSourceSettings {
            root: PathBuf::new(),
            ignore_symlinks: false,
            never_list: Vec::new(),
        }),
        target: TargetSpec::Local(LocalTargetSettings {
            root: PathBuf::new(),
            never_list: Vec::new(),
        }),
        server_side_copy: false,
        versions: s3sync::config::Versions::default(),
        check: Check::default(),
        checksum: None,
        checksum_full_object: false,
        checksum_download: false,
        checksum_of_opaque: true,
        verify: Verify {
            etag: true,
            multipart: true,
            checksum: true,
            unverifiable: OnUnverifiable::Warn,
        },
        conditional: Conditional::default(),
        warnings: Warnings::default(),
        performance: Performance {
            worker_size: 4,
            max_parallel_uploads: 4,
            max_parallel_listings: 4,
            rate: s3sync::config::Rate::default(),
        },
        multipart_threshold: 8192,
        multipart_chunksize: 8192,
        multipart_resume: true,
        force_retry: (3, Duration::ZERO),
        auto_chunksize: false,
        metadata: Metadata::default(),
        storage_class: None,
        acl: None,
        tagging: Tagging::default(),
        annotations: Annotations::default(),
        filters: Arc::default(),
        lua: Arc::default(),
        digest: String::new(),
    }
}

/// Stores at both ends.
pub(crate) fn ends<S, T>(source: &S, target: &T, direction: Direction) -> Ends
where
    S: Source + Clone + 'static,
    T: Target + Clone + 'static,
{
    Ends {
        source: Arc::new(source.clone()),
        target: Arc::new(target.clone()),
        direction,
    }
}

/// A context that tells this sink.
pub(crate) fn context(told: &Arc<Told>) -> Context {
    Context {
        sinks: Sinks::new(vec![Arc::clone(told) as Arc<dyn Sink>]),
        budget: Budget::new(1 << 20),
        stop: CancellationToken::new(),
        halt: s3sync::store::Halt::default(),
        journal: Arc::new(s3sync::store::Unwitnessed),
        dry_run: false,
        distrusted: Distrusted::default(),
        bounds: Bounds::default(),
        hooks: s3sync::hook::Hooks::default(),
        backlog: s3sync::hook::Backlog::default(),
    }
}

/// Remembers every event.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Vec<Event>>);

impl Sink for Told {
    fn event(&self, event: &Event) {
        self.0
            .lock()
            .expect("no panic while told")
            .push(event.clone());
    }
}

impl Told {
    /// All events so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().expect("no panic while told").clone()
    }

    /// The keys that arrived, sorted.
    pub(crate) fn transferred(&self) -> Vec<ObjectKey> {
        self.sorted(|event| match event {
            Event::Transferred { settled, .. } => Some(settled.source().key.clone()),
            _ => None,
        })
    }

    /// How many arrived with a proof.
    pub(crate) fn verified(&self) -> usize {
        let verified = |event: &Event| match event {
            Event::Transferred { settled, .. } => {
                matches!(settled.integrity().verdict(), Verdict::Verified(_))
            }
            _ => false,
        };
        self.events().iter().filter(|event| verified(event)).count()
    }

    /// The keys that failed, with the reason, sorted.
    pub(crate) fn failed(&self) -> Vec<(ObjectKey, FailReason)> {
        self.sorted(|event| match event {
            Event::Failed { key, reason, .. } => Some((key.clone(), *reason)),
            _ => None,
        })
    }

    /// The keys that were left out, with the reason, sorted.
    pub(crate) fn skipped(&self) -> Vec<(String, SkipReason)> {
        self.sorted(|event| match event {
            Event::Skipped { key, reason, .. } => Some((key.clone(), *reason)),
            _ => None,
        })
    }

    /// How many entries were listed on a side.
    pub(crate) fn listed(&self, of: Side) -> u64 {
        let listed = |event: &Event| match event {
            Event::Listed { side, entries, .. } if *side == of => *entries,
            _ => 0,
        };
        self.events().iter().map(listed).sum()
    }

    fn sorted<T: Ord>(&self, pick: impl FnMut(&Event) -> Option<T>) -> Vec<T> {
        let mut picked: Vec<T> = self.events().iter().filter_map(pick).collect();
        picked.sort();
        picked
    }
}
