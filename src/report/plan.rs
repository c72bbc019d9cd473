/*! A plan on standard output: the decisions of a dry run, as they are made.

Nothing is kept but counters: a plan may have a million lines. They come in the order in which
they are decided, which is that of the keys, but for objects that had to be examined first. As JSON
the lines are those of the evidence of a dry run.
*/

mod json;
mod judged;
mod only;
mod pages;
mod text;
mod unshown;
mod upstream;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::evidence::{Line, Scope};
use super::human::printable;
use super::schema::Report;
use super::{PairReport, Status, Stream, locked};
use crate::config::{Job, Origin, Pair};
use crate::event::{Cause, Event, Rule, Sink};
use crate::filter::FilterOrder;
use crate::hook::Hooks;
use only::Only;
pub(super) use pages::Pages;
use unshown::Unshown;
use upstream::Upstream;

/// How a plan is shown.
#[derive(Debug, Clone, Default)]
pub struct PlanSettings {
    /// For people or for programs.
    pub format: PlanFormat,
    /// Show only what is decided on this key, relative to the source, and by what.
    pub key: Option<String>,
}

/// For whom a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlanFormat {
    /// Lines of columns.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Shows the plan of one job.
#[derive(Debug)]
pub struct PlanOutput {
    settings: PlanSettings,
    job: String,
    /// Whether the only pair has a name that nobody gave it.
    is_ad_hoc: bool,
    /// The width of the column of names; none for a single pair.
    name_width: Option<usize>,
    pages: Arc<Pages>,
    reasons: Mutex<Reasons>,
    upstream: Upstream,
}

/// How many objects are to be transferred, and their bytes, by why.
type Reasons = BTreeMap<Cause, (u64, u64)>;

/// The lines of one pair.
#[derive(Debug)]
pub struct PairPlan {
    format: PlanFormat,
    /// Its name as the first column.
    column: String,
    scope: Scope,
    /// The only key that is shown.
    key: Option<String>,
    /// The filters, which are shown of one key.
    filters: FilterOrder,
    /// How wide the column of reasons is.
    reason_width: usize,
    /// The file that names the keys, if one does.
    keys_from: Option<Rule>,
    /// How many lines it has.
    lines: AtomicU64,
    reasons: Mutex<Reasons>,
    pages: Arc<Pages>,
}

impl PlanOutput {
    /// For a job. `stop` is cancelled when nobody reads any more.
    pub fn new(job: &Job, settings: PlanSettings, stop: CancellationToken) -> Self {
        let names = job.pairs.iter().map(|pair| pair.name.len());
        Self {
            is_ad_hoc: job.origin == Origin::CommandLine,
            name_width: names.max().filter(|_| job.pairs.len() > 1),
            job: job.name.clone(),
            settings,
            pages: Arc::new(Pages::new(Stream::Stdout, stop)),
            reasons: Mutex::default(),
            upstream: Upstream::default(),
        }
    }

    /// Begins a pair: the sinks that count, log, and show its lines, and those lines.
    pub fn begin(
        &self,
        pair: &Pair,
        hooks: &Hooks,
        part: &PairReport,
    ) -> (Vec<Arc<dyn Sink>>, Arc<PairPlan>) {
        let (source, target) = part.urls();
        if self.settings.format == PlanFormat::Text {
            let name = self.label(part.name());
            self.pages.add(&format!("{name}{source} to {target}\n"));
        }
        let filters = FilterOrder::of(&pair.filters, hooks);
        let names = filters.early.iter().chain(&filters.late);
        let reason_width = text::reason_width(names.map(|rule| rule.filter));
        let lines = Arc::new(PairPlan {
            format: self.settings.format,
            column: self
                .name_width
                .map_or_else(String::new, |width| format!("{:<width$}  ", part.name())),
            scope: part.scope().clone(),
            key: self.settings.key.clone(),
            filters,
            reason_width,
            keys_from: (pair.filters.keys_from.as_ref())
                .map(|said| said.rule(said.value.display().to_string())),
            lines: AtomicU64::new(0),
            reasons: Mutex::default(),
            pages: Arc::clone(&self.pages),
        });
        let mut sinks: Vec<Arc<dyn Sink>> = vec![
            part.begin_counting(),
            Arc::new(Unshown(part.log())),
            lines.clone(),
        ];
        if let Some(key) = &self.settings.key {
            sinks = vec![Arc::new(Only::new(key, sinks))];
        }
        (sinks, lines)
    }

    /// Shows how a pair ended.
    pub fn end(&self, part: &PairReport, lines: &PairPlan) {
        let reasons = locked(&lines.reasons).clone();
        for (cause, (objects, bytes)) in &reasons {
            let mut sums = locked(&self.reasons);
            let sum = sums.entry(*cause).or_default();
            *sum = (sum.0 + objects, sum.1 + bytes);
        }
        let (source, target) = part.urls();
        let note = self.upstream.note(&source);
        let writes = !reasons.is_empty();
        let deletes = part.tally().counts.deleted() > 0;
        self.upstream.add(part.name(), &target, writes, deletes);
        match self.settings.format {
            PlanFormat::Json => self.pages.add(&json::pair(&self.job, part, &reasons)),
            PlanFormat::Text => {
                let name = self.label(part.name());
                let last = self.last_words(part, lines, &reasons);
                for last in last.into_iter().chain(note) {
                    self.pages.add(&format!("{name}{last}\n"));
                }
            }
        }
    }

    /// Shows that a pair would not be begun, and why.
    pub fn not_begun(&self, part: &PairReport) {
        match self.settings.format {
            PlanFormat::Json => {
                self.pages
                    .add(&json::pair(&self.job, part, &Reasons::default()));
            }
            PlanFormat::Text => {
                let (name, why) = (self.label(part.name()), part.reason().unwrap_or_default());
                self.pages.add(&format!("{name}{}\n", printable(why)));
            }
        }
    }

    /// The summary of a pair; of one key, that there is no such key.
    fn last_words(&self, part: &PairReport, lines: &PairPlan, reasons: &Reasons) -> Option<String> {
        let summary = match &self.settings.key {
            None => Some(text::summary(&part.tally().counts, reasons)),
            Some(key) => (lines.lines.load(Ordering::Relaxed) == 0).then(|| lines.nothing_of(key)),
        };
        let status = part.status();
        let why = part
            .reason()
            .map_or_else(String::new, |why| format!(": {why}"));
        match status {
            Status::Success | Status::Warning => return summary,
            // it is complete, and says what would be kept from being done
            Status::Guard => return summary.map(|summary| format!("guard{why}; {summary}")),
            _ => {}
        }
        let so_far = match (&self.settings.key, summary) {
            (None, Some(summary)) => format!("; so far {summary}"),
            (Some(_), _) | (None, None) => String::new(),
        };
        Some(format!(
            "{}{why}; the plan is not complete{so_far}",
            status.as_str()
        ))
    }

    /// Shows the sum, and waits until all of it is written.
    pub fn finish(&self, report: &Report) {
        let reasons = locked(&self.reasons);
        match self.settings.format {
            PlanFormat::Json => self.pages.add(&json::total(report, &reasons)),
            PlanFormat::Text if self.name_width.is_some() && self.settings.key.is_none() => {
                let total = text::total(report, &reasons);
                self.pages.add(&format!("total: {total}\n"));
            }
            PlanFormat::Text => {}
        }
        self.pages.flush();
    }

    /// Whether the reader went away before the end.
    pub fn is_unread(&self) -> bool {
        self.pages.is_unread()
    }

    /// Why the plan could not be written, if it could not.
    pub fn trouble(&self) -> Option<String> {
        self.pages.trouble().map(|why| format!("the plan {why}"))
    }

    fn label(&self, pair: &str) -> String {
        if self.is_ad_hoc && self.name_width.is_none() {
            String::new()
        } else {
            format!("{pair}: ")
        }
    }
}

impl PairPlan {
    /// That nothing was decided on a key, and why.
    fn nothing_of(&self, key: &str) -> String {
        let key = printable(key);
        match &self.keys_from {
            Some(rule) => format!(
                "no key `{key}` is named by {}",
                printable(&rule.to_string())
            ),
            None => format!("the source lists no key `{key}`; keys are relative to it"),
        }
    }

    /// A decision with all it was made by.
    fn whole(&self, event: &Event) -> Option<String> {
        let text = text::whole(event, &self.column)?;
        let filters = judged::judged(&self.filters, event);
        let filters = filters.map_or_else(String::new, |all| judged::text(&all, &self.column));
        Some(text + &filters)
    }

    /// A decision for programs, and of one key what each filter said.
    fn lines(&self, event: &Event, line: &Line<'_>) -> String {
        let text = json::line(line);
        let filters = (self.key.as_deref())
            .and_then(|key| Some((key, judged::judged(&self.filters, event)?)));
        let filters = filters.map_or_else(String::new, |(key, all)| {
            json::filters(&self.scope, key, &all)
        });
        text + &filters
    }

    /// What is shown of an event, if it is a decision.
    fn line(&self, event: &Event) -> Option<String> {
        match self.format {
            PlanFormat::Json => {
                self.scope.learn(event);
                let line = Line::of(event, &self.scope)?;
                let number = self.lines.fetch_add(1, Ordering::Relaxed) + 1;
                return Some(self.lines(event, &line.numbered(number)));
            }
            PlanFormat::Text if self.key.is_some() => self.whole(event),
            PlanFormat::Text => text::line(event, &self.column, self.reason_width),
        }
        .inspect(|_| {
            self.lines.fetch_add(1, Ordering::Relaxed);
        })
    }
}

impl Sink for PairPlan {
    fn event(&self, event: &Event) {
        if let Event::Planned {
            source, because, ..
        } = event
        {
            let mut reasons = locked(&self.reasons);
            let (objects, bytes) = reasons.entry(*because).or_default();
            *objects += 1;
            *bytes += source.size;
        }
        let is_shown = match event {
            // counted, and seldom worth a line
            Event::Unchanged { .. } => self.key.is_some(),
            // nothing was decided
            Event::NotAttempted { .. } => false,
            _ => true,
        };
        if let Some(line) = is_shown.then(|| self.line(event)).flatten() {
            self.pages.add(&line);
        }
    }

    fn wants_unchanged(&self) -> bool {
        self.key.is_some()
    }

    fn wants_filtered(&self) -> bool {
        true
    }
}
