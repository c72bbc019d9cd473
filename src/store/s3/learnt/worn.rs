//! Servers that take what an object is to have beside its bytes, and let it fall without a word.

use super::{Extra, Lack};
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

impl S3Store {
    /// Looks at the first object that is written with metadata, tags or a class of its own, each
    /// once, whether it has them. What cannot be seen is not held against anybody.
    pub(in crate::store::s3) async fn look_back(&self, put: &Put, stored: &Stored) {
        let unseen = |worn: &Worn| worn.is_in(put) && self.0.learnt.is_first_look(*worn);
        let unseen: Vec<_> = Worn::ALL.into_iter().filter(unseen).collect();
        if unseen.is_empty() {
            return;
        }
        let Ok(head) = read::head(self, (&put.key).into(), false).await else {
            return;
        };
        // another's, unless the answer named no ETag at all
        if stored.etag.is_some() && head.etag != stored.etag {
            return;
        }
        for worn in unseen {
            if let Some(why) = self.missed(worn, put, &head).await {
                self.learn(Lack::Keeping(worn), &why);
            }
        }
    }

    /// In which words it is missing; `None` where it is there, or may be.
    async fn missed(&self, worn: Worn, put: &Put, head: &Head) -> Option<String> {
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
                    return Some(error.to_string());
                }
                Err(_) => true,
            },
        };
        let why = format!("`{}` was written with it and does not have it", put.key);
        (!is_there).then_some(why)
    }
}

/// A class as HEAD tells it: of the usual one, nothing.
fn told(class: Option<&StorageClass>) -> Option<&str> {
    class
        .map(StorageClass::as_str)
        .filter(|class| *class != "STANDARD")
}
