/*! A job narrowed to the objects that an earlier run of it has failed on.

They are taken from that run's evidence, which has to be whole: of a run that did not live to complete
it nobody knows what failed. Those that it never came to attempt are not among them; that is what the
next ordinary run is for. What is done with them is what the job says now: its filters hold, its
comparison decides, and nothing is deleted, because nothing is listed.
*/

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempPath;

use crate::config::{Job, Pair, Said, SourceSpec, TargetSpec, Versions};
use crate::report::{
    EvidenceReader, PastRun, ReadLine, Status, audit_evidence,
    schema::{self, Report},
};

/// What is left of a job that attempts the failed objects of an earlier run.
#[derive(Debug)]
pub struct Retry {
    /// The job, with the pairs that have some.
    pub job: Job,
    /// The earlier run's id.
    pub of: String,
    /// How many objects there are.
    pub objects: u64,
    /// What else went wrong in the earlier run, in words: attempting these objects does not put it
    /// right.
    pub beyond: Option<String>,
    /// What whoever starts it should know, in words.
    pub notes: Vec<String>,
    /// Their keys, pair by pair, in files that are there as long as this is.
    pub keys: Vec<TempPath>,
}

/// Narrows a job to the objects that have failed in the run of which this is the report: in the
/// pairs that are wanted, all where none is named. The error is in words: what cannot be told, does
/// not fit the job any more, or is not put right by attempting single objects.
pub fn retry_failed(
    job: Job,
    wanted: &[&str],
    run: &PastRun,
    record: &Report,
) -> Result<Retry, String> {
    let id = &record.run.id;
    let told = |why: String| format!("{why}\n --> {}", run.report().display());
    if record.run.command == "check" {
        return Err(told(format!(
            "run {id} is a check, which attempts nothing\n  = name a run that was to transfer"
        )));
    }
    if record.run.dry_run {
        return Err(told(format!(
            "run {id} is a dry run, which attempts nothing\n  = name a run that was to transfer"
        )));
    }
    if record.run.finished_at.is_none() {
        return Err(told(format!(
            "run {id} has not ended, or did not live to: what failed in it is not known\n  = run the job as it is"
        )));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name);
    let beyond = beyond(record, is_wanted, wanted.is_empty());
    let mut retry = Retry {
        of: id.clone(),
        objects: 0,
        beyond: beyond.as_ref().map(|beyond| {
            format!("run {id} did not fail by single objects alone: {beyond}; run the job as it is")
        }),
        notes: notes(&job, record),
        keys: Vec::new(),
        job,
    };
    let pairs = std::mem::take(&mut retry.job.pairs);
    let failed = record.pairs.iter().filter(|past| past.counts.failed > 0);
    for past in failed.filter(|past| is_wanted(&past.name)) {
        let Some(pair) = pairs.iter().find(|pair| pair.name == past.name) else {
            return Err(told(format!(
                "objects of the pair `{}` have failed in run {id}, and the job no longer has a pair of this name\n  = run the job as it is, or give the pair its name back",
                past.name
            )));
        };
        fits(pair, past).map_err(told)?;
        let (path, count) = keys(&run.directory, past).map_err(told)?;
        retry.job.pairs.push(narrowed(pair, &path));
        retry.objects += count;
        retry.keys.push(path);
    }
    match beyond.filter(|_| retry.objects == 0) {
        Some(beyond) => Err(told(format!(
            "it was no single objects that failed in run {id}: {beyond}\n  = run the job as it is"
        ))),
        None => Ok(retry),
    }
}

/// Whether a run was to transfer anything.
pub fn attempts(record: &Report) -> bool {
    record.run.command != "check" && !record.run.dry_run
}

/// What went wrong in the pairs that are wanted beside objects that failed, in words.
fn beyond(record: &Report, is_wanted: impl Fn(&str) -> bool, are_all: bool) -> Option<String> {
    let wanted = record.pairs.iter().filter(|pair| is_wanted(&pair.name));
    let wrong: Vec<String> = wanted.filter_map(wrong_beside_objects).collect();
    if !wrong.is_empty() {
        return Some(wrong.join(", "));
    }
    // what is of the job alone is of no pair
    let is_of_the_job = are_all
        && !record.run.status.has_succeeded()
        && (record.pairs.iter()).all(|pair| pair.status.has_succeeded());
    is_of_the_job.then(|| {
        let status = record.run.status.as_str();
        match &record.run.status_reason {
            Some(reason) => format!("it is {status}: {reason}"),
            None => format!("it is {status}"),
        }
    })
}

/// What else went wrong in a pair, in words.
fn wrong_beside_objects(pair: &schema::Pair) -> Option<String> {
    let counts = &pair.counts;
    let is_of_objects = pair.status.has_succeeded()
        || (pair.status == Status::Failed
            && counts.failed > 0
            && counts.errors <= counts.failed
            && counts.not_attempted == 0
            && counts.deleted.failed == 0);
    (!is_of_objects).then(|| {
        let (name, status) = (&pair.name, pair.status.as_str());
        match &pair.status_reason {
            Some(reason) => format!("`{name}` is {status} ({reason})"),
            None => format!("`{name}` is {status}"),
        }
    })
}

/// What differs between then and now.
fn notes(job: &Job, record: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if job.digest != record.config.digest {
        notes.push(format!(
            "the settings are not those of run {}: its failed objects are attempted with those of now",
            record.run.id
        ));
    }
    let unattempted: u64 = (record.pairs.iter())
        .map(|pair| pair.counts.not_attempted)
        .sum();
    if unattempted > 0 {
        notes.push(format!(
            "run {} never came to {unattempted} other objects, which are not attempted now: run the job as it is for those",
            record.run.id
        ));
    }
    notes
}

/// An error where a pair is about other objects than it was, or about more than their keys say.
fn fits(pair: &Pair, past: &schema::Pair) -> Result<(), String> {
    if pair.versions != Versions::Latest {
        return Err(format!(
            "the pair `{}` is about versions of objects, which cannot be asked for by their keys\n  = run the job as it is: what has arrived is recognized",
            pair.name
        ));
    }
    let source = match &pair.source {
        SourceSpec::Local(local) => local.root.display().to_string(),
        SourceSpec::S3(s3) => s3.location.url(),
    };
    let target = match &pair.target {
        TargetSpec::Local(local) => local.root.display().to_string(),
        TargetSpec::S3(s3) => s3.location.url(),
    };
    for (side, then, now) in [
        ("source", &past.source.url, source),
        ("target", &past.target.url, target),
    ] {
        if *then != now {
            return Err(format!(
                "the {side} of the pair `{}` was {then}, and is now {now}\n  = run the job as it is",
                pair.name
            ));
        }
    }
    Ok(())
}

fn narrowed(pair: &Pair, keys: &Path) -> Pair {
    let mut pair = pair.clone();
    // it lists nothing that could say what is extraneous
    pair.deletion = None;
    let filters = Arc::make_mut(&mut pair.filters);
    filters.keys_from = Some(Said {
        path: "filter.keys_from",
        value: keys.to_owned(),
        origin: "flag --retry-failed".to_owned(),
    });
    pair
}

/// The keys that have failed in a pair, each with a NUL behind it, and how many there are.
fn keys(directory: &Path, past: &schema::Pair) -> Result<(TempPath, u64), String> {
    let Some(evidence) = &past.evidence else {
        return Err(format!(
            "the run has left no evidence of the pair `{}`: which objects failed is not known\n  = run the job as it is",
            past.name
        ));
    };
    let audit = audit_evidence(directory, &past.name, evidence);
    if let Some(fault) = audit.faults.first() {
        return Err(format!(
            "the evidence `{}` cannot be relied on: {fault}\n  = run the job as it is",
            evidence.path
        ));
    }
    let path = directory.join(&evidence.path);
    let unread = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    let unwritten = |error: std::io::Error| format!("cannot write down the keys: {error}");
    let file = tempfile::NamedTempFile::new().map_err(unwritten)?;
    let mut keys = std::io::BufWriter::new(file);
    let mut count = 0;
    let mut reader = EvidenceReader::open(&path).map_err(unread)?;
    while let Some((_, line)) = reader.next_line().map_err(unread)? {
        let ReadLine::Claim(claim) = line else {
            continue;
        };
        if claim.is_failure() && claim.action == "transfer" && claim.key_encoding.is_none() {
            count += 1;
            let written = keys.write_all(claim.key.as_bytes());
            written
                .and_then(|()| keys.write_all(&[0]))
                .map_err(unwritten)?;
        }
    }
    let file = keys
        .into_inner()
        .map_err(|error| unwritten(error.into_error()))?;
    Ok((file.into_temp_path(), count))
}
