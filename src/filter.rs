/*! Which objects go, by what the listing tells of them.

The filters have one order (globs, times, sizes, regular expressions, hooks), and the first that
rejects an object is the one it counts for. What a listing does not tell, the workers ask for
later, of what would be transferred ([`LateFilters`]).
*/

mod below;
mod late;
mod order;
mod rule;
mod unreadable;

pub use self::late::LateFilters;
pub use self::order::FilterOrder;

use std::fmt;
use std::sync::Arc;

use self::below::Below;
use self::rule::{Rules, Test};
use crate::config;
use crate::event::Rule;
use crate::hook::{Candidate, FilterHook, HookError, Hooks};
use crate::object::Entry;
use crate::store::{LeavesOut, Oddity, OddityKind};

/// The filters of a pair on what its listings tell, in their order.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    rules: Arc<[(Arc<Rule>, Test)]>,
    below: Arc<[(Arc<Rule>, Below)]>,
    hooks: Arc<[Arc<dyn FilterHook>]>,
}

/// What the filters say of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ruling {
    /// It goes on.
    #[default]
    Admitted,
    /// It stays out, by this one.
    Rejected(Arc<Rule>),
    /// One of them could not tell.
    Failed(HookError),
}

impl Filters {
    /// The filters of a pair.
    pub fn new(said: &config::Filters, hooks: &Hooks) -> Self {
        let Rules(rules) = Rules::of(said);
        let below = rules
            .iter()
            .filter_map(|(rule, test)| Some((Arc::clone(rule), test.below()?)));
        Self {
            below: below.collect(),
            rules: rules.into(),
            hooks: hooks.filters.clone().into(),
        }
    }

    /// Whether somebody has to be asked.
    pub fn asks(&self) -> bool {
        !self.hooks.is_empty()
    }

    /// Whether nothing is ever left out.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.hooks.is_empty()
    }

    /// What the filters of the configuration say, which need not ask anybody.
    pub fn of_entry(&self, entry: &Entry) -> Ruling {
        self.of_listed(entry, false)
    }

    /// The same of what may be a delete marker.
    pub fn of_candidate(&self, candidate: &Candidate) -> Ruling {
        self.of_listed(&candidate.entry, candidate.is_delete_marker)
    }

    fn of_listed(&self, entry: &Entry, is_delete_marker: bool) -> Ruling {
        for (rule, test) in &*self.rules {
            match test.passes(entry, is_delete_marker) {
                Ok(true) => {}
                Ok(false) => return Ruling::Rejected(Arc::clone(rule)),
                Err(message) => {
                    return Ruling::Failed(HookError::new(format!("{rule}: {message}")));
                }
            }
        }
        Ruling::Admitted
    }

    /// Which filter keeps out something that a listing met and that is no object; its name is all
    /// that is known of it.
    pub fn of_oddity(&self, oddity: &Oddity) -> Option<Arc<Rule>> {
        let text = match oddity.kind {
            OddityKind::NotUtf8 => Some(unreadable::as_text(&oddity.name)),
            _ => None,
        };
        let name = text.as_deref().unwrap_or(&oddity.name);
        match (oddity.kind, name.strip_suffix('/')) {
            // the name it is told by is the whole key
            (OddityKind::KeyIsPrefix, _) => self.of_name(""),
            // of one that was not opened, nobody knows that it is a directory
            (OddityKind::UnreadableDirectory, Some(file)) => {
                self.of_name(file).and_then(|_| self.of_all_below(name))
            }
            (_, Some(_)) => self.of_all_below(name),
            (_, None) => self.of_name(name),
        }
    }

    /// Which filter keeps out everything below a directory, whose name ends in `/`.
    fn of_all_below(&self, directory: &str) -> Option<Arc<Rule>> {
        let (rule, _) = (self.below.iter()).find(|(_, below)| below.holds(directory))?;
        Some(Arc::clone(rule))
    }

    /// Which filter keeps out something by its name alone.
    pub fn of_name(&self, key: &str) -> Option<Arc<Rule>> {
        let (rule, _) =
            (self.rules.iter()).find(|(_, test)| test.passes_by_name(key) == Ok(false))?;
        Some(Arc::clone(rule))
    }

    /// What all filters say of some objects, in the order of these. After a failure that is one of
    /// the pair, the answers end.
    pub async fn of_all(&self, candidates: Vec<Candidate>) -> Vec<Ruling> {
        let mut rulings: Vec<Ruling> = (candidates.iter())
            .map(|candidate| self.of_candidate(candidate))
            .collect();
        for hook in &*self.hooks {
            ask(&**hook, &candidates, &mut rulings).await;
        }
        rulings
    }
}

/// Directories are not looked into where everything below them is filtered.
impl LeavesOut for Filters {
    fn leaves_out(&self, directory: &str) -> bool {
        self.of_all_below(directory).is_some()
    }
}

impl Ruling {
    /// What is said of an object of which a hook said nothing.
    pub(crate) fn unanswered() -> Self {
        Self::Failed(HookError::new("the filter did not answer").for_the_pair())
    }
}

/// Asks a hook about those that were admitted so far.
async fn ask(hook: &dyn FilterHook, candidates: &[Candidate], rulings: &mut Vec<Ruling>) {
    let admitted: Vec<usize> = (rulings.iter().enumerate())
        .filter(|(_, ruling)| **ruling == Ruling::Admitted)
        .map(|(at, _)| at)
        .collect();
    let asked = admitted.iter().map(|&at| candidates[at].clone()).collect();
    let answers = hook.filter_all(asked).await;
    let given = answers.len();
    for (&at, answer) in admitted.iter().zip(answers) {
        match answer {
            Ok(true) => {}
            Ok(false) => rulings[at] = Ruling::Rejected(hook.rule()),
            Err(error) => rulings[at] = Ruling::Failed(error),
        }
    }
    if let Some(&unanswered) = admitted.get(given) {
        rulings.truncate(unanswered);
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admitted => f.write_str("admitted"),
            Self::Rejected(rule) => write!(f, "rejected by {rule}"),
            Self::Failed(error) => write!(f, "undecided: {error}"),
        }
    }
}
