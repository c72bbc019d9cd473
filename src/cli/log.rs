//! Where logs go, and how much of them.

use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::Log;
use crate::report::{RunLogWriter, Stream};
use crate::store::s3::logs_identities;

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

/// How the process logs at present, once it does: on its stream, and in the log of each run.
static LOGGING: OnceLock<[Reloaded; 2]> = OnceLock::new();

/// Changes what is logged in one place, and in which form.
struct Reloaded {
    what: reload::Handle<EnvFilter, Registry>,
    how: reload::Handle<Lines, Registry>,
}

/// What is logged in one place, and in which form.
struct Logged {
    what: EnvFilter,
    how: Lines,
}

/// Starts logging, or goes on as another job has it. `RUST_LOG`, when it is set, decides what is
/// logged on the stream. The log of a run has at least what level info has; there is none without
/// a run that leaves a report, which `is_kept` says.
pub(super) fn start(log: &Log, stream: Stream, is_read: bool, is_kept: bool) {
    let both = [shown(log, stream, is_read), kept(log, is_kept)];
    let failed = if let Some(present) = LOGGING.get() {
        let reloaded = present.iter().zip(both);
        let failed = reloaded.map(|(present, logged)| {
            present.how.reload(logged.how).is_err() || present.what.reload(logged.what).is_err()
        });
        // each of them
        failed.fold(false, |one, other| one | other)
    } else {
        let (layers, reloaded): (Vec<_>, Vec<_>) = both.into_iter().map(Logged::layer).unzip();
        let _ = LOGGING.set(
            reloaded
                .try_into()
                .unwrap_or_else(|_| unreachable!("two places")),
        );
        let quiet = filter_fn(|metadata| !may_show_keys(metadata));
        let written = tracing_subscriber::registry().with(layers);
        written.with(quiet).try_init().is_err()
    };
    if failed {
        tracing::debug!("logging was started elsewhere");
    }
}

impl Logged {
    /// The layer, and what changes it later.
    fn layer(self) -> (Lines, Reloaded) {
        let (how, reload_how) = reload::Layer::new(self.how);
        let (what, reload_what) = reload::Layer::new(self.what);
        let reloaded = Reloaded {
            what: reload_what,
            how: reload_how,
        };
        (how.with_filter(what).boxed(), reloaded)
    }
}

/// What goes to the stream.
fn shown(log: &Log, stream: Stream, is_read: bool) -> Logged {
    // a dry run is there to be read, and so is a check that tells in records
    let level = if is_read { log.level.max(1) } else { log.level };
    let directives = rust_log();
    let lines = fmt::layer()
        .with_target(directives.is_some() || log.aws_sdk)
        .with_span_events(spans(log))
        .with_ansi(log.color && stream.is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(move || stream);
    Logged {
        what: directives
            .and_then(|directives| EnvFilter::try_new(directives).ok())
            .unwrap_or_else(|| EnvFilter::new(own_directives(log, level))),
        how: if log.json {
            lines.json().boxed()
        } else {
            lines.compact().boxed()
        },
    }
}

/// What goes to the log of a run: at least what went well.
fn kept(log: &Log, is_kept: bool) -> Logged {
    let own = own_directives(log, log.level.max(1));
    let directives = match rust_log() {
        _ if !is_kept => "off".to_owned(),
        // the last word on a target counts
        Some(directives) => format!("{own},{directives}"),
        None => own,
    };
    let lines = fmt::layer()
        .with_span_events(spans(log))
        .with_ansi(false)
        .with_writer(|| RunLogWriter)
        .json();
    Logged {
        what: EnvFilter::try_new(directives)
            .unwrap_or_else(|_| EnvFilter::new(own_directives(log, log.level.max(1)))),
        how: lines.boxed(),
    }
}

fn rust_log() -> Option<String> {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|text| !text.is_empty())
}

fn spans(log: &Log) -> FmtSpan {
    if log.span_events {
        FmtSpan::NEW | FmtSpan::CLOSE
    } else {
        FmtSpan::NONE
    }
}

/// What is logged where `RUST_LOG` does not say it; a directive is about all targets that begin so.
fn own_directives(log: &Log, level: i8) -> String {
    let level = word(level);
    let others: &[&str] = if log.aws_sdk { &AWS_SDK } else { &[] };
    let targets = ["s3sync"].iter().chain(others);
    let directives: Vec<String> = targets.map(|target| format!("{target}={level}")).collect();
    directives.join(",")
}

/// The SDK and what it speaks HTTP and TLS with.
const AWS_SDK: [&str; 4] = ["aws_", "hyper", "rustls", "h2"];

/// Whether a record is one that nothing must bring to light.
fn may_show_keys(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() > Level::INFO && logs_identities(metadata.target())
}

fn word(level: i8) -> &'static str {
    match level {
        i8::MIN..=-2 => "off",
        -1 => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        3..=i8::MAX => "trace",
    }
}
