//! Layers in, a job out, or everything that is wrong with it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::environment::{Environment, Said};
use super::file::FileLayers;
use super::layer::Layer;
use super::merged::{Merged, built_in};
use super::option::{Kind, OptionRow, Scope};
use super::problem::{Place, Problem, Problems};
use super::resolved::{
    Check, Job, Limits, Log, OnUnverifiable, Origin, Pair, Performance, Report, ReportLevel,
    SandboxSettings, SourceSpec, TargetSpec, Verify,
};
use super::setting::from_text;
use super::sides::{LARGEST_PAGE, Side, s3_settings};
use super::suggest::nearest;
use super::{checks, options, pairs};
use crate::store::local::{LocalSourceSettings, LocalTargetSettings};

/// Everything that was said, and what to call it.
#[derive(Debug)]
pub(super) struct Everything {
    /// Where the job comes from.
    pub(super) origin: Origin,
    /// Its name when nobody says one.
    pub(super) name: String,
    /// What the AWS SDK's variables say.
    pub(super) sdk: Layer,
    /// What the file says, if there is one.
    pub(super) file: Option<FileLayers>,
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
    record.job(&job, &name, &dirs);
    for (name, draft) in names.iter().zip(&drafts) {
        if let Some(draft) = draft {
            record.pair(name, draft);
        }
    }
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
            digest: digest(&record.plain),
            non_file_origins: record.origins.into_iter().collect(),
            secrets: record.secrets,
            resolved: json!({
                "job": record.job,
                "pairs": record.pairs,
                "notes": record.notes,
            }),
        }
    })
}

/// Directories of the job that no pair may list.
struct Dirs {
    report: PathBuf,
    sandbox: Option<PathBuf>,
}

/// A resolved pair with what it was resolved from.
struct Draft {
    pair: Pair,
    merged: Merged,
    /// Options of every pair that mean nothing for this one: path, origin, what they want.
    not_applied: Vec<(&'static str, String, &'static str)>,
}

impl Everything {
    /// The pairs in the order they are named.
    fn named_pairs(&self) -> Vec<(String, Place)> {
        match &self.file {
            Some(file) => {
                let named = file.pairs.iter();
                named
                    .map(|pair| (pair.name.clone(), pair.place.clone()))
                    .collect()
            }
            None => self.pairs.clone(),
        }
    }

    /// What environment and flags say of pairs must be of pairs that exist, and a URL for every
    /// pair makes sense only where there is one.
    fn check_names(&self, named: &[(String, Place)], problems: &mut Vec<Problem>) {
        if let (Some(file), true) = (&self.file, named.is_empty()) {
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
            for url in ["source.url", "target.url"] {
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
        layers.extend(self.file.as_ref().map(|file| file.job.clone()));
        layers.push(self.environment.every_pair.clone());
        layers.push(self.flags.every_pair.clone());
        Merged::new(layers)
    }

    /// The layers of a pair, lowest first; those said for it alone come with `true`.
    fn layers(&self, pair: &str) -> Vec<(Layer, bool)> {
        let mut layers = vec![(built_in(), false), (self.sdk.clone(), false)];
        if let Some(file) = &self.file {
            let own = file.pairs.iter().find(|own| own.name == pair);
            layers.push((file.defaults.clone(), false));
            layers.extend(own.map(|own| (own.layer.clone(), true)));
        }
        for said in [&self.environment, &self.flags] {
            let own = said.pairs.get(pair).cloned().unwrap_or_default();
            layers.push((said.every_pair.clone(), false));
            layers.push((own, true));
        }
        layers
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
                problems.push(
                    Problem::new(format!("pair `{name}` has no {which}"), place).remedy(format!(
                        "write {which} = \"s3://bucket/prefix/\" or a local path"
                    )),
                );
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
                    not_applied.push((said.row.path, said.place.origin(), said.row.fits.wants()));
                }
            }
            let is_kept =
                |said: &super::layer::Said| fits(said.row) || matches!(said.place, Place::BuiltIn);
            kept.push(layer.filtered(is_kept));
        }
        let merged = Merged::new(kept);
        checks::sides(name, &source, &target, &merged, problems);
        checks::credentials("source", &merged, problems);
        checks::credentials("target", &merged, problems);
        Some(Draft {
            pair: build(name, source, target, &merged, dirs),
            merged,
            not_applied,
        })
    }
}

fn is_default(said: &super::layer::Said) -> bool {
    let default = said.row.default;
    default
        .and_then(|text| from_text(said.row, text, std::path::Path::new("/")).ok())
        .is_some_and(|default| default == said.setting)
}

fn build(name: &str, source: Side, target: Side, merged: &Merged, dirs: &Dirs) -> Pair {
    let mut never_list = vec![dirs.report.clone()];
    never_list.extend(dirs.sandbox.clone());
    Pair {
        name: name.to_owned(),
        after: merged.value("after"),
        source: match source {
            Side::Local(root) => SourceSpec::Local(LocalSourceSettings {
                root,
                ignore_symlinks: merged.value("local.ignore_symlinks"),
                never_list: never_list.clone(),
            }),
            Side::S3(location) => SourceSpec::S3(Box::new(s3_settings(location, "source", merged))),
        },
        target: match target {
            Side::Local(root) => TargetSpec::Local(LocalTargetSettings { root, never_list }),
            Side::S3(location) => TargetSpec::S3(Box::new(s3_settings(location, "target", merged))),
        },
        server_side_copy: merged.value("server_side_copy"),
        check: Check::Mtime,
        checksum: merged
            .optional::<String>("checksum.algorithm")
            .and_then(|name| name.parse().ok()),
        checksum_download: merged.value("checksum.download"),
        verify: Verify {
            etag: merged.value("verify.etag"),
            multipart: merged.value("verify.multipart"),
            checksum: merged.value("verify.checksum"),
            unverifiable: match merged.value::<String>("verify.unverifiable").as_str() {
                "accept" => OnUnverifiable::Accept,
                "fail" => OnUnverifiable::Fail,
                _ => OnUnverifiable::Warn,
            },
        },
        performance: Performance {
            worker_size: merged.value("performance.worker_size"),
            max_parallel_uploads: merged.value("performance.max_parallel_uploads"),
            object_listing_queue_size: merged.value("performance.object_listing_queue_size"),
        },
        multipart_threshold: merged.value("multipart.threshold"),
        multipart_chunksize: merged.value("multipart.chunksize"),
        force_retry: (
            merged.value("retry.force_retry_count"),
            merged.duration("retry.force_retry_interval"),
        ),
        guess_mime_type: merged.value("metadata.guess_mime_type"),
        digest: digest(&plain(merged, PAIR)),
    }
}

const PAIR: &[Scope] = &[Scope::Pair, Scope::PairOnly];

fn job_name(everything: &Everything, job: &Merged, problems: &mut Vec<Problem>) -> String {
    if let Some(name) = job.optional("job.name") {
        return name;
    }
    let row = options::find("job.name").expect("a row of the table");
    debug_assert_eq!(row.kind, Kind::Name);
    let name = &everything.name;
    if !job.is_broken("job.name") && from_text(row, name, std::path::Path::new("/")).is_err() {
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
            match names().position(|name| name == wanted) {
                Some(at) => before.push(at),
                None => {
                    let problem = Problem::new(
                        format!("`after` names no pair of this job: `{wanted}`"),
                        place,
                    );
                    problems.push(match nearest(wanted, names()) {
                        Some(near) => problem.remedy(format!("did you mean `{near}`?")),
                        None => problem,
                    });
                }
            }
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
    let mut dry = drafts
        .iter()
        .flatten()
        .map(|draft| (draft.merged.value::<bool>("dry_run"), draft));
    let Some((first, _)) = dry.next() else {
        return false;
    };
    let mut all = drafts.iter().flatten();
    if dry.any(|(is_dry, _)| is_dry != first) {
        if let Some(draft) = all.find(|draft| draft.merged.value::<bool>("dry_run")) {
            problems.push(
                Problem::new(
                    "not supported yet: a dry run of some pairs only",
                    &draft.merged.place("dry_run"),
                )
                .remedy("say `dry_run` in [defaults], or --dry-run"),
            );
        }
    }
    first
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

/// What is written down of a job: `resolved.json` and the digest.
#[derive(Default)]
struct Record {
    job: Map<String, Value>,
    pairs: Map<String, Value>,
    notes: Vec<String>,
    /// Non-secret values alone.
    plain: Map<String, Value>,
    origins: BTreeSet<String>,
    secrets: Vec<(String, String)>,
}

impl Record {
    fn job(&mut self, job: &Merged, name: &str, dirs: &Dirs) {
        let mut shown = self.settings(job, &[Scope::Job], "");
        for (path, value) in [
            ("job.name", name.to_owned()),
            ("report.dir", dirs.report.to_string_lossy().into_owned()),
        ] {
            shown
                .entry(path)
                .or_insert_with(|| json!({ "value": value, "origin": "built-in" }));
        }
        self.job = shown;
        self.plain
            .insert("job".to_owned(), plain(job, &[Scope::Job]).into());
    }

    fn pair(&mut self, name: &str, draft: &Draft) {
        let settings = self.settings(&draft.merged, PAIR, &format!("pairs.{name}."));
        let not_applied: Vec<Value> = draft
            .not_applied
            .iter()
            .map(|(path, origin, wants)| json!({ "path": path, "origin": origin, "wants": wants }))
            .collect();
        let shown = json!({ "settings": settings, "not_applied": not_applied });
        self.pairs.insert(name.to_owned(), shown);
        self.plain
            .insert(name.to_owned(), plain(&draft.merged, PAIR).into());
        let page: u64 = draft.merged.value("performance.max_keys");
        if page > LARGEST_PAGE {
            self.notes.push(format!(
                "pair {name}: performance.max_keys = {page} counts as {LARGEST_PAGE}, the largest page S3 gives"
            ));
        }
    }

    fn settings(&mut self, merged: &Merged, scopes: &[Scope], prefix: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        for (row, said) in merged.all(scopes) {
            let origin = merged.origin(row.path).unwrap_or_default();
            if matches!(said.place, Place::Environment(_) | Place::Flag(_)) {
                self.origins.insert(origin.clone());
            }
            if row.is_secret() {
                self.secrets
                    .push((format!("{prefix}{}", row.path), origin.clone()));
            }
            let entry = json!({ "value": said.setting.to_json(), "origin": origin });
            shown.insert(row.path.to_owned(), entry);
        }
        shown
    }
}

/// Values without origins and without secrets.
fn plain(merged: &Merged, scopes: &[Scope]) -> Map<String, Value> {
    merged
        .all(scopes)
        .filter(|(row, _)| !row.is_secret())
        .map(|(row, said)| (row.path.to_owned(), said.setting.to_json()))
        .collect()
}

fn digest(settings: &Map<String, Value>) -> String {
    let text = Value::Object(settings.clone()).to_string();
    hex::encode(Sha256::digest(text.as_bytes()))
}
