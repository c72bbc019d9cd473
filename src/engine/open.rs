//! Opening both ends of a pair.

use std::sync::Arc;

use crate::config::{Pair, SourceSpec, TargetSpec};
use crate::context::{Context, Ends};
use crate::plan::Direction;
use crate::store::local::{LocalSource, LocalTarget};
use crate::store::s3::{KeyOrder, S3Settings, S3Store};
use crate::store::{Source, StoreError, Target};

/// Opens what the pair names.
pub(super) async fn open(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    Ok(match (&pair.source, &pair.target) {
        (SourceSpec::Local(source), TargetSpec::S3(target)) => Ends {
            source: Arc::new(LocalSource::new(source.clone())),
            target: target_bucket(target, context).await?,
            direction: Direction::LocalToS3,
        },
        (SourceSpec::S3(source), TargetSpec::Local(target)) => Ends {
            source: source_bucket(source, KeyOrder::AsInADirectory, context).await?,
            target: Arc::new(LocalTarget::new(target.clone())),
            direction: Direction::S3ToLocal,
        },
        (SourceSpec::S3(source), TargetSpec::S3(target)) => Ends {
            source: source_bucket(source, KeyOrder::Bytes, context).await?,
            target: target_bucket(target, context).await?,
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
    context: &Context,
) -> Result<Arc<dyn Source>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let settings = S3Settings {
        order,
        ..settings.clone()
    };
    let store = S3Store::open_source(settings, meter).await?;
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
}

async fn target_bucket(
    settings: &S3Settings,
    context: &Context,
) -> Result<Arc<dyn Target>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let store = S3Store::open(settings.clone(), meter).await?;
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
}
