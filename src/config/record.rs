//! What is written down of a job's settings: `resolved.json`, origins and digests.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::merged::{Decided, Merged};
use super::option::Scope;
use super::problem::Place;
use super::sides::LARGEST_PAGE;

/// The scopes of a pair's options.
pub(super) const PAIR: &[Scope] = &[Scope::Pair, Scope::PairOnly];

/// An option said for every pair that means nothing for one of them.
#[derive(Debug, Clone)]
pub(super) struct NotApplied {
    pub(super) path: &'static str,
    pub(super) origin: String,
    /// What the pair would have to be like.
    pub(super) wants: &'static str,
}

/// A job's settings and where each was said, without secrets: what `resolved.json` has. It is
/// made when it is asked for.
#[derive(Clone, Default)]
pub struct Resolved(Arc<Record>);

/// A job's settings, to be written down.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The job's name.
    pub(super) name: String,
    /// The directory of its reports.
    pub(super) report_dir: PathBuf,
    /// What should be known although nothing is wrong.
    pub(super) notes: Vec<String>,
    pub(super) job: Arc<Merged>,
    pub(super) pairs: Vec<RecordedPair>,
}

/// A pair's settings.
#[derive(Debug, Clone)]
pub(super) struct RecordedPair {
    pub(super) name: String,
    pub(super) merged: Arc<Merged>,
    pub(super) not_applied: Vec<NotApplied>,
    /// [`digest`] of them.
    pub(super) digest: String,
    /// Where they came from.
    pub(super) origins: Origins,
}

/// What is remarkable about where settings came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Environment names and flags, as written.
    pub(super) outside_files: BTreeSet<String>,
    /// Paths of secrets that are set, and where from.
    pub(super) secrets: Vec<(String, String)>,
}

impl Resolved {
    pub(super) fn new(record: Record) -> Self {
        Self(Arc::new(record))
    }

    /// The content of `resolved.json`.
    pub fn to_json(&self) -> Value {
        let Record {
            name,
            report_dir,
            notes,
            job,
            pairs,
        } = &*self.0;
        let mut of_job = settings(job, &[Scope::Job]);
        for (path, value) in [
            ("job.name", name.clone()),
            ("report.dir", report_dir.to_string_lossy().into_owned()),
        ] {
            of_job
                .entry(path)
                .or_insert_with(|| json!({ "value": value, "origin": "built-in" }));
        }
        let pairs = pairs.iter().map(|pair| {
            let not_applied: Vec<Value> =
                pair.not_applied.iter().map(NotApplied::to_json).collect();
            let shown =
                json!({ "settings": settings(&pair.merged, PAIR), "not_applied": not_applied });
            (pair.name.clone(), shown)
        });
        let pairs: Map<String, Value> = pairs.collect();
        json!({ "job": of_job, "pairs": pairs, "notes": notes })
    }

    /// What should be known although nothing is wrong.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").finish_non_exhaustive()
    }
}

impl NotApplied {
    /// As reports and explanations have it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "path": self.path, "origin": self.origin, "wants": self.wants })
    }
}

impl RecordedPair {
    /// What should be known of it.
    pub(super) fn note(&self) -> Option<String> {
        let page: u64 = self.merged.value("performance.max_keys");
        let name = &self.name;
        (page > LARGEST_PAGE).then(|| {
            format!(
                "pair {name}: performance.max_keys = {page} counts as {LARGEST_PAGE}, the largest page S3 gives"
            )
        })
    }
}

impl Record {
    /// The digest of what the job does: not of secrets, origins and logs, nor of defaults, so that
    /// new options change no digest. Pairs count by their names, whatever their order.
    pub(super) fn digest(&self) -> String {
        let mut sha256 = Sha256::new();
        take(&mut sha256, "job.name", &self.name);
        let of_job = self.job.decided(&[Scope::Job]);
        let does = |decided: &&Decided<'_>| {
            let path = decided.row.path;
            // variables count where they are used
            path != "job.name" && path != "vars" && !path.starts_with("log.")
        };
        for decided in of_job.iter().filter(does).filter(|it| counts(it)) {
            take(&mut sha256, &decided.path(), &shown(decided));
        }
        let mut pairs: Vec<&RecordedPair> = self.pairs.iter().collect();
        pairs.sort_by_key(|pair| &pair.name);
        for pair in pairs {
            take(&mut sha256, &format!("pairs.{}", pair.name), &pair.digest);
        }
        hex::encode(sha256.finalize())
    }

    /// Where settings came from.
    pub(super) fn origins(&self) -> Origins {
        let mut origins = Origins::of(&self.job.decided(&[Scope::Job]), "");
        for pair in &self.pairs {
            let of_pair = pair.origins.clone();
            origins.outside_files.extend(of_pair.outside_files);
            origins.secrets.extend(of_pair.secrets);
        }
        origins
    }
}

impl Origins {
    /// Those of some settings; `prefix` is what stands before the paths of secrets.
    pub(super) fn of(decided: &[Decided<'_>], prefix: &str) -> Self {
        let mut origins = Self::default();
        for decided in decided {
            if matches!(
                decided.place,
                Place::Environment(_) | Place::Flag(_) | Place::Program(_)
            ) {
                origins.outside_files.insert(decided.place.origin());
            }
            if decided.row.is_secret() {
                let path = format!("{prefix}{}", decided.path());
                origins.secrets.push((path, decided.place.origin()));
            }
        }
        origins
    }
}

/// The digest of a pair's settings, without origins, secrets and defaults.
pub(super) fn digest(decided: &[Decided<'_>]) -> String {
    let mut sha256 = Sha256::new();
    for decided in decided.iter().filter(|it| counts(it)) {
        take(&mut sha256, &decided.path(), &shown(decided));
    }
    hex::encode(sha256.finalize())
}

/// Whether a value counts for a digest.
fn counts(decided: &Decided<'_>) -> bool {
    !decided.row.is_secret() && !decided.is_default()
}

fn shown(decided: &Decided<'_>) -> String {
    decided.setting.to_json().to_string()
}

/// Lengths keep what is hashed apart.
fn take(sha256: &mut Sha256, path: &str, value: &str) {
    for text in [path, value] {
        sha256.update((text.len() as u64).to_be_bytes());
        sha256.update(text);
    }
}

fn settings(merged: &Merged, scopes: &[Scope]) -> Map<String, Value> {
    let decided = merged.decided(scopes);
    let shown = decided.iter().map(|decided| {
        let entry = json!({ "value": decided.setting.to_json(), "origin": decided.place.origin() });
        (decided.path(), entry)
    });
    shown.collect()
}
