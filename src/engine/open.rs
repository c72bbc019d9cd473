//! Opening both ends of a pair.

use std::sync::Arc;

use crate::config::{Pair, SourceSpec, TargetSpec};
use crate::context::{Context, Ends};
use crate::plan::Direction;
use crate::store::local::{LocalSource, LocalTarget};
use crate::store::s3::{KeyOrder, S3Settings, S3Store};
use crate::store::{Pace, Source, StoreError, Target, Throttle};

/// Opens what the pair names.
pub(super) async fn open(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    let Ends {
        source,
        target,
        direction,
    } = between(pair, context).await?;
    let objects = Pace::of(pair.performance.rate.objects).and(&context.bounds.objects);
    Ok(Ends {
        target: Throttle::around(target, objects, context.stop.clone()),
        source,
        direction,
    })
}

async fn between(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    // each byte counts once: where both ends are buckets, when it is read
    let bandwidth = Pace::of(pair.performance.rate.bandwidth).and(&context.bounds.bandwidth);
    Ok(match (&pair.source, &pair.target) {
        (SourceSpec::Local(source), TargetSpec::S3(target)) => Ends {
            source: Arc::new(LocalSource::new(source.clone())),
            target: target_bucket(target, bandwidth, context).await?,
            direction: Direction::LocalToS3,
        },
        (SourceSpec::S3(source), TargetSpec::Local(target)) => Ends {
            source: source_bucket(source, KeyOrder::AsInADirectory, bandwidth, context).await?,
            target: Arc::new(LocalTarget::new(target.clone())),
            direction: Direction::S3ToLocal,
        },
        (SourceSpec::S3(source), TargetSpec::S3(target)) => Ends {
            source: source_bucket(source, KeyOrder::Bytes, bandwidth, context).await?,
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

async fn source_bucket(
    settings: &S3Settings,
    order: KeyOrder,
    bandwidth: Pace,
    context: &Context,
) -> Result<Arc<dyn Source>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let settings = S3Settings {
        order,
        bandwidth,
        ..settings.clone()
    };
    let store = S3Store::open_source(settings, meter).await?;
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
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
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
}
