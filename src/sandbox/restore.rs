//! RestoreObject. A restore is done at once.

use jiff::{SignedDuration, Timestamp};

use super::bucket::Change;
use super::error::{Result, error, malformed_xml};
use super::get;
use super::request::Call;
use super::response::Answer;
use super::store::Store;
use super::xml::Node;

/// RestoreObject: 202 for the first restore, 200 for one that only lasts longer.
pub(super) async fn object(store: &Store, call: &mut Call) -> Result<Answer> {
    let body = call.small_body().await?;
    let document = Node::parse(&body, "RestoreRequest")?;
    let days: i64 = document
        .child_text("Days")
        .and_then(|text| text.trim().parse().ok())
        .filter(|days| (1..=36_500).contains(days))
        .ok_or_else(malformed_xml)?;
    let located = get::locate(store, call)?;
    if !matches!(located.object().storage_class(), "GLACIER" | "DEEP_ARCHIVE") {
        return Err(error(
            403,
            "InvalidObjectState",
            "Restore is not allowed for the object's current storage class",
        ));
    }
    located.bucket.transact(|state| {
        let mut version = get::select(state, call.key(), Some(&located.version.id))?
            .as_ref()
            .clone();
        let mut status = 202;
        if let Some(object) = &mut version.object {
            status = if object.is_archived() { 202 } else { 200 };
            object.restored_until = Some(Timestamp::now() + SignedDuration::from_hours(24 * days));
        }
        Ok((
            vec![Change::Update {
                key: call.key().to_owned(),
                version,
            }],
            Answer::empty(status),
        ))
    })
}
