//! Where logs go, and how much of them.

use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Identity, Layer, Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::Log;
use crate::report::{RunLogWriter, Stream};
use crate::store::s3::logs_identities;

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

/// Everything that is written, before anything is left out.
type Written = Layered<Vec<Lines>, Registry>;

/// How the process logs at present, once it does: on its stream, and in the log of each run.
static LOGGING: OnceLock<Reloaded> = OnceLock::new();

/// Changes what is logged, and in which forms.
struct Reloaded {
    /// Anywhere.
    what: reload::Handle<EnvFilter, Written>,
    /// On the stream.
    what_is_shown: reload::Handle<EnvFilter, Registry>,
    shown: reload::Handle<Lines, Registry>,
    kept: reload::Handle<Lines, Registry>,
}

/// What is logged, and in which forms.
struct Logged {
    what: EnvFilter,
    what_is_shown: EnvFilter,
    shown: Lines,
    kept: Lines,
}

/// Starts logging, or goes on as another job has it. `RUST_LOG`, when it is set, decides what is
/// logged on the stream. The log of a run has at least what level info has; there is none without
/// a run that leaves a report, which `is_kept` says.
pub(super) fn start(log: &Log, stream: Stream, is_read: bool, is_kept: bool) {
    let logged = Logged::new(log, stream, is_read, is_kept);
    let failed = if let Some(present) = LOGGING.get() {
        // each of them
        [
            present.shown.reload(logged.shown).is_err(),
            present.kept.reload(logged.kept).is_err(),
            present.what_is_shown.reload(logged.what_is_shown).is_err(),
            present.what.reload(logged.what).is_err(),
        ]
        .contains(&true)
    } else {
        logged.begin()
    };
    if failed {
        tracing::debug!("logging was started elsewhere");
    }
}

impl Logged {
    fn new(log: &Log, stream: Stream, is_read: bool, is_kept: bool) -> Self {
        let (what_is_shown, shown) = shown(log, stream, is_read);
        let (what, kept) = if is_kept {
            kept(log)
        } else {
            (what_is_shown.clone(), Identity::new().boxed())
        };
        let filter = |directives: String| {
            EnvFilter::try_new(directives)
                .unwrap_or_else(|_| EnvFilter::new(own_directives(log, log.level.max(1))))
        };
        Self {
            what: filter(what),
            what_is_shown: filter(what_is_shown),
            shown,
            kept,
        }
    }

    /// Whether another logs already.
    fn begin(self) -> bool {
        let (what, reload_what) = reload::Layer::new(self.what);
        let (what_is_shown, reload_what_is_shown) = reload::Layer::new(self.what_is_shown);
        let (shown, reload_shown) = reload::Layer::new(self.shown);
        let (kept, reload_kept) = reload::Layer::new(self.kept);
        let _ = LOGGING.set(Reloaded {
            what: reload_what,
            what_is_shown: reload_what_is_shown,
            shown: reload_shown,
            kept: reload_kept,
        });
        let quiet = filter_fn(|metadata| !may_show_keys(metadata));
        // A filter of one layer is asked by `enabled!`, too, and then takes the next record of the
        // thread for the one that was asked about: what nobody wants is kept from it by one that
        // stands outside.
        let written = vec![shown.with_filter(what_is_shown).boxed(), kept.boxed()];
        let written = tracing_subscriber::registry().with(written);
        written.with(what).with(quiet).try_init().is_err()
    }
}

/// What goes to the stream, by which directives and in which form.
fn shown(log: &Log, stream: Stream, is_read: bool) -> (String, Lines) {
    // a dry run is there to be read, and so is a check that tells in records
    let level = if is_read { log.level.max(1) } else { log.level };
    let directives = rust_log();
    let lines = fmt::layer()
        .with_target(directives.is_some() || log.aws_sdk)
        .with_span_events(spans(log))
        .with_ansi(log.color && stream.is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(move || stream);
    let lines = if log.json {
        lines.json().boxed()
    } else {
        lines.compact().boxed()
    };
    let directives = directives.filter(|directives| EnvFilter::try_new(directives).is_ok());
    (
        directives.unwrap_or_else(|| own_directives(log, level)),
        lines,
    )
}

/// What goes to the log of a run: at least what went well, and all that is shown.
fn kept(log: &Log) -> (String, Lines) {
    let own = own_directives(log, log.level.max(1));
    let directives = match rust_log() {
        // the last word on a target counts
        Some(directives) => format!("{own},{directives}"),
        None => own,
    };
    let lines = fmt::layer()
        .with_span_events(spans(log))
        .with_ansi(false)
        .with_writer(|| RunLogWriter)
        .json();
    (directives, lines.boxed())
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
