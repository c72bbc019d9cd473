//! Everything that was said of a job, in layers, lowest first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::file::FileLayers;
use super::layer::{self, Layer};
use super::merged::Merged;
use super::option::Scope;
use super::problem::{Place, Problem};
use super::resolved::Origin;
use super::said::Said;
use super::suggest::nearest;

/// Everything that was said, and what to call it.
#[derive(Debug)]
pub(super) struct Everything {
    /// Where the job comes from.
    pub(super) origin: Origin,
    /// Its name when nobody says one.
    pub(super) name: String,
    /// What the AWS SDK's variables say.
    pub(super) sdk: Layer,
    /// What the files say, lowest first: included files, then the job file.
    pub(super) files: Vec<FileLayers>,
    /// What the environment says.
    pub(super) environment: Said,
    /// What the flags say.
    pub(super) flags: Said,
    /// The pairs and where they are named, when no file names them.
    pub(super) pairs: Vec<(String, Place)>,
}

/// The layers that all pairs have.
#[derive(Debug)]
pub(super) struct Shared {
    sdk: Arc<Layer>,
    /// The `[defaults]` of each file.
    defaults: Vec<Arc<Layer>>,
    environment: Arc<Layer>,
    flags: Arc<Layer>,
}

/// The options that say a pair's two sides.
const URLS: [&str; 2] = ["source.url", "target.url"];

impl Everything {
    /// The pairs in the order they are first named; the highest place that names one is its own.
    pub(super) fn named_pairs(&self) -> Vec<(String, Place)> {
        if self.files.is_empty() {
            return self.pairs.clone();
        }
        let mut named: Vec<(String, Place)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for pair in self.files.iter().flat_map(|file| &file.pairs) {
            if let Some(at) = known.get(&*pair.name) {
                named[*at].1 = pair.place.clone();
            } else {
                known.insert(&pair.name, named.len());
                named.push((pair.name.clone(), pair.place.clone()));
            }
        }
        named
    }

    /// Forgets what environment and flags say of pairs that only other jobs of the command have.
    pub(super) fn forget(&mut self, elsewhere: &BTreeSet<String>) {
        let own: HashSet<String> = self
            .named_pairs()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for said in [&mut self.environment, &mut self.flags] {
            said.pairs
                .retain(|pair, _| own.contains(pair) || !elsewhere.contains(pair));
        }
    }

    /// What environment and flags say of pairs must be of pairs that exist, and a URL for every
    /// pair makes sense only where there is one.
    pub(super) fn check_names(&self, named: &[(String, Place)], problems: &mut Vec<Problem>) {
        // where something else is wrong, the pairs may only be in the wrong place
        let is_bare = named.is_empty() && problems.is_empty();
        if let (Some(file), true) = (self.files.last(), is_bare) {
            let message = format!("`{}` has no pairs", file.name.display());
            let remedy = "write [pairs.NAME] with a source and a target";
            let place = Place::WholeFile(file.name.clone());
            problems.push(Problem::new(message, &place).remedy(remedy));
        }
        let names = || named.iter().map(|(name, _)| name.as_str());
        let known: HashSet<&str> = names().collect();
        for said in [&self.environment, &self.flags] {
            for (pair, layer) in &said.pairs {
                if known.contains(pair.as_str()) || Problem::are_plenty(problems) {
                    continue;
                }
                if let Some(first) = layer.iter().next() {
                    let problem = Problem::new(format!("no pair is called `{pair}`"), &first.place);
                    problems.push(match nearest(pair, names()) {
                        Some(near) => problem.remedy(format!("did you mean `{near}`?")),
                        None => problem.remedy(format!(
                            "this job has {}",
                            names().collect::<Vec<_>>().join(", ")
                        )),
                    });
                }
            }
            for url in URLS {
                if let (Some(said), true) = (said.every_pair.get(url), named.len() > 1) {
                    problems.push(
                        Problem::new(
                            format!("`{url}` is said for {} pairs at once", named.len()),
                            &said.place,
                        )
                        .remedy(format!(
                            "say which pair is meant: pairs.{}.{url}",
                            named[0].0
                        )),
                    );
                }
            }
        }
    }

    /// The hooks of all files.
    pub(super) fn hooks(&self) -> Vec<Layer> {
        let hooks = self.files.iter().flat_map(|file| &file.hooks);
        hooks.map(|(_, layer)| layer.clone()).collect()
    }

    /// What counts for the whole job.
    pub(super) fn job_settings(&self) -> Merged {
        let is_job = |said: &layer::Said| said.row.scope == Scope::Job;
        let mut layers: Vec<Arc<Layer>> = Vec::new();
        layers.extend(self.files.iter().map(|file| Arc::new(file.job.clone())));
        for said in [&self.environment, &self.flags] {
            layers.push(Arc::new(said.every_pair.filtered(is_job)));
        }
        Merged::new(layers)
    }

    /// The layers that all pairs have, made once.
    pub(super) fn shared(&self) -> Shared {
        let is_alone = self.named_pairs().len() <= 1;
        // a URL that was refused for several pairs is not taken for each
        let of_pairs = |said: &layer::Said| {
            said.row.scope != Scope::Job && (is_alone || !URLS.contains(&said.row.path))
        };
        let of_all = |said: &Said| Arc::new(said.every_pair.filtered(of_pairs));
        Shared {
            sdk: Arc::new(self.sdk.clone()),
            defaults: self
                .files
                .iter()
                .map(|file| Arc::new(file.defaults().clone()))
                .collect(),
            environment: of_all(&self.environment),
            flags: of_all(&self.flags),
        }
    }

    /// The layers of a pair, lowest first; those said for it alone come with `true`.
    pub(super) fn layers(&self, pair: &str, shared: &Shared) -> Vec<(Arc<Layer>, bool)> {
        let files = || self.files.iter();
        let mut layers = vec![(Arc::clone(&shared.sdk), false)];
        layers.extend(files().zip(&shared.defaults).map(|(file, of_all)| {
            let own = file.defaults_of(pair).map(Arc::new);
            (own.unwrap_or_else(|| Arc::clone(of_all)), false)
        }));
        layers
            .extend(files().filter_map(|file| Some((Arc::new(file.own_of(pair)?.clone()), true))));
        for (said, of_all) in [
            (&self.environment, &shared.environment),
            (&self.flags, &shared.flags),
        ] {
            layers.push((Arc::clone(of_all), false));
            layers.extend(
                said.pairs
                    .get(pair)
                    .map(|own| (Arc::new(own.clone()), true)),
            );
        }
        layers
    }
}
