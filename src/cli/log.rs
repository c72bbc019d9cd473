//! Where logs go, and how much of them.

use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer, Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::Log;
use crate::report::Stream;
use crate::store::s3::logs_identities;

type Lines = Box<dyn Layer<Registry> + Send + Sync>;
type Written = Layered<reload::Layer<Lines, Registry>, Registry>;

/// How the process logs at present, once it does: what, and in which form.
static LOGGING: OnceLock<(
    reload::Handle<EnvFilter, Written>,
    reload::Handle<Lines, Registry>,
)> = OnceLock::new();

/// Starts logging, or goes on as another job has it. `RUST_LOG`, when it is set, decides what is
/// logged.
pub(super) fn start(log: &Log, stream: Stream, is_read: bool) {
    let (filter, lines) = logging(log, stream, is_read);
    let failed = if let Some((what, how)) = LOGGING.get() {
        how.reload(lines).is_err() || what.reload(filter).is_err()
    } else {
        let (lines, how) = reload::Layer::new(lines);
        let (filter, what) = reload::Layer::new(filter);
        let _ = LOGGING.set((what, how));
        let quiet = filter_fn(|metadata| !may_show_keys(metadata));
        // the filter stands outside of the lines: within, who would log is asked every time
        let written = tracing_subscriber::registry().with(lines);
        written.with(filter).with(quiet).try_init().is_err()
    };
    if failed {
        tracing::debug!("logging was started elsewhere");
    }
}

fn logging(log: &Log, stream: Stream, is_read: bool) -> (EnvFilter, Lines) {
    // a dry run is there to be read, and so is a check that tells in records
    let level = if is_read { log.level.max(1) } else { log.level };
    let directives = std::env::var("RUST_LOG")
        .ok()
        .filter(|text| !text.is_empty());
    let show_target = directives.is_some() || log.aws_sdk;
    let spans = if log.span_events {
        FmtSpan::NEW | FmtSpan::CLOSE
    } else {
        FmtSpan::NONE
    };
    let filter = directives
        .and_then(|directives| EnvFilter::try_new(directives).ok())
        .unwrap_or_else(|| EnvFilter::new(own_directives(log, level)));
    let lines = fmt::layer()
        .with_target(show_target)
        .with_span_events(spans)
        .with_ansi(log.color && stream.is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(move || stream);
    let lines = if log.json {
        lines.json().boxed()
    } else {
        lines.compact().boxed()
    };
    (filter, lines)
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
