//! Buckets that keep versions, seen version by version.

use std::fs;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use s3sync::object::Timestamp;
use s3sync::sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

use super::World;
use super::buckets::Buckets;

/// One version of a key, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionSeen {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) is_latest: bool,
    pub(crate) modified: Timestamp,
    /// Its ETag; `None` of a delete marker.
    pub(crate) etag: Option<String>,
}

impl World {
    /// Stops a bucket from keeping new versions.
    pub(crate) fn suspend_versions(&self, bucket: &str) {
        let versioning = VersioningConfiguration::builder();
        let versioning = versioning.status(BucketVersioningStatus::Suspended).build();
        let request = self.buckets.client.put_bucket_versioning().bucket(bucket);
        let request = request.versioning_configuration(versioning);
        self.runtime.block_on(request.send()).expect("versioning");
    }

    /// Removes one version, or a delete marker.
    pub(crate) fn remove_version(&self, bucket: &str, version: &VersionSeen) {
        let request = self.buckets.client.delete_object().bucket(bucket);
        let request = request.key(&version.key).version_id(&version.id);
        self.runtime.block_on(request.send()).expect("a deletion");
    }

    /// All versions and delete markers in a bucket: by key, and the oldest first.
    pub(crate) fn history(&self, bucket: &str) -> Vec<VersionSeen> {
        let mut seen = Vec::new();
        let (mut key, mut id) = (None, None);
        loop {
            let request = self.buckets.client.list_object_versions().bucket(bucket);
            let request = request.set_key_marker(key).set_version_id_marker(id);
            let page = self.runtime.block_on(request.send()).expect("a page");
            for version in page.versions.unwrap_or_default() {
                seen.push(VersionSeen {
                    key: version.key.expect("a key"),
                    id: version.version_id.expect("an id"),
                    is_latest: version.is_latest.expect("which is the latest"),
                    modified: time(version.last_modified.expect("a time")),
                    etag: version.e_tag,
                });
            }
            for marker in page.delete_markers.unwrap_or_default() {
                seen.push(VersionSeen {
                    key: marker.key.expect("a key"),
                    id: marker.version_id.expect("an id"),
                    is_latest: marker.is_latest.expect("which is the latest"),
                    modified: time(marker.last_modified.expect("a time")),
                    etag: None,
                });
            }
            (key, id) = (page.next_key_marker, page.next_version_id_marker);
            if page.is_truncated != Some(true) {
                break;
            }
        }
        // the sandbox's ids ascend with time, but for those of no version
        let place = |it: &VersionSeen| (it.is_latest, it.id != "null", it.id.clone());
        seen.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| place(a).cmp(&place(b))));
        seen
    }

    /// The content of one version.
    pub(crate) fn content_of(&self, bucket: &str, version: &VersionSeen) -> Vec<u8> {
        let request = self.buckets.client.get_object().bucket(bucket);
        let request = request.key(&version.key).version_id(&version.id);
        self.runtime.block_on(async {
            let answer = request.send().await.expect("a version");
            answer.body.collect().await.expect("a body").to_vec()
        })
    }

    /// The user metadata of one version under a name.
    pub(crate) fn metadata_of(
        &self,
        bucket: &str,
        version: &VersionSeen,
        name: &str,
    ) -> Option<String> {
        let request = self.buckets.client.head_object().bucket(bucket);
        let request = request.key(&version.key).version_id(&version.id);
        let head = self.runtime.block_on(request.send()).expect("a version");
        head.metadata()?.get(name).cloned()
    }

    /// Gives everything that was ever written to a bucket another time: the n-th since its
    /// beginning that of `time(n)`. The sandbox starts anew.
    pub(crate) fn date(&mut self, bucket: &str, time: impl Fn(usize) -> Timestamp) {
        let sandbox = self.sandbox.take().expect("a sandbox");
        self.runtime.block_on(sandbox.shutdown());
        let dir = self.path("sandbox");
        let path = dir.join("buckets").join(bucket).join("journal");
        let text = fs::read_to_string(&path).expect("a journal");
        let mut dated = String::new();
        let mut n = 0;
        for line in text.lines() {
            let mut changes: Value = serde_json::from_str(line).expect("JSON");
            for change in changes.as_array_mut().expect("changes") {
                if let Some(put) = change.get_mut("Put") {
                    put["version"]["modified"] = time(n).to_string().into();
                    n += 1;
                }
            }
            dated.push_str(&changes.to_string());
            dated.push('\n');
        }
        fs::write(&path, dated).expect("a journal");
        let config = SandboxConfig {
            dir,
            ..SandboxConfig::default()
        };
        let sandbox = (self.runtime)
            .block_on(Sandbox::start(config))
            .expect("a sandbox starts");
        self.endpoint.url = sandbox.endpoint_url();
        self.buckets = Buckets::at(&self.endpoint);
        self.sandbox = Some(sandbox);
    }
}

fn time(time: aws_sdk_s3::primitives::DateTime) -> Timestamp {
    Timestamp::new(time.secs(), time.subsec_nanos())
}
