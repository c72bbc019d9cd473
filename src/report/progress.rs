//! How far a pair is, while it runs.

#[cfg(feature = "cli")]
mod bar;
mod interval;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::human;
use crate::event::{self, Stats};

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As a bar on standard error, which is a terminal.
    Bar,
    /// As a log record every thirty seconds.
    Records,
}

/// Shows a pair's progress until it is dropped.
#[derive(Debug)]
pub struct Progress {
    task: JoinHandle<()>,
    #[cfg(feature = "cli")]
    bar: Option<bar::Bar>,
}

impl Progress {
    /// Begins to show what `stats` counts.
    pub fn start(pair: &str, stats: Arc<Stats>, shown: Shown) -> Self {
        match shown {
            #[cfg(feature = "cli")]
            Shown::Bar => {
                let bar = bar::Bar::new(pair);
                Self {
                    task: bar.follow(stats),
                    bar: Some(bar),
                }
            }
            #[cfg(not(feature = "cli"))]
            Shown::Bar => Self {
                task: interval::follow(pair, stats),
            },
            Shown::Records => Self {
                task: interval::follow(pair, stats),
                #[cfg(feature = "cli")]
                bar: None,
            },
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        #[cfg(feature = "cli")]
        if let Some(bar) = &self.bar {
            bar.clear();
        }
    }
}

/// Does something with the terminal while no bar is drawn.
pub(super) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    #[cfg(feature = "cli")]
    return bar::suspended(write);
    #[cfg(not(feature = "cli"))]
    write()
}

/// Bytes per second since the pair began.
fn rate(progress: &event::Progress) -> String {
    let seconds = progress.elapsed.as_secs_f64().max(0.001);
    human::bytes((progress.bytes as f64 / seconds) as u64) + "/s"
}

/// How long the rest takes if it goes on like this; `None` while the total is unknown.
fn remaining(progress: &event::Progress) -> Option<Duration> {
    if !progress.listing_done || progress.done == 0 {
        return None;
    }
    let left = progress.listed.saturating_sub(progress.done) as f64 / progress.done as f64;
    Duration::try_from_secs_f64(progress.elapsed.as_secs_f64() * left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_once_the_total_is_known() {
        let progress = event::Progress {
            listed: 100,
            done: 25,
            bytes: 30 << 20,
            elapsed: Duration::from_secs(10),
            ..event::Progress::default()
        };
        assert_eq!(remaining(&progress), None);
        let listed = event::Progress {
            listing_done: true,
            ..progress
        };
        assert_eq!(remaining(&listed), Some(Duration::from_secs(30)));
        assert_eq!(rate(&listed), "3.0 MiB/s");
    }
}
