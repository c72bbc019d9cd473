//! Progress as a bar on a terminal.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::event::{self, Stats};
use crate::report::human;

/// How often it is redrawn.
const REDRAW: Duration = Duration::from_millis(200);

/// All bars of the process: there is one terminal. Drawn on standard error.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// One pair's bar.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(pair: &str) -> Self {
        // said before it is added, which draws it
        let bar = ProgressBar::new_spinner()
            .with_prefix(pair.to_owned())
            .with_style(style("{prefix} {spinner} {msg}"));
        let bar = BARS.get_or_init(MultiProgress::new).add(bar);
        Self(bar)
    }

    /// Redraws it until the task is aborted.
    pub(super) fn follow(&self, stats: Arc<Stats>) -> JoinHandle<()> {
        let bar = self.0.clone();
        tokio::spawn(async move {
            let mut total_known = false;
            loop {
                let progress = stats.progress();
                if progress.listing_done && !total_known {
                    total_known = true;
                    bar.set_style(style("{prefix} [{bar:24}] {msg}"));
                }
                bar.set_length(progress.listed);
                bar.set_position(progress.done);
                bar.set_message(message(&progress));
                bar.tick();
                tokio::time::sleep(REDRAW).await;
            }
        })
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
        if let Some(bars) = BARS.get() {
            bars.remove(&self.0);
        }
    }
}

pub(super) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    match BARS.get() {
        Some(bars) => bars.suspend(write),
        None => write(),
    }
}

fn message(progress: &event::Progress) -> String {
    let mut parts = vec![
        format!(
            "{}/{}{}",
            human::count(progress.done),
            human::count(progress.listed),
            if progress.listing_done { "" } else { "+" },
        ),
        format!("{} copied", human::count(progress.transferred)),
        human::bytes(progress.bytes),
        super::rate(progress),
    ];
    if let Some(remaining) = super::remaining(progress) {
        parts.push(format!("ETA {}", human::duration(remaining)));
    }
    if progress.errors > 0 {
        parts.push(format!("{} errors", human::count(progress.errors)));
    }
    parts.join("  ")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is ours")
        .progress_chars("=> ")
}
