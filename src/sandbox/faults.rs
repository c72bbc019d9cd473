//! Faults on request, for tests: refusals, lost connections, cut and corrupted bodies, late answers.
//!
//! A [`Rule`] says which calls it is about, which of those it strikes and what happens to them. The
//! same handle counts calls and keeps the order of the mutating ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::operation::{Operation, Target};

/// Which calls are struck, and by what.
#[derive(Debug, Clone)]
pub struct Rule {
    operation: Option<String>,
    bucket: Option<String>,
    key: Option<String>,
    carried: Option<String>,
    when: When,
    action: Action,
}

/// Which of the calls a rule is about it strikes. Counting starts at 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// All of them.
    Always,
    /// Only this one.
    Nth(u64),
    /// Every k-th.
    Every(u64),
    /// The first so many.
    First(u64),
    /// This one and all after it.
    From(u64),
    /// Each with this probability; equal seeds strike equally.
    Chance {
        /// Between 0 and 1.
        probability: f64,
        /// Where the sequence of chances begins.
        seed: u64,
    },
}

/// What happens to a call that is struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// An error answer; the operation is not performed.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// S3's error code.
        code: String,
        /// Seconds for a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// A header or query parameter of this name is not looked at, as by a server that has never
    /// heard of it; in DeleteObjects an element, too.
    Ignore(String),
    /// The connection closes without an answer.
    Close(Moment),
    /// The connection closes after so many bytes of the response body.
    CutResponse(u64),
    /// One bit of the response body's byte at this offset is flipped.
    FlipResponse(u64),
    /// One bit of the request body's byte at this offset, as it is on the wire, is flipped before
    /// the sandbox sees it. What claims a digest of its body is refused.
    FlipRequest(u64),
    /// One bit of the content is flipped after all claims were verified: the object is stored, and
    /// its ETag and checksum are those of what is stored. Of what is copied, the halves are swapped.
    FlipStored,
    /// CompleteMultipartUpload puts the first two parts in each other's place.
    SwapParts,
    /// The answer tells another ETag than the object has.
    WrongETag,
    /// The answer tells another checksum than the object has.
    WrongChecksum,
    /// The answer tells the object's checksum under an algorithm that does not exist.
    UnknownChecksum,
    /// A listing tells of no object which storage class it has.
    HideClasses,
    /// The answer's XML has no elements of this name.
    Without(&'static str),
    /// The text of the answer has the second of these wherever it had the first.
    Reword(&'static str, &'static str),
    /// The objects of a listing's page come in the opposite order.
    TurnRound,
    /// The body of the answer comes so slowly: a byte, and then so long nothing.
    Trickle(Duration),
    /// The call starts so much later, or when it is [let go](Faults::let_go).
    Delay(Duration),
    /// The call is performed, and answered so much later, or when it is [let go](Faults::let_go).
    DelayAnswer(Duration),
    /// CompleteMultipartUpload and CopyObject answer 200 with an `<Error>` in the body. Other
    /// operations are not affected.
    ErrorInOk(Moment),
}

/// Whether a fault strikes before the operation is performed or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The operation is not performed.
    Before,
    /// The operation is performed.
    After,
}

impl Rule {
    /// A rule that strikes every call.
    pub fn new(action: Action) -> Self {
        Self {
            operation: None,
            bucket: None,
            key: None,
            carried: None,
            when: When::Always,
            action,
        }
    }

    /// 503 SlowDown.
    pub fn slow_down() -> Self {
        Self::new(Action::Refuse {
            status: 503,
            code: "SlowDown".to_owned(),
            retry_after: None,
        })
    }

    /// Only calls of this operation, by its name in S3's API (`PutObject`).
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.operation = Some(name.to_owned());
        self
    }

    /// Only calls about this bucket and what is in it.
    #[must_use]
    pub fn bucket(mut self, name: &str) -> Self {
        self.bucket = Some(name.to_owned());
        self
    }

    /// Only calls whose key contains this text. Of DeleteObjects, which has many, a refusal is then
    /// the answer to each such key.
    #[must_use]
    pub fn key(mut self, part: &str) -> Self {
        self.key = Some(part.to_owned());
        self
    }

    /// Only calls that carry this header or query parameter.
    #[must_use]
    pub fn carrying(mut self, name: &str) -> Self {
        self.carried = Some(name.to_owned());
        self
    }

    /// Only some of these calls.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    fn is_about(&self, operation: &str, target: &Target, carries: impl Fn(&str) -> bool) -> bool {
        let key = target.key();
        let is =
            |wanted: &Option<String>, seen: &str| wanted.as_deref().is_none_or(|it| it == seen);
        is(&self.operation, operation)
            && is(&self.bucket, target.bucket())
            && self.key.as_deref().is_none_or(|part| key.contains(part))
            && self.carried.as_deref().is_none_or(carries)
    }
}

impl When {
    fn strikes(self, count: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(n) => count == n,
            Self::Every(k) => k > 0 && count.is_multiple_of(k),
            Self::First(n) => count <= n,
            Self::From(n) => count >= n,
            Self::Chance { probability, seed } => chance(seed, count) < probability,
        }
    }
}

/// A number in 0..1 that looks random (SplitMix64).
fn chance(seed: u64, count: u64) -> f64 {
    let mut z = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// A mutating call that reached the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The operation's name in S3's API.
    pub operation: &'static str,
    /// The bucket it was about.
    pub bucket: String,
    /// The key it was about; empty when it was about the bucket.
    pub key: String,
}

/// The rules in force, and what was called.
#[derive(Debug, Default)]
pub struct Faults {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Each with how many calls it was about.
    rules: Vec<(Rule, u64)>,
    calls: BTreeMap<&'static str, u64>,
    mutations: Vec<Mutation>,
    /// Told when calls that are late are to go on.
    let_go: watch::Sender<()>,
}

impl Faults {
    /// Adds a rule; its counting starts now.
    pub fn add(&self, rule: Rule) {
        self.book().rules.push((rule, 0));
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.book().rules.clear();
    }

    /// Has all calls that were counted so far go on, which are late for a rule; the rules stay.
    pub fn let_go(&self) {
        self.book().let_go.send_replace(());
    }

    /// How many calls of this operation arrived, struck or not.
    pub fn calls(&self, operation: &str) -> u64 {
        self.book()
            .calls
            .get(operation)
            .copied()
            .unwrap_or_default()
    }

    /// How many calls of each operation arrived.
    pub fn all_calls(&self) -> BTreeMap<&'static str, u64> {
        self.book().calls.clone()
    }

    /// The mutating calls, in the order they arrived.
    pub fn mutations(&self) -> Vec<Mutation> {
        self.book().mutations.clone()
    }

    /// Forgets all calls; the rules stay.
    pub fn forget_calls(&self) {
        let mut book = self.book();
        book.calls.clear();
        book.mutations.clear();
    }

    /// Counts a call; what is to happen to it.
    pub(super) fn strike(
        &self,
        operation: Operation,
        target: &Target,
        carries: impl Fn(&str) -> bool,
    ) -> Tampering {
        let mut book = self.book();
        *book.calls.entry(operation.name()).or_default() += 1;
        if operation.is_mutation() {
            book.mutations.push(Mutation {
                operation: operation.name(),
                bucket: target.bucket().to_owned(),
                key: target.key().to_owned(),
            });
        }
        let mut actions = Vec::new();
        let mut of_keys = Vec::new();
        for (rule, count) in &mut book.rules {
            if let Some(part) = &rule.key
                && matches!(operation, Operation::DeleteObjects)
                && rule.operation.as_deref() == Some(operation.name())
            {
                *count += 1;
                if rule.when.strikes(*count) {
                    of_keys.push((part.clone(), rule.action.clone()));
                }
            } else if rule.is_about(operation.name(), target, &carries) {
                *count += 1;
                if rule.when.strikes(*count) {
                    actions.push(rule.action.clone());
                }
            }
        }
        Tampering {
            actions,
            of_keys,
            let_go: Some(book.let_go.subscribe()),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to happen to one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Tampering {
    actions: Vec<Action>,
    /// What is to happen to keys with these texts, of the many of one call.
    of_keys: Vec<(String, Action)>,
    /// Says when it is no longer to be late.
    let_go: Option<watch::Receiver<()>>,
}

impl Tampering {
    /// Waits for so long, or until the call is let go.
    pub(super) async fn late(&self, by: Duration) {
        let let_go = async {
            match self.let_go.clone() {
                Some(mut let_go) => let_go.changed().await.is_ok(),
                None => false,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(by) => {}
            true = let_go => {}
        }
    }

    /// All of it, in the order of the rules.
    pub(super) fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Whether content is to be stored wrong.
    pub(super) fn rots_stored(&self) -> bool {
        self.actions.contains(&Action::FlipStored)
    }

    /// What one of the many keys of a call is to be refused with.
    pub(super) fn refusal_of(&self, key: &str) -> Option<(u16, &str)> {
        let mut about = self.of_keys.iter().filter(|(part, _)| key.contains(part));
        about.find_map(|(_, action)| match action {
            Action::Refuse { status, code, .. } => Some((*status, code.as_str())),
            _ => None,
        })
    }

    /// Headers, query parameters and elements that are not to be looked at.
    pub(super) fn ignores(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().filter_map(|action| match action {
            Action::Ignore(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether parts are to be put in the wrong order.
    pub(super) fn swaps_parts(&self) -> bool {
        self.actions.contains(&Action::SwapParts)
    }

    /// Whether the answer is to be an error in a 200, and when.
    pub(super) fn errs_in_ok(&self) -> Option<Moment> {
        self.actions.iter().find_map(|action| match action {
            Action::ErrorInOk(moment) => Some(*moment),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_late_call_that_is_let_go_goes_on() {
        let faults = Faults::default();
        let late = |faults: &Faults| Tampering {
            let_go: Some(faults.book().let_go.subscribe()),
            ..Tampering::default()
        };
        let before = late(&faults);
        faults.let_go();
        before.late(Duration::from_mins(10)).await;
        let after = late(&faults);
        let waits = tokio::time::timeout(Duration::from_millis(1), after.late(Duration::MAX));
        assert!(waits.await.is_err(), "it came later");
    }

    #[test]
    fn rules_strike_what_they_say() {
        for (when, struck) in [
            (When::Always, vec![1, 2, 3, 4, 5, 6]),
            (When::Nth(2), vec![2]),
            (When::Every(3), vec![3, 6]),
            (When::First(2), vec![1, 2]),
            (When::From(5), vec![5, 6]),
            (
                When::Chance {
                    probability: 0.0,
                    seed: 1,
                },
                vec![],
            ),
            (
                When::Chance {
                    probability: 1.0,
                    seed: 1,
                },
                vec![1, 2, 3, 4, 5, 6],
            ),
        ] {
            let seen: Vec<_> = (1..=6).filter(|count| when.strikes(*count)).collect();
            assert_eq!(seen, struck, "{when:?}");
        }
        let half = When::Chance {
            probability: 0.5,
            seed: 7,
        };
        let struck = (1..=1000).filter(|count| half.strikes(*count)).count();
        assert!((400..600).contains(&struck), "{struck}");
    }
}
