//! Servers that take what an object is to have beside its bytes, and let it fall without a word.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{Extra, Lack, lock};
use crate::object::StorageClass;
use crate::store::s3::{S3Store, read, tags};
use crate::store::{ErrorKind, Head, Put, Stored};

/// Something an object is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store::s3) enum Worn {
    Metadata,
    Tags,
    Class,
}

impl Worn {
    const ALL: [Self; 3] = [Self::Metadata, Self::Tags, Self::Class];

    /// What is lost where it is let fall, as the report has it.
    pub(super) fn lost(self) -> &'static str {
        match self {
            Self::Metadata => "user metadata of what is written",
            Self::Tags => Extra::Tags.lost(),
            Self::Class => "storage classes of what is written: objects get the endpoint's own",
        }
    }

    fn is_in(self, put: &Put) -> bool {
        match self {
            Self::Metadata => !put.attributes.user.is_empty(),
            Self::Tags => !put.tags.is_empty(),
            Self::Class => put.storage_class.is_some(),
        }
    }
}

/// So many objects are looked at in vain: who may not see the first ones may see none.
const MOST_LOOKS: u8 = 32;

/// What was looked for on objects, and how often in vain.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<BTreeMap<Worn, Look>>);

#[derive(Debug, Clone, Copy)]
enum Look {
    /// Somebody is looking, after so many looks in vain.
    Under(u8),
    /// Nobody is.
    Vain(u8),
    Done,
}

impl Looks {
    /// Whether it is to be looked for now; whoever is told so says what came of it.
    fn begin(&self, worn: Worn) -> bool {
        let mut looks = lock(&self.0);
        let look = looks.entry(worn).or_insert(Look::Vain(0));
        match *look {
            Look::Vain(times) if times < MOST_LOOKS => {
                *look = Look::Under(times);
                true
            }
            Look::Vain(_) | Look::Under(_) | Look::Done => false,
        }
    }

    fn end(&self, worn: Worn, is_seen: bool) {
        let mut looks = lock(&self.0);
        let look = match looks.get(&worn) {
            Some(Look::Under(times)) if !is_seen => Look::Vain(times + 1),
            _ => Look::Done,
        };
        looks.insert(worn, look);
    }
}

/// What a look at an object shows.
enum Sight {
    There,
    /// It is missing, in these words.
    Missing(String),
    /// Nothing: it could not be seen.
    Nothing,
}

impl S3Store {
    /// Looks at the first object that is written with metadata, tags or a class of its own, and
    /// that can be looked at, whether it has them. What cannot be seen is not held against anybody.
    pub(in crate::store::s3) async fn look_back(&self, put: &Put, stored: &Stored) {
        let looks = &self.0.learnt.looks;
        let unseen = |worn: &Worn| worn.is_in(put) && looks.begin(*worn);
        let unseen: Vec<_> = Worn::ALL.into_iter().filter(unseen).collect();
        if unseen.is_empty() {
            return;
        }
        let head = read::head(self, (&put.key).into(), false).await.ok();
        // of another object that took its place nothing follows; an answer may have named no ETag
        let head = head.filter(|head| stored.etag.is_none() || head.etag == stored.etag);
        for worn in unseen {
            let sight = match &head {
                Some(head) => self.sight(worn, put, head).await,
                None => Sight::Nothing,
            };
            looks.end(worn, !matches!(sight, Sight::Nothing));
            if let Sight::Missing(why) = sight {
                self.learn(Lack::Keeping(worn), &why);
            }
        }
    }

    async fn sight(&self, worn: Worn, put: &Put, head: &Head) -> Sight {
        let is_there = match worn {
            Worn::Metadata => put
                .attributes
                .user
                .keys()
                .all(|name| head.attributes.user.contains_key(name)),
            Worn::Class => told(put.storage_class.as_ref()) == told(head.storage_class.as_ref()),
            Worn::Tags if self.lacks(Lack::Extra(Extra::Tags)) || head.tag_count.is_some() => true,
            Worn::Tags => match tags::get(self, (&put.key).into()).await {
                Ok(tags) => !tags.is_empty(),
                Err(error) if error.kind == ErrorKind::Unsupported => {
                    return Sight::Missing(error.to_string());
                }
                Err(_) => return Sight::Nothing,
            },
        };
        if is_there {
            return Sight::There;
        }
        let why = format!("`{}` was written with it and does not have it", put.key);
        Sight::Missing(why)
    }
}

/// A class as HEAD tells it: of the usual one, nothing.
fn told(class: Option<&StorageClass>) -> Option<&str> {
    class
        .map(StorageClass::as_str)
        .filter(|class| *class != "STANDARD")
}
