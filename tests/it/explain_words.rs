//! `explain`: which job its words are about.

use crate::support::case;
use crate::world::World;

const JOB: &str = "version = 1\n[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\n\
                   [pairs.b]\nsource = '/c'\ntarget = 's3://d/'\n";

#[test]
fn words_are_about_the_job_the_environment_says_unless_the_first_is_a_file() {
    let world = World::new();
    std::fs::write(world.path("job.toml"), JOB).expect("a job file");
    let sides = [("S3SYNC_SOURCE", "/a"), ("S3SYNC_TARGET", "s3://b/")];
    let text = [("S3SYNC_JOB_TOML", JOB)];
    let file = [("S3SYNC_JOB_FILE", "job.toml")];
    for (variables, words, exit, said) in [
        (&[][..], &["job.toml", "a"][..], 0, "pair a"),
        (&sides, &["default"], 0, "pair default"),
        (
            &sides,
            &["default", "retry.aws_max_attempts"],
            0,
            "retry.aws_max_attempts",
        ),
        (
            &sides,
            &["retry.aws_max_attempts"],
            0,
            "retry.aws_max_attempts",
        ),
        (&text, &["a"], 0, "pair a"),
        (&file, &["b", "target.url"], 0, "s3://d/"),
        (&file, &["job.toml", "b", "target.url"], 0, "s3://d/"),
        (&sides, &["defualt"], 2, "`defualt`"),
        (&sides, &["defualt"], 2, "did you mean `default`?"),
        (&sides, &["defualt"], 2, "there is no file `defualt`"),
        (
            &sides,
            &["jobs/nightly.toml", "a"],
            2,
            "cannot read the job file `jobs/nightly.toml`",
        ),
        (&[], &["default"], 2, "cannot read the job file `default`"),
        (
            &sides,
            &["default", "retry.aws_max_attempts", "x"],
            2,
            "`default`",
        ),
    ] {
        case(format_args!("{variables:?} {words:?}"));
        let mut run = world.command(&["explain"]).arguments(words);
        for (name, value) in variables {
            run = run.environment(name, value);
        }
        let ran = run.run();
        ran.exit(exit).says(said);
    }
}

#[test]
fn a_dry_run_of_some_pairs_is_refused_and_explained_all_the_same() {
    let world = World::new();
    std::fs::write(world.path("job.toml"), format!("{JOB}dry_run = true\n")).expect("a job file");
    let ran = world
        .command(&["explain", "job.toml", "b", "dry_run"])
        .run();
    ran.exit(2).says("dry_run = true");
    let ran = world.command(&["validate", "job.toml"]).run();
    ran.exit(2)
        .says("`dry_run` of some pairs and not of others");
}
