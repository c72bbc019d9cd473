//! Tags of objects.

use http::HeaderMap;

use super::bucket::Change;
use super::error::{Result, error, invalid_argument};
use super::get::{self, Located};
use super::object::Version;
use super::query::Query;
use super::request::Call;
use super::response::{self, Answer};
use super::store::Store;
use super::xml::{Node, Writer};

/// The tags in `x-amz-tagging`.
pub(super) fn of_header(headers: &HeaderMap) -> Result<Vec<(String, String)>> {
    match headers.get("x-amz-tagging").map(|value| value.to_str()) {
        None => Ok(Vec::new()),
        Some(Ok(text)) => checked(Query::parse(text).into_pairs()),
        Some(Err(_)) => Err(invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )),
    }
}

/// GetObjectTagging.
pub(super) fn get(store: &Store, call: &Call) -> Result<Answer> {
    let located = get::locate(store, call)?;
    let document = Writer::document("Tagging", |xml| {
        xml.element("TagSet", |xml| {
            for (name, value) in &located.object().attributes.tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", name);
                    xml.text("Value", value);
                });
            }
        });
    });
    Ok(told(response::xml(document), &located))
}

/// PutObjectTagging.
pub(super) async fn put(store: &Store, call: &mut Call) -> Result<Answer> {
    let body = call.small_body().await?;
    let document = Node::parse(&body, "Tagging")?;
    let tags = document
        .child("TagSet")
        .into_iter()
        .flat_map(|set| set.all("Tag"))
        .map(|tag| {
            let text = |name| tag.child_text(name).unwrap_or_default().to_owned();
            (text("Key"), text("Value"))
        })
        .collect();
    let tags = checked(tags)?;
    let located = get::locate(store, call)?;
    replace(&located, call, tags)?;
    Ok(told(Answer::empty(200), &located))
}

/// DeleteObjectTagging.
pub(super) fn delete(store: &Store, call: &Call) -> Result<Answer> {
    let located = get::locate(store, call)?;
    replace(&located, call, Vec::new())?;
    Ok(told(Answer::empty(204), &located))
}

fn replace(located: &Located, call: &Call, tags: Vec<(String, String)>) -> Result<()> {
    located.bucket.transact(|state| {
        let mut version = get::select(state, call.key(), Some(&located.version.id))?
            .as_ref()
            .clone();
        if let Version {
            object: Some(object),
            ..
        } = &mut version
        {
            object.attributes.tags = tags;
        }
        Ok((
            vec![Change::Update {
                key: call.key().to_owned(),
                version,
            }],
            (),
        ))
    })
}

fn told(mut answer: Answer, located: &Located) -> Answer {
    answer.set_some(
        "x-amz-version-id",
        located.bucket.read().told_id(&located.version.id),
    );
    answer
}

fn checked(tags: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    let invalid = |message: &str| Err(error(400, "InvalidTag", message));
    if tags.len() > 10 {
        return Err(error(
            400,
            "BadRequest",
            "Object tags cannot be greater than 10",
        ));
    }
    for (place, (name, value)) in tags.iter().enumerate() {
        if name.is_empty() || name.chars().count() > 128 {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags[..place].iter().any(|(earlier, _)| earlier == name) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(tags)
}
