//! One pair's part of the report, from before it begins until after it has ended.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::evidence::{Evidence, Scope};
use super::schema::{self, End};
use super::{LogSink, ReportError, RunDirectory, Status, figures, locked};
use crate::config::{OnUnverifiable, Pair, ReportLevel, SourceSpec, TargetSpec};
use crate::event::{Archived, Sink, Stats, Tally, Unverifiable, Warned};
use crate::hook::ScriptFact;
use crate::object::Timestamp;
use crate::plan::Aim;
use crate::store::s3::S3Settings;
use crate::store::{Description, StoreKind};

/// Counts and writes what happens in one pair.
#[derive(Debug)]
pub struct PairReport {
    name: String,
    digest: String,
    scope: Scope,
    /// Whether its warnings make it fail.
    warnings_fail: bool,
    scripts: OnceLock<Vec<schema::Script>>,
    ends: Mutex<(End, End)>,
    work: OnceLock<Work>,
    /// When its work was done, and how long that took.
    done: OnceLock<(Timestamp, Duration)>,
    end: OnceLock<Ending>,
}

/// What there is from the beginning of a pair on.
#[derive(Debug)]
struct Work {
    stats: Arc<Stats>,
    /// None is written where the pair only counts.
    evidence: Option<Arc<Evidence>>,
    started: Instant,
    started_at: Timestamp,
}

#[derive(Debug)]
struct Ending {
    status: Status,
    reason: Option<String>,
    finished_at: Timestamp,
    duration: Duration,
}

impl PairReport {
    /// A pair whose turn has not come.
    pub fn new(pair: &Pair, level: ReportLevel, aim: Aim) -> Self {
        let (source, source_prefix) = match &pair.source {
            SourceSpec::Local(local) => (end_of_path(&local.root), String::new()),
            SourceSpec::S3(s3) => (end_of_s3(s3), s3.location.prefix.clone()),
        };
        let (target, target_prefix) = match &pair.target {
            TargetSpec::Local(local) => (end_of_path(&local.root), String::new()),
            TargetSpec::S3(s3) => (end_of_s3(s3), s3.location.prefix.clone()),
        };
        Self {
            name: pair.name.clone(),
            digest: pair.digest.clone(),
            scope: Scope {
                pair: pair.name.clone(),
                aim,
                level,
                source_prefix,
                is_one_object: Arc::default(),
                target_prefix,
                warned: warned(pair),
            },
            warnings_fail: pair.warnings.as_error,
            scripts: OnceLock::new(),
            ends: Mutex::new((source, target)),
            work: OnceLock::new(),
            done: OnceLock::new(),
            end: OnceLock::new(),
        }
    }

    /// The pair's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes which scripts have a say in it.
    pub fn has_scripts(&self, facts: Vec<ScriptFact>) {
        let scripts = facts.into_iter().map(|fact| schema::Script {
            kind: fact.kind,
            path: fact.path,
            sha256: fact.sha256,
        });
        let _ = self.scripts.set(scripts.collect());
    }

    /// Begins: creates the evidence file and starts the clock. Gives the sinks that count, write
    /// and log.
    pub fn begin(&self, directory: &RunDirectory) -> Result<Vec<Arc<dyn Sink>>, ReportError> {
        let path = directory
            .path()
            .join(RunDirectory::evidence_name(&self.name));
        let evidence = Evidence::create(&path, self.scope.clone())
            .map_err(|source| ReportError { path, source })?;
        let evidence = Arc::new(evidence);
        let stats = self.start(Some(Arc::clone(&evidence)));
        Ok(vec![stats, evidence, Arc::new(self.log())])
    }

    /// Begins without a file: gives the sinks that count and log.
    pub fn begin_unwritten(&self) -> Vec<Arc<dyn Sink>> {
        vec![self.start(None), Arc::new(self.log())]
    }

    /// Begins without a file: starts the clock, and gives the sink that counts.
    pub(super) fn begin_counting(&self) -> Arc<Stats> {
        self.start(None)
    }

    /// A sink that logs what happens.
    pub(super) fn log(&self) -> LogSink {
        LogSink::new(&self.name, &self.scope.target_prefix, self.scope.warned)
    }

    /// What its lines of evidence say beyond their events.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where its two ends are.
    pub(super) fn urls(&self) -> (String, String) {
        let (source, target) = &*locked(&self.ends);
        (source.url.clone(), target.url.clone())
    }

    fn start(&self, evidence: Option<Arc<Evidence>>) -> Arc<Stats> {
        let work = self.work.get_or_init(|| Work {
            stats: Arc::new(Stats::new(self.scope.warned)),
            evidence,
            started: Instant::now(),
            started_at: Timestamp::now(),
        });
        work.stats.clone()
    }

    fn evidence(&self) -> Option<&Arc<Evidence>> {
        self.work.get()?.evidence.as_ref()
    }

    /// The counters, once the pair has begun.
    pub fn stats(&self) -> Option<Arc<Stats>> {
        self.work.get().map(|work| work.stats.clone())
    }

    /// Takes what the stores say of themselves in place of what the settings say.
    pub fn describe(&self, source: &Description, target: &Description) {
        *locked(&self.ends) = (end_of(source), end_of(target));
    }

    /// Brings buffered evidence to its file.
    pub(super) fn flush(&self) {
        if let Some(evidence) = self.evidence() {
            evidence.flush();
        }
    }

    /// Completes the evidence; what went wrong with it, if anything did.
    pub fn complete_evidence(&self) -> Option<String> {
        let evidence = self.evidence()?;
        evidence.finish();
        evidence.trouble()
    }

    /// Stops the clock: what follows is no work of the pair's.
    pub fn stop_clock(&self) {
        let _ = self.done.set((Timestamp::now(), self.elapsed()));
    }

    /// Ends: completes the evidence and stops the clock. Only the first ending counts.
    pub fn finish(&self, status: Status, reason: Option<String>) {
        let _ = self.complete_evidence();
        let now = || (Timestamp::now(), self.elapsed());
        let (finished_at, duration) = *self.done.get_or_init(now);
        let _ = self.end.set(Ending {
            status,
            reason,
            finished_at,
            duration,
        });
    }

    /// The pair as `report.json` would have it if it ended now, and so.
    pub fn record_ending(&self, status: Status, reason: Option<&str>) -> schema::Pair {
        schema::Pair {
            status,
            status_reason: reason.map(str::to_owned),
            ..self.record(&self.tally())
        }
    }

    /// The pair as `report.json` would have it now.
    pub fn record_now(&self) -> schema::Pair {
        self.record(&self.tally())
    }

    /// What counts as a warning.
    pub fn warned(&self) -> Warned {
        self.scope.warned
    }

    /// Everything counted so far.
    pub fn tally(&self) -> Tally {
        match self.work.get() {
            Some(work) => work.stats.tally(),
            None => Tally::default(),
        }
    }

    /// How it ended, having come to its end, and why where the counts alone do not say it. The
    /// differences a comparison was made to find are no failure, whatever warnings are.
    pub fn outcome(&self) -> (Status, Option<String>) {
        let counts = self.tally().counts;
        let status = Status::of_counts(&counts);
        let found = counts.compared.warnings(self.scope.warned.unverifiable);
        let others = counts.warnings.saturating_sub(found);
        if status != Status::Warning || !self.warnings_fail || others == 0 {
            return (status, None);
        }
        let warnings = if others == 1 { "warning" } else { "warnings" };
        let reason = format!("{others} {warnings}, and warnings.as_error is set");
        (Status::Failed, Some(reason))
    }

    /// The pair's state.
    pub fn status(&self) -> Status {
        match (self.end.get(), self.work.get()) {
            (Some(end), _) => end.status,
            (None, Some(_)) => Status::Running,
            (None, None) => Status::Pending,
        }
    }

    /// Why it ended as it did, where the status alone does not say it.
    pub fn reason(&self) -> Option<&str> {
        self.end.get().and_then(|end| end.reason.as_deref())
    }

    /// The pair as `report.json` has it now, from a tally taken for all of the report.
    pub(super) fn record(&self, tally: &Tally) -> schema::Pair {
        let end = self.end.get();
        let work = self.work.get();
        let (source, target) = locked(&self.ends).clone();
        let duration = end.map_or_else(|| self.elapsed(), |end| end.duration);
        schema::Pair {
            name: self.name.clone(),
            status: self.status(),
            status_reason: end.and_then(|end| end.reason.clone()),
            settings_digest: self.digest.clone(),
            scripts: self.scripts.get().cloned().unwrap_or_default(),
            source,
            target,
            started_at: work.map(|work| work.started_at.rfc3339_millis()),
            finished_at: end.map(|end| end.finished_at.rfc3339_millis()),
            phases_ms: schema::Phases {
                list: tally
                    .listing
                    .source
                    .max(tally.listing.target)
                    .map(figures::millis),
                transfer: work.map(|_| figures::millis(duration)),
                delete: None,
            },
            counts: figures::counts(&tally.counts),
            bytes: figures::bytes(&tally.counts),
            throughput: figures::throughput(tally, duration),
            latency_ms: figures::latency(&tally.traffic),
            requests: figures::requests(&tally.traffic),
            retries: figures::retries(&tally.traffic),
            throttled: tally.traffic.throttled,
            guarantees_lost: figures::guarantees_lost(tally),
            warnings_sample: figures::samples(&tally.warnings),
            errors_sample: figures::samples(&tally.errors),
            evidence: self
                .evidence()
                .map(|evidence| evidence.describe(RunDirectory::evidence_name(&self.name))),
        }
    }

    fn elapsed(&self) -> Duration {
        if let Some((_, duration)) = self.done.get() {
            return *duration;
        }
        self.work
            .get()
            .map_or(Duration::ZERO, |work| work.started.elapsed())
    }
}

/// What counts as a warning of a pair.
fn warned(pair: &Pair) -> Warned {
    Warned {
        unverifiable: match pair.verify.unverifiable {
            OnUnverifiable::Warn => Unverifiable::Warns,
            OnUnverifiable::Accept | OnUnverifiable::Fail => Unverifiable::IsAccepted,
        },
        archived: if pair.warnings.ignore_archived {
            Archived::IsKnown
        } else {
            Archived::Warns
        },
    }
}

fn end_of_path(root: &Path) -> End {
    End {
        url: root.display().to_string(),
        kind: StoreKind::Local,
        region: None,
        endpoint: None,
        versioning: None,
    }
}

fn end_of_s3(s3: &S3Settings) -> End {
    End {
        url: s3.location.url(),
        kind: StoreKind::S3,
        region: s3.region.clone(),
        endpoint: s3.endpoint_url.clone(),
        versioning: None,
    }
}

fn end_of(description: &Description) -> End {
    End {
        url: description.url.clone(),
        kind: description.kind,
        region: description.region.clone(),
        endpoint: description.endpoint.clone(),
        versioning: description.versioning,
    }
}
