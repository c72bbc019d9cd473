//! Which version of the source a version of the target was made from, as its user metadata has it.

use std::collections::BTreeMap;

use crate::examine::{ORIGIN_LAST_MODIFIED, ORIGIN_VERSION};
use crate::object::{Entry, Version};

/// All that it says of that version.
pub(super) const ORIGIN: [&str; 2] = [ORIGIN_VERSION, ORIGIN_LAST_MODIFIED];

/// The id of versions that were written while a bucket kept none. It names another object every
/// time it is written over.
const NULL_VERSION: &str = "null";

/// Notes in the user metadata of an object which version it is made from.
pub(super) fn note(from: &Entry, user: &mut BTreeMap<String, String>) {
    if let Some(version) = &from.version {
        user.insert(ORIGIN_VERSION.to_owned(), version.as_ref().to_owned());
        let time = from.modified.rfc3339_offset();
        user.insert(ORIGIN_LAST_MODIFIED.to_owned(), time);
    }
}

/// The id of the version that an object with this user metadata was made from.
pub fn origin_of(user: &BTreeMap<String, String>) -> Option<&str> {
    user.get(ORIGIN_VERSION).map(String::as_str)
}

/// Whether it is a version without an id of its own: another may take its name.
pub fn is_nameless(version: &Entry) -> bool {
    version.version.as_deref() == Some(NULL_VERSION)
}

/// Whether an object with this user metadata was made from that version.
pub fn is_made_from(user: &BTreeMap<String, String>, version: &Version) -> bool {
    if origin_of(user) != Some(&version.id) {
        return false;
    }
    let time = version.modified.rfc3339_offset();
    &*version.id != NULL_VERSION || user.get(ORIGIN_LAST_MODIFIED) == Some(&time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ObjectKey, Timestamp};

    fn version(id: &str, seconds: i64) -> Version {
        Version {
            id: id.into(),
            size: 1,
            modified: Timestamp::new(seconds, 0),
            etag: None,
            storage_class: None,
            checksum: None,
        }
    }

    #[test]
    fn what_is_noted_is_recognized() {
        let key = ObjectKey::new("k").expect("short");
        for (name, of, seen, expected) in [
            ("the same", version("a", 1), version("a", 1), true),
            ("another", version("a", 1), version("b", 1), false),
            ("null", version("null", 1), version("null", 1), true),
            (
                "null, written over",
                version("null", 1),
                version("null", 2),
                false,
            ),
        ] {
            // what a source carries from its own source does not count
            let mut user = BTreeMap::from([(ORIGIN_VERSION.to_owned(), "older".to_owned())]);
            note(&of.under(&key), &mut user);
            assert_eq!(is_made_from(&user, &seen), expected, "{name}");
        }
        assert!(!is_made_from(&BTreeMap::new(), &version("null", 1)));
    }
}
