//! Asking every side of every pair whether a run would get anywhere.

use futures::stream::{self, StreamExt as _};

use super::rehearsal::Rehearsal;
use crate::config::{self, Pair, SourceSpec, TargetSpec, Versions};
use crate::event::Side;
use crate::store::s3::Wanted;
use crate::store::{Finding, local, s3};

/// So many sides are asked at once.
const AT_ONCE: usize = 16;

/// One side of a pair, and what it answered.
#[derive(Debug)]
pub struct Probed {
    /// The pair.
    pub pair: String,
    /// Which side.
    pub side: Side,
    /// Where it is.
    pub url: String,
    /// Each question and its answer, in the order they were asked.
    pub findings: Vec<Finding>,
}

/// Asks all sides of a job's pairs, with reads only, and in the sandbox where the job has one.
/// The order is that of the pairs. An error is a sandbox that does not start.
pub async fn probe(mut job: config::Job) -> Result<Vec<Probed>, String> {
    let rehearsal = Rehearsal::start(job.sandbox.as_ref(), &mut job.pairs).await?;
    let sides = job.pairs.iter().flat_map(|pair| {
        let side = |side| Box::pin(probe_side(pair.clone(), side));
        [side(Side::Source), side(Side::Target)]
    });
    // collected first: a stream of borrowing futures is more than the compiler can see through
    let sides: Vec<_> = sides.collect();
    let probed = stream::iter(sides).buffered(AT_ONCE).collect().await;
    rehearsal.end().await;
    Ok(probed)
}

async fn probe_side(pair: Pair, side: Side) -> Probed {
    let (url, findings) = match side {
        Side::Source => match &pair.source {
            SourceSpec::Local(local) => (
                local.root.display().to_string(),
                vec![local::probe_source(local).await],
            ),
            SourceSpec::S3(s3) => (
                s3.location.url(),
                s3::probe(s3, Wanted::Source, needs_versions(&pair, side)).await,
            ),
        },
        Side::Target => match &pair.target {
            TargetSpec::Local(local) => (
                local.root.display().to_string(),
                vec![local::probe_target(local).await],
            ),
            TargetSpec::S3(s3) => (
                s3.location.url(),
                s3::probe(s3, Wanted::Target, needs_versions(&pair, side)).await,
            ),
        },
    };
    Probed {
        pair: pair.name,
        side,
        url,
        findings,
    }
}

/// The option for which a bucket must keep versions.
fn needs_versions(pair: &Pair, side: Side) -> Option<&'static str> {
    match (pair.versions, side) {
        (Versions::AsOf(_), Side::Source) => Some("versioning.point_in_time"),
        (Versions::All, _) => Some("versioning.enabled"),
        (Versions::AsOf(_) | Versions::Latest, _) => None,
    }
}
