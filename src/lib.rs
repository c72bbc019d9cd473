/*! s3sync: directories and S3 buckets, synchronized, with proof.

A sync in ten lines, here against the S3 endpoint that is built in; without `sandbox.dir` the same
goes to AWS.

```
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    # let dir = tempfile::tempdir()?;
    # std::fs::create_dir(dir.path().join("photos"))?;
    # std::fs::write(dir.path().join("photos/1.jpg"), "light")?;
    # std::env::set_current_dir(dir.path())?;
    let job = s3sync::Job::pair("photos/", "s3://acme-backup/photos/")
        .set("report.dir", "reports")
        .set("sandbox.dir", "s3")
        .build()?;
    let summary = s3sync::run(job).await?;
    assert!(summary.is_success());
    assert_eq!(summary.pairs[0].statistics.verified, 1);
    Ok(())
}
```

A [`Job`] is said by code, by a file or a text in TOML, by arguments or by the environment; options
are [the same](options) in all of them. What is wrong with it comes as [`Problems`], all at once and
each with its place. [`run`] runs it on the tokio runtime it is called on, of several threads or of
one. Several jobs may run at once, each within its own `limits`.

A run prints nothing, listens for no signals and changes nothing of the process. That is left to the
program: the command raises the limit of open files, and takes an allocator that gives memory back.
What is logged are records of `tracing`; those of the AWS SDK below INFO may name access keys, which
the command leaves out.

# What happens, while it happens

A [`Run`] that is started can be looked at, and stopped:

```
# async fn f(job: s3sync::Job) -> Result<(), Box<dyn std::error::Error>> {
let running = s3sync::Run::new(job).start()?;
let (live, stop) = (running.live(), running.cancel_handle());
let watcher = tokio::spawn(async move {
    loop {
        for pair in live.pairs() {
            println!("{}: {} of {}", pair.name, pair.statistics.done(), pair.statistics.listed);
            if pair.statistics.errors > 100 {
                stop.cancel(); // in order: nothing is left half written
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
});
let summary = running.finished().await;
watcher.abort();
println!("{:?}, exit code {}", summary.status, summary.exit_code);
# Ok(()) }
```

# Having a say

[`Hooks`] are asked in every pair: which objects go ([`FilterHook`](hook::FilterHook)), what they
carry ([`PreprocessHook`](hook::PreprocessHook)), and told of what happens
([`EventHook`](hook::EventHook)). They come before the scripts of the job, and filters after those of
the configuration; what they reject is counted under `hook`. An error fails the object, or the pair
([`HookError`](hook::HookError)); that of an event is a warning.

```
use s3sync::hook::{Hooks, Preprocessed, filter_fn, preprocess_fn};

# async fn f(job: s3sync::Job) -> Result<(), Box<dyn std::error::Error>> {
let hooks = Hooks::new()
    .filter(filter_fn("no drafts", |object| {
        !object.entry.key.as_str().starts_with("drafts/")
    }))
    .preprocess(preprocess_fn("a day", |_source, upload| {
        upload.cache_control = Some("max-age=86400".into());
        Ok(Preprocessed::Proceed)
    }));
let summary = s3sync::Run::new(job).hooks(hooks).start()?.finished().await;
println!("{:?}", summary.pairs[0].statistics.filtered_by.get("hook"));
# Ok(()) }
```

# Errors

| what | where |
|---|---|
| a job that is wrong | [`JobBuilder::build`] gives [`Problems`] |
| scripts that do not load, a report that cannot be written | [`Run::start`] gives a [`StartError`] |
| an object, a pair or the endpoint that fails | in the [`Summary`] and the report; the run goes on with the others |

# What a run leaves behind

A report with one line of evidence for each object, in `report.dir/<job's name>/<run's id>`, by
default below the user's state directory; [`Summary::report`] is its path.
[`Run::without_report`] leaves none.

Beside the reports are locks: of two runs of a job, or to overlapping targets, one works, and the
other ends [`Status::Locked`] or waits (`lock.on_conflict`). A job that is said by its two sides is
known by them.

# Features

| feature | what | default |
|---|---|---|
| `cli` | the command, and [`Job::from_args`] | yes |
| `lua` | scripts as hooks; without it a job that has some does not start | yes |
| `sandbox` | the S3 endpoint that is built in (`sandbox.dir`) | yes |

A library needs `default-features = false` and what it uses of these.
*/

// The modules stand in a line; each uses only those above it, which tests/it/shape.rs holds them
// to. The blank lines keep them in that order, which is the one to read them in. What is hidden in
// the documentation is the program's own, and may change with every version.

#[cfg(test)]
mod chance; // laws, held to random cases

#[cfg(test)]
mod effort; // what tests cost the processor

#[doc(hidden)]
pub mod object; // keys, entries, ETags, times

#[doc(hidden)]
pub mod digest; // digests, checksums, verdicts

#[doc(hidden)]
pub mod store; // directories, buckets, memory: list, read, write

#[doc(hidden)]
pub mod event; // what happens, as values; statistics fold it

#[doc(hidden)]
pub mod config; // job file, environment, flags → Job

pub mod hook; // what users have a say in: filter, preprocess, events

#[doc(hidden)]
pub mod filter; // which objects go

#[doc(hidden)]
pub mod plan; // two listings → what is to be done, and why

#[doc(hidden)]
pub mod context; // what everything at work on a pair shares

#[doc(hidden)]
pub mod examine; // is it the same? a request or a read tells

#[doc(hidden)]
pub mod transfer; // one object: read, hash, send, prove

#[doc(hidden)]
pub mod engine; // one pair from start to end

#[doc(hidden)]
#[cfg(feature = "lua")]
pub mod lua; // scripts as hooks

#[doc(hidden)]
pub mod report; // report.json, evidence, terminal, exit code

#[doc(hidden)]
#[cfg(feature = "sandbox")]
pub mod sandbox; // an embedded S3 endpoint

#[doc(hidden)]
pub mod job; // the executor: order of pairs, signals

#[doc(hidden)]
#[cfg(feature = "cli")]
pub mod cli; // commands and flags

#[doc(hidden)]
pub mod library; // jobs, runs and what they come to, for programs that embed it

#[doc(inline)]
pub use config::Problems;
#[doc(inline)]
pub use hook::Hooks;
#[doc(inline)]
pub use library::{
    CancelHandle, Job, JobBuilder, Live, PairState, Run, Running, StartError, Statistics, Summary,
    run,
};
#[doc(inline)]
pub use report::Status;

/// Every option of a job with its default, as `s3sync init` prints them.
///
#[doc = "```toml"]
#[doc = include_str!("../jobs/reference/job.toml")]
#[doc = "```"]
pub mod options {}
