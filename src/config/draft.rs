//! One pair: its layers merged, what does not fit it set aside, its two sides built.

use std::path::PathBuf;
use std::sync::Arc;

use super::build::build;
use super::layer::Layer;
use super::merged::Merged;
use super::option::OptionRow;
use super::problem::{Place, Problem};
use super::record::{NotApplied, Origins, PAIR, RecordedPair, digest};
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
    /// Source and target, if it has both.
    pub(super) both: Option<(Side, Side)>,
    /// Whether source and target are on S3, if it has both.
    pub(super) sides: Option<(bool, bool)>,
    pub(super) merged: Arc<Merged>,
    /// The digest of its settings.
    digest: String,
    /// Where they came from.
    origins: Origins,
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
        let mut side = |path| {
            let said = layers.iter().rev().find_map(|(layer, _)| layer.get(path));
            let is_broken = || layers.iter().any(|(layer, _)| layer.is_broken(path));
            let side = said.and_then(Side::of);
            if side.is_none() && !is_broken() {
                problems.push(missing_side(name, place, path));
            }
            side
        };
        let (source, target) = (side("source.url"), side("target.url"));
        let both = source.zip(target);
        let (layers, not_applied) = match &both {
            Some((source, target)) => fitting(name, layers, source, target, problems),
            None => (
                layers.into_iter().map(|(layer, _)| layer).collect(),
                Vec::new(),
            ),
        };
        let merged = Merged::new(layers);
        let decided = merged.decided(PAIR);
        let digest = digest(&decided);
        let origins = Origins::of(&decided, &format!("pairs.{name}."));
        if let Some((source, target)) = &both {
            checks::sides(name, source, target, &merged, problems);
            checks::server_side_copy(name, source, target, &merged, problems);
            checks::sse_c_keys(&merged, problems);
            checks::files(source, &merged, problems);
            checks::bounds(name, &merged, problems);
            checks::bare_prefix(name, target, &merged, problems);
            conflicts::check(source, target, &merged, problems);
        }
        drop(decided);
        Self {
            name: name.to_owned(),
            both: both.clone(),
            sides: both
                .as_ref()
                .map(|(source, target)| (source.is_s3(), target.is_s3())),
            pair: both
                .map(|(source, target)| build(name, source, target, &merged, &digest, never_list)),
            digest,
            origins,
            merged: Arc::new(merged),
            not_applied,
        }
    }

    /// What is written down of it.
    pub(super) fn record(&self) -> RecordedPair {
        RecordedPair {
            name: self.name.clone(),
            merged: Arc::clone(&self.merged),
            not_applied: self.not_applied.clone(),
            digest: self.digest.clone(),
            origins: self.origins.clone(),
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
fn fitting(
    name: &str,
    layers: Vec<(Arc<Layer>, bool)>,
    source: &Side,
    target: &Side,
    problems: &mut Vec<Problem>,
) -> (Vec<Arc<Layer>>, Vec<NotApplied>) {
    let fits = |row: &OptionRow| row.fits.holds(source.is_s3(), target.is_s3());
    let mut not_applied = Vec::new();
    let mut kept = Vec::with_capacity(layers.len());
    for (layer, is_own) in layers {
        if layer.iter().all(|said| fits(said.row)) {
            kept.push(layer);
            continue;
        }
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
        kept.push(Arc::new(layer.filtered(|said| fits(said.row))));
    }
    (kept, not_applied)
}
