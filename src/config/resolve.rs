//! Layers in, a job out, or everything that is wrong with it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::build::build;
use super::environment::{Environment, Said};
use super::file::FileLayers;
use super::layer::{self, Layer};
use super::merged::{Merged, built_in};
use super::option::OptionRow;
use super::problem::{Place, Problem, Problems};
use super::record::{NotApplied, Record};
use super::resolved::{Job, Limits, Log, Origin, Pair, Report, ReportLevel, SandboxSettings};
use super::setting::from_text;
use super::sides::Side;
use super::suggest::nearest;
use super::{checks, options, pairs};

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

/// Decides every value of a job. `problems` are those found while reading.
pub(super) fn resolve(
    everything: &Everything,
    environment: &Environment,
    mut problems: Vec<Problem>,
) -> Result<Job, Problems> {
    let named = everything.named_pairs();
    everything.check_names(&named, &mut problems);
    let job = everything.job_settings();
    let dirs = Dirs {
        report: job
            .path("report.dir")
            .unwrap_or_else(|| environment.state_directory()),
        sandbox: job.path("sandbox.dir"),
    };
    let name = job_name(everything, &job, &mut problems);
    let drafts: Vec<Option<Draft>> = named
        .iter()
        .map(|(name, place)| everything.pair(name, place, &dirs, &mut problems))
        .collect();
    let order = order(&named, &everything.afters(&named), &mut problems);
    let dry_run = dry_run(&drafts, &mut problems);

    let names: Vec<&String> = named.iter().map(|(name, _)| name).collect();
    let mut record = Record::default();
    record.job(&job, &name, &dirs.report);
    for (name, draft) in names.iter().zip(&drafts) {
        if let Some(draft) = draft {
            checks::memory(
                name,
                &draft.merged,
                job.value("limits.memory"),
                &mut problems,
            );
            record.pair(name, &draft.merged, &draft.not_applied);
        }
    }
    record.notes.extend(Problem::notes(&problems));
    Problems::or(problems, || {
        let mut drafts = drafts;
        Job {
            name,
            origin: everything.origin.clone(),
            pairs: order
                .into_iter()
                .filter_map(|at| drafts[at].take())
                .map(|draft| draft.pair)
                .collect(),
            limits: Limits {
                memory: job.value("limits.memory"),
            },
            report: Report {
                dir: dirs.report,
                level: match job.value::<String>("report.level").as_str() {
                    "errors_only" => ReportLevel::ErrorsOnly,
                    "all" => ReportLevel::All,
                    _ => ReportLevel::Acts,
                },
            },
            sandbox: dirs.sandbox.map(|dir| SandboxSettings { dir }),
            log: log(&job),
            dry_run,
            digest: record.digest(),
            resolved: record.resolved(),
            non_file_origins: record.origins.into_iter().collect(),
            secrets: record.secrets,
        }
    })
}

/// The options that say a pair's two sides.
const URLS: [&str; 2] = ["source.url", "target.url"];

/// Directories the run itself writes to, which no pair may list.
struct Dirs {
    report: PathBuf,
    sandbox: Option<PathBuf>,
}

impl Dirs {
    fn all(&self) -> Vec<PathBuf> {
        let report = std::iter::once(self.report.clone());
        report.chain(self.sandbox.clone()).collect()
    }
}

/// A resolved pair with what it was resolved from.
struct Draft {
    pair: Pair,
    merged: Merged,
    not_applied: Vec<NotApplied>,
}

impl Everything {
    /// The pairs in the order they are first named; the highest place that names one is its own.
    fn named_pairs(&self) -> Vec<(String, Place)> {
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

    /// What environment and flags say of pairs must be of pairs that exist, and a URL for every
    /// pair makes sense only where there is one.
    fn check_names(&self, named: &[(String, Place)], problems: &mut Vec<Problem>) {
        // where something else is wrong, the pairs may only be in the wrong place
        let is_bare = named.is_empty() && problems.is_empty();
        if let (Some(file), true) = (self.files.last(), is_bare) {
            let message = format!("`{}` has no pairs", file.name.display());
            let remedy = "write [pairs.NAME] with a source and a target";
            problems.push(Problem::new(message, &Place::Nowhere).remedy(remedy));
        }
        let names = || named.iter().map(|(name, _)| name.as_str());
        for said in [&self.environment, &self.flags] {
            for (pair, layer) in &said.pairs {
                let first = layer.iter().next();
                if let (Some(first), false) = (first, names().any(|name| name == pair)) {
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

    fn job_settings(&self) -> Merged {
        let mut layers = vec![built_in()];
        layers.extend(self.files.iter().map(|file| file.job.clone()));
        layers.push(self.environment.every_pair.clone());
        layers.push(self.flags.every_pair.clone());
        Merged::new(layers)
    }

    /// The layers of a pair, lowest first; those said for it alone come with `true`.
    fn layers(&self, pair: &str) -> Vec<(Layer, bool)> {
        let mut layers = vec![(built_in(), false), (self.sdk.clone(), false)];
        let files = || self.files.iter();
        layers.extend(files().map(|file| (file.defaults_of(pair), false)));
        layers.extend(files().filter_map(|file| Some((file.own_of(pair)?.clone(), true))));
        for said in [&self.environment, &self.flags] {
            let own = said.pairs.get(pair).cloned().unwrap_or_default();
            layers.push((self.said_of_all(said), false));
            layers.push((own, true));
        }
        layers
    }

    /// What is said of every pair; a URL that was refused for several is not taken for each.
    fn said_of_all(&self, said: &Said) -> Layer {
        let is_alone = self.named_pairs().len() <= 1;
        said.every_pair
            .filtered(|said| is_alone || !URLS.contains(&said.row.path))
    }

    fn afters(&self, named: &[(String, Place)]) -> Vec<(Vec<String>, Place)> {
        let after = |pair: &str| {
            let layers = self.layers(pair).into_iter().map(|(layer, _)| layer);
            let merged = Merged::new(layers.collect());
            (merged.value("after"), merged.place("after"))
        };
        named.iter().map(|(name, _)| after(name)).collect()
    }

    /// Resolves one pair. `None` when it has no two sides.
    fn pair(
        &self,
        name: &str,
        place: &Place,
        dirs: &Dirs,
        problems: &mut Vec<Problem>,
    ) -> Option<Draft> {
        let layers = self.layers(name);
        let all = Merged::new(layers.iter().map(|(layer, _)| layer.clone()).collect());
        let side = |path, problems: &mut Vec<Problem>| {
            let side = Side::of(&all, path);
            if side.is_none() && !all.is_broken(path) {
                let which = path.split('.').next().unwrap_or(path);
                let remedy = match (place, name) {
                    (Place::Environment(_), "default") => {
                        format!("set S3SYNC_{}", which.to_uppercase())
                    }
                    (Place::Environment(_), name) => {
                        let variable = format!("PAIRS__{name}__{which}").to_uppercase();
                        format!("set S3SYNC_{variable}")
                    }
                    _ => format!("write {which} = \"s3://bucket/prefix/\" or a local path"),
                };
                let message = format!("pair `{name}` has no {which}");
                problems.push(Problem::new(message, place).remedy(remedy));
            }
            side
        };
        let source = side("source.url", problems);
        let target = side("target.url", problems);
        let (source, target) = source.zip(target)?;

        let fits = |row: &OptionRow| row.fits.holds(source.is_s3(), target.is_s3());
        let mut not_applied = Vec::new();
        let mut kept = Vec::new();
        for (layer, is_own) in layers {
            for said in layer.iter().filter(|said| !fits(said.row)) {
                if is_own && !is_default(said) {
                    let message = format!("`{}` means nothing for `{name}`", said.row.path);
                    let remedy = format!("it wants {}", said.row.fits.wants());
                    problems.push(Problem::new(message, &said.place).remedy(remedy));
                } else if !matches!(said.place, Place::BuiltIn) {
                    not_applied.push(NotApplied {
                        path: said.row.path,
                        origin: said.place.origin(),
                        wants: said.row.fits.wants(),
                    });
                }
            }
            let is_kept =
                |said: &layer::Said| fits(said.row) || matches!(said.place, Place::BuiltIn);
            kept.push(layer.filtered(is_kept));
        }
        let merged = Merged::new(kept);
        checks::sides(name, &source, &target, &merged, problems);
        checks::server_side_copy(name, &source, &target, &merged, problems);
        checks::credentials("source", &merged, problems);
        checks::credentials("target", &merged, problems);
        Some(Draft {
            pair: build(name, source, target, &merged, &dirs.all()),
            merged,
            not_applied,
        })
    }
}

fn is_default(said: &layer::Said) -> bool {
    let default = said.row.default;
    default
        .and_then(|text| from_text(said.row, text, Path::new("/")).ok())
        .is_some_and(|default| default == said.setting)
}

fn job_name(everything: &Everything, job: &Merged, problems: &mut Vec<Problem>) -> String {
    if let Some(name) = job.optional("job.name") {
        return name;
    }
    let row = options::find("job.name").expect("a row of the table");
    let name = &everything.name;
    if !job.is_broken("job.name") && from_text(row, name, Path::new("/")).is_err() {
        problems.push(
            Problem::new(
                format!(
                    "the file's name makes `{name}` the job's name, which cannot be a folder's"
                ),
                &Place::Nowhere,
            )
            .remedy("say job.name"),
        );
    }
    name.clone()
}

fn order(
    named: &[(String, Place)],
    afters: &[(Vec<String>, Place)],
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let names = || named.iter().map(|(name, _)| name.as_str());
    let mut graph = Vec::new();
    for (after, place) in afters {
        let mut before = Vec::new();
        for wanted in after {
            if let Some(at) = names().position(|name| name == wanted) {
                before.push(at);
                continue;
            }
            let message = format!("`after` names no pair of this job: `{wanted}`");
            let problem = Problem::new(message, place);
            problems.push(match nearest(wanted, names()) {
                Some(near) => problem.remedy(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
        graph.push(before);
    }
    pairs::order(&graph).unwrap_or_else(|circle| {
        let mut way: Vec<&str> = circle.iter().map(|at| named[*at].0.as_str()).collect();
        way.push(way[0]);
        problems.push(
            Problem::new(
                format!("pairs wait for each other: {}", way.join(" after ")),
                &afters[circle[0]].1,
            )
            .remedy("take one of them out of `after`"),
        );
        Vec::new()
    })
}

/// A run is dry or it is not: a job with some pairs dry is not built.
fn dry_run(drafts: &[Option<Draft>], problems: &mut Vec<Problem>) -> bool {
    let drafts = || drafts.iter().flatten().map(|draft| &draft.merged);
    let (dry, wet): (Vec<_>, Vec<_>) = drafts().partition(|merged| merged.value("dry_run"));
    if let (Some(dry), false) = (dry.first(), wet.is_empty()) {
        let message = "not supported yet: a dry run of some pairs only";
        let remedy = "say `dry_run` in [defaults], or --dry-run";
        problems.push(Problem::new(message, &dry.place("dry_run")).remedy(remedy));
    }
    !dry.is_empty()
}

fn log(job: &Merged) -> Log {
    Log {
        level: match job.value::<String>("log.level").as_str() {
            "off" => -2,
            "error" => -1,
            "info" => 1,
            "debug" => 2,
            "trace" => 3,
            _ => 0,
        },
        json: job.value::<String>("log.format") == "json",
        color: job.value("log.color"),
        stderr: job.value("log.stderr"),
        progress: job.value("log.progress"),
    }
}
