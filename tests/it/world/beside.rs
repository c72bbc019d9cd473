//! Tags and annotations of the endpoint's objects, through the plain SDK.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{MetadataDirective, Tag, Tagging};

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

    /// Gives an object other headers and user metadata.
    pub(crate) fn describe(&self, bucket: &str, key: &str, language: &str, user: (&str, &str)) {
        let request = self.client().copy_object().bucket(bucket).key(key);
        let request = request
            .copy_source(format!("{bucket}/{key}"))
            .metadata_directive(MetadataDirective::Replace)
            .content_language(language)
            .metadata(user.0, user.1);
        self.block_on(request.send()).expect("a copy");
    }
}
