//! Asking the targets whether what a run proved still holds.

mod ask;
mod rehash;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio::sync::mpsc::{Receiver, channel};

use self::ask::Asked;
use super::rehearsal::Rehearsal;
use crate::config::{self, Pair, TargetSpec, Versions};
use crate::report::{Claim, EvidenceReader, ReadLine, Repeats, schema};
use crate::store::local::LocalTarget;
use crate::store::s3::S3Store;
use crate::store::{StoreError, Target, Unmetered};

/// So many lines are read ahead of the answers.
const READ_AHEAD: usize = 256;

/// A run whose evidence was found to be what the run wrote.
#[derive(Debug)]
pub struct ProvedRun {
    /// Its report.
    pub record: schema::Report,
    /// Where it is.
    pub directory: PathBuf,
    /// By pair, for evidence that is in order: which lines others take the place of. A pair that
    /// is not here is not asked about.
    pub evidence: BTreeMap<String, Repeats>,
}

/// Whether what a line of evidence says still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The target has the same object, or still has none where it was deleted.
    Holds,
    /// The target has the same object, which the run itself could not prove, and why.
    Unproved(String),
    /// The target has something else, and what differs.
    Changed(String),
    /// The target has it no more.
    Missing,
    /// It cannot be told, and why.
    Unknown(String),
}

/// What is told while the targets answer.
#[derive(Debug)]
pub enum Told<'a> {
    /// Of one object, in the order of the evidence.
    Object {
        /// The pair.
        pair: &'a str,
        /// The key relative to both roots.
        key: &'a str,
        /// Whether it holds.
        standing: &'a Standing,
    },
    /// The settings are not quite those of the run.
    Warning(String),
    /// A pair's target cannot be asked, or no further.
    Unasked {
        /// The pair.
        pair: &'a str,
        /// Why.
        why: String,
    },
}

/// How often which answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standings {
    /// The same as then.
    pub holds: u64,
    /// The same as then, and never proved.
    pub unproved: u64,
    /// Something else.
    pub changed: u64,
    /// Gone.
    pub missing: u64,
    /// Not to be told.
    pub unknown: u64,
    /// Pairs whose target could not be asked about everything.
    pub unasked_pairs: u64,
}

/// Asks the targets of a run's pairs, at the places and with the settings the job has now.
/// An error is a sandbox that does not start.
pub async fn reverify(
    mut job: config::Job,
    run: &ProvedRun,
    mut tell: impl FnMut(Told<'_>),
) -> Result<Standings, String> {
    if let Some(sandbox) = job.sandbox.as_ref().filter(|sandbox| !sandbox.dir.is_dir()) {
        return Err(format!(
            "the run was rehearsed in the sandbox `{}`, which is not there; --sandbox says where it is now",
            sandbox.dir.display()
        ));
    }
    if job.digest != run.record.config.digest {
        tell(Told::Warning(format!(
            "the settings are no longer those of the run: sha256 {} then, {} now",
            run.record.config.digest, job.digest
        )));
    }
    let said: Vec<String> = job.pairs.iter().map(target_url).collect();
    let rehearsal = Rehearsal::start(job.sandbox.as_ref(), &mut job.pairs).await?;
    let mut standings = Standings::default();
    for past in &run.record.pairs {
        let Some(repeats) = run.evidence.get(&past.name) else {
            continue;
        };
        let mut pairs = job.pairs.iter().zip(&said);
        let ended = match pairs.find(|(pair, _)| pair.name == past.name) {
            None => Err("the job no longer has a pair of this name".to_owned()),
            Some((pair, said)) => {
                let asking = Asking {
                    pair,
                    past,
                    directory: &run.directory,
                    repeats,
                    is_rehearsed: job.sandbox.is_some(),
                };
                asking.run(said, &mut standings, &mut tell).await
            }
        };
        if let Err(why) = ended {
            standings.unasked_pairs += 1;
            let pair = &past.name;
            tell(Told::Unasked { pair, why });
        }
    }
    rehearsal.end().await;
    Ok(standings)
}

impl Standings {
    /// How many objects were asked about.
    pub fn total(&self) -> u64 {
        self.holds + self.unproved + self.changed + self.missing + self.unknown
    }

    fn count(&mut self, standing: &Standing) {
        let counter = match standing {
            Standing::Holds => &mut self.holds,
            Standing::Unproved(_) => &mut self.unproved,
            Standing::Changed(_) => &mut self.changed,
            Standing::Missing => &mut self.missing,
            Standing::Unknown(_) => &mut self.unknown,
        };
        *counter += 1;
    }
}

impl Standing {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Unproved(_) => "unproved",
            Self::Changed(_) => "changed",
            Self::Missing => "missing",
            Self::Unknown(_) => "unknown",
        }
    }

    /// What differs, why nothing was proved, or why it cannot be told.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Holds | Self::Missing => None,
            Self::Unproved(why) | Self::Changed(why) | Self::Unknown(why) => Some(why),
        }
    }
}

/// One pair, then and now.
#[derive(Debug)]
struct Asking<'a> {
    pair: &'a Pair,
    past: &'a schema::Pair,
    directory: &'a Path,
    repeats: &'a Repeats,
    is_rehearsed: bool,
}

impl Asking<'_> {
    /// Asks about every line that counts. The error is in words.
    async fn run(
        &self,
        said: &str,
        standings: &mut Standings,
        tell: &mut impl FnMut(Told<'_>),
    ) -> Result<(), String> {
        let target = open(self.pair).await.map_err(|error| error.to_string())?;
        let now = target.describe();
        let then = &self.past.target;
        if then.url != now.url && then.url != *said {
            return Err(format!(
                "the run wrote to {}, and the job's target is now {}",
                then.url, now.url
            ));
        }
        if !self.is_rehearsed && then.endpoint != now.endpoint {
            let named = |endpoint: &Option<String>| endpoint.clone().unwrap_or("AWS".to_owned());
            tell(Told::Warning(format!(
                "pair {}: the run's endpoint was {}, and {} is asked",
                self.past.name,
                named(&then.endpoint),
                named(&now.endpoint)
            )));
        }
        let Some(evidence) = &self.past.evidence else {
            return Ok(());
        };
        let lines = read(self.directory.join(&evidence.path));
        let lines = stream::unfold(lines, |mut lines| async {
            lines.recv().await.map(|line| (line, lines))
        });
        let answers = lines
            .filter(|line| {
                let counts = match line {
                    Ok((number, claim)) => self.counts(*number, claim),
                    Err(_) => true,
                };
                std::future::ready(counts)
            })
            .map(|line| {
                let target = Arc::clone(&target);
                async move {
                    let (_, claim) = line?;
                    let standing = ask::about(&*target, &claim, self.asked(&claim)).await;
                    let standing = standing.map_err(|error| error.to_string())?;
                    Ok::<_, String>((claim, standing))
                }
            })
            .buffered(usize::from(self.pair.performance.worker_size).max(1));
        let mut answers = std::pin::pin!(answers);
        while let Some(answer) = answers.next().await {
            let (claim, standing) = answer?;
            standings.count(&standing);
            tell(Told::Object {
                pair: &self.past.name,
                key: &claim.key,
                standing: &standing,
            });
        }
        Ok(())
    }

    /// Whether a line says something of the target that can be asked about, and no later one does.
    fn counts(&self, number: u64, claim: &Claim) -> bool {
        (claim.is_arrival() || claim.is_removal())
            && claim.key_encoding.is_none()
            && (self.asked(claim) == Asked::Version || !self.repeats.supersedes(&claim.key, number))
    }

    fn asked(&self, claim: &Claim) -> Asked {
        let adds_versions = self.pair.versions == Versions::All;
        if adds_versions && claim.is_arrival() {
            Asked::Version
        } else {
            Asked::Latest
        }
    }
}

type Line = Result<(u64, Box<Claim>), String>;

/// The lines about objects, read on a thread of their own and no faster than they are asked about.
fn read(path: PathBuf) -> Receiver<Line> {
    let (sender, receiver) = channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        let failed = |error| format!("cannot read {}: {error}", path.display());
        let mut reader = match EvidenceReader::open(&path) {
            Ok(reader) => reader,
            Err(error) => {
                let _ = sender.blocking_send(Err(failed(error)));
                return;
            }
        };
        loop {
            let line = match reader.next_line() {
                Ok(Some((number, ReadLine::Claim(claim)))) => Ok((number, claim)),
                Ok(Some((_, ReadLine::Trailer(_)))) => continue,
                Ok(Some((number, ReadLine::Broken(why)))) => Err(format!("line {number}: {why}")),
                Ok(None) => return,
                Err(error) => Err(failed(error)),
            };
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

async fn open(pair: &Pair) -> Result<Arc<dyn Target>, StoreError> {
    Ok(match &pair.target {
        TargetSpec::Local(local) => Arc::new(LocalTarget::new(local.clone())),
        TargetSpec::S3(s3) => {
            let settings = s3.as_ref().clone();
            Arc::new(S3Store::open(settings, Arc::new(Unmetered)).await?)
        }
    })
}

fn target_url(pair: &Pair) -> String {
    match &pair.target {
        TargetSpec::Local(local) => local.root.display().to_string(),
        TargetSpec::S3(s3) => s3.location.url(),
    }
}
