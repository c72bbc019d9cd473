//! What objects have beside their bytes, written and read through the plain SDK.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, StorageClass};

use super::World;

/// Headers by their names in lower case, `meta-…` for user metadata, `storage-class`, and `acl`
/// for who may do what beside the owner. What is not there was not told.
pub(crate) type Dress = BTreeMap<String, String>;

/// What every request that makes an object takes beside its bytes.
macro_rules! dressed {
    ($request:expr, $dress:expr) => {{
        let of = |name: &str| $dress.get(name).cloned();
        let expires = of("expires")
            .map(|text| DateTime::from_str(&text, DateTimeFormat::HttpDate).expect("an HTTP date"));
        let user = $dress.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix("meta-")?.to_owned(), value.clone()))
        });
        $request
            .set_content_type(of("content-type"))
            .set_cache_control(of("cache-control"))
            .set_content_disposition(of("content-disposition"))
            .set_content_encoding(of("content-encoding"))
            .set_content_language(of("content-language"))
            .set_expires(expires)
            .set_website_redirect_location(of("website-redirect"))
            .set_storage_class(of("storage-class").map(|name| StorageClass::from(&*name)))
            .set_acl(of("acl").map(|name| name.as_str().into()))
            .set_metadata(Some(user.collect()))
    }};
}

impl World {
    /// Writes an object with all of this, in one go.
    pub(crate) fn put_dressed(&self, bucket: &str, key: &str, bytes: &[u8], dress: &Dress) {
        let request = self.buckets.client.put_object().bucket(bucket).key(key);
        let request = dressed!(request, dress).body(ByteStream::from(bytes.to_vec()));
        self.runtime.block_on(request.send()).expect("a put");
    }

    /// Writes an object with one header as raw as the SDK lets it pass.
    pub(crate) fn put_with_header(&self, bucket: &str, key: &str, name: &str, value: &str) {
        let request = self.buckets.client.put_object().bucket(bucket).key(key);
        let header = (name.to_owned(), value.to_owned());
        let request = request.customize().mutate_request(move |request| {
            let (name, value) = header.clone();
            request.headers_mut().insert(name, value);
        });
        self.runtime.block_on(request.send()).expect("a put");
    }

    /// Puts the same header on a multipart object of these bytes, in parts of this size.
    pub(crate) fn put_parts_with_header(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        size: usize,
        header: (&str, &str),
    ) {
        self.put_parts_with(bucket, key, bytes, size, &Dress::new(), Some(header));
    }

    /// Writes an object with all of this in parts of this size.
    pub(crate) fn put_parts_dressed(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        size: usize,
        dress: &Dress,
    ) {
        self.put_parts_with(bucket, key, bytes, size, dress, None);
    }

    fn put_parts_with(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        size: usize,
        dress: &Dress,
        header: Option<(&str, &str)>,
    ) {
        let client = &self.buckets.client;
        let header = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.runtime.block_on(async {
            let begun = client.create_multipart_upload().bucket(bucket).key(key);
            let begun = dressed!(begun, dress).customize();
            let begun = begun.mutate_request(move |request| {
                if let Some((name, value)) = header.clone() {
                    request.headers_mut().insert(name, value);
                }
            });
            let begun = begun.send().await.expect("an upload");
            let id = begun.upload_id().expect("its id");
            let mut parts = CompletedMultipartUpload::builder();
            for (number, part) in (1..).zip(bytes.chunks(size)) {
                let sent = client.upload_part().bucket(bucket).key(key).upload_id(id);
                let body = ByteStream::from(part.to_vec());
                let sent = sent.part_number(number).body(body).send().await;
                let part = CompletedPart::builder().part_number(number);
                parts = parts.parts(part.set_e_tag(sent.expect("a part").e_tag).build());
            }
            let done = client.complete_multipart_upload().bucket(bucket).key(key);
            let done = done.upload_id(id).multipart_upload(parts.build());
            done.send().await.expect("completion");
        });
    }

    /// What an object has.
    pub(crate) fn dress(&self, bucket: &str, key: &str) -> Dress {
        let head = self.head(bucket, key);
        let acl = self.buckets.client.get_object_acl().bucket(bucket).key(key);
        let acl = self.runtime.block_on(acl.send()).expect("its ACL");
        let public: Vec<String> = acl
            .grants()
            .iter()
            .filter_map(|grant| {
                let group = grant.grantee()?.uri()?.rsplit('/').next()?;
                Some(format!("{group} {}", grant.permission()?.as_str()))
            })
            .collect();
        let system = [
            ("content-type", head.content_type()),
            ("cache-control", head.cache_control()),
            ("content-disposition", head.content_disposition()),
            ("content-encoding", head.content_encoding()),
            ("content-language", head.content_language()),
            ("expires", head.expires_string()),
            ("website-redirect", head.website_redirect_location()),
            ("storage-class", head.storage_class().map(|it| it.as_str())),
        ];
        let system = system.into_iter();
        let system = system.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let user = head.metadata().into_iter().flatten();
        system
            .chain(user.map(|(name, value)| (format!("meta-{name}"), value.clone())))
            .chain((!public.is_empty()).then(|| ("acl".to_owned(), public.join(", "))))
            .collect()
    }
}
