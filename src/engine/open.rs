//! Opening both ends of a pair.

use std::sync::Arc;

use crate::config::{Pair, SourceSpec, TargetSpec, Versions};
use crate::context::{Context, Ends};
use crate::filter::Filters;
use crate::object::Timestamp;
use crate::plan::Direction;
use crate::store::local::{LocalSource, LocalSourceSettings, LocalTarget};
use crate::store::s3::{KeyOrder, S3Settings, S3Store};
use crate::store::{ErrorKind, LeavesOut, Pace, Source, StoreError, Target, Throttle, Versioning};

/// Opens what the pair names, and asks for the versions it takes before anything is done.
pub(super) async fn open(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    let Ends {
        source,
        target,
        direction,
    } = between(pair, context).await?;
    match pair.versions {
        Versions::Latest => {}
        Versions::AsOf(_) => must_keep_versions(&*source, "versioning.point_in_time").await?,
        Versions::All => {
            must_keep_versions(&*source, "versioning.enabled").await?;
            must_keep_versions(&*target, "versioning.enabled").await?;
        }
    }
    let objects = Pace::of(pair.performance.rate.objects).and(&context.bounds.objects);
    Ok(Ends {
        target: Throttle::around(target, objects, context.stop.clone()),
        source,
        direction,
    })
}

async fn between(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    let as_of = match pair.versions {
        Versions::AsOf(time) => Some(time),
        Versions::Latest | Versions::All => None,
    };
    // each byte counts once: where both ends are buckets, when it is read
    let bandwidth = Pace::of(pair.performance.rate.bandwidth).and(&context.bounds.bandwidth);
    Ok(match (&pair.source, &pair.target) {
        (SourceSpec::Local(source), TargetSpec::S3(target)) => Ends {
            source: Arc::new(local_source(source, pair, context)),
            target: target_bucket(target, bandwidth, context).await?,
            direction: Direction::LocalToS3,
        },
        (SourceSpec::S3(source), TargetSpec::Local(target)) => Ends {
            source: source_bucket(
                source,
                (KeyOrder::AsInADirectory, as_of),
                bandwidth,
                context,
            )
            .await?,
            target: Arc::new(
                LocalTarget::witnessed(target.clone(), context.journal.clone())
                    .halting_with(context.halt.clone()),
            ),
            direction: Direction::S3ToLocal,
        },
        (SourceSpec::S3(source), TargetSpec::S3(target)) => Ends {
            source: source_bucket(source, (KeyOrder::Bytes, as_of), bandwidth, context).await?,
            target: target_bucket(target, Pace::default(), context).await?,
            direction: Direction::S3ToS3,
        },
        (SourceSpec::Local(_), TargetSpec::Local(_)) => {
            return Err(StoreError::unsupported(
                "open",
                "one side of a pair must be in S3",
            ));
        }
    })
}

fn local_source(settings: &LocalSourceSettings, pair: &Pair, context: &Context) -> LocalSource {
    let filters = Filters::new(&pair.filters, &context.hooks);
    let left_out = (!filters.is_empty()).then(|| Arc::new(filters) as Arc<dyn LeavesOut>);
    let source = LocalSource::leaving_out(settings.clone(), left_out);
    source.halting_with(context.halt.clone())
}

/// A bucket that keeps no versions has no past, and nowhere to put one.
async fn must_keep_versions(bucket: &dyn Source, wanted_by: &str) -> Result<(), StoreError> {
    let url = bucket.describe().url;
    let told = bucket.versioning().await.map_err(|error| {
        let remedy = match error.kind {
            ErrorKind::AccessDenied => "; allow s3:GetBucketVersioning",
            _ => "",
        };
        StoreError {
            message: format!(
                "{wanted_by} needs a bucket that keeps versions, and whether this one does cannot be told: {}{remedy}",
                error.message
            ),
            kind: match error.kind {
                ErrorKind::Cancelled => ErrorKind::Cancelled,
                _ => ErrorKind::Fatal,
            },
            ..error
        }
    })?;
    let state = match told {
        Versioning::Enabled => return Ok(()),
        Versioning::Off => "keeps no versions",
        Versioning::Suspended => "keeps no new versions (suspended)",
    };
    let message = format!(
        "{wanted_by} needs a bucket that keeps versions, and this one {state}; enable versioning on it"
    );
    Err(StoreError::new(
        "GetBucketVersioning",
        url,
        ErrorKind::Fatal,
        message,
    ))
}

async fn source_bucket(
    settings: &S3Settings,
    (order, as_of): (KeyOrder, Option<Timestamp>),
    bandwidth: Pace,
    context: &Context,
) -> Result<Arc<dyn Source>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let settings = S3Settings {
        order,
        as_of,
        bandwidth,
        tells_details: !context.hooks.preprocess.is_empty(),
        ..settings.clone()
    };
    let store = S3Store::open_source(settings, meter).await?;
    let store = store.stopping_with(context.stop.clone());
    Ok(Arc::new(store.halting_with(context.halt.clone())))
}

async fn target_bucket(
    settings: &S3Settings,
    bandwidth: Pace,
    context: &Context,
) -> Result<Arc<dyn Target>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let settings = S3Settings {
        bandwidth,
        ..settings.clone()
    };
    let store = S3Store::open(settings, meter).await?;
    let store = store.stopping_with(context.stop.clone());
    Ok(Arc::new(store.halting_with(context.halt.clone())))
}
