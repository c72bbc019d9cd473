//! A program that embeds s3sync: it brings the directory `photos` to a bucket, with a word in what
//! goes, what it carries and what is told of it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use s3sync::hook::{Candidate, FilterHook, HookError, Rule, async_trait, filter_fn};
use s3sync::{Hooks, Job, Run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let job = Job::pair("photos", "s3://gallery/photos/")
        .set("job.name", "gallery")
        .set("report.dir", "reports")
        .set("sandbox.dir", "s3")
        .build()?;
    let hooks = Hooks::new()
        .filter(filter_fn("no thumbnails", |object| {
            !object.entry.key.as_str().ends_with(".thumb")
        }))
        .filter(Quota::of_bytes(10_000));
    let summary = Run::new(job).hooks(hooks).start()?.finished().await;
    let photos = &summary.pairs[0].statistics;
    println!(
        "{:?}: {} copied, {} verified, {} left out",
        summary.status,
        photos.transferred(),
        photos.verified,
        photos.filtered_by.get("hook").unwrap_or(&0),
    );
    Ok(())
}

/// Lets objects go until they are so many bytes together.
#[derive(Debug)]
struct Quota {
    left: AtomicU64,
}

impl Quota {
    fn of_bytes(left: u64) -> Self {
        Self { left: left.into() }
    }
}

#[async_trait]
impl FilterHook for Quota {
    fn rule(&self) -> Arc<Rule> {
        Rule::of_hook("quota")
    }

    async fn filter(&self, candidate: &Candidate) -> Result<bool, HookError> {
        if candidate.entry.key.as_str() == "stop" {
            println!("waiting");
            std::future::pending::<()>().await;
        }
        let size = candidate.entry.size;
        let taken = (self.left).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(size)
        });
        Ok(taken.is_ok())
    }
}
