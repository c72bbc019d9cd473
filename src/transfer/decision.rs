//! A decision of the plan, carried out.

use super::late::Judged;
use super::once_more::Past;
use super::{Became, Ended, Transferrer, latest, preprocess};
use crate::config::OnUndecided;
use crate::digest::Why;
use crate::event::{Cause, Event, FailReason, Listed};
use crate::examine::Answer;
use crate::object::Entry;
use crate::plan::{Behind, Decision, Examine, Leave, Transfer};
use crate::store::{ErrorKind, StoreError};

impl Transferrer {
    pub(super) async fn carry(&self, decision: Decision, past: Past) -> Result<Became, Ended> {
        let past_and_this = past.one_more();
        match decision {
            Decision::Leave(Leave::Unchanged { source, target }) => {
                let target_now = Listed::from(&target);
                let unchanged = Event::Unchanged {
                    key: source.key.clone(),
                    source: (&source).into(),
                    target: target_now.clone(),
                };
                let attempts = past_and_this.attempts;
                let left = self.unchanged(&source, target_now, unchanged, attempts);
                left.await.map_err(|ended| {
                    let same = || Decision::Leave(Leave::Unchanged { source, target });
                    ended.begun_with(|| (same(), past_and_this))
                })
            }
            Decision::Leave(leave) => {
                self.sinks.emit(&leave.into());
                Ok(Became::Stayed)
            }
            Decision::Transfer(transfer) => self.transfer(transfer, past).await,
            Decision::Examine(examine) => {
                let examined = self.examine(&examine, past).await;
                examined.map_err(|ended| {
                    ended.begun_with(|| (Decision::Examine(examine), past_and_this))
                })
            }
            Decision::Delete(_) => unreachable!("what is deleted is deleted after all transfers"),
            Decision::Compare(_) => unreachable!("a run that transfers does not only compare"),
            Decision::Behind(behind) => Box::pin(self.behind(behind, past)).await,
        }
    }

    /// What is done with an object depends on whether one of the others goes.
    async fn behind(&self, behind: Behind, past: Past) -> Result<Became, Ended> {
        let Behind { others, otherwise } = behind;
        let Some(source) = otherwise.source() else {
            return self.carry(*otherwise, past).await;
        };
        match self.late.left_behind(source, &others).await {
            Ok(None) => self.carry(*otherwise, past).await,
            Ok(Some(leave)) => Ok(self.leave(leave, otherwise.target())),
            Err(error) => {
                let past = past.one_more();
                let concluded = self.conclude(source, error.into(), past.attempts);
                concluded.map_err(|ended| {
                    let same = || Decision::Behind(Behind { others, otherwise });
                    ended.begun_with(|| (same(), past))
                })
            }
        }
    }

    async fn examine(&self, examine: &Examine, past: Past) -> Result<Became, Ended> {
        let attempts = past.attempts + 1;
        let answer = self.examiner.answer(examine).await;
        let source = &examine.source;
        match answer {
            Ok(Answer::Unchanged(target)) => {
                let unchanged = Event::Unchanged {
                    source: source.into(),
                    target: target.clone(),
                    key: source.key.clone(),
                };
                self.unchanged(source, target, unchanged, attempts).await
            }
            Ok(Answer::Transfer { because, replaces }) => {
                let transfer = Transfer {
                    source: source.clone(),
                    replaces,
                    because,
                };
                self.transfer(transfer, past).await
            }
            Ok(Answer::Undecided { target, why }) => {
                self.undecided(source, target, why, past).await
            }
            Err(error) => self.conclude(source, error.into(), attempts),
        }
    }

    /// Leaves an object as it is, unless filters keep it out and its copy is to be deleted.
    async fn unchanged(
        &self,
        source: &Entry,
        target: Listed,
        left: Event,
        attempts: u32,
    ) -> Result<Became, Ended> {
        if self.judges_unchanged() {
            match self.late.judge(source, None).await {
                Ok(Judged::Goes(_)) => {}
                Ok(Judged::Stays(leave)) => return Ok(self.leave(leave, Some(target))),
                Err(error) => return self.conclude(source, error.into(), attempts),
            }
        }
        latest::leave(self, source, &target, left, attempts).await
    }

    /// What becomes of an object whose content cannot be compared is the user's to say.
    async fn undecided(
        &self,
        source: &Entry,
        target: Listed,
        why: Why,
        past: Past,
    ) -> Result<Became, Ended> {
        let attempts = past.attempts + 1;
        match self.pair.check.on_unverifiable {
            OnUndecided::Skip => {
                let undecided = Event::Undecided {
                    source: source.into(),
                    target: target.clone(),
                    key: source.key.clone(),
                    why,
                };
                self.unchanged(source, target, undecided, attempts).await
            }
            OnUndecided::Transfer => {
                let transfer = Transfer {
                    source: source.clone(),
                    replaces: Some(target),
                    because: Cause::Undecided,
                };
                self.transfer(transfer, past).await
            }
            OnUndecided::Fail => {
                let message = format!("its content cannot be compared: {}", why.as_str());
                let error =
                    StoreError::new("compare", source.key.as_str(), ErrorKind::Other, message);
                self.failed(source, FailReason::Unverifiable, error, attempts)
            }
        }
    }

    /// Whether users' hooks leave out an object that is not to be written; if so, that is told. An
    /// error is one that ends the pair.
    pub async fn is_left_out(&self, source: &Entry) -> Result<bool, StoreError> {
        if self.preprocess.is_empty() || self.dry_run {
            return Ok(false);
        }
        let Err(trouble) = Box::pin(preprocess::leaves_out(self, source)).await else {
            return Ok(false);
        };
        if let Err(ended) = self.conclude(source, trouble, 1) {
            self.tell_end(ended)?;
        }
        Ok(true)
    }

    /// Tells of an object that is left where it is by the filters, and of which the target has
    /// this.
    pub(super) fn leave(&self, leave: Leave, there: Option<Listed>) -> Became {
        let became = match &leave {
            Leave::Filtered { .. } => Became::Filtered(there),
            Leave::Unchanged { .. } | Leave::Unfiltered { .. } | Leave::Skip { .. } => {
                Became::Stayed
            }
        };
        self.sinks.emit(&leave.into());
        became
    }
}
