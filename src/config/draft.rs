//! One pair: its layers merged, what does not fit it set aside, its two sides built.

use std::path::PathBuf;
use std::sync::Arc;

use super::build::build;
use super::layer::Layer;
use super::merged::Merged;
use super::option::OptionRow;
use super::problem::{Place, Problem};
use super::record::{NotApplied, RecordedPair, pair_digest};
use super::resolved::Pair;
use super::settings::PairSettings;
use super::sides::Side;
use super::{checks, conflicts};

/// A pair with what it was resolved from.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    /// The pair; none without two sides.
    pub(super) pair: Option<Pair>,
    /// Where it goes, if that is known.
    pub(super) target: Option<Side>,
    /// Whether source and target are on S3, if it has both.
    pub(super) sides: Option<(bool, bool)>,
    pub(super) merged: Arc<Merged>,
    /// The digest of its settings.
    digest: String,
    /// What was said for every pair and means nothing for this one.
    pub(super) not_applied: Vec<NotApplied>,
}

impl Draft {
    /// Merges the layers of a pair, lowest first; those said for it alone come with `true`.
    /// `never_list` are the directories the run itself writes to.
    pub(super) fn new(
        name: &str,
        place: &Place,
        layers: Vec<(Arc<Layer>, bool)>,
        never_list: &[PathBuf],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let all = Merged::new(layers.iter().map(|(layer, _)| Arc::clone(layer)).collect());
        let mut side = |path| {
            let side = Side::of(&all, path);
            if side.is_none() && !all.is_broken(path) {
                problems.push(missing_side(name, place, path));
            }
            side
        };
        let sides = (side("source.url"), side("target.url"));
        let (Some(source), Some(target)) = sides else {
            return Self {
                name: name.to_owned(),
                pair: None,
                target: None,
                sides: None,
                digest: pair_digest(&all),
                merged: Arc::new(all),
                not_applied: Vec::new(),
            };
        };
        let (kept, not_applied) = fitting(name, layers, &source, &target, problems);
        let merged = match kept {
            None => all,
            Some(kept) => Merged::new(kept),
        };
        checks::sides(name, &source, &target, &merged, problems);
        checks::server_side_copy(name, &source, &target, &merged, problems);
        checks::files(&source, &merged, problems);
        checks::bare_prefix(name, &target, &merged, problems);
        conflicts::check(&source, &target, &merged, problems);
        let digest = pair_digest(&merged);
        Self {
            name: name.to_owned(),
            target: Some(target.clone()),
            sides: Some((source.is_s3(), target.is_s3())),
            pair: Some(build(name, source, target, &merged, &digest, never_list)),
            digest,
            merged: Arc::new(merged),
            not_applied,
        }
    }
}

impl Draft {
    /// What is written down of it.
    pub(super) fn record(&self) -> RecordedPair {
        RecordedPair {
            name: self.name.clone(),
            merged: Arc::clone(&self.merged),
            not_applied: self.not_applied.clone(),
            digest: self.digest.clone(),
        }
    }

    /// What is explained of it.
    pub(super) fn into_settings(self) -> PairSettings {
        PairSettings {
            name: self.name,
            merged: self.merged,
            not_applied: self.not_applied,
            sides: self.sides,
        }
    }
}

fn missing_side(name: &str, place: &Place, path: &str) -> Problem {
    let which = path.split('.').next().unwrap_or(path);
    let remedy = match (place, name) {
        (Place::Environment(_), "default") => format!("set S3SYNC_{}", which.to_uppercase()),
        (Place::Environment(_), name) => {
            let variable = format!("PAIRS__{name}__{which}").to_uppercase();
            format!("set S3SYNC_{variable}")
        }
        _ => format!("write {which} = \"s3://bucket/prefix/\" or a local path"),
    };
    Problem::new(format!("pair `{name}` has no {which}"), place).remedy(remedy)
}

/// Sets aside what does not fit the pair's sides: an error where it was said for the pair alone.
/// No layers come back where all of them fit as they are.
fn fitting(
    name: &str,
    layers: Vec<(Arc<Layer>, bool)>,
    source: &Side,
    target: &Side,
    problems: &mut Vec<Problem>,
) -> (Option<Vec<Arc<Layer>>>, Vec<NotApplied>) {
    let fits = |row: &OptionRow| row.fits.holds(source.is_s3(), target.is_s3());
    let is_whole = |layer: &Layer| layer.iter().all(|said| fits(said.row));
    if layers.iter().all(|(layer, _)| is_whole(layer)) {
        return (None, Vec::new());
    }
    let mut not_applied = Vec::new();
    let mut kept = Vec::new();
    for (layer, is_own) in layers {
        for said in layer.iter().filter(|said| !fits(said.row)) {
            if is_own && !said.is_default() {
                let message = format!("`{}` means nothing for `{name}`", said.row.path);
                let remedy = format!("it wants {}", said.row.fits.wants());
                problems.push(Problem::new(message, &said.place).remedy(remedy));
            } else if !is_own {
                not_applied.push(NotApplied {
                    path: said.row.path,
                    origin: said.place.origin(),
                    wants: said.row.fits.wants(),
                });
            }
        }
        kept.push(if is_whole(&layer) {
            layer
        } else {
            Arc::new(layer.filtered(|said| fits(said.row)))
        });
    }
    (Some(kept), not_applied)
}
