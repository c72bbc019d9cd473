//! A program that embeds s3sync: it brings the directory `photos` to a bucket, with a word in what
//! goes, what it carries and what is told of it.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use s3sync::hook::{
    Candidate, EventHook, EventKind, FilterHook, HookError, HookEvent, PreprocessHook,
    Preprocessed, Rule, SourceObject, UploadMetadata, async_trait, filter_fn,
};
use s3sync::{Hooks, Job, Run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let job = Job::pair("photos", "s3://gallery/photos/")
        .set("job.name", "gallery")
        .set("report.dir", "reports")
        .set("sandbox.dir", "s3")
        .build()?;
    let arrived = Arrived::default();
    let hooks = Hooks::new()
        .filter(filter_fn("no thumbnails", |object| {
            !object.entry.key.as_str().ends_with(".thumb")
        }))
        .filter(Quota::of_bytes(10_000))
        .preprocess(Captions)
        .event(arrived.clone());
    let summary = Run::new(job).hooks(hooks).start()?.finished().await;
    let photos = &summary.pairs[0].statistics;
    println!(
        "arrived: {}",
        arrived.0.lock().expect("no panic").join(", ")
    );
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

/// Writes under each photo what it shows, and keeps what is private.
#[derive(Debug)]
struct Captions;

#[async_trait]
impl PreprocessHook for Captions {
    async fn preprocess(
        &self,
        source: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        if source.key.as_str().starts_with("private") {
            return Ok(Preprocessed::Skip);
        }
        let caption = format!("photo of {} bytes", source.size);
        upload.metadata.insert("caption".to_owned(), caption);
        Ok(Preprocessed::Proceed)
    }
}

/// Remembers what has arrived.
#[derive(Debug, Clone, Default)]
struct Arrived(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl EventHook for Arrived {
    fn name(&self) -> String {
        "arrived".to_owned()
    }

    fn wants(&self, kind: EventKind) -> bool {
        kind == EventKind::SyncComplete
    }

    async fn on_event(&self, event: &HookEvent) -> Result<(), HookError> {
        let key = event.target_key.clone().unwrap_or_default();
        self.0.lock().expect("no panic").push(key);
        Ok(())
    }
}
