//! Layers in, settings out: every value decided, and everything that is wrong with them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::draft::Draft;
use super::environment::Environment;
use super::everything::Everything;
use super::execution::Execution;
use super::merged::Merged;
use super::problem::{Place, Problem};
use super::programs::ProgramHooks;
use super::record::{Record, RecordedPair, Resolved};
use super::resolved::{Job, Limits, Log, OnConflict, Rate, Report, ReportLevel, SandboxSettings};
use super::setting::from_text;
use super::settings::Settings;
use super::stand_ins::stand_ins;
use super::suggest::nearest;
use super::{checks, options, overlap, pairs};

/// Decides every value of a job. `problems` are those found while reading.
pub(super) fn resolve(
    everything: &Everything,
    environment: &Environment,
    mut problems: Vec<Problem>,
) -> Settings {
    let named = everything.named_pairs();
    everything.check_names(&named, &mut problems);
    let job = everything.job_settings();
    let dirs = Dirs {
        report: job
            .path("report.dir")
            .unwrap_or_else(|| environment.state_directory()),
        sandbox: job.path("sandbox.dir"),
    };
    let name = job_name(everything, &job, &mut problems);
    for file in &everything.files {
        checks::hooks(&file.hooks, &mut problems);
    }

    let shared = everything.shared();
    let mut drafts: Vec<Draft> = named
        .iter()
        .map(|(name, place)| {
            let layers = everything.layers(name, &shared);
            Draft::new(name, place, layers, &dirs.all(), &mut problems)
        })
        .collect();
    for draft in &drafts {
        checks::point_in_time(
            &draft.name,
            &draft.merged,
            environment.started(),
            &mut problems,
        );
        checks::memory(
            &draft.name,
            &draft.merged,
            job.value("limits.memory"),
            &mut problems,
        );
    }
    let parallel: u64 = job.value("job.max_parallel_pairs");
    let own = overlap::OwnDirectories {
        report: &dirs.report,
        job: &name,
        sandbox: dirs.sandbox.as_deref(),
    };
    overlap::deletions(&drafts, own, parallel > 1, &mut problems);
    let lock = lock(&job, &mut problems);
    order(&drafts, &mut problems);
    let dry_run = dry_run(&drafts, &mut problems);

    let job = Arc::new(job);
    let pairs: Vec<_> = drafts
        .iter_mut()
        .filter_map(|draft| draft.pair.take())
        .collect();
    let hooks = ProgramHooks::new(
        everything,
        drafts.iter().map(|draft| &draft.merged),
        &mut problems,
    );
    let sandbox = dirs.sandbox.map(|dir| SandboxSettings {
        dir,
        stand_ins: stand_ins(&pairs),
    });
    let is_whole = pairs.len() == drafts.len();
    let recorded: Vec<RecordedPair> = drafts.iter().map(Draft::record).collect();
    let mut notes = Problem::notes(&problems);
    notes.extend(recorded.iter().filter_map(RecordedPair::note));
    let record = Record {
        name: name.clone(),
        report_dir: dirs.report.clone(),
        notes,
        job: Arc::clone(&job),
        pairs: recorded,
    };
    let digest = record.digest();
    let origins = record.origins();
    let ready = is_whole.then(|| Job {
        name: name.clone(),
        origin: everything.origin.clone(),
        pair_names: pairs.iter().map(|pair| pair.name.clone()).collect(),
        pairs,
        execution: Execution::new(&job),
        hooks,
        limits: Limits {
            memory: job.value("limits.memory"),
            workers: job.optional("limits.workers"),
            rate: Rate {
                objects: job.optional("limits.objects"),
                bandwidth: job.optional("limits.bandwidth"),
            },
        },
        report: Report {
            dir: dirs.report.clone(),
            keep: job.optional("report.keep"),
            level: match job.value::<String>("report.level").as_str() {
                "errors_only" => ReportLevel::ErrorsOnly,
                "all" => ReportLevel::All,
                _ => ReportLevel::Acts,
            },
        },
        lock,
        sandbox,
        log: log(&job),
        shutdown_grace: job.duration("job.shutdown_grace"),
        dry_run,
        digest: digest.clone(),
        non_file_origins: origins.outside_files.into_iter().collect(),
        secrets: origins.secrets,
        resolved: Resolved::new(record),
    });
    Settings {
        name,
        origin: everything.origin.clone(),
        digest,
        report_dir: dirs.report,
        job,
        pairs: drafts.into_iter().map(Draft::into_settings).collect(),
        hooks: everything.hooks(),
        problems,
        ready,
    }
}

/// Directories the run itself writes to, which no pair may list.
struct Dirs {
    report: PathBuf,
    sandbox: Option<PathBuf>,
}

impl Dirs {
    fn all(&self) -> Vec<PathBuf> {
        let report = std::iter::once(self.report.clone());
        report.chain(self.sandbox.clone()).collect()
    }
}

fn job_name(everything: &Everything, job: &Merged, problems: &mut Vec<Problem>) -> String {
    if let Some(name) = job.optional("job.name") {
        return name;
    }
    let row = options::find("job.name").expect("a row of the table");
    let name = &everything.name;
    if !job.is_broken("job.name") && from_text(row, name, Path::new("/")).is_err() {
        problems.push(
            Problem::new(
                format!(
                    "the file's name makes `{name}` the job's name, which cannot be a folder's"
                ),
                &Place::Nowhere,
            )
            .remedy("say job.name"),
        );
    }
    name.clone()
}

/// Finds pairs that cannot run in any order.
fn order(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let names = || drafts.iter().map(|draft| draft.name.as_str());
    let numbers: HashMap<&str, usize> = names().zip(0..).collect();
    let mut graph = Vec::new();
    for draft in drafts {
        let after: Vec<String> = draft.merged.value("after");
        let place = draft.merged.place("after");
        let mut before = Vec::new();
        for wanted in &after {
            if let Some(at) = numbers.get(wanted.as_str()) {
                before.push(*at);
                continue;
            }
            if Problem::are_plenty(problems) {
                continue;
            }
            let message = format!("`after` names no pair of this job: `{wanted}`");
            let problem = Problem::new(message, &place);
            problems.push(match nearest(wanted, names()) {
                Some(near) => problem.remedy(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
        graph.push(before);
    }
    if let Err(circle) = pairs::order(&graph) {
        let mut way: Vec<&str> = circle.iter().map(|at| drafts[*at].name.as_str()).collect();
        way.push(way[0]);
        problems.push(
            Problem::new(
                format!("pairs wait for each other: {}", way.join(" after ")),
                &drafts[circle[0]].merged.place("after"),
            )
            .remedy("take one of them out of `after`"),
        );
    }
}

/// A run is dry or it is not, and its report says so in one word: there are no dry pairs in it.
fn dry_run(drafts: &[Draft], problems: &mut Vec<Problem>) -> bool {
    let drafts = || drafts.iter().map(|draft| &draft.merged);
    let (dry, wet): (Vec<_>, Vec<_>) = drafts().partition(|merged| merged.value("dry_run"));
    if let (Some(dry), false) = (dry.first(), wet.is_empty()) {
        let message = "`dry_run` of some pairs and not of others";
        let remedy = "say it in [defaults], or with --dry-run; --pair runs some pairs only";
        problems.push(Problem::new(message, &dry.place("dry_run")).remedy(remedy));
    }
    !dry.is_empty()
}

/// What to do where another run holds a lock. How long to wait is for those who wait.
fn lock(job: &Merged, problems: &mut Vec<Problem>) -> OnConflict {
    let wait = "lock.wait";
    let longest: Option<Duration> = job.optional(wait);
    let longest = longest.filter(|longest| !longest.is_zero());
    let on_conflict: String = job.value("lock.on_conflict");
    if on_conflict != "wait" && longest.is_some() && !job.is_broken("lock.on_conflict") {
        let message = format!("`{wait}`, and `lock.on_conflict` is \"{on_conflict}\"");
        problems.push(
            Problem::new(message, &job.place(wait))
                .remedy("say lock.on_conflict = \"wait\", or leave the time out"),
        );
    }
    match on_conflict.as_str() {
        "wait" => OnConflict::Wait(longest),
        "skip" => OnConflict::Skip,
        _ => OnConflict::Fail,
    }
}

fn log(job: &Merged) -> Log {
    Log {
        level: match job.value::<String>("log.level").as_str() {
            "off" => -2,
            "error" => -1,
            "info" => 1,
            "debug" => 2,
            "trace" => 3,
            _ => 0,
        },
        json: job.value::<String>("log.format") == "json",
        color: job.value("log.color"),
        stderr: job.value("log.stderr"),
        progress: job.value("log.progress"),
        aws_sdk: job.value("log.aws_sdk"),
        span_events: job.value("log.span_events"),
    }
}
