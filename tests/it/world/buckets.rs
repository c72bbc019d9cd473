//! The endpoint through the plain SDK: what a run has done is not asked of the code that did it.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumMode, CompletedMultipartUpload, CompletedPart,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use aws_smithy_http_client::Builder;

use super::{Endpoint, World};

/// A client of the endpoint.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) client: Client,
}

impl Buckets {
    pub(super) fn at(endpoint: &Endpoint) -> Self {
        let keys = (&endpoint.access_key, &endpoint.secret_key);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Builder::new().build_http())
            .endpoint_url(&endpoint.url)
            .region(Region::new(endpoint.region.clone()))
            .credentials_provider(Credentials::new(keys.0, keys.1, None, None, "world"))
            .force_path_style(true)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }
}

/// An object as a listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size: u64,
    pub(crate) etag: String,
}

impl World {
    /// The plain SDK, for what only one test asks of it.
    pub(crate) fn client(&self) -> &Client {
        &self.buckets.client
    }

    /// Makes a bucket.
    pub(crate) fn bucket(&self, name: &str) {
        let request = self.buckets.client.create_bucket().bucket(name);
        self.runtime.block_on(request.send()).expect("a bucket");
    }

    /// Has a bucket encrypt what is written without saying how.
    pub(crate) fn encrypt_by_default(&self, bucket: &str, method: &str) {
        let rule = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(method.into())
            .build()
            .expect("a method");
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(rule);
        let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build());
        let request = self.buckets.client.put_bucket_encryption().bucket(bucket);
        let request = request.server_side_encryption_configuration(rules.build().expect("rules"));
        self.runtime.block_on(request.send()).expect("encryption");
    }

    /// Gives a bucket a policy.
    pub(crate) fn policy(&self, bucket: &str, policy: &str) {
        let request = self.buckets.client.put_bucket_policy().bucket(bucket);
        let request = request.policy(policy);
        self.runtime.block_on(request.send()).expect("a policy");
    }

    /// Keeps the versions of a bucket.
    pub(crate) fn keep_versions(&self, bucket: &str) {
        let versioning = VersioningConfiguration::builder();
        let versioning = versioning.status(BucketVersioningStatus::Enabled).build();
        let request = self.buckets.client.put_bucket_versioning().bucket(bucket);
        let request = request.versioning_configuration(versioning);
        self.runtime.block_on(request.send()).expect("versioning");
    }

    /// Removes an object.
    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        let request = self.buckets.client.delete_object().bucket(bucket).key(key);
        self.runtime.block_on(request.send()).expect("a deletion");
    }

    /// Writes an object in one go.
    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let request = self.buckets.client.put_object().bucket(bucket).key(key);
        let request = request.body(ByteStream::from(bytes.to_vec()));
        self.runtime.block_on(request.send()).expect("a put");
    }

    /// Writes an object in parts of this size, or in one go if it is smaller.
    pub(crate) fn put_as_a_run_does(&self, bucket: &str, key: &str, bytes: &[u8], part: usize) {
        if bytes.len() < part {
            return self.put(bucket, key, bytes);
        }
        let sizes: Vec<_> = bytes.chunks(part).map(<[u8]>::len).collect();
        self.put_in_parts(bucket, key, bytes, &sizes);
    }

    /// Writes an object in parts of these sizes.
    pub(crate) fn put_in_parts(&self, bucket: &str, key: &str, bytes: &[u8], sizes: &[usize]) {
        assert_eq!(
            sizes.iter().sum::<usize>(),
            bytes.len(),
            "parts are the whole"
        );
        self.runtime.block_on(async {
            let client = &self.buckets.client;
            let begun = client.create_multipart_upload().bucket(bucket).key(key);
            let begun = begun.send().await.expect("an upload");
            let id = begun.upload_id().expect("its id");
            let mut parts = CompletedMultipartUpload::builder();
            let mut rest = bytes;
            for (number, size) in (1..).zip(sizes) {
                let (part, behind) = rest.split_at(*size);
                rest = behind;
                let sent = client.upload_part().bucket(bucket).key(key).upload_id(id);
                let sent = sent
                    .part_number(number)
                    .body(ByteStream::from(part.to_vec()));
                let etag = sent.send().await.expect("a part").e_tag;
                let part = CompletedPart::builder().part_number(number);
                parts = parts.parts(part.set_e_tag(etag).build());
            }
            let done = client.complete_multipart_upload().bucket(bucket).key(key);
            let done = done.upload_id(id).multipart_upload(parts.build());
            done.send().await.expect("completion");
        });
    }

    /// Reads an object; `None` if there is none.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(self.fetch(bucket, key))
    }

    /// HEAD of an object, with its checksums.
    pub(crate) fn head(&self, bucket: &str, key: &str) -> HeadObjectOutput {
        let request = self.buckets.client.head_object().bucket(bucket).key(key);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        self.runtime.block_on(request.send()).expect("an object")
    }

    /// All objects of a bucket below a prefix, by their whole keys.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Seen> {
        self.runtime.block_on(async {
            let request = self.buckets.client.list_objects_v2();
            let request = request.bucket(bucket).prefix(prefix);
            let mut pages = request.into_paginator().send();
            let mut seen = BTreeMap::new();
            while let Some(page) = pages.next().await {
                for object in page.expect("a page").contents.unwrap_or_default() {
                    let row = Seen {
                        size: object
                            .size()
                            .and_then(|n| u64::try_from(n).ok())
                            .expect("a size"),
                        etag: object.e_tag().expect("an ETag").to_owned(),
                    };
                    seen.insert(object.key.expect("a key"), row);
                }
            }
            seen
        })
    }

    /// The content of all objects below a prefix, by their keys relative to it.
    pub(crate) fn objects(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let keys = self.list(bucket, prefix).into_keys();
        keys.map(|key| {
            let bytes = self.get(bucket, &key).expect("what is listed is there");
            (key[prefix.len()..].to_owned(), bytes)
        })
        .collect()
    }

    /// The keys of all versions in a bucket, each version by itself.
    pub(crate) fn versions(&self, bucket: &str) -> Vec<String> {
        let request = self.buckets.client.list_object_versions().bucket(bucket);
        let answer = self.runtime.block_on(request.send()).expect("a listing");
        let versions = answer.versions.unwrap_or_default().into_iter();
        versions.filter_map(|version| version.key).collect()
    }

    /// The keys of multipart uploads that were begun and neither completed nor aborted.
    pub(crate) fn uploads(&self, bucket: &str) -> Vec<String> {
        let request = self.buckets.client.list_multipart_uploads().bucket(bucket);
        let answer = self.runtime.block_on(request.send()).expect("a listing");
        let uploads = answer.uploads.unwrap_or_default().into_iter();
        uploads.filter_map(|upload| upload.key).collect()
    }

    /// What S3 calls those uploads.
    pub(crate) fn upload_ids(&self, bucket: &str) -> Vec<String> {
        let request = self.buckets.client.list_multipart_uploads().bucket(bucket);
        let answer = self.runtime.block_on(request.send()).expect("a listing");
        let uploads = answer.uploads.unwrap_or_default().into_iter();
        uploads.filter_map(|upload| upload.upload_id).collect()
    }

    async fn fetch(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let request = self.buckets.client.get_object().bucket(bucket).key(key);
        match request.send().await {
            Ok(answer) => {
                let body = answer.body.collect().await.expect("a body");
                Some(body.to_vec())
            }
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_no_such_key(), "{key}: {error:?}");
                None
            }
        }
    }
}
