//! What is written down of a job's settings: `resolved.json`, origins and digests.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::merged::Merged;
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

/// A job's settings, taken down job first, then pair by pair.
#[derive(Debug, Default)]
pub(super) struct Record {
    job: Map<String, Value>,
    pairs: Map<String, Value>,
    /// What should be known although nothing is wrong.
    pub(super) notes: Vec<String>,
    /// Non-secret values alone.
    plain: Map<String, Value>,
    /// Origins outside the file.
    pub(super) origins: BTreeSet<String>,
    /// Paths of secrets that are set, and where from.
    pub(super) secrets: Vec<(String, String)>,
}

impl Record {
    /// Takes down the whole job's settings; `name` and `report` are what they come to.
    pub(super) fn job(&mut self, job: &Merged, name: &str, report: &Path) {
        let mut shown = self.settings(job, &[Scope::Job], "");
        for (path, value) in [
            ("job.name", name.to_owned()),
            ("report.dir", report.to_string_lossy().into_owned()),
        ] {
            shown
                .entry(path)
                .or_insert_with(|| json!({ "value": value, "origin": "built-in" }));
        }
        self.job = shown;
        let mut settings = plain(job, &[Scope::Job]);
        settings.insert("job.name".to_owned(), name.into());
        self.plain.insert("job".to_owned(), settings.into());
    }

    /// Takes down a pair's settings.
    pub(super) fn pair(&mut self, name: &str, merged: &Merged, not_applied: &[NotApplied]) {
        let settings = self.settings(merged, PAIR, &format!("pairs.{name}."));
        let not_applied: Vec<Value> = not_applied
            .iter()
            .map(|it| json!({ "path": it.path, "origin": it.origin, "wants": it.wants }))
            .collect();
        let shown = json!({ "settings": settings, "not_applied": not_applied });
        self.pairs.insert(name.to_owned(), shown);
        self.plain
            .insert(format!("pairs.{name}"), plain(merged, PAIR).into());
        let page: u64 = merged.value("performance.max_keys");
        if page > LARGEST_PAGE {
            self.notes.push(format!(
                "pair {name}: performance.max_keys = {page} counts as {LARGEST_PAGE}, the largest page S3 gives"
            ));
        }
    }

    /// The content of `resolved.json`.
    pub(super) fn resolved(&self) -> Value {
        json!({ "job": self.job, "pairs": self.pairs, "notes": self.notes })
    }

    /// The digest of everything but secrets and origins.
    pub(super) fn digest(&self) -> String {
        digest(&self.plain)
    }

    fn settings(&mut self, merged: &Merged, scopes: &[Scope], prefix: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        for decided in merged.decided(scopes) {
            let path = decided.path();
            let origin = decided.place.origin();
            if matches!(decided.place, Place::Environment(_) | Place::Flag(_)) {
                self.origins.insert(origin.clone());
            }
            if decided.row.is_secret() {
                self.secrets
                    .push((format!("{prefix}{path}"), origin.clone()));
            }
            let entry = json!({ "value": decided.setting.to_json(), "origin": origin });
            shown.insert(path, entry);
        }
        shown
    }
}

/// The digest of a pair's settings, without origins and secrets.
pub(super) fn pair_digest(merged: &Merged) -> String {
    digest(&plain(merged, PAIR))
}

/// Values without origins and without secrets.
fn plain(merged: &Merged, scopes: &[Scope]) -> Map<String, Value> {
    merged
        .decided(scopes)
        .iter()
        // variables count where they are used
        .filter(|decided| !decided.row.is_secret() && decided.row.path != "vars")
        .map(|decided| (decided.path(), decided.setting.to_json()))
        .collect()
}

fn digest(settings: &Map<String, Value>) -> String {
    let text = Value::Object(settings.clone()).to_string();
    hex::encode(Sha256::digest(text.as_bytes()))
}
