//! `run`, `sync` and the plain form: load everything, then run it.

use std::collections::{HashSet, VecDeque};
use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;

use super::job_files::JobFiles;
use super::{command, completions, former, log, process, retry_failed};
use crate::config::{self, Environment, FlagValues, Job, Problems, Versions};
use crate::hook::Hooks;
use crate::job::{self, Outcome, PairHooks, Purpose, RetriedRun, RunOptions, Signals};
use crate::report::{CheckForm, CheckSettings, ExitCode, Stream};

/// How one pair was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `s3sync sync SOURCE TARGET`: logs on stderr.
    Subcommand,
    /// `s3sync SOURCE TARGET`: logs on stdout, as the predecessor has it.
    Plain,
}

/// `run [FILE]…`: nothing starts before every file is right; the worst outcome decides.
pub(super) fn jobs(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let files = command::texts(matches, "job");
    let loaded = if files.is_empty() {
        of_one(config::from_environment(environment, &flags))
    } else {
        JobFiles::load(&files, environment, &flags).all_right()
    };
    let pairs = command::texts(matches, "pair");
    let Some(all) = loaded else {
        return Ok(ExitCode::Usage);
    };
    let Some(jobs) = only(all.clone(), &pairs) else {
        return Ok(ExitCode::Usage);
    };
    let request = RunRequest {
        command: "run",
        plain: false,
        stream: Stream::Stderr,
        notes: Vec::new(),
        retries_of: None,
        purpose: Purpose::Run,
    };
    match retry_failed::asked(matches) {
        // which pairs the run had is not for --pair to say
        Some(asked) => retry_failed::run(all, &pairs, asked, request),
        None => start(jobs, &request),
    }
}

/// `sync SOURCE TARGET` and the plain form.
pub(super) fn pair(
    matches: &ArgMatches,
    environment: &Environment,
    form: Form,
) -> anyhow::Result<ExitCode> {
    if let Some(exit) = completions::asked_for(matches, completions::FLAG) {
        return Ok(exit);
    }
    let side = |name| matches.get_one::<String>(name).map(String::as_str);
    let meant = side("SOURCE").filter(|_| form == Form::Plain);
    if let Some((typed, meant)) = meant.and_then(|typed| Some((typed, misspelt(typed)?))) {
        Stream::Stderr.print(&format!(
            "error: there is no command `{typed}`, and nothing here has that name\n  = did you mean `{meant}`?"
        ));
        return Ok(ExitCode::Usage);
    }
    let Some((source, target)) = side("SOURCE").zip(side("TARGET")) else {
        Stream::Stderr.print(
            "error: a source and a target are needed: s3sync SOURCE TARGET (see s3sync --help)",
        );
        return Ok(ExitCode::Usage);
    };
    if form == Form::Plain && command::is_name(source) {
        Stream::Stderr.print(&format!(
            "error: `{source}` is a command, and a command stands first: s3sync {source} …\n  = for a path of that name write ./{source}"
        ));
        return Ok(ExitCode::Usage);
    }
    let flags = command::flag_values(matches);
    let Some(jobs) = of_one(config::adhoc(source, target, environment, &flags)) else {
        return Ok(ExitCode::Usage);
    };
    let compares = matches.get_flag(command::RECORDS);
    let mut notes = Vec::new();
    if form == Form::Plain {
        if let Some(refusal) =
            former::refusal(environment, compares || jobs.iter().all(|job| job.dry_run))
        {
            Stream::Stderr.print(&refusal);
            return Ok(ExitCode::Usage);
        }
        notes = former::warnings(environment);
    }
    let to_stderr = form == Form::Subcommand || jobs.iter().any(|job| job.log.stderr);
    let (command, purpose) = if compares {
        (
            "check",
            Purpose::Check(CheckSettings {
                form: CheckForm::Records,
                combined: None,
            }),
        )
    } else {
        ("sync", Purpose::Run)
    };
    start(
        jobs,
        &RunRequest {
            command,
            plain: true,
            stream: if to_stderr {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            notes,
            retries_of: None,
            purpose,
        },
    )
}

/// The command that was probably meant by a source that is not there.
fn misspelt(source: &str) -> Option<String> {
    if source.contains(['/', '.']) || Path::new(source).exists() {
        return None;
    }
    command::nearest(source)
}

/// The jobs of a command that takes job files or the two sides of a pair; what is wrong is on
/// stderr.
pub(super) fn jobs_or_pair(
    matches: &ArgMatches,
    environment: &Environment,
    flags: &FlagValues,
    command: &str,
) -> Option<Vec<config::Job>> {
    let names = super::command::texts(matches, "job");
    let loaded = match &names[..] {
        // one side of a pair is in S3, and no job file is
        [source, target] if is_s3(source) || is_s3(target) => {
            of_one(config::adhoc(source, target, environment, flags))?
        }
        names if names.iter().any(|name| is_s3(name)) => {
            Stream::Stderr.print(&format!(
                "error: a source and a target are needed, or job files: s3sync {command} SOURCE TARGET (see s3sync {command} --help)"
            ));
            return None;
        }
        [] => of_one(config::from_environment(environment, flags))?,
        names => JobFiles::load(names, environment, flags).all_right()?,
    };
    only(loaded, &super::command::texts(matches, "pair"))
}

fn is_s3(name: &str) -> bool {
    name.starts_with("s3://")
}

/// The only job of a command, or its problems on stderr.
pub(super) fn of_one(loaded: Result<Job, Problems>) -> Option<Vec<Job>> {
    match loaded {
        Ok(job) => Some(vec![job]),
        Err(problems) => {
            Stream::Stderr.print(&problems.to_string());
            None
        }
    }
}

/// The jobs with the pairs that were asked for, or on stderr a pair that no job has.
pub(super) fn only(jobs: Vec<Job>, asked: &[&str]) -> Option<Vec<Job>> {
    match retain(jobs, asked) {
        Ok(jobs) => Some(jobs),
        Err(unknown) => {
            Stream::Stderr.print(&unknown);
            None
        }
    }
}

/// The jobs with the pairs that were asked for, all when none was; a job without any of them does
/// not run. The error is a pair that no job has.
fn retain(mut jobs: Vec<Job>, asked: &[&str]) -> Result<Vec<Job>, String> {
    if asked.is_empty() {
        return Ok(jobs);
    }
    let pairs = jobs.iter().flat_map(|job| &job.pairs);
    let mut met = HashSet::new();
    let known: Vec<&str> = pairs
        .map(|pair| pair.name.as_str())
        .filter(|name| met.insert(*name))
        .collect();
    if let Some(unknown) = asked.iter().find(|asked| !known.contains(asked)) {
        return Err(format!(
            "error: no pair is called `{unknown}`\n --> flag --pair\n  = {}",
            advice(unknown, &known)
        ));
    }
    for job in &mut jobs {
        job.pairs.retain(|pair| asked.contains(&pair.name.as_str()));
    }
    jobs.retain(|job| !job.pairs.is_empty());
    Ok(jobs)
}

/// The pair that was probably meant, or else those there are, as far as somebody would read on.
fn advice(unknown: &str, known: &[&str]) -> String {
    const READ: usize = 20;
    if let Some(near) = config::nearest(unknown, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let more = match known.len().saturating_sub(READ) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first = &known[..known.len().min(READ)];
    let verb = if first.len() == 1 { "is" } else { "are" };
    format!("there {verb} {}{more}", first.join(", "))
}

/// What is the same for all jobs of one command.
pub(super) struct RunRequest {
    pub(super) command: &'static str,
    pub(super) plain: bool,
    pub(super) stream: Stream,
    /// Warnings about the command itself.
    pub(super) notes: Vec<String>,
    /// The run whose failed objects are attempted, where it is those.
    pub(super) retries_of: Option<RetriedRun>,
    pub(super) purpose: Purpose,
}

/// Runs jobs that are known to be right, one after the other.
pub(super) fn start(jobs: Vec<Job>, request: &RunRequest) -> anyhow::Result<ExitCode> {
    if let Some(refusal) = uncompared(&jobs, &request.purpose) {
        Stream::Stderr.print(&refusal);
        return Ok(ExitCode::Usage);
    }
    let log_as = |job: &Job| {
        let is_read = match &request.purpose {
            Purpose::Run => job.dry_run,
            Purpose::Plan(_) => false,
            Purpose::Check(settings) => settings.form == CheckForm::Records,
        };
        let is_kept = !matches!(request.purpose, Purpose::Plan(_));
        log::start(&job.log, request.stream, is_read, is_kept);
    };
    // scripts may say something while they load
    let Some(mut hooks) = prepared(&jobs, log_as) else {
        return Ok(ExitCode::Usage);
    };
    let runtime = process::runtime().context("start the runtime")?;
    jobs.first().inspect(|first| log_as(first));
    for note in &request.notes {
        tracing::warn!("{note}");
    }
    let signals = {
        let _entered = runtime.enter();
        Signals::listen()
    };
    let worst = each(
        jobs,
        || signals.received(),
        |job| {
            log_as(&job);
            for note in job.resolved.notes() {
                tracing::warn!("{note}");
            }
            let options = RunOptions {
                command: request.command.to_owned(),
                plain: request.plain,
                progress: job.log.progress,
                retries_of: request.retries_of.clone(),
                purpose: request.purpose.clone(),
                ..RunOptions::default()
            };
            let hooks = hooks.pop_front().unwrap_or_default();
            runtime.block_on(job::run(job, hooks, options, &signals))
        },
    );
    drop(signals);
    // blocked reads of a dead disk must not keep the process
    runtime.shutdown_background();
    Ok(worst)
}

/// What each job's scripts have a say with; what is wrong with any of them is on stderr, and nothing
/// starts.
fn prepared(jobs: &[Job], log_as: impl Fn(&Job)) -> Option<VecDeque<PairHooks>> {
    let mut all_right = true;
    let mut prepared = VecDeque::with_capacity(jobs.len());
    for job in jobs {
        log_as(job);
        match PairHooks::prepare(job, &Hooks::default()) {
            Ok(hooks) => prepared.push_back(hooks),
            Err(errors) => {
                all_right = false;
                for error in errors {
                    Stream::Stderr.print(&format!("error: {error}"));
                }
            }
        }
    }
    all_right.then_some(prepared)
}

/// Why a check cannot be what its jobs ask for, if it cannot: it compares one object of a key with
/// one, and its records speak of the present.
fn uncompared(jobs: &[Job], purpose: &Purpose) -> Option<String> {
    let Purpose::Check(settings) = purpose else {
        return None;
    };
    let mut pairs = jobs.iter().flat_map(|job| &job.pairs);
    let (option, pair) = pairs.find_map(|pair| match pair.versions {
        Versions::All => Some(("versioning.enabled", &pair.name)),
        Versions::AsOf(_) if settings.form == CheckForm::Records => {
            Some(("versioning.point_in_time", &pair.name))
        }
        Versions::AsOf(_) | Versions::Latest => None,
    })?;
    Some(format!(
        "error: a check cannot compare by `{option}` of `{pair}`\n  = leave it out (--set versioning.enabled=false), and what is there now is compared"
    ))
}

/// Runs one job after the other; the worst outcome decides. None starts once a signal was
/// received, or when nobody reads what is shown.
fn each(
    jobs: Vec<Job>,
    received: impl Fn() -> Option<ExitCode>,
    mut run: impl FnMut(Job) -> Outcome,
) -> ExitCode {
    let mut worst = ExitCode::Success;
    for job in jobs {
        if let Some(signal) = received() {
            tracing::warn!(job = job.name, "not started: stopped before its turn");
            worst = worst.worse(signal);
            continue;
        }
        let outcome = run(job);
        worst = worst.worse(outcome.exit);
        if outcome.unread {
            break;
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(pairs: &[&str]) -> Job {
        let sides = "source = '/a'\ntarget = 's3://bucket/'\n";
        let text = pairs.iter().fold(String::new(), |text, name| {
            text + &format!("[pairs.{name}]\n{sides}")
        });
        let variables = [("S3SYNC_JOB_TOML".into(), text.into())];
        let environment = Environment::new(variables, "/");
        config::from_environment(&environment, &FlagValues::default()).expect("a job")
    }

    #[test]
    fn nothing_starts_after_a_signal_whatever_became_of_the_job_before() {
        use ExitCode::{Failed, Interrupted, Success, Terminated, Warning};
        for (ends, signal_during, unread, ran, exit) in [
            (&[Success, Warning][..], None, false, 2, Warning),
            // it ended well, and the signal came before the next began
            (
                &[Success, Success],
                Some((1, Interrupted)),
                false,
                1,
                Interrupted,
            ),
            // a failure is worse than the signal, and hides it
            (&[Failed, Success], Some((1, Terminated)), false, 1, Failed),
            (
                &[Success, Success],
                Some((0, Terminated)),
                false,
                0,
                Terminated,
            ),
            // it came too late to stop anything
            (
                &[Success, Warning],
                Some((2, Interrupted)),
                false,
                2,
                Warning,
            ),
            (&[Success, Success], None, true, 1, Success),
        ] {
            let jobs = ends.iter().map(|_| job(&["a"])).collect();
            let started = std::cell::Cell::new(0);
            let seen = each(
                jobs,
                || signal_during.and_then(|(at, signal)| (started.get() >= at).then_some(signal)),
                |_| {
                    started.set(started.get() + 1);
                    Outcome {
                        exit: ends[started.get() - 1],
                        unread,
                    }
                },
            );
            assert_eq!(
                (started.get(), seen),
                (ran, exit),
                "{ends:?} {signal_during:?}"
            );
        }
    }

    #[test]
    fn only_the_pairs_that_were_asked_for_run_in_the_order_of_the_file() {
        for (asked, left) in [
            (&[][..], &["a b", "c"][..]),
            (&["b", "a"], &["a b"]),
            (&["c"], &["c"]),
            (&["c", "a"], &["a", "c"]),
        ] {
            let jobs = retain(vec![job(&["a", "b"]), job(&["c"])], asked).expect("known");
            let names = |job: &Job| {
                let names: Vec<_> = job.pairs.iter().map(|pair| pair.name.clone()).collect();
                names.join(" ")
            };
            assert_eq!(
                jobs.iter().map(names).collect::<Vec<_>>(),
                left,
                "{asked:?}"
            );
        }
        // pairs of several jobs may have one name
        let refused = retain(vec![job(&["a", "b"]), job(&["c", "a"])], &["a", "x_y"]);
        assert_eq!(
            refused.expect_err("no x_y"),
            "error: no pair is called `x_y`\n --> flag --pair\n  = there are a, b, c"
        );
    }

    #[test]
    fn a_source_that_is_nearly_a_command_and_not_there_is_no_source() {
        for (source, meant) in [
            ("valdate", Some("validate")),
            ("plna", Some("plan")),
            ("src", None),
            ("./plna", None),
            ("plan.d", None),
            ("holiday", None),
        ] {
            assert_eq!(misspelt(source).as_deref(), meant, "{source}");
        }
    }

    #[test]
    fn an_unknown_pair_is_answered_with_the_one_that_was_meant_or_as_many_as_are_read() {
        let many: Vec<String> = (1..=300).map(|n| format!("share_{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (unknown, known, words) in [
            ("photo", &["photos", "mirror"][..], "did you mean `photos`?"),
            ("x_y", &["a", "b"], "there are a, b"),
            ("elsewhere", &many, "share_20 and 280 more"),
        ] {
            let advice = advice(unknown, known);
            assert!(advice.ends_with(words), "{unknown}: {advice}");
        }
    }
}
