/*! What users' hooks change of what an object carries, between dressing it and writing it.

They are asked once about an object, and what they changed is done to every attempt at it: an
attempt may be dressed otherwise than the one before, when the target does not take the class of the
source.
*/

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;

use super::dress::{self, guess, marks};
use super::trouble::Trouble;
use super::{Transferrer, Work, tags};
use crate::config::{Pair, TargetSpec, wrong_acl, wrong_attributes, wrong_class, wrong_tags};
use crate::context::{Ends, cancelled};
use crate::event::{Cause, Event, SkipReason};
use crate::hook::{Fails, Hooks, PreprocessHook, Preprocessed, SourceObject, UploadMetadata};
use crate::object::{Attributes, Entry, Timestamp, encoded_words};
use crate::plan::Direction;
use crate::store::{Condition, Head, Payer, Put};

/// The only class that a directory bucket has.
const OF_DIRECTORY_BUCKETS: &str = "EXPRESS_ONEZONE";

/// Who is asked about the objects of a pair, and what they are told with each.
#[derive(Debug)]
pub(super) struct Preprocess {
    hooks: Vec<Arc<dyn PreprocessHook>>,
    pair: Arc<str>,
    /// What whole keys of the target begin with.
    prefix: String,
    /// Whether whoever asks pays for requests to the target.
    requester_pays: bool,
    is_directory_bucket: bool,
    /// Nobody is asked any more: one of them failed, and the pair with it.
    over: CancellationToken,
}

/// What the hooks made of an object.
#[derive(Debug)]
pub(super) enum Said {
    /// It is not to be written.
    Leave(Left),
    /// What it was to carry, and what it carries now.
    Write(Box<(UploadMetadata, UploadMetadata)>),
}

/// An object that a hook leaves out.
#[derive(Debug, Clone)]
pub(super) struct Left {
    reason: SkipReason,
    by: String,
}

impl Preprocess {
    /// For a pair between these ends.
    pub(super) fn new(ends: &Ends, pair: &Pair, hooks: &Hooks) -> Self {
        let is_asked = ends.direction != Direction::S3ToLocal;
        let hooks: Vec<_> = (hooks.preprocess.iter())
            .filter(|_| is_asked)
            .cloned()
            .collect();
        Self {
            prefix: if hooks.is_empty() {
                String::new()
            } else {
                ends.target.describe().prefix
            },
            hooks,
            pair: pair.name.as_str().into(),
            requester_pays: match &pair.target {
                TargetSpec::S3(settings) => settings.requester_pays,
                TargetSpec::Local(_) => false,
            },
            is_directory_bucket: pair.target.is_directory_bucket(),
            over: CancellationToken::new(),
        }
    }

    /// Whether nobody is asked.
    pub(super) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    async fn ask(&self, source: &SourceObject, plain: UploadMetadata) -> Result<Said, Trouble> {
        let mut upload = plain.clone();
        for hook in &self.hooks {
            let before = upload.clone();
            let asked = hook.preprocess(source, &mut upload).await;
            if asked.map_err(Trouble::Hook)? == Preprocessed::Skip {
                return Ok(Said::Leave(Left {
                    reason: hook.skips_as(),
                    by: hook.name(),
                }));
            }
            normalize(&mut upload);
            if let Some(wrong) = self.wrong(&before, &upload) {
                return Err(Trouble::Hook(hook.refused(&wrong)));
            }
        }
        Ok(Said::Write(Box::new((plain, upload))))
    }

    /// Why what a hook changed cannot be written, if it cannot.
    fn wrong(&self, before: &UploadMetadata, after: &UploadMetadata) -> Option<String> {
        self.of_no_directory_bucket(before, after)
            .or_else(|| wrong_change(before, after))
    }

    fn of_no_directory_bucket(
        &self,
        before: &UploadMetadata,
        after: &UploadMetadata,
    ) -> Option<String> {
        if !self.is_directory_bucket {
            return None;
        }
        let class = (after.storage_class.as_ref())
            .is_some_and(|class| class.as_str() != OF_DIRECTORY_BUCKETS);
        let redirect = &after.website_redirect_location;
        let said = [
            ("acl", after.acl.is_some() && before.acl != after.acl),
            (
                "storage_class",
                class && before.storage_class != after.storage_class,
            ),
            (
                "tagging",
                !after.tagging.is_empty() && before.tagging != after.tagging,
            ),
            (
                "website_redirect_location",
                redirect.is_some() && *redirect != before.website_redirect_location,
            ),
            (
                "request_payer",
                after.request_payer && !before.request_payer,
            ),
        ];
        let said = said.into_iter().find(|(_, is_said)| *is_said);
        said.map(|(name, _)| format!("it sets {name}, which directory buckets do not take"))
    }
}

impl Left {
    /// The event of an object that is left out.
    pub(super) fn skipped(&self, source: &Entry) -> Event {
        Event::Skipped {
            key: source.key.as_str().to_owned(),
            source: Some(source.into()),
            reason: self.reason,
            message: Some(format!("{} says so", self.by)),
        }
    }
}

/// What an object is written with after the hooks were asked; `head` is what its source says of it.
pub(super) async fn asked(
    via: &Transferrer,
    work: &Work,
    head: &Head,
    mut put: Put,
) -> Result<Put, Trouble> {
    let preprocess = &via.preprocess;
    if preprocess.is_empty() {
        return Ok(put);
    }
    let said = if let Some(said) = work.said.get() {
        said
    } else {
        let source = source_of(via, work, head);
        let said = answered(via, work, preprocess.ask(&source, preprocess.told(&put))).await?;
        work.said.get_or_init(|| said)
    };
    match said {
        Said::Leave(left) => Err(Trouble::Left(left.clone())),
        Said::Write(changes) => {
            let (before, after) = &**changes;
            change(work, before, after, &mut put);
            put.attributes.user.extend(marks(via, work, head));
            Ok(put)
        }
    }
}

/// What the hooks say of one object. A stop does not wait for them, and neither does the end of the
/// pair: one script is asked by many workers in turn, and may let each of them wait for its limit.
async fn answered(
    via: &Transferrer,
    work: &Work,
    asked: impl Future<Output = Result<Said, Trouble>>,
) -> Result<Said, Trouble> {
    let over = &via.preprocess.over;
    let said = tokio::select! {
        biased;
        () = via.stop.cancelled() => return Err(cancelled(work.entry.key.as_str()).into()),
        () = over.cancelled() => return Err(cancelled(work.entry.key.as_str()).into()),
        said = Box::pin(asked) => said,
    };
    if matches!(&said, Err(Trouble::Hook(error)) if error.fails == Fails::Pair) {
        over.cancel();
    }
    said
}

/// Asks about an object that is not going to be written; an error says what becomes of it.
pub(super) async fn leaves_out(via: &Transferrer, entry: &Entry) -> Result<(), Trouble> {
    let head = via.source.head(entry.at(), via.asks_checksums()).await?;
    let work = Work::on(entry.clone(), Cause::Missing, None, Condition::None);
    let put = dress::put_of(via, &work, &head).await?;
    let put = tags::with_tags(via, &work, &head, put).await?;
    asked(via, &work, &head, put).await.map(drop)
}

impl Preprocess {
    /// What an object is to carry, as hooks see it.
    fn told(&self, put: &Put) -> UploadMetadata {
        let attributes = put.attributes.clone();
        let expires = attributes.expires.as_deref();
        UploadMetadata {
            acl: put.acl.as_deref().map(str::to_owned),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_type: attributes.content_type,
            expires: expires.and_then(|text| Timestamp::parse_http(text).ok()),
            metadata: attributes.user,
            request_payer: self.requester_pays,
            storage_class: put.storage_class.clone(),
            tagging: put.tags.clone(),
            website_redirect_location: attributes.website_redirect,
        }
    }
}

fn source_of(via: &Transferrer, work: &Work, head: &Head) -> SourceObject {
    let Preprocess { pair, prefix, .. } = &via.preprocess;
    let entry = &work.entry;
    let guesses = via.direction == Direction::LocalToS3 && via.pair.metadata.guess_mime_type;
    let attributes = Attributes {
        content_type: (head.attributes.content_type.clone())
            .or_else(|| guesses.then(|| guess(&entry.key))),
        ..head.attributes.clone()
    };
    SourceObject {
        pair: Arc::clone(pair),
        key: entry.key.clone(),
        target_key: format!("{prefix}{}", entry.key),
        size: entry.size,
        last_modified: head.modified,
        e_tag: head.etag.clone(),
        version_id: head.version.clone().or_else(|| entry.version.clone()),
        checksums: head.checksums.clone(),
        attributes,
        storage_class: head.storage_class.clone(),
        tag_count: head.tag_count,
        details: head.details.as_deref().cloned().unwrap_or_default(),
    }
}

/// What is empty is not there, and what headers carry is written as they can.
fn normalize(upload: &mut UploadMetadata) {
    for text in [
        &mut upload.acl,
        &mut upload.cache_control,
        &mut upload.content_disposition,
        &mut upload.content_encoding,
        &mut upload.content_language,
        &mut upload.content_type,
        &mut upload.website_redirect_location,
    ] {
        if text.as_deref() == Some("") {
            *text = None;
        }
    }
    let class = upload.storage_class.as_ref();
    if class.is_some_and(|class| class.as_str().is_empty()) {
        upload.storage_class = None;
    }
    let is_plain = |(name, value): (&String, &String)| {
        value.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    if !upload.metadata.iter().all(is_plain) {
        let metadata = std::mem::take(&mut upload.metadata).into_iter();
        upload.metadata = metadata
            .map(|(name, value)| (name.to_ascii_lowercase(), encoded_words(&value)))
            .collect();
    }
}

/// The headers that a hook changed, and the user metadata if it changed that.
/// Why what a hook changed can be written nowhere, if so it is.
pub(crate) fn wrong_change(before: &UploadMetadata, after: &UploadMetadata) -> Option<String> {
    let acl = after.acl.as_ref().filter(|_| before.acl != after.acl);
    let class = after.storage_class.as_ref();
    let class = class.filter(|_| before.storage_class != after.storage_class);
    let tags = Some(&after.tagging).filter(|tags| before.tagging != **tags);
    acl.and_then(|acl| wrong_acl(acl))
        .or_else(|| class.and_then(wrong_class))
        .or_else(|| tags.and_then(wrong_tags))
        .or_else(|| wrong_attributes(&changed_attributes(before, after)))
}

fn changed_attributes(before: &UploadMetadata, after: &UploadMetadata) -> Attributes {
    let mut changed = Attributes::default();
    put_attributes(before, after, &mut changed);
    changed
}

fn change(work: &Work, before: &UploadMetadata, after: &UploadMetadata, put: &mut Put) {
    put_attributes(before, after, &mut put.attributes);
    if before.acl != after.acl {
        put.acl = after.acl.as_deref().map(Into::into);
    }
    if before.storage_class != after.storage_class {
        put.storage_class.clone_from(&after.storage_class);
        // what a hook names is the user's choice, which is never left out
        work.kept_class.note(None);
    }
    if before.tagging != after.tagging {
        put.tags.clone_from(&after.tagging);
        work.is_untagged.store(false, Ordering::Relaxed);
    }
    put.payer = match (before.request_payer, after.request_payer) {
        (true, false) => Payer::Owner,
        (false, true) => Payer::Requester,
        (true, true) | (false, false) => Payer::AsEver,
    };
}

fn put_attributes(before: &UploadMetadata, after: &UploadMetadata, attributes: &mut Attributes) {
    for (before, after, place) in [
        (
            &before.cache_control,
            &after.cache_control,
            &mut attributes.cache_control,
        ),
        (
            &before.content_disposition,
            &after.content_disposition,
            &mut attributes.content_disposition,
        ),
        (
            &before.content_encoding,
            &after.content_encoding,
            &mut attributes.content_encoding,
        ),
        (
            &before.content_language,
            &after.content_language,
            &mut attributes.content_language,
        ),
        (
            &before.content_type,
            &after.content_type,
            &mut attributes.content_type,
        ),
        (
            &before.website_redirect_location,
            &after.website_redirect_location,
            &mut attributes.website_redirect,
        ),
    ] {
        if before != after {
            place.clone_from(after);
        }
    }
    if before.expires != after.expires {
        attributes.expires = after.expires.map(Timestamp::http);
    }
    if before.metadata != after.metadata {
        attributes.user.clone_from(&after.metadata);
    }
}
