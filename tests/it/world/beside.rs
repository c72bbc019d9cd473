//! Tags and annotations of the endpoint's objects, through the plain SDK.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{Tag, Tagging};

use serde_json::json;

use super::World;

impl World {
    /// Gives an object these tags in place of what it has.
    pub(crate) fn tag(&self, bucket: &str, key: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(name, value)| {
            let tag = Tag::builder().key(*name).value(*value).build();
            tag.expect("a name and a value")
        });
        let tagging = Tagging::builder().set_tag_set(Some(tags.collect()));
        let request = self.client().put_object_tagging().bucket(bucket).key(key);
        let request = request.tagging(tagging.build().expect("a set"));
        self.block_on(request.send()).expect("tags");
    }

    /// The tags of an object.
    pub(crate) fn tags(&self, bucket: &str, key: &str) -> BTreeMap<String, String> {
        let request = self.client().get_object_tagging().bucket(bucket).key(key);
        let answer = self.block_on(request.send()).expect("tags");
        let tags = answer.tag_set.into_iter();
        tags.map(|tag| (tag.key, tag.value)).collect()
    }

    /// Writes an annotation of an object.
    pub(crate) fn annotate(&self, bucket: &str, key: &str, name: &str, bytes: &[u8]) {
        let request = self
            .client()
            .put_object_annotation()
            .bucket(bucket)
            .key(key);
        let request = request.annotation_name(name);
        let request = request.annotation_payload(ByteStream::from(bytes.to_vec()));
        self.block_on(request.send()).expect("an annotation");
    }

    /// Removes an annotation of an object.
    pub(crate) fn unannotate(&self, bucket: &str, key: &str, name: &str) {
        let request = self.client().delete_object_annotation();
        let request = request.bucket(bucket).key(key).annotation_name(name);
        self.block_on(request.send()).expect("a deletion");
    }

    /// The annotations of an object, with their payloads.
    pub(crate) fn annotations(&self, bucket: &str, key: &str) -> BTreeMap<String, Vec<u8>> {
        self.block_on(async {
            let client = self.client();
            let request = client.list_object_annotations().bucket(bucket).key(key);
            let answer = request.send().await.expect("a listing");
            let mut seen = BTreeMap::new();
            for entry in answer.annotations() {
                let name = entry.annotation_name();
                let request = client.get_object_annotation().bucket(bucket).key(key);
                let answer = request.annotation_name(name).send().await;
                let body = answer.expect("an annotation").annotation_payload;
                let body = body.collect().await.expect("a payload");
                seen.insert(name.to_owned(), body.to_vec());
            }
            seen
        })
    }

    /// Denies everybody these actions on the keys of a bucket; nothing, where there are none.
    pub(crate) fn deny(&self, bucket: &str, actions: &[&str], keys: &str) {
        let denied = json!({
            "Effect": "Deny", "Principal": "*", "Action": actions,
            "Resource": format!("arn:aws:s3:::{bucket}/{keys}")
        });
        let statements = if actions.is_empty() {
            json!([])
        } else {
            json!([denied])
        };
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.policy(bucket, &policy.to_string());
    }

    /// Writes an object with these headers.
    pub(crate) fn put_with(&self, bucket: &str, key: &str, bytes: &[u8], headers: &Headers) {
        let text = |it: Option<&str>| it.map(str::to_owned);
        let mut request = self.client().put_object().bucket(bucket).key(key);
        for (name, value) in headers.user {
            request = request.metadata(*name, *value);
        }
        let request = request
            .body(ByteStream::from(bytes.to_vec()))
            .set_cache_control(text(headers.cache_control))
            .set_content_disposition(text(headers.content_disposition))
            .set_content_encoding(text(headers.content_encoding))
            .set_content_language(text(headers.content_language))
            .set_content_type(text(headers.content_type))
            .set_expires(headers.expires.map(DateTime::from_secs))
            .set_website_redirect_location(text(headers.website_redirect))
            .tagging(headers.tags);
        self.block_on(request.send()).expect("a put");
    }
}

/// What an object is written with beside its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers {
    pub(crate) cache_control: Option<&'static str>,
    pub(crate) content_disposition: Option<&'static str>,
    pub(crate) content_encoding: Option<&'static str>,
    pub(crate) content_language: Option<&'static str>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) expires: Option<i64>,
    pub(crate) website_redirect: Option<&'static str>,
    pub(crate) user: &'static [(&'static str, &'static str)],
    /// As `x-amz-tagging` has them.
    pub(crate) tags: &'static str,
}

impl Headers {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        cache_control: None,
        content_disposition: None,
        content_encoding: None,
        content_language: None,
        content_type: None,
        expires: None,
        website_redirect: None,
        user: &[],
        tags: "",
    };
}
