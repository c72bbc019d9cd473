//! What is to be done with a key.

use super::{Deletion, Joined, Leave};
use crate::config::By;
use crate::event::{Cause, Listed};
use crate::object::{Entry, ObjectKey};

/// What is to be done with one key of the source.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Bring it over.
    Transfer(Transfer),
    /// The listings do not tell: ask or read first.
    Examine(Examine),
    /// Leave it.
    Leave(Leave),
    /// Delete it at the target, once it is known that everything may be deleted that is to be.
    Delete(Deletion),
    /// Say whether both sides are the same: the run only compares.
    Compare(Joined),
    /// Its path may be taken: that is for the late filters to say.
    Behind(Behind),
}

impl Decision {
    /// The key it is about, where the source has it.
    pub fn key(&self) -> Option<&ObjectKey> {
        self.source().map(|source| &source.key)
    }

    /// What the source has, if it has it.
    pub fn source(&self) -> Option<&Entry> {
        match self {
            Self::Transfer(Transfer { source, .. })
            | Self::Examine(Examine { source, .. })
            | Self::Leave(
                Leave::Unchanged { source, .. }
                | Leave::Filtered { source, .. }
                | Leave::Unfiltered { source, .. }
                | Leave::Skip { source, .. },
            )
            | Self::Compare(Joined::Both { source, .. } | Joined::OnlySource(source)) => {
                Some(source)
            }
            Self::Delete(_) | Self::Compare(Joined::OnlyTarget(_) | Joined::Hidden(_)) => None,
            Self::Behind(behind) => behind.otherwise.source(),
        }
    }

    /// What the target has under the key, as far as its listing tells.
    pub fn target(&self) -> Option<Listed> {
        match self {
            Self::Transfer(transfer) => transfer.replaces.clone(),
            Self::Examine(examine) => examine.target.as_ref().map(Into::into),
            Self::Leave(Leave::Unchanged { target, .. })
            | Self::Compare(
                Joined::Both { target, .. } | Joined::OnlyTarget(target) | Joined::Hidden(target),
            ) => Some(target.into()),
            Self::Delete(deletion) => Some(deletion.target().clone()),
            Self::Behind(behind) => behind.otherwise.target(),
            Self::Leave(Leave::Filtered { .. } | Leave::Unfiltered { .. } | Leave::Skip { .. })
            | Self::Compare(Joined::OnlySource(_)) => None,
        }
    }

    /// The same, or a transfer where the object would be left as unchanged or looked into.
    /// What cannot be brought over is not, and what is only compared is compared.
    #[must_use]
    pub fn forced(self, because: Cause) -> Self {
        let (source, replaces) = match self {
            Self::Leave(Leave::Unchanged { source, target }) => (source, Some(target)),
            Self::Examine(Examine { source, target, .. }) => (source, target),
            Self::Behind(Behind { others, otherwise }) => {
                return Self::Behind(Behind {
                    others,
                    otherwise: Box::new(otherwise.forced(because)),
                });
            }
            other @ (Self::Transfer(_) | Self::Leave(_) | Self::Delete(_) | Self::Compare(_)) => {
                return other;
            }
        };
        Self::Transfer(Transfer {
            source,
            replaces: replaces.as_ref().map(Into::into),
            because,
        })
    }
}

/// One object to bring over.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// What the source listed.
    pub source: Entry,
    /// What the target has under the key, if it has it.
    pub replaces: Option<Listed>,
    /// Why.
    pub because: Cause,
}

/// One object whose path in a directory belongs to another one, should that go.
#[derive(Debug, Clone)]
pub struct Behind {
    /// Those that may take its path, in order. If one of them goes, this one cannot.
    pub others: Vec<Entry>,
    /// What is to be done if none of them goes.
    pub otherwise: Box<Decision>,
}

/// One object on which the listings are silent.
#[derive(Debug, Clone)]
pub struct Examine {
    /// What the source listed.
    pub source: Entry,
    /// What the target listed; `None` where it is not listed but asked for each key.
    pub target: Option<Entry>,
    /// What is to be found out.
    pub question: Question,
}

/// What an examination is to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Both were written in the same second and have the same size: is it the same content?
    SameSecond,
    /// The source's time lies in the future: is it the one that was stored with the target?
    FutureTime,
    /// Is it the same content, by this evidence?
    Content(By),
    /// What does the target have under the key, and what follows from it?
    Target,
}
