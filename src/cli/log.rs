//! Where logs go, and how much of them.

use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::Log;
use crate::report::Stream;
use crate::store::s3::logs_identities;

type Logging = Box<dyn Layer<Registry> + Send + Sync>;

/// How the process logs at present, once it does.
static LOGGING: OnceLock<reload::Handle<Logging, Registry>> = OnceLock::new();

/// Starts logging, or goes on as another job has it. `RUST_LOG`, when it is set, decides what is
/// logged.
pub(super) fn start(log: &Log, stream: Stream, is_read: bool) {
    let logging = logging(log, stream, is_read);
    let failed = if let Some(handle) = LOGGING.get() {
        handle.reload(logging).is_err()
    } else {
        let (layer, handle) = reload::Layer::new(logging);
        let _ = LOGGING.set(handle);
        let quiet = filter_fn(|metadata| !may_show_keys(metadata));
        let subscriber = tracing_subscriber::registry().with(layer).with(quiet);
        subscriber.try_init().is_err()
    };
    if failed {
        tracing::debug!("logging was started elsewhere");
    }
}

fn logging(log: &Log, stream: Stream, is_read: bool) -> Logging {
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
    if log.json {
        filter.and_then(lines.json()).boxed()
    } else {
        filter.and_then(lines.compact()).boxed()
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
