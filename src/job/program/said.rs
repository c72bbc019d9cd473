//! What a program says: a bounded part of it into the log, its last words into the report.

use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use crate::config::ProgramHook;
use crate::event::locked;
use crate::store::Secret;

/// Most bytes of a stream that are logged.
const MOST_LOGGED: usize = 64 << 10;

/// Longer lines are logged in pieces.
const LONGEST_LINE: usize = 1000;

/// How much of the end is kept, of which so many letters may become last words: what is hidden is
/// found whole where it matters.
const LONGEST_TAIL: usize = 4000;
const LONGEST_WORDS: usize = 300;

/// What is shorter stands in many a line, and is no secret worth its name.
const SHORTEST_SECRET: usize = 4;

/// Listens to both streams of a program.
#[derive(Debug)]
pub(super) struct Said {
    streams: Vec<Stream>,
    /// Words that may be shown only as something else.
    hidden: Vec<(String, String)>,
}

/// One stream.
#[derive(Debug)]
struct Stream {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

/// What came over a stream.
#[derive(Debug, Default)]
struct Heard {
    /// The line that has not ended.
    line: Vec<u8>,
    /// How much of it all was logged.
    logged: usize,
    /// The end of it all.
    tail: Vec<u8>,
}

/// How a line is logged.
#[derive(Debug, Clone)]
struct Teller {
    hook: String,
    stream: &'static str,
    /// Words that may be shown only as something else.
    hidden: Vec<(String, String)>,
}

impl Said {
    /// Begins to listen.
    pub(super) fn listen<'a>(
        child: &mut Child,
        hook: &ProgramHook,
        secrets: impl Iterator<Item = &'a Secret>,
    ) -> Self {
        let words = hook.run.iter().zip(&hook.shown);
        let words = words
            .filter(|(word, shown)| word != shown)
            .map(|(word, shown)| (word.clone(), shown.clone()));
        let lines = secrets.flat_map(|secret| secret.expose().lines());
        let lines = lines.filter(|line| line.trim().len() >= SHORTEST_SECRET);
        let mut hidden: Vec<_> = words
            .chain(lines.map(|line| (line.trim().to_owned(), Secret::new("").to_string())))
            .collect();
        // one may be a part of another
        hidden.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let teller = Teller {
            hook: hook.shown[0].clone(),
            stream: "stdout",
            hidden: hidden.clone(),
        };
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let of_stderr = Teller {
            stream: "stderr",
            ..teller.clone()
        };
        let streams = [(stdout, teller), (stderr, of_stderr)].into_iter();
        Self {
            streams: streams
                .filter_map(|(pipe, teller)| Some(Stream::listen(pipe?, teller)))
                .collect(),
            hidden,
        }
    }

    /// Hears the rest of it, for so long at most: others may keep the pipes open for ever.
    pub(super) async fn hear_out(&mut self, patience: Duration) {
        let tasks = self.streams.iter_mut().map(|stream| &mut stream.task);
        let _ = tokio::time::timeout(patience, futures::future::join_all(tasks)).await;
        for stream in &self.streams {
            stream.task.abort();
        }
    }

    /// The last line on stderr, else on stdout.
    pub(super) fn last_words(&self) -> Option<String> {
        let mut streams = self.streams.iter().rev();
        streams.find_map(|stream| locked(&stream.heard).last_line(&self.hidden))
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        for stream in &self.streams {
            stream.task.abort();
        }
    }
}

impl Stream {
    fn listen(pipe: OwnedFd, teller: Teller) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let into = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let Ok(mut pipe) = Receiver::from_owned_fd(pipe) else {
                return;
            };
            let mut buffer = vec![0; 16 << 10];
            while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
                let mut heard = locked(&into);
                for line in heard.take(&buffer[..length], &teller.hidden) {
                    teller.tell(&line);
                }
            }
            let rest = locked(&into).rest(&teller.hidden);
            if let Some(line) = rest {
                teller.tell(&line);
            }
        });
        Self { heard, task }
    }
}

impl Heard {
    /// Takes what came, and gives the lines that are to be logged.
    fn take(&mut self, bytes: &[u8], hidden: &[(String, String)]) -> Vec<String> {
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(LONGEST_TAIL)..]);
        let surplus = self.tail.len().saturating_sub(LONGEST_TAIL);
        self.tail.drain(..surplus);
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.logged > MOST_LOGGED {
                break;
            }
            for part in piece.chunks(LONGEST_LINE) {
                self.line.extend_from_slice(part);
                if self.line.len() >= LONGEST_LINE || self.line.ends_with(b"\n") {
                    lines.extend(self.rest(hidden));
                }
            }
            if self.logged > MOST_LOGGED {
                lines.push("(what else it says is not logged)".to_owned());
            }
        }
        lines
    }

    /// The line that has not ended.
    fn rest(&mut self, hidden: &[(String, String)]) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        self.logged += line.len();
        let line = legible(&line, hidden);
        (!line.is_empty()).then_some(line)
    }

    /// The last line with something in it.
    fn last_line(&self, hidden: &[(String, String)]) -> Option<String> {
        let lines = self.tail.split(|byte| *byte == b'\n').rev();
        let mut legible = lines.map(|line| legible(line, hidden));
        let line = legible.find(|line| !line.is_empty())?;
        let surplus = line.chars().count().saturating_sub(LONGEST_WORDS);
        Some(line.chars().skip(surplus).collect())
    }
}

impl Teller {
    fn tell(&self, line: &str) {
        let Self { hook, stream, .. } = self;
        tracing::info!(hook, stream, "{line}");
    }
}

/// A line without what may not be shown, and without what a terminal would obey.
fn legible(line: &[u8], hidden: &[(String, String)]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = hidden
        .iter()
        .fold(text.trim_end().to_owned(), |text, (word, shown)| {
            text.replace(word, shown)
        });
    let visible = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(visible).collect()
}
