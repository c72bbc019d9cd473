//! What the filters say of a key, before anything is decided on it.

use super::{Aim, Decision, Joined, Leave, Plan};
use crate::event::Event;
use crate::filter::Ruling;
use crate::hook::Fails;
use crate::store::StoreError;

/// What the filters make of a key.
pub(super) enum Admission {
    /// It is decided on already; `None` where nobody need hear of it.
    Decided(Option<Decision>),
    /// It is to be decided on.
    Open(Joined),
}

impl Plan {
    /// What the filters say of a key. Those that only the target has are asked about where they
    /// are to be compared.
    pub(super) async fn admit(&mut self, joined: Joined) -> Result<Admission, StoreError> {
        let only_target = match &joined {
            Joined::Both { source, .. } | Joined::OnlySource(source) => {
                let ruling = self.join.source.take_ruling();
                self.survey(&joined, &ruling);
                return Ok(match ruling {
                    Ruling::Admitted => Admission::Open(joined),
                    ruling => Admission::Decided(Some(Decision::Leave(Leave::by_filters(
                        source.clone(),
                        ruling,
                    )))),
                });
            }
            Joined::OnlyTarget(target) | Joined::Hidden(target) => target,
        };
        if let Some(finder) = &mut self.finder {
            if self.folded.is_some() {
                finder.cannot_tell();
            } else if matches!(joined, Joined::OnlyTarget(_))
                && !self.join.source.stands_for(&only_target.key)
            {
                finder.missing(only_target.clone()).await?;
            }
            return Ok(Admission::Decided(None));
        }
        if self.join.source.could_not_tell(&only_target.key) {
            return Ok(Admission::Decided(None));
        }
        if self.rules.aim == Aim::Sync || self.filters.is_empty() {
            return Ok(Admission::Open(joined));
        }
        let candidate = self.rules.names.candidate(only_target);
        let rulings = self.filters.of_all(vec![candidate]).await;
        Ok(match rulings.into_iter().next() {
            Some(Ruling::Admitted) | None => Admission::Open(joined),
            Some(Ruling::Rejected(_)) => Admission::Decided(None),
            Some(Ruling::Failed(error)) if error.fails == Fails::Object => {
                // no object of the source, so that it can neither fail nor be counted as one
                let error = error.in_the("filter", only_target.key.as_str());
                let message = format!("{error}; only the target has it, and it was not compared");
                self.sinks.emit(&Event::Warning { message });
                Admission::Decided(None)
            }
            Some(Ruling::Failed(error)) => {
                return Err(error.in_the("filter", only_target.key.as_str()));
            }
        })
    }

    /// Takes what the source has under a key, for the deletions.
    fn survey(&mut self, joined: &Joined, ruling: &Ruling) {
        let Some(finder) = &mut self.finder else {
            return;
        };
        let (source, target) = match joined {
            Joined::Both { source, target } => (source, Some(target)),
            Joined::OnlySource(source) => (source, None),
            Joined::OnlyTarget(_) | Joined::Hidden(_) => return,
        };
        let name = self.join.source.name_of(source);
        finder.has(source, name, *ruling == Ruling::Admitted, target);
        if let (Ruling::Rejected(_), Some(target)) = (ruling, target) {
            finder.excluded(target.clone());
        }
    }
}
