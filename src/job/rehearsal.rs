//! A job on the embedded endpoint instead of the real ones.

use crate::config::{Pair, SandboxSettings};

/// The sandbox of a run, if the job asks for one.
#[derive(Debug)]
pub(super) struct Rehearsal {
    #[cfg(feature = "sandbox")]
    sandbox: Option<crate::sandbox::Sandbox>,
}

#[cfg(not(feature = "sandbox"))]
impl Rehearsal {
    /// This build has no sandbox: a job that asks for one cannot run.
    pub(super) async fn start(
        settings: Option<&SandboxSettings>,
        _pairs: &mut [Pair],
    ) -> Result<Self, String> {
        match settings {
            None => Ok(Self {}),
            Some(_) => Err(
                "this build has no sandbox; build it with the feature `sandbox`, or take `sandbox.dir` out of the job"
                    .to_owned(),
            ),
        }
    }

    pub(super) async fn end(self) {}
}

#[cfg(feature = "sandbox")]
impl Rehearsal {
    /// Starts the sandbox, creates the buckets the pairs name, and points every S3 side at it.
    pub(super) async fn start(
        settings: Option<&SandboxSettings>,
        pairs: &mut [Pair],
    ) -> Result<Self, String> {
        use crate::sandbox::{Sandbox, SandboxConfig};

        let Some(settings) = settings else {
            return Ok(Self { sandbox: None });
        };
        let config = SandboxConfig {
            dir: settings.dir.clone(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.map_err(|error| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{cause}")
        })?;
        for stand_in in &settings.stand_ins {
            tracing::warn!(
                "in the sandbox the bucket `{}` of {} is called `{}`: another endpoint has one of that name",
                stand_in.bucket,
                stand_in.endpoint(),
                stand_in.name
            );
        }
        for side in s3_sides(pairs) {
            let mut stand_ins = settings.stand_ins.iter();
            if let Some(stand_in) = stand_ins.find(|stand_in| stand_in.is_for(side)) {
                side.location.bucket.clone_from(&stand_in.name);
            }
        }
        for bucket in buckets(pairs) {
            sandbox
                .create_bucket(&bucket)
                .map_err(|error| format!("create `{bucket}` in the sandbox: {error}"))?;
        }
        for bucket in kept(pairs) {
            sandbox
                .keep_versions(&bucket)
                .map_err(|error| error.to_string())?;
        }
        for side in s3_sides(pairs) {
            point(side, &sandbox);
        }
        Ok(Self {
            sandbox: Some(sandbox),
        })
    }

    /// Stops the sandbox; what it keeps stays for the next run.
    pub(super) async fn end(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
    }
}

/// The buckets of all S3 sides, each once.
#[cfg(feature = "sandbox")]
fn buckets(pairs: &mut [Pair]) -> std::collections::BTreeSet<String> {
    s3_sides(pairs)
        .map(|side| side.location.bucket.clone())
        .collect()
}

/// The buckets whose versions the pairs want kept.
#[cfg(feature = "sandbox")]
fn kept(pairs: &[Pair]) -> std::collections::BTreeSet<String> {
    use crate::config::{SourceSpec, TargetSpec, Versions};

    pairs
        .iter()
        .flat_map(|pair| {
            let source = match &pair.source {
                SourceSpec::S3(s3) => Some(s3.location.bucket.clone()),
                SourceSpec::Local(_) => None,
            };
            let target = match &pair.target {
                TargetSpec::S3(s3) => Some(s3.location.bucket.clone()),
                TargetSpec::Local(_) => None,
            };
            match pair.versions {
                Versions::Latest => [None, None],
                Versions::AsOf(_) => [source, None],
                Versions::All => [source, target],
            }
        })
        .flatten()
        .collect()
}

#[cfg(feature = "sandbox")]
fn s3_sides(pairs: &mut [Pair]) -> impl Iterator<Item = &mut crate::store::s3::S3Settings> {
    use crate::config::{SourceSpec, TargetSpec};

    pairs.iter_mut().flat_map(|pair| {
        let source = match &mut pair.source {
            SourceSpec::S3(s3) => Some(&mut **s3),
            SourceSpec::Local(_) => None,
        };
        let target = match &mut pair.target {
            TargetSpec::S3(s3) => Some(&mut **s3),
            TargetSpec::Local(_) => None,
        };
        source.into_iter().chain(target)
    })
}

/// Nothing of the real endpoint, its profile or its keys may be left: a rehearsal must not reach
/// it.
#[cfg(feature = "sandbox")]
fn point(side: &mut crate::store::s3::S3Settings, sandbox: &crate::sandbox::Sandbox) {
    use crate::store::Secret;
    use crate::store::s3::Keys;

    side.endpoint_url = Some(sandbox.endpoint_url().clone());
    side.force_path_style = true;
    side.region = Some(sandbox.region().to_owned());
    side.profile = None;
    side.anonymous = false;
    side.keys = Some(Keys {
        access_key: Secret::new(sandbox.access_key()),
        secret_access_key: Secret::new(sandbox.secret_key()),
        session_token: None,
    });
}
