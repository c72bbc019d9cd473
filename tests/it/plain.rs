//! A client of yesterday, and the objects it leaves behind.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption,
};
use aws_smithy_http_client::Builder;
use s3sync::digest::{Algorithm, digest};

use crate::world::World;

/// The endpoint through a client that adds no checksums of its own, as tools of yesterday did.
pub(crate) struct Plain {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Plain {
    pub(crate) fn of(world: &World) -> Self {
        let endpoint = &world.endpoint;
        let keys = (&endpoint.access_key, &endpoint.secret_key);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Builder::new().build_http())
            .endpoint_url(&endpoint.url)
            .region(Region::new(endpoint.region.clone()))
            .credentials_provider(Credentials::new(keys.0, keys.1, None, None, "plain"))
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    /// Writes an object in one go; S3 adds a CRC64NVME.
    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        encryption: Option<ServerSideEncryption>,
    ) {
        let request = self.client.put_object().bucket(bucket).key(key);
        let request = request
            .set_server_side_encryption(encryption)
            .body(ByteStream::from(bytes.to_vec()));
        self.runtime.block_on(request.send()).expect("a put");
    }

    /// Writes an object in parts that keeps a composite SHA256, and nothing of the whole.
    pub(crate) fn put_in_parts(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        sizes: &[usize],
        encryption: Option<ServerSideEncryption>,
    ) {
        let sha256 = Some(ChecksumAlgorithm::Sha256);
        self.upload(bucket, key, bytes, sizes, (sha256, encryption));
    }

    /// Writes an object in parts; without an algorithm S3 adds a CRC64NVME of the whole.
    pub(crate) fn upload(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        sizes: &[usize],
        (checksum, encryption): (Option<ChecksumAlgorithm>, Option<ServerSideEncryption>),
    ) {
        assert_eq!(sizes.iter().sum::<usize>(), bytes.len(), "parts of {key}");
        let client = &self.client;
        self.runtime.block_on(async {
            let begun = client.create_multipart_upload().bucket(bucket).key(key);
            let begun = begun
                .set_checksum_algorithm(checksum.clone())
                .set_server_side_encryption(encryption);
            let begun = begun.send().await.expect("an upload");
            let id = begun.upload_id().expect("its id");
            let mut parts = CompletedMultipartUpload::builder();
            let mut rest = bytes;
            for (number, size) in (1..).zip(sizes) {
                let (part, behind) = rest.split_at(*size);
                rest = behind;
                let sha256 = checksum
                    .as_ref()
                    .map(|_| digest(Algorithm::Sha256, part).base64());
                let sent = client.upload_part().bucket(bucket).key(key).upload_id(id);
                let sent = sent
                    .part_number(number)
                    .set_checksum_sha256(sha256.clone())
                    .body(ByteStream::from(part.to_vec()));
                let sent = sent.send().await.expect("a part");
                let part = CompletedPart::builder()
                    .part_number(number)
                    .set_checksum_sha256(sha256)
                    .set_e_tag(sent.e_tag);
                parts = parts.parts(part.build());
            }
            let done = client.complete_multipart_upload().bucket(bucket).key(key);
            let done = done.upload_id(id).multipart_upload(parts.build());
            done.send().await.expect("completion");
        });
    }
}
