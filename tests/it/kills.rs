/*! SIGKILL at any moment: `S3SYNC_TEST_KILLS=200`; otherwise at a few, the same every time.

A job of three pairs, one in each direction, with deletion on and objects in parts. It is killed
while its n-th request is on its way, n by chance over all that an undisturbed run makes; the next
run finds what it left.
*/

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Run, World, content, same, until};

type Objects = BTreeMap<String, Vec<u8>>;

/// Just above the threshold of [`World::job_in_small_parts`].
const LARGE: usize = 5 << 20;

struct Night {
    world: World,
    /// What the three sources hold: the directory, and the buckets `first` and `third`.
    sources: [Objects; 3],
    changes: usize,
}

impl Night {
    fn new() -> Self {
        let world = World::new();
        for bucket in ["first", "second", "third", "fourth"] {
            world.bucket(bucket);
        }
        let mut night = Self {
            world,
            sources: Default::default(),
            changes: 0,
        };
        for n in 0..10 {
            night.write(&format!("same/{n}"), 50);
        }
        for n in 0..5 {
            night.write(&format!("gone/0.{n}"), 50);
        }
        night.change();
        night
    }

    fn write(&mut self, key: &str, size: usize) {
        for (at, source) in self.sources.iter_mut().enumerate() {
            let bytes = content(&format!("{at}{key}"), size);
            match at {
                0 => drop(self.world.tree("tree").write(key, &bytes)),
                1 => self.world.put_as_a_run_does("first", key, &bytes, LARGE),
                _ => self.world.put_as_a_run_does("third", key, &bytes, LARGE),
            }
            source.insert(key.to_owned(), bytes);
        }
    }

    fn change(&mut self) {
        self.changes += 1;
        let n = self.changes;
        self.write("changed/large", LARGE + n);
        for which in 0..5 {
            self.write(&format!("changed/{which}"), 500 + n);
            self.write(&format!("gone/{n}.{which}"), 50);
            let key = format!("gone/{}.{which}", n - 1);
            fs::remove_file(self.world.tree("tree").join(&key)).expect("a file");
            self.world.remove("first", &key);
            self.world.remove("third", &key);
            for source in &mut self.sources {
                source.remove(&key);
            }
        }
    }

    fn targets(&self) -> [Objects; 3] {
        [
            self.world.objects("second", ""),
            self.world.tree("down").files(),
            self.world.objects("fourth", ""),
        ]
    }

    fn run(&self) -> Run<'_> {
        self.world
            .job_in_small_parts()
            .set("performance.max_keys", "10")
            .set("delete.enabled", "true")
            .pair("up", "tree", "s3://second/")
            .pair("down", "s3://first/", "down")
            .pair("across", "s3://third/", "s3://fourth/")
    }

    /// Each object is the old or the new one, and none is lost. Beside them a directory may have
    /// the temporary files of whoever was killed.
    fn holds_old_or_new(&self, before: &[Objects; 3]) {
        let now = self.targets();
        for ((before, now), source) in before.iter().zip(&now).zip(&self.sources) {
            let keys: BTreeSet<_> = before.keys().chain(source.keys()).collect();
            for key in keys {
                let (old, new) = (before.get(key), source.get(key));
                match now.get(key) {
                    Some(seen) => {
                        assert!(Some(seen) == old || Some(seen) == new, "`{key}` is damaged");
                    }
                    None => assert!(old.is_none() || new.is_none(), "`{key}` is lost"),
                }
            }
        }
    }

    /// How many uploads and temporary files there are.
    fn left(&self) -> (usize, usize) {
        let uploads = ["second", "fourth"].map(|bucket| self.world.uploads(bucket).len());
        let files = self.world.tree("down").files();
        let is_temporary = |key: &&String| key.contains(".s3sync-");
        (
            uploads.iter().sum(),
            files.keys().filter(is_temporary).count(),
        )
    }

    fn is_equal(&self) {
        for (source, target) in self.sources.iter().zip(&self.targets()) {
            same(source, target);
        }
        for bucket in ["second", "fourth"] {
            assert_eq!(self.world.uploads(bucket), [""; 0], "uploads are left");
        }
        let left = fs::read_dir(self.world.path("tmp")).expect("a directory");
        assert_eq!(left.count(), 0, "temporary files are left");
    }
}

/// Statement 25: SIGKILL → the next run is not blocked, removes its own temporary files, aborts its
/// own (journaled) multipart uploads and only those.
#[test]
fn wherever_it_is_killed_nothing_is_lost_and_nothing_is_left() {
    let number = |name: &str| {
        let said = std::env::var(name).ok();
        said.map(|said| said.parse::<u64>().expect("a number"))
    };
    let asked = number("S3SYNC_TEST_KILLS");
    let kills = asked.unwrap_or(5);
    // a change is judged by what it does, and not by its luck
    let chosen = || asked.map_or(0, |_| fastrand::u64(..));
    let seed = number("S3SYNC_TEST_SEED").unwrap_or_else(chosen);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut night = Night::new();
    let calls = |night: &Night| night.world.faults().all_calls().values().sum::<u64>();
    night.run().run().exit(0);
    night.is_equal();
    night.change();
    night.world.faults().forget_calls();
    night.run().run().exit(0);
    let all = calls(&night);
    // what somebody else has begun is not ours to clean up
    let theirs = night.world.client().create_multipart_upload();
    let theirs = theirs.bucket("first").key("changed/large").send();
    night.world.block_on(theirs).expect("an upload");
    let (mut missed, mut uploads, mut files) = (0, 0, 0);
    for kill in 0..kills {
        let nth = random.u64(1..=all);
        case(format_args!(
            "S3SYNC_TEST_SEED={seed}, kill {kill}: at request {nth} of {all}"
        ));
        let before = night.targets();
        night.change();
        night.world.faults().forget_calls();
        let late = if random.bool() {
            Action::Delay(NEVER)
        } else {
            Action::DelayAnswer(NEVER)
        };
        night
            .world
            .faults()
            .add(Rule::new(late).when(When::Nth(nth)));
        let mut running = night.run().start();
        until("that request", || {
            calls(&night) >= nth || running.has_ended()
        });
        missed += u64::from(running.has_ended());
        drop(running);
        night.world.faults().clear();
        night.holds_old_or_new(&before);
        let left = night.left();
        (uploads, files) = (uploads + left.0, files + left.1);
        night.run().run().exit(0);
        night.is_equal();
        assert_eq!(night.world.uploads("first"), ["changed/large"]);
    }
    case(format_args!(
        "{kills} kills, {missed} of them too late; {uploads} uploads and {files} temporary files were left and are gone"
    ));
    night.world.faults().forget_calls();
    night.run().run().exit(0).transferred(0);
    assert!(night.world.faults().mutations().is_empty());
}
