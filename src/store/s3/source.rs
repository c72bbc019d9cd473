//! A bucket and prefix, listed and read: which file does what.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::{S3Store, annotations, attributes, denied, listing, read, tags, versioning};
use crate::object::{ObjectKey, ObjectVersion, Tags};
use crate::store::{
    AnnotationContent, Annotations, Brings, Content, CopySource, Description, Head, Histories,
    Listing, Looked, PartLayout, Read, Source, StoreError, StoreKind, Versioning, named,
};

#[async_trait]
impl Source for S3Store {
    fn describe(&self) -> Description {
        let settings = &self.0.settings;
        Description {
            url: settings.location.url(),
            kind: StoreKind::S3,
            prefix: settings.location.prefix.clone(),
            region: Some(self.0.regional.region().to_owned()),
            endpoint: settings.endpoint_url.clone(),
            versioning: self.0.versioning.get().copied(),
        }
    }

    fn list(&self) -> Listing {
        listing::list(self)
    }

    fn list_sorted(&self) -> Listing {
        listing::list_sorted(self)
    }

    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError> {
        read::head(self, of, checksums).await
    }

    async fn head_in_words(
        &self,
        of: ObjectVersion<'_>,
        checksums: bool,
    ) -> Result<Head, StoreError> {
        denied::head(self, of, checksums).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        named::looked(key, denied::head(self, key.into(), false).await)
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        read::read(self, read).await
    }

    async fn part_size(
        &self,
        of: ObjectVersion<'_>,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        read::part_size(self, of, number).await
    }

    async fn parts(&self, of: ObjectVersion<'_>) -> Result<Option<PartLayout>, StoreError> {
        attributes::parts(self, of).await
    }

    fn histories(&self) -> Option<Histories> {
        Some(listing::histories(self))
    }

    async fn versioning(&self) -> Result<Versioning, StoreError> {
        versioning::ask(self).await
    }

    fn copy_source(&self, of: ObjectVersion<'_>) -> Option<CopySource> {
        Some(CopySource {
            bucket: self.bucket().to_owned(),
            key: self.full_key(of.key),
            version: of.version.map(Into::into),
            if_match: None,
            customer_key: self.key().cloned(),
            requester_pays: self.0.settings.requester_pays,
            brings: Brings::default(),
        })
    }

    async fn tags(&self, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        tags::get(self, of).await
    }

    async fn annotations(&self, of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        annotations::list(self, of).await
    }

    async fn annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        annotations::get(self, of, name).await
    }
}
