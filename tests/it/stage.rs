/*! One pair in one direction, whose source keeps changing: what a night of faults is played on.

The stage knows what each side has to hold. Whatever happened in a run, each object of the target is
the old one or the new one, whole; nothing stands there that was never there; and a run without
faults makes both sides equal.
*/

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::world::{Ran, Run, Wire, World, content, same};

/// Objects by their keys.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A directory to a bucket.
    Up,
    /// A bucket to a directory.
    Down,
    /// A bucket to a bucket, through this machine.
    Across,
    /// A bucket to a bucket, copied by the server.
    Inside,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Across, Self::Inside];

    /// The operations that move content, as this way has them.
    pub(crate) fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Up => &[
                "PutObject",
                "CreateMultipartUpload",
                "UploadPart",
                "CompleteMultipartUpload",
            ],
            Self::Down => &["GetObject"],
            Self::Across => &[
                "GetObject",
                "PutObject",
                "UploadPart",
                "CompleteMultipartUpload",
            ],
            Self::Inside => &[
                "CopyObject",
                "CreateMultipartUpload",
                "UploadPartCopy",
                "CompleteMultipartUpload",
            ],
        }
    }

    /// The buckets it lists.
    pub(crate) fn buckets(self) -> &'static [&'static str] {
        match self {
            Self::Up => &["second"],
            Self::Down => &["first"],
            Self::Across | Self::Inside => &["first", "second"],
        }
    }
}

const BELOW: &str = "data/";

/// Just above the threshold of [`World::job_in_small_parts`].
const LARGE: usize = 5 << 20;

/// A pair and what its source holds.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) wire: Wire,
    pub(crate) way: Way,
    source: Objects,
    /// How often the source was changed.
    changes: usize,
}

impl Stage {
    /// Both sides hold the same.
    pub(crate) fn new(way: Way) -> Self {
        let mut world = World::new();
        world.bucket("first");
        world.bucket("second");
        let wire = Wire::between(&mut world);
        let mut stage = Self {
            world,
            wire,
            way,
            source: Objects::new(),
            changes: 0,
        };
        for n in 0..8 {
            stage.write(&format!("same/{n} +%é"), 100);
        }
        for n in 0..3 {
            stage.write(&format!("gone/0.{n}"), 100);
        }
        stage.write("b", 10);
        stage.write("changed/large", LARGE);
        stage.converge();
        stage
    }

    /// Changes some objects of the source, adds some and removes some: the keys of the last are
    /// to be deleted at the target.
    pub(crate) fn change(&mut self) {
        self.changes += 1;
        let n = self.changes;
        self.write("changed/large", LARGE + n);
        self.write("changed/small", 1000 + n);
        self.write("b-", 10 + n);
        for which in 0..3 {
            self.write(&format!("gone/{n}.{which}"), 500);
            self.remove(&format!("gone/{}.{which}", n - 1));
        }
    }

    /// The run: deletion is on.
    pub(crate) fn run(&self) -> Run<'_> {
        let job = self
            .world
            .job_in_small_parts()
            .set("performance.max_keys", "4")
            .set("retry.aws_max_attempts", "4")
            .set("delete.enabled", "true");
        let (first, second) = (
            format!("s3://first/{BELOW}"),
            format!("s3://second/{BELOW}"),
        );
        match self.way {
            Way::Up => job.pair("pair", "tree", &second),
            Way::Down => job.pair("pair", &first, "down"),
            Way::Across => job.pair("pair", &first, &second),
            Way::Inside => job
                .pair("pair", &first, &second)
                .set("server_side_copy", "true"),
        }
    }

    /// What the target holds.
    pub(crate) fn target(&self) -> Objects {
        match self.way {
            Way::Down => self.world.tree("down").files(),
            Way::Up | Way::Across | Way::Inside => self.world.objects("second", BELOW),
        }
    }

    /// After whatever run: each object of the target is the one it was or the one of the source,
    /// and each of those that were there and still are at the source is there.
    pub(crate) fn holds_old_or_new(&self, before: &Objects) {
        let now = self.target();
        let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        for key in keys {
            let (old, new) = (before.get(key), self.source.get(key));
            match now.get(key) {
                Some(seen) => assert!(
                    Some(seen) == old || Some(seen) == new,
                    "`{key}` is neither the old nor the new object"
                ),
                None => assert!(old.is_none() || new.is_none(), "`{key}` is lost"),
            }
        }
    }

    /// Nothing that was to be deleted is.
    pub(crate) fn has_deleted_nothing(&self, before: &Objects) {
        let now = self.target();
        let lost: Vec<_> = before
            .keys()
            .filter(|key| !now.contains_key(*key))
            .collect();
        assert!(lost.is_empty(), "deleted: {lost:?}");
    }

    /// Whether an upload was left.
    pub(crate) fn has_uploads(&self) -> bool {
        !self.world.uploads("second").is_empty()
    }

    /// No upload was left, and no temporary file beside the target's: [`Self::target`] would have
    /// it.
    pub(crate) fn is_tidy(&self) {
        assert!(!self.has_uploads(), "uploads are left");
        let left = fs::read_dir(self.world.path("tmp")).into_iter().flatten();
        let left: Vec<_> = left.flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Both sides are equal.
    pub(crate) fn is_equal(&self) {
        same(&self.source, &self.target());
        self.is_tidy();
    }

    /// A run without faults makes both sides equal.
    pub(crate) fn converge(&self) -> Ran {
        self.world.faults().clear();
        self.wire.strike(&[]);
        self.wire.refuse(0);
        let ran = self.run().run();
        ran.exit(0);
        self.is_equal();
        ran
    }

    /// A run has nothing to do.
    pub(crate) fn rests(&self) {
        self.world.faults().clear();
        self.wire.strike(&[]);
        self.world.faults().forget_calls();
        self.run().run().exit(0).transferred(0);
        let done = self.world.faults().mutations();
        assert!(done.is_empty(), "a run with nothing to do did {done:?}");
        self.is_equal();
    }

    fn write(&mut self, key: &str, size: usize) {
        let bytes = content(key, size);
        match self.way {
            Way::Up => {
                self.world.tree("tree").write(key, &bytes);
            }
            Way::Down | Way::Across | Way::Inside => {
                // in the parts a run would make, so that both have one ETag
                self.world
                    .put_as_a_run_does("first", &format!("{BELOW}{key}"), &bytes, LARGE);
            }
        }
        self.source.insert(key.to_owned(), bytes);
    }

    /// An object leaves the source, and is to leave the target.
    fn remove(&mut self, key: &str) {
        match self.way {
            Way::Up => {
                let path = self.world.tree("tree").join(key);
                fs::remove_file(path).expect("a file");
            }
            Way::Down | Way::Across | Way::Inside => {
                self.world.remove("first", &format!("{BELOW}{key}"));
            }
        }
        self.source.remove(key);
    }
}
