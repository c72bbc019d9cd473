//! How an object has ended, told once: arrived, failed, or left where it is.

use super::once_more::may_pass;
use super::trouble::Trouble;
use super::{Became, Ended, Failure, Transferrer, damage};
use crate::config::OnUnverifiable;
use crate::context::{Conclusion, cancelled, conclude};
use crate::digest::{Mismatch, Verdict};
use crate::event::{Conduct, Event, FailReason, SkipReason};
use crate::hook::{Fails, HookError};
use crate::object::Entry;
use crate::store::{ErrorKind, Settled, StoreError};

impl Transferrer {
    /// Tells of an object that is not begun any more; an error is one that ends the pair.
    pub(super) fn tell_end(&self, ended: Ended) -> Result<(), StoreError> {
        match ended {
            Ended::Failed(failure) => self.tell(*failure),
            Ended::Stopped(event) => self.sinks.emit(&event),
            Ended::Pair(error) => return Err(error),
        }
        Ok(())
    }

    /// Tells what else there is to say of an object.
    pub(super) fn warn(&self, messages: Vec<String>) {
        for message in messages {
            self.sinks.emit(&Event::Warning { message });
        }
    }

    pub(super) fn arrived(
        &self,
        listed: &Entry,
        settled: Settled,
        conduct: Conduct,
    ) -> Result<Became, Ended> {
        if let (Verdict::Unverifiable(why), OnUnverifiable::Fail) =
            (settled.integrity().verdict(), self.pair.verify.unverifiable)
        {
            let message = format!("it cannot be verified: {}", why.as_str());
            let error = StoreError::new("verify", listed.key.as_str(), ErrorKind::Other, message);
            let reason = FailReason::Unverifiable;
            self.distrust(listed, settled.stored(), reason);
            return self.failed(listed, reason, error, conduct.attempts);
        }
        let version = settled.stored().version.clone();
        self.sinks.emit(&Event::Transferred {
            settled: Box::new(settled),
            conduct,
        });
        Ok(Became::Arrived(version))
    }

    /// Tells of an object that has arrived, and not all of its annotations have.
    pub(super) fn not_annotated(
        &self,
        source: &Entry,
        error: StoreError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        if error.kind == ErrorKind::Cancelled || error.kind.is_fatal() {
            return self.conclude(source, error.into(), attempts);
        }
        self.failed(source, FailReason::Annotations, error, attempts)
    }

    /// Tells what became of an object that did not arrive.
    pub(super) fn conclude(
        &self,
        source: &Entry,
        trouble: Trouble,
        attempts: u32,
    ) -> Result<Became, Ended> {
        let error = match trouble {
            Trouble::Damaged(mismatch) => return self.damaged(source, &mismatch, attempts),
            Trouble::Published(rejected) => {
                return self.damaged(source, &rejected.mismatch, attempts);
            }
            // the run ends: otherwise it would have begun again
            Trouble::Parts(_) | Trouble::Asked(_) => cancelled(source.key.as_str()),
            // what the target has may be what an earlier attempt left: the next run sees
            Trouble::Filtered(leave) => return Ok(self.leave(*leave, None)),
            Trouble::Unproved(unproved) => unproved.told(),
            Trouble::Left(left) => {
                self.sinks.emit(&left.skipped(source));
                return Ok(Became::LeftOut);
            }
            Trouble::Hook(error) => return self.hook_failed(source, &error, attempts),
            Trouble::Store(error) => error,
        };
        let Conclusion { event, ends_pair } = conclude(source, error, self.direction, attempts);
        if let Some(error) = ends_pair {
            self.sinks.emit(&event);
            return Err(Ended::Pair(error));
        }
        match event {
            Event::Failed { reason, error, .. } => self.failed(source, reason, *error, attempts),
            stopped @ Event::NotAttempted { .. } => Err(Ended::Stopped(Box::new(stopped))),
            left => {
                self.sinks.emit(&left);
                Ok(match left {
                    Event::Skipped {
                        reason: SkipReason::SourceVanished | SkipReason::Archived,
                        ..
                    } => Became::LeftOut,
                    _ => Became::Stayed,
                })
            }
        }
    }

    /// Tells of an object that a hook failed on; an error is one that ends the pair.
    fn hook_failed(
        &self,
        source: &Entry,
        error: &HookError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        let told = error.in_the("preprocess", source.key.as_str());
        let became = self.failed(source, error.reason(), told.clone(), attempts)?;
        match error.fails {
            Fails::Object => Ok(became),
            Fails::Pair => Err(Ended::Pair(told)),
        }
    }

    fn damaged(&self, source: &Entry, mismatch: &Mismatch, attempts: u32) -> Result<Became, Ended> {
        let ends = [self.source.describe(), self.target.describe()];
        let endpoint = ends.iter().find_map(|end| end.endpoint.as_deref());
        let (reason, error) = damage::told(source, mismatch, endpoint);
        self.failed(source, reason, error, attempts)
    }

    /// Tells of an object that has failed, unless another moment may help.
    pub(super) fn failed(
        &self,
        source: &Entry,
        reason: FailReason,
        error: StoreError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        let passes = may_pass(reason, &error);
        let event = Event::Failed {
            key: source.key.clone(),
            source: Some(source.into()),
            reason,
            error: Box::new(error),
            attempts,
        };
        if passes {
            return Err(Ended::Failed(Box::new(Failure {
                event,
                warnings: Vec::new(),
                again: None,
            })));
        }
        self.sinks.emit(&event);
        Ok(Became::Stayed)
    }
}
