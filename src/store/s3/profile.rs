//! A profile that the settings name: its keys and its region come before those of the environment,
//! which are everybody's.

use aws_config::ConfigLoader;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_s3::config::{Region, SharedHttpClient};

/// A loader that takes keys from this profile only, and the region from it unless one is said.
pub(super) async fn of(
    name: &str,
    region: Option<&str>,
    files: Option<EnvConfigFiles>,
    http: SharedHttpClient,
    loader: ConfigLoader,
) -> ConfigLoader {
    let mut regions = ProfileFileRegionProvider::builder().profile_name(name);
    let mut credentials = ProfileFileCredentialsProvider::builder().profile_name(name);
    if let Some(files) = files {
        regions = regions.profile_files(files.clone());
        credentials = credentials.profile_files(files);
    }
    let region =
        RegionProviderChain::first_try(region.map(|region| Region::new(region.to_owned())))
            .or_else(regions.build())
            .or_default_provider()
            .region()
            .await;
    // roles are assumed in the same region, over the same connections
    let config = ProviderConfig::without_region()
        .with_region(region.clone())
        .with_http_client(http);
    loader
        .profile_name(name)
        .region(region)
        .credentials_provider(credentials.configure(&config).build())
}
