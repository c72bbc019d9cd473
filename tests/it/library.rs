//! The library as a program has it that embeds it: jobs, runs, cancelling, statistics, hooks.

use std::future::Future;
use std::time::Duration;

use s3sync::hook::{
    Candidate, FilterHook, HookError, Hooks, PreprocessHook, Preprocessed, Rule, SourceObject,
    UploadMetadata, async_trait, filter_fn,
};
use s3sync::sandbox::{Action, Rule as Fault, When};
use s3sync::{Job, JobBuilder, Run, StartError, Status};
use serde_json::Value;

use crate::support::case;
use crate::world::{NEVER, World, content, until};

const MIB: usize = 1 << 20;

/// A tree of ten small files and what else a test puts there; a bucket.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    for n in 0..10 {
        world.tree("tree").file(&format!("small/{n}"), 100);
    }
    world
}

/// A pair from the tree to the bucket.
fn up(world: &World) -> JobBuilder {
    let job = Job::pair(world.path("tree"), "s3://first/");
    reaching(world, "target", job)
}

/// The same with an S3 side that is the world's.
fn reaching(world: &World, side: &str, job: JobBuilder) -> JobBuilder {
    let endpoint = &world.endpoint;
    job.set("report.dir", world.path("reports").display())
        .set(&format!("{side}.endpoint_url"), &endpoint.url)
        .set(&format!("{side}.region"), &endpoint.region)
        .set(&format!("{side}.access_key"), &endpoint.access_key)
        .set(&format!("{side}.secret_access_key"), &endpoint.secret_key)
        .set(&format!("{side}.force_path_style"), true)
}

fn report(path: &std::path::Path) -> Value {
    let text = std::fs::read(path).expect("a report");
    serde_json::from_slice(&text).expect("JSON")
}

/// On a runtime of its own, of one thread or of several.
fn on(threads: usize, work: impl Future<Output = ()>) {
    let mut builder = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(work);
}

/// One runtime after the other: what one of them leaves behind does not disturb the next.
#[test]
fn a_job_runs_on_the_runtime_it_is_started_on() {
    let world = world();
    world.tree("tree").file("large", 17 * MIB);
    for (threads, copied, unchanged) in [(1, 11, 0), (1, 0, 11), (2, 0, 11), (1, 0, 11)] {
        case(format_args!("{threads} threads, {copied} to copy"));
        on(threads, async {
            let job = up(&world).build().expect("a job");
            let summary = s3sync::run(job).await.expect("it starts");
            assert!(summary.is_success(), "{summary:?}");
            assert_eq!((summary.status, summary.exit_code), (Status::Success, 0));
            let statistics = &summary.pairs[0].statistics;
            assert_eq!(statistics.created, copied);
            assert_eq!(statistics.verified, copied);
            assert_eq!(statistics.unchanged, unchanged);
            let written = report(summary.report.as_deref().expect("a report"));
            assert_eq!(written["run"]["status"], "success");
            assert_eq!(written["run"]["id"], summary.run_id.as_str());
            assert_eq!(written["pairs"], summary.to_json()["pairs"]);
        });
    }
}

#[test]
fn a_run_that_is_cancelled_ends_in_order_and_says_so() {
    for threads in [1, 2] {
        let world = world();
        world.tree("tree").file("large", 24 * MIB);
        let late = Fault::new(Action::Delay(NEVER)).operation("UploadPart");
        world.faults().add(late.when(When::Nth(2)));
        on(threads, async {
            let job = up(&world).set("performance.max_parallel_uploads", 1);
            let job = job.set("performance.worker_size", 1).build();
            let running = Run::new(job.expect("a job")).start().expect("it starts");
            let stop = running.cancel_handle();
            let faults = world.faults();
            let watcher = async {
                while faults.calls("UploadPart") < 2 {
                    tokio::task::yield_now().await;
                }
                assert!(!stop.is_cancelled());
                stop.cancel();
                assert!(stop.is_cancelled());
            };
            let (summary, ()) = tokio::join!(running.finished(), watcher);
            assert_eq!(summary.status, Status::Interrupted, "{summary:?}");
            assert_eq!(summary.exit_code, 130);
            assert_eq!(summary.reason.as_deref(), Some("cancelled by the program"));
            let statistics = &summary.pairs[0].statistics;
            assert!(statistics.not_attempted > 0, "{statistics:?}");
            assert_eq!(statistics.done(), statistics.listed);
            let written = report(summary.report.as_deref().expect("a report"));
            assert_eq!(written["run"]["status"], "interrupted");
            assert_eq!(
                written["run"]["interrupted_by"],
                Value::Null,
                "no signal did"
            );
            assert_eq!(written["pairs"][0]["counts"]["reconciled"], true);
        });
        assert_eq!(world.uploads("first"), [""; 0]);
        assert_eq!(world.get("first", "large"), None);
    }
}

/// A preprocess hook that never answers.
#[derive(Debug)]
struct Silent(std::sync::Arc<tokio::sync::Notify>);

#[async_trait]
impl PreprocessHook for Silent {
    async fn preprocess(
        &self,
        _: &SourceObject,
        _: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[test]
fn a_stop_reaches_who_waits_for_a_hook() {
    let world = world();
    on(2, async {
        let asked = std::sync::Arc::new(tokio::sync::Notify::new());
        let hooks = Hooks::new().preprocess(Silent(asked.clone()));
        let run = Run::new(up(&world).build().expect("a job")).hooks(hooks);
        let running = run.start().expect("it starts");
        asked.notified().await;
        running.cancel_handle().cancel();
        let ended = tokio::time::timeout(Duration::from_secs(30), running.finished());
        let summary = ended.await.expect("it ends");
        assert_eq!(summary.status, Status::Interrupted, "{summary:?}");
        let statistics = &summary.pairs[0].statistics;
        assert_eq!(statistics.created, 0);
        assert_eq!(statistics.not_attempted, statistics.listed);
    });
    assert_eq!(world.objects("first", "").len(), 0);
}

#[test]
fn a_run_that_is_dropped_stops() {
    let world = world();
    world.tree("tree").file("large", 24 * MIB);
    let never = Fault::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(never);
    on(2, async {
        let job = up(&world).build().expect("a job");
        let running = Run::new(job).start().expect("it starts");
        let live = running.live();
        until("a part is on its way", || {
            world.faults().calls("UploadPart") > 0
        });
        drop(running);
        until("it ends", || live.pairs()[0].status == Status::Interrupted);
        let latest = world.path("reports/adhoc/latest/report.json");
        until("the last report", || latest.exists());
        assert_eq!(report(&latest)["run"]["id"], live.run_id());
    });
}

#[test]
fn a_run_whose_runtime_is_gone_says_so() {
    let world = world();
    let never = Fault::new(Action::Delay(NEVER)).operation("PutObject");
    world.faults().add(never);
    let job = up(&world).build().expect("a job");
    let builder = &mut tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let running = {
        let _entered = runtime.enter();
        Run::new(job).start().expect("it starts")
    };
    until("something is on its way", || {
        world.faults().calls("PutObject") > 0
    });
    runtime.shutdown_background();
    let summary = world.block_on(running.finished());
    assert_eq!(summary.status, Status::Interrupted);
    assert_eq!(summary.exit_code, 130);
    let written = report(summary.report.as_deref().expect("a report"));
    assert_eq!(written["run"]["status_reason"], "its runtime was shut down");
}

#[test]
fn statistics_grow_while_it_runs() {
    let world = world();
    world.tree("tree").file("zzz", 100);
    // the last of them waits until it was seen that the others are through
    let held = Fault::new(Action::Delay(NEVER)).key("zzz");
    world.faults().add(held.operation("PutObject"));
    on(2, async {
        let job = up(&world).build().expect("a job");
        let running = Run::new(job).start().expect("it starts");
        let live = running.live();
        until("ten are through", || {
            let seen = &live.pairs()[0].statistics;
            seen.created == 10 && seen.is_listed
        });
        let seen = live.pairs();
        assert_eq!(seen[0].name, "adhoc");
        assert_eq!(seen[0].status, Status::Running);
        assert_eq!(seen[0].statistics.transferred_bytes, 1000);
        assert_eq!(seen[0].statistics.listed, 11);
        assert!(seen[0].statistics.is_listed);
        assert_eq!(seen[0].statistics.done(), 10);
        running.cancel_handle().cancel();
        world.faults().clear();
        drop(running);
    });
}

#[test]
fn two_jobs_run_at_once() {
    let world = world();
    world.bucket("second");
    on(2, async {
        let other = Job::pair(world.path("tree"), "s3://second/");
        let other = reaching(&world, "target", other).set("job.name", "other");
        let jobs = [up(&world), other].map(|job| job.build().expect("a job"));
        let [one, other] = jobs.map(|job| Run::new(job).start().expect("it starts"));
        let (one, other) = tokio::join!(one.finished(), other.finished());
        for summary in [&one, &other] {
            assert!(summary.is_success(), "{summary:?}");
            assert_eq!(summary.pairs[0].statistics.created, 10);
        }
        assert_ne!(one.run_id, other.run_id);
        assert_ne!(one.report, other.report);
    });
    for bucket in ["first", "second"] {
        assert_eq!(world.objects(bucket, "").len(), 10, "{bucket}");
    }
}

/// A filter with a state, which fails over one key.
#[derive(Debug)]
struct EverySecond(std::sync::atomic::AtomicUsize);

#[async_trait]
impl FilterHook for EverySecond {
    fn rule(&self) -> std::sync::Arc<Rule> {
        Rule::of_hook("every second")
    }

    async fn filter(&self, candidate: &Candidate) -> Result<bool, HookError> {
        if candidate.entry.key.as_str() == "small/9" {
            return Err(HookError::new("nine is too many"));
        }
        tokio::task::yield_now().await;
        let before = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(before.is_multiple_of(2))
    }
}

#[test]
fn what_hooks_reject_is_counted_under_their_names() {
    let world = world();
    on(2, async {
        let job = up(&world).set("filter.exclude_regex", "/0$").build();
        let hooks = Hooks::new()
            .filter(filter_fn("not one", |object| {
                object.entry.key.as_str() != "small/1" && object.entry.size == 100
            }))
            .filter(EverySecond(0.into()));
        let run = Run::new(job.expect("a job")).hooks(hooks);
        let summary = run.start().expect("it starts").finished().await;
        let statistics = &summary.pairs[0].statistics;
        // 0 by its pattern, 1 by the closure, 9 failed; of 2 to 8 every second goes
        assert_eq!(statistics.filtered_by["filter.exclude_regex"], 1);
        assert_eq!(statistics.filtered_by["hook"], 1 + 3);
        assert_eq!((statistics.created, statistics.failed), (4, 1));
        assert_eq!(summary.exit_code, 1, "{summary:?}");
        let report = summary.to_json();
        let by = report["pairs"][0]["counts"]["filtered"].to_string();
        assert!(
            by.contains("not one") && by.contains("every second"),
            "{by}"
        );
        let errors = report["pairs"][0]["errors_sample"].to_string();
        assert!(errors.contains("nine is too many"), "{errors}");
    });
}

#[test]
fn a_run_leaves_nothing_behind_where_it_is_told_to() {
    let world = world();
    on(2, async {
        let job = up(&world).build().expect("a job");
        let run = Run::new(job).without_report();
        let summary = run.start().expect("it starts").finished().await;
        assert!(summary.is_success(), "{summary:?}");
        assert_eq!(summary.pairs[0].statistics.created, 10);
        assert_eq!(summary.report, None);
        let report = summary.to_json();
        assert_eq!(report["pairs"][0]["counts"]["transferred"]["total"], 10);
    });
    assert!(!world.path("reports").exists());
    assert_eq!(world.objects("first", "").len(), 10);
}

#[test]
fn every_way_to_a_job_comes_to_the_same() {
    let world = world();
    let text = "version = 1\n[defaults]\nfilter.larger_size = '1KiB'\ncheck.mode = 'size'\n\
                [pairs.adhoc]\nsource = 'tree'\ntarget = 's3://first/'\n";
    world.tree("").write("adhoc.toml", text.as_bytes());
    let variables = [
        ("S3SYNC_JOB_TOML", text.replace("'size'", "'etag'")),
        ("S3SYNC_CHECK__MODE", "size".to_owned()),
    ];
    let ways = [
        Job::pair("tree", "s3://first/")
            .set("filter.larger_size", "1KiB")
            .set("check.mode", "size"),
        Job::from_file("adhoc.toml"),
        Job::from_toml(text),
        Job::from_toml(text.replace("'size'", "'${MODE}'")).variables([("MODE", "size")]),
        Job::from_args([
            "tree",
            "--filter-larger-size",
            "1KiB",
            "s3://first/",
            "--check-size",
        ]),
        Job::from_environment().variables(variables.clone()),
        // what stray variables say does not count
        Job::from_toml(text).variables([("S3SYNC_CHECK__MODE", "always")]),
        Job::from_toml(text.replace("'size'", "'etag'"))
            .variables([("S3SYNC_CHECK__MODE", "size")])
            .heed_environment(),
    ];
    let mut digests = Vec::new();
    for (number, way) in ways.into_iter().enumerate() {
        case(format_args!("{number}: {way:?}"));
        let way = way.directory(world.path(""));
        let job = way.set("job.name", "same").build().expect("a job");
        assert_eq!(job.name(), "same");
        assert_eq!(job.pairs().collect::<Vec<_>>(), ["adhoc"]);
        digests.push(job.digest().to_owned());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn a_job_that_is_wrong_says_what_and_where() {
    let wrong = "version = 1\n[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\ntaget = 1\n";
    let pair = || Job::pair("/a", "s3://b/");
    for (job, told) in [
        (
            Job::from_toml(wrong),
            "error: unknown key `taget`\n --> <toml>:5:1\n  |\n5 | taget = 1\n  | ^^^^^ did you mean `target`?",
        ),
        (
            Job::from_file("/nowhere/job.toml"),
            "error: cannot read the job file `/nowhere/job.toml`: ",
        ),
        (
            pair().set("filter.larger_siz", "1MiB"),
            "error: unknown option `filter.larger_siz`\n --> set by the program: filter.larger_siz\n  = did you mean `filter.larger_size`?",
        ),
        (
            pair().set("filter.larger_size", "1mb"),
            " --> set by the program: filter.larger_size",
        ),
        (
            pair().set("check.mode", "size").set("source.region", "x"),
            "error: `source.region` means nothing for `adhoc`\n --> set by the program: source.region",
        ),
        (Job::pair("/a", "/b"), "error: "),
        (
            Job::from_args(["/a", "s3://b/", "--delet"]),
            "error: unexpected argument '--delet' found",
        ),
        (
            Job::from_args(["/a"]),
            "error: a source and a target are needed",
        ),
        (
            Job::from_args(["/a", "s3://b/", "--worker-size", "many"]),
            "flag --worker-size",
        ),
        (
            Job::from_environment().variables([("HOME", "/root")]),
            "error: no job is said",
        ),
    ] {
        let problems = job.clone().build().expect_err("it is wrong");
        let text = problems.to_string();
        assert!(text.contains(told), "{job:?}: {text}");
        assert_eq!(problems.len(), 1, "{text}");
        assert_eq!(problems.to_json().as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn what_cannot_start_says_why() {
    let world = world();
    world
        .tree("")
        .write("broken.lua", b"function filter(object)\n  return +\nend\n");
    on(2, async {
        let script = up(&world).set("lua.filter_script", world.path("broken.lua").display());
        match Run::new(script.build().expect("a job")).start() {
            Err(error @ StartError::Scripts(_)) => {
                assert!(error.to_string().contains("broken.lua:"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        let file = world.tree("").write("file", b"").join("file");
        let unwritable = up(&world).set("report.dir", file.display());
        match Run::new(unwritable.build().expect("a job")).start() {
            Err(StartError::Report { path, .. }) => assert!(path.starts_with(&file), "{path:?}"),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(world.objects("first", "").len(), 0);
    assert!(!world.path("reports").exists());
}

#[test]
fn a_download_is_as_good() {
    let world = world();
    world.put("first", "a", &content("a", 300));
    on(1, async {
        let job = Job::pair("s3://first/", world.path("down"));
        let job = reaching(&world, "source", job).build().expect("a job");
        let summary = s3sync::run(job).await.expect("it starts");
        assert!(summary.is_success(), "{summary:?}");
    });
    assert_eq!(world.tree("down").files().len(), 1);
}
