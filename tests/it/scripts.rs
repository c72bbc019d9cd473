//! The scripts in `jobs/scripts`, run as their users would run them.

use std::path::Path;

use crate::support::case;
use crate::world::World;

fn script(name: &str) -> String {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let path = jobs.join("scripts").join(name);
    format!("{:?}", path.display().to_string())
}

/// Each script that filters, what it is given with its size, and what goes.
#[test]
fn filters_leave_out_what_they_say() {
    for (name, given, gone) in [
        (
            "skip_locked.lua",
            &[
                ("plans/budget.xlsx", 10),
                ("plans/~$budget.xlsx", 10),
                ("plans/.~lock.notes.odt#", 10),
                ("plans/.#notes.txt", 10),
                ("plans/notes.txt~", 10),
                ("a.TMP", 10),
                ("film.mp4.part", 10),
                ("partial/a", 10),
                ("empty", 0),
                ("~plans", 10),
            ][..],
            &["partial/a", "plans/budget.xlsx", "~plans"][..],
        ),
        (
            "one_a_day.lua",
            &[
                ("db/2026-11-22T14.sql", 10),
                ("db/2026-11-22T18.sql", 10),
                ("db/2026-11-23T02.sql", 10),
                ("other/2026-11-23T02.sql", 10),
                ("other/2026-11-23T03.sql", 10),
                ("readme", 10),
            ],
            &[
                "db/2026-11-22T14.sql",
                "db/2026-11-23T02.sql",
                "other/2026-11-23T02.sql",
                "readme",
            ],
        ),
    ] {
        case(format_args!("{name}"));
        let world = World::new();
        world.bucket("first");
        for (key, size) in given {
            world.tree("tree").file(key, *size);
        }
        let ran = world
            .job()
            .pair("up", "tree", "s3://first/")
            .set("lua.filter_script", &script(name))
            .run();
        ran.exit(0);
        let keys: Vec<_> = world.objects("first", "").into_keys().collect();
        assert_eq!(keys, gone, "{}", ran.told());
        let left_out = ran.pair("up").count("filtered/total");
        assert_eq!(left_out as usize, given.len() - gone.len(), "{name}");
    }
}

// What the others are held to once the job that has them all runs: "cache_headers.lua",
// "failures.lua".
