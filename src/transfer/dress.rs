/*! What an object is written with beside its bytes, the same however it is written: PutObject, an
upload in parts, and copies inside S3, which bring little of it along by themselves.
*/

mod attributes;
mod class;

pub(super) use self::attributes::{guess, guessed};

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::{Transferrer, Work, origin};
use crate::config::Versions;
use crate::event::{Cause, Event};
use crate::object::Tags;
use crate::store::{Head, Payer, Put, StoreError};

/// Everything that is written with the object; `head` is what its source says of it.
pub(super) async fn put_of(via: &Transferrer, work: &Work, head: &Head) -> Result<Put, StoreError> {
    let pair = &via.pair;
    let mut dressed = attributes::of(&pair.metadata, via.direction, &work.entry.key, head);
    if pair.target.is_directory_bucket() {
        dressed.without_redirect();
    }
    warn_once(via, work, &dressed.lost);
    dressed.attributes.user.extend(marks(via, work, head));
    Ok(Put {
        key: work.entry.key.clone(),
        size: work.entry.size,
        modified: head.modified,
        attributes: dressed.attributes,
        tags: Tags::new(),
        storage_class: class::of(via, work, head),
        acl: pair.acl.clone(),
        condition: work.condition.clone(),
        checksum: pair.checksum,
        full_object: pair.checksum_full_object,
        // what is distrusted looks the same, and is not taken for it
        known_by: match (pair.versions, work.because) {
            (Versions::Latest | Versions::AsOf(_), _) | (Versions::All, Cause::Distrusted) => &[],
            (Versions::All, _) => &origin::ORIGIN,
        },
        payer: Payer::AsEver,
    })
}

/// What is noted in the user metadata for runs to come: of which version an object is made, and the
/// source's time where the target's own will not tell it. Nobody has a say in that.
pub(super) fn marks(via: &Transferrer, work: &Work, head: &Head) -> BTreeMap<String, String> {
    let mut marks = attributes::ahead(via.direction, head);
    if via.pair.versions == Versions::All {
        origin::note(&work.entry, &mut marks);
    }
    marks
}

/// Tells what the object loses: once, however often it is begun again.
fn warn_once(via: &Transferrer, work: &Work, lost: &[String]) {
    if lost.is_empty() || work.told.swap(true, Ordering::Relaxed) {
        return;
    }
    for lost in lost {
        let message = format!("`{}`: {lost}", work.entry.key);
        via.sinks.emit(&Event::Warning { message });
    }
}
