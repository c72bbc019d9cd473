//! The runs of the past, each on a line.

use std::fs;
use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{PastRun, Status, abandoned, human};
use crate::object::Timestamp;

/// A run that is at work rewrites its report more often than this.
const SILENCE: Duration = Duration::from_mins(1);

/// What is told of each run.
const HEADINGS: [&str; 10] = [
    "run", "job", "command", "started", "status", "exit", "took", "copied", "deleted", "errors",
];

/// A run, as far as its report can be read.
#[derive(Debug)]
pub struct Listed {
    run: PastRun,
    report: Glance,
}

/// What is in a run's directory.
#[derive(Debug)]
enum Glance {
    /// A report.
    Report(Box<Partial>),
    /// None.
    Missing,
    /// Something that is none, and why.
    Broken(String),
}

/// The part of a report that a list shows: older and newer ones are read as well.
#[derive(Debug, Deserialize)]
struct Partial {
    host: Option<HostPart>,
    run: RunPart,
    totals: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct HostPart {
    hostname: String,
}

#[derive(Debug, Deserialize)]
struct RunPart {
    job: String,
    command: Option<String>,
    #[serde(default)]
    dry_run: bool,
    started_at: String,
    finished_at: Option<String>,
    heartbeat_at: Option<String>,
    duration_ms: u64,
    status: Status,
    status_reason: Option<String>,
    exit_code: Option<u8>,
}

impl Listed {
    /// Looks at a run. One that is called running and whose process is gone has crashed.
    pub fn of(run: PastRun) -> Self {
        let report = match fs::read(run.report()) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(partial) => Glance::Report(Box::new(as_known(partial, &run))),
                Err(error) => Glance::Broken(error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Glance::Missing,
            Err(error) => Glance::Broken(error.to_string()),
        };
        Self { run, report }
    }

    /// The job's name: what its report says, else its folder.
    pub fn job(&self) -> &str {
        match &self.report {
            Glance::Report(report) => &report.run.job,
            Glance::Missing | Glance::Broken(_) => &self.run.job,
        }
    }

    /// The run as one JSON object.
    pub fn to_json(&self, now: Timestamp) -> Value {
        let mut object = json!({
            "run": self.run.id,
            "short": self.run.short_id(),
            "job": self.job(),
            "directory": self.run.directory.display().to_string(),
            "report": "read",
            "problem": null,
        });
        let report = match &self.report {
            Glance::Missing => {
                object["report"] = "missing".into();
                return object;
            }
            Glance::Broken(why) => {
                object["report"] = "broken".into();
                object["problem"] = why.as_str().into();
                return object;
            }
            Glance::Report(report) => report,
        };
        let run = &report.run;
        let silent = run.silence(now).map(super::figures::millis);
        for (name, value) in [
            ("command", json!(run.command)),
            ("dry_run", run.dry_run.into()),
            ("started_at", run.started_at.as_str().into()),
            ("finished_at", json!(run.finished_at)),
            ("status", run.status.as_str().into()),
            ("status_reason", json!(run.status_reason)),
            ("exit_code", json!(run.exit_code)),
            ("duration_ms", run.duration_ms.into()),
            ("silent_ms", json!(silent)),
            (
                "transferred",
                json!(report.total("/counts/transferred/total")),
            ),
            ("bytes", json!(report.total("/bytes/transferred"))),
            ("deleted", json!(report.total("/counts/deleted/total"))),
            ("warnings", json!(report.total("/counts/warnings"))),
            ("errors", json!(report.total("/counts/errors"))),
        ] {
            object[name] = value;
        }
        object
    }

    fn cells(&self, now: Timestamp) -> [String; 10] {
        let (id, job) = (self.run.short_id(), self.job());
        let unread =
            |state: &str| [id, job, "-", "-", state, "-", "-", "-", "-", "-"].map(human::printable);
        let report = match &self.report {
            Glance::Missing => return unread("no report.json"),
            Glance::Broken(_) => return unread("broken report.json"),
            Glance::Report(report) => report,
        };
        let run = &report.run;
        let status = match run.silence(now) {
            Some(silence) => format!("running (silent {})", human::duration(silence)),
            None if run.dry_run => format!("{} (dry run)", run.status.as_str()),
            None => run.status.as_str().to_owned(),
        };
        let number = |pointer| report.total(pointer).map_or("-".to_owned(), human::count);
        [
            id.to_owned(),
            human::printable(job),
            human::printable(run.command.as_deref().unwrap_or("-")),
            human::printable(run.started_at.split('.').next().unwrap_or_default()),
            status,
            run.exit_code
                .map_or("-".to_owned(), |code| code.to_string()),
            human::duration(Duration::from_millis(run.duration_ms)),
            number("/counts/transferred/total"),
            number("/counts/deleted/total"),
            number("/counts/errors"),
        ]
    }
}

fn as_known(mut partial: Partial, run: &PastRun) -> Partial {
    let host = partial.host.as_ref();
    let is_gone = partial.run.status == Status::Running
        && host.is_some_and(|host| abandoned::is_abandoned(&run.directory, &host.hostname));
    if is_gone {
        partial.run.status = Status::Crashed;
        let heard = partial.run.heartbeat_at.as_deref();
        partial.run.status_reason = heard.map(abandoned::reason);
    }
    partial
}

impl Partial {
    fn total(&self, pointer: &str) -> Option<u64> {
        self.totals.as_ref()?.pointer(pointer)?.as_u64()
    }
}

impl RunPart {
    /// For how long a run that is still called running has not been heard of, where that is
    /// longer than a run at work is silent.
    fn silence(&self, now: Timestamp) -> Option<Duration> {
        if self.status != Status::Running {
            return None;
        }
        let heard = Timestamp::parse(self.heartbeat_at.as_deref()?).ok()?;
        let silent = now.seconds().saturating_sub(heard.seconds());
        let silent = Duration::from_secs(u64::try_from(silent).unwrap_or_default());
        (silent > SILENCE).then_some(silent)
    }
}

/// The runs as a table, in the order given.
pub fn list(runs: &[Listed], now: Timestamp) -> String {
    let rows: Vec<_> = runs.iter().map(|run| run.cells(now)).collect();
    let widths: [usize; 10] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|cells| cells[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    });
    let line = |cells: &[String; 10]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&HEADINGS.map(str::to_owned));
    for cells in &rows {
        text += &line(cells);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_listed_as_what_it_is() {
        let dir = tempfile::tempdir().expect("tempdir");
        let running = r#"{"run":{"job":"j","started_at":"2026-01-01T00:00:00.000Z","finished_at":null,
            "heartbeat_at":"2026-01-01T00:00:10.000Z","duration_ms":10000,"status":"running",
            "status_reason":null,"exit_code":null},"totals":{"counts":{"errors":2}}}"#;
        for (content, after, words) in [
            (None, 0, "no report.json"),
            (Some("{"), 0, "broken report.json"),
            (Some("[]"), 0, "broken report.json"),
            (Some("{\"run\":{}}"), 0, "broken report.json"),
            (Some(running), 15, "running  "),
            (Some(running), 3610, "running (silent 1h00m)"),
        ] {
            let directory = dir.path().join("j/0198f3b2-b0e3-7202-8bab-b75105596c47");
            fs::create_dir_all(&directory).expect("a directory");
            let _ = fs::remove_file(directory.join("report.json"));
            if let Some(content) = content {
                fs::write(directory.join("report.json"), content).expect("a file");
            }
            let listed = Listed::of(PastRun {
                id: "0198f3b2-b0e3-7202-8bab-b75105596c47".to_owned(),
                job: "j".to_owned(),
                directory,
            });
            let begun = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
            let now = Timestamp::new(begun.seconds() + after, 0);
            let text = list(std::slice::from_ref(&listed), now);
            assert!(text.contains(words), "{content:?}: {text}");
            assert_eq!(listed.to_json(now)["job"], "j");
        }
    }
}
