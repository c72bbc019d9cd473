//! Where logs go, and how much of them.

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Log;
use crate::report::Stream;
use crate::store::s3::logs_identities;

/// Starts logging. `RUST_LOG`, when it is set, decides what is logged. A second call changes
/// nothing: the first job's settings hold for the process.
pub(super) fn start(log: &Log, stream: Stream, dry_run: bool) {
    // a dry run is there to be read
    let level = if dry_run { log.level.max(1) } else { log.level };
    let directives = std::env::var("RUST_LOG")
        .ok()
        .filter(|text| !text.is_empty());
    let show_target = directives.is_some();
    let filter = directives
        .and_then(|directives| EnvFilter::try_new(directives).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("s3sync={}", word(level))));
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_target(show_target)
        .with_ansi(log.color && stream.is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(move || stream);
    let quiet = filter_fn(|metadata| !may_show_keys(metadata));
    let started = if log.json {
        subscriber.json().finish().with(quiet).try_init()
    } else {
        subscriber.compact().finish().with(quiet).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// Whether a record is one that `RUST_LOG` must not bring to light.
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
