/*! A map as a store: the reference for the others.

It does by the plainest means what a bucket does: MD5s as ETags, digests of digests where an object
came in parts, refusal of bytes that are not those announced. Tests insert objects, run something,
and compare the whole content.
*/

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};

use super::{
    Annotation, AnnotationContent, AnnotationTag, Annotations, Condition, Content, Description,
    ErrorKind, Head, Incomplete, Listing, Page, Part, Put, Read, Removal, Removed, Source,
    StoreError, StoreKind, Stored, StoredPart, Target, Upload,
};
use crate::digest::{Algorithm, Checksum, Digest, Hashers, composite, digest};
use crate::object::{Attributes, ETag, Entry, ObjectKey, ObjectVersion, Tags, Timestamp};

/// Entries in a page, as S3 has it.
const PAGE: usize = 1000;

/// A map from keys to objects. Clones are handles of the same map.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<ObjectKey, MemoryObject>,
    now: Option<Timestamp>,
    uploads: usize,
}

/// One object of a [`MemoryStore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryObject {
    /// Its content.
    pub bytes: Bytes,
    /// When it was written, by the store's clock.
    pub modified: Timestamp,
    /// MD5, whole or of parts.
    pub etag: ETag,
    /// The additional checksum it was written with.
    pub checksum: Option<Checksum>,
    /// Its headers and user metadata.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// Its annotations, each with the time it was written.
    pub annotations: BTreeMap<String, (Timestamp, Bytes)>,
    /// The lengths of its parts, where it came in parts.
    pub parts: Vec<u64>,
}

impl MemoryStore {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it is `now` for this store; before, it has the system's time.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = Some(now);
    }

    /// Puts an object as if it had been written at `modified`.
    pub fn insert(&self, key: &ObjectKey, bytes: impl Into<Bytes>, modified: Timestamp) {
        let bytes = bytes.into();
        let object = MemoryObject {
            modified,
            etag: whole_etag(&bytes),
            checksum: None,
            attributes: Attributes::default(),
            tags: Tags::new(),
            annotations: BTreeMap::new(),
            parts: Vec::new(),
            bytes,
        };
        self.state().objects.insert(key.clone(), object);
    }

    /// Takes an object away.
    pub fn remove(&self, key: &ObjectKey) -> Option<MemoryObject> {
        self.state().objects.remove(key)
    }

    fn remove_if_still(&self, removal: &Removal) -> Result<Removed, StoreError> {
        let mut state = self.state();
        let found = state.objects.get(&removal.key);
        if let (Some(object), Some(still)) = (found, &removal.still)
            && (object.bytes.len() as u64 != still.size
                || (still.etag.as_ref()).is_some_and(|etag| *etag != object.etag))
        {
            let (key, why) = (removal.key.as_str(), "it was replaced since it was listed");
            let kind = ErrorKind::PreconditionFailed;
            return Err(StoreError::new("DeleteObject", key, kind, why));
        }
        state.objects.remove(&removal.key);
        Ok(Removed::Object)
    }

    /// One object.
    pub fn get(&self, key: &ObjectKey) -> Option<MemoryObject> {
        self.state().objects.get(key).cloned()
    }

    /// Everything there is.
    pub fn objects(&self) -> BTreeMap<ObjectKey, MemoryObject> {
        self.state().objects.clone()
    }

    /// How many uploads have begun and were neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.state().uploads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, operation: &'static str, key: &ObjectKey) -> Result<MemoryObject, StoreError> {
        self.get(key).ok_or_else(|| {
            StoreError::new(operation, key.as_str(), ErrorKind::NotFound, "no such key")
        })
    }

    /// Changes what lies beside an object's content, by the store's clock.
    fn change(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        change: impl FnOnce(&mut MemoryObject, Timestamp),
    ) -> Result<(), StoreError> {
        self.found(operation, key)?;
        let mut state = self.state();
        let now = state.now.unwrap_or_else(Timestamp::now);
        if let Some(object) = state.objects.get_mut(key) {
            change(object, now);
        }
        Ok(())
    }

    /// The page after `last`, and its last key.
    fn page_after(&self, last: Option<&ObjectKey>) -> Option<(Page, ObjectKey)> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let entries: Vec<_> = state
            .objects
            .range::<ObjectKey, _>((from, Bound::Unbounded))
            .take(PAGE)
            .map(|(key, object)| Entry {
                key: key.clone(),
                size: object.bytes.len() as u64,
                modified: object.modified,
                etag: Some(object.etag.clone()),
                version: None,
                storage_class: None,
                checksum: None,
            })
            .collect();
        let last = entries.last()?.key.clone();
        let page = Page {
            entries,
            ..Page::default()
        };
        Some((page, last))
    }

    fn store(
        &self,
        operation: &'static str,
        put: &Put,
        content: Stamped,
    ) -> Result<Stored, StoreError> {
        let mut state = self.state();
        let there = state.objects.get(&put.key).map(|object| &object.etag);
        let holds = match &put.condition {
            Condition::None => true,
            Condition::Has(etag) => there == Some(etag),
            Condition::Absent => there.is_none(),
        };
        if !holds {
            let key = put.key.as_str();
            let kind = ErrorKind::PreconditionFailed;
            let message = "the key does not have what the condition wants";
            return Err(StoreError::new(operation, key, kind, message));
        }
        let object = MemoryObject {
            modified: state.now.unwrap_or_else(Timestamp::now),
            etag: content.etag,
            checksum: content.checksum,
            attributes: put.attributes.clone(),
            tags: put.tags.clone(),
            annotations: BTreeMap::new(),
            parts: content.parts,
            bytes: content.bytes,
        };
        let stored = Stored {
            size: object.bytes.len() as u64,
            etag: Some(object.etag.clone()),
            etag_is_digest: true,
            version: None,
            checksums: object.checksum.into_iter().collect(),
            request_id: None,
        };
        state.objects.insert(put.key.clone(), object);
        Ok(stored)
    }
}

/// Bytes with what a store computes of them.
struct Stamped {
    bytes: Bytes,
    etag: ETag,
    checksum: Option<Checksum>,
    parts: Vec<u64>,
}

#[async_trait]
impl Source for MemoryStore {
    fn describe(&self) -> Description {
        Description {
            url: "memory:".to_owned(),
            kind: StoreKind::Memory,
            prefix: String::new(),
            region: None,
            endpoint: None,
            versioning: None,
        }
    }

    fn list(&self) -> Listing {
        let store = self.clone();
        stream::unfold(None, move |last: Option<ObjectKey>| {
            let next = store.page_after(last.as_ref());
            async move { next.map(|(page, last)| (Ok(page), Some(last))) }
        })
        .boxed()
    }

    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError> {
        let head = head_of(&self.found("HeadObject", of.key)?);
        Ok(if checksums {
            head
        } else {
            Head {
                checksums: Vec::new(),
                ..head
            }
        })
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        let object = self.found("GetObject", &read.key)?;
        let failed = |kind, why: &str| StoreError::new("GetObject", read.key.as_str(), kind, why);
        if read
            .if_match
            .as_ref()
            .is_some_and(|etag| *etag != object.etag)
        {
            return Err(failed(ErrorKind::Changed, "the object was replaced"));
        }
        let range = read.range.clone().unwrap_or(0..object.bytes.len() as u64);
        let bytes = slice(&object.bytes, &range)
            .ok_or_else(|| failed(ErrorKind::Changed, "the object is shorter than it was"))?;
        let mut hashers = Hashers::new(read.hash.iter().copied());
        hashers.update(&bytes);
        Ok(Content {
            bytes,
            digests: hashers.finish(),
            head: head_of(&object),
            request_id: None,
        })
    }

    async fn part_size(
        &self,
        of: ObjectVersion<'_>,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        let object = self.found("HeadObject", of.key)?;
        Ok(object.parts.get(usize::from(number.get()) - 1).copied())
    }

    async fn tags(&self, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        Ok(self.found("GetObjectTagging", of.key)?.tags)
    }

    async fn annotations(&self, of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        let object = self.found("ListObjectAnnotations", of.key)?;
        let all = object.annotations.iter();
        Ok(all
            .map(|(name, (modified, bytes))| {
                let annotation = Annotation {
                    size: bytes.len() as u64,
                    modified: *modified,
                    etag: Some(whole_etag(bytes)),
                };
                (name.clone(), annotation)
            })
            .collect())
    }

    async fn annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        const OPERATION: &str = "GetObjectAnnotation";
        let object = self.found(OPERATION, of.key)?;
        let (_, bytes) = object.annotations.get(name).ok_or_else(|| {
            let why = "no such annotation";
            StoreError::new(OPERATION, of.key.as_str(), ErrorKind::NotFound, why)
        })?;
        Ok(AnnotationContent {
            etag: annotation_tag(bytes),
            bytes: bytes.clone(),
        })
    }
}

#[async_trait]
impl Target for MemoryStore {
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError> {
        refuse_damage("PutObject", &put.key, &bytes, digests)?;
        let content = Stamped {
            etag: whole_etag(&bytes),
            checksum: put
                .checksum
                .map(|algorithm| Checksum::Whole(digest(algorithm, &bytes))),
            parts: Vec::new(),
            bytes,
        };
        self.store("PutObject", put, content)
    }

    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
        self.state().uploads += 1;
        Ok(Box::new(MemoryUpload {
            store: self.clone(),
            put: put.clone(),
            parts: Mutex::default(),
        }))
    }

    async fn set_tags(&self, of: ObjectVersion<'_>, tags: &Tags) -> Result<(), StoreError> {
        self.change("PutObjectTagging", of.key, |object, _| {
            object.tags.clone_from(tags);
        })
    }

    async fn put_annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
        bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        let tag = annotation_tag(&bytes);
        self.change("PutObjectAnnotation", of.key, |object, now| {
            object.annotations.insert(name.to_owned(), (now, bytes));
        })?;
        Ok(tag)
    }

    async fn delete_annotation(&self, of: ObjectVersion<'_>, name: &str) -> Result<(), StoreError> {
        self.change("DeleteObjectAnnotation", of.key, |object, _| {
            object.annotations.remove(name);
        })
    }

    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
        Ok(removals
            .iter()
            .map(|removal| self.remove_if_still(removal))
            .collect())
    }
}

/// Parts on their way to be an object.
#[derive(Debug)]
struct MemoryUpload {
    store: MemoryStore,
    put: Put,
    parts: Mutex<BTreeMap<NonZeroU16, Bytes>>,
}

impl MemoryUpload {
    fn failed(&self, kind: ErrorKind, why: &str) -> StoreError {
        StoreError::new("CompleteMultipartUpload", self.put.key.as_str(), kind, why)
    }

    fn assemble(&self, parts: &[StoredPart], whole: Option<Digest>) -> Result<Stamped, StoreError> {
        let kept = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if !parts.is_sorted_by(|a, b| a.number < b.number) {
            return Err(self.failed(ErrorKind::Other, "the parts are not in order"));
        }
        let pieces = parts
            .iter()
            .map(|part| {
                let bytes = kept.get(&part.number);
                bytes.filter(|bytes| part.etag == Some(whole_etag(bytes)))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.failed(ErrorKind::Other, "a part is not there"))?;
        let bytes = Bytes::from(
            pieces
                .iter()
                .flat_map(|piece| &piece[..])
                .copied()
                .collect::<Vec<_>>(),
        );
        if let Some(whole) = whole {
            refuse_damage("CompleteMultipartUpload", &self.put.key, &bytes, &[whole])?;
        }
        let of_parts = |algorithm: Algorithm| {
            let digests: Vec<_> = pieces
                .iter()
                .map(|piece| digest(algorithm, piece))
                .collect();
            composite(&digests).ok_or_else(|| self.failed(ErrorKind::Other, "there are no parts"))
        };
        let checksum = match self.put.checksum {
            None => None,
            Some(algorithm) if self.put.keeps_whole(algorithm) => {
                Some(Checksum::Whole(digest(algorithm, &bytes)))
            }
            Some(algorithm) => Some(of_parts(algorithm)?),
        };
        Ok(Stamped {
            etag: etag_of(&of_parts(Algorithm::Md5)?),
            checksum,
            parts: pieces.iter().map(|piece| piece.len() as u64).collect(),
            bytes,
        })
    }
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError> {
        refuse_damage("UploadPart", &self.put.key, &part.bytes, &part.digests)?;
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.number, part.bytes.clone());
        Ok(StoredPart {
            number: part.number,
            etag: Some(whole_etag(&part.bytes)),
            etag_is_digest: true,
            checksum: self
                .put
                .checksum
                .map(|algorithm| digest(algorithm, &part.bytes)),
            size: part.bytes.len() as u64,
        })
    }

    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, Incomplete> {
        let content = self.assemble(&parts, whole)?;
        self.store.state().uploads -= 1;
        let stored = self
            .store
            .store("CompleteMultipartUpload", &self.put, content);
        Ok(stored?)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.store.state().uploads -= 1;
        Ok(())
    }
}

fn head_of(object: &MemoryObject) -> Head {
    Head {
        size: object.bytes.len() as u64,
        modified: object.modified,
        etag: Some(object.etag.clone()),
        etag_is_digest: true,
        version: None,
        checksums: object.checksum.into_iter().collect(),
        unknown_checksum: None,
        attributes: object.attributes.clone(),
        storage_class: None,
        is_archived: false,
        tag_count: u32::try_from(object.tags.len()).ok().filter(|n| *n > 0),
        file_id: None,
        details: None,
    }
}

fn annotation_tag(bytes: &[u8]) -> AnnotationTag {
    AnnotationTag {
        etag: Some(whole_etag(bytes)),
        is_digest: true,
    }
}

fn whole_etag(bytes: &[u8]) -> ETag {
    etag_of(&Checksum::Whole(digest(Algorithm::Md5, bytes)))
}

/// The ETag that says the same as an MD5 checksum.
fn etag_of(md5: &Checksum) -> ETag {
    match md5 {
        Checksum::Whole(digest) => ETag::parse(&digest.hex()),
        Checksum::Composite { digest, parts } => ETag::parse(&format!("{}-{parts}", digest.hex())),
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Option<Bytes> {
    let start = usize::try_from(range.start).ok()?;
    let end = usize::try_from(range.end).ok()?;
    (start <= end && end <= bytes.len()).then(|| bytes.slice(start..end))
}

/// What S3 answers with BadDigest.
fn refuse_damage(
    operation: &'static str,
    key: &ObjectKey,
    bytes: &[u8],
    digests: &[Digest],
) -> Result<(), StoreError> {
    for announced in digests {
        if digest(announced.algorithm(), bytes) != *announced {
            let message = format!("the bytes are not those of the {}", announced.algorithm());
            let error = StoreError::new(operation, key.as_str(), ErrorKind::Corrupted, message);
            return Err(StoreError {
                code: Some("BadDigest".to_owned()),
                ..error
            });
        }
    }
    Ok(())
}
