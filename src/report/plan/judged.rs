//! What each filter said of an object, by what became of it.

use std::fmt::Write as _;

use crate::event::{Event, Rule, SkipReason};
use crate::filter::FilterOrder;
use crate::report::human::printable;

/// What a filter said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// The object goes on.
    Passes,
    /// It stays out.
    Rejects,
    /// Nothing: it was decided on without it.
    NotAsked,
}

impl Says {
    /// The word of JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Rejects => "rejects",
            Self::NotAsked => "not_asked",
        }
    }
}

/// What every filter said, in their order; `None` where nothing is known of it.
pub(super) fn judged<'a>(order: &'a FilterOrder, event: &Event) -> Option<Vec<(&'a Rule, Says)>> {
    let all: Vec<&Rule> = order
        .early
        .iter()
        .chain(&order.late)
        .map(|rule| &**rule)
        .collect();
    let passed = match event {
        Event::Filtered { by, .. } => all.iter().position(|rule| **rule == **by)?,
        Event::Planned { .. }
        | Event::Skipped {
            reason: SkipReason::LuaCancelled | SkipReason::HookCancelled,
            ..
        } => all.len(),
        // what a filter failed on
        Event::Failed { error, .. } if error.operation == "filter" => return None,
        // nor what was never listed
        Event::Failed { source: None, .. } => return None,
        Event::Unchanged { .. }
        | Event::Undecided { .. }
        | Event::MarkerCopied { .. }
        | Event::Failed { .. }
        | Event::Skipped {
            source: Some(_), ..
        } => order.early.len(),
        _ => return None,
    };
    let is_rejected = matches!(event, Event::Filtered { .. });
    let says = |at: usize| match at.cmp(&passed) {
        std::cmp::Ordering::Less => Says::Passes,
        std::cmp::Ordering::Equal if is_rejected => Says::Rejects,
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => Says::NotAsked,
    };
    Some(
        all.into_iter()
            .enumerate()
            .map(|(at, rule)| (rule, says(at)))
            .collect(),
    )
}

/// The same as lines for people.
pub(super) fn text(judged: &[(&Rule, Says)], column: &str) -> String {
    let mut text = String::new();
    if judged.is_empty() {
        let _ = writeln!(text, "{column}  filter  there is none");
    }
    for (rule, says) in judged {
        let says = match says {
            Says::Passes => "passes   ",
            Says::Rejects => "rejects  ",
            Says::NotAsked => "not asked",
        };
        let _ = writeln!(
            text,
            "{column}  filter  {says}  {}",
            printable(&rule.to_string())
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Cause, Listed};
    use crate::object::{ObjectKey, Timestamp};

    fn rule(filter: &'static str) -> Arc<Rule> {
        Arc::new(Rule {
            filter,
            value: "x".to_owned(),
            origin: "job.toml:1".to_owned(),
        })
    }

    #[test]
    fn each_filter_is_known_by_what_became_of_the_object() {
        let order = FilterOrder {
            early: vec![rule("filter.include"), rule("filter.exclude")],
            late: vec![rule("filter.include_tag_regex")],
        };
        let source = || Listed {
            size: 1,
            modified: Timestamp::new(0, 0),
            etag: None,
            version: None,
        };
        let key = || ObjectKey::new("k").expect("short");
        let filtered = |filter| Event::Filtered {
            key: "k".to_owned(),
            source: Some(source()),
            by: rule(filter),
            seen: None,
        };
        let skipped = |source, reason| Event::Skipped {
            key: "k".to_owned(),
            source,
            reason,
            message: None,
        };
        for (name, event, expected) in [
            ("the first", filtered("filter.include"), Some("rnn")),
            ("the second", filtered("filter.exclude"), Some("prn")),
            (
                "a late one",
                filtered("filter.include_tag_regex"),
                Some("ppr"),
            ),
            ("unknown", filtered("filter.larger_size"), None),
            (
                "goes",
                Event::Planned {
                    key: key(),
                    source: source(),
                    because: Cause::Missing,
                    replaces: None,
                },
                Some("ppp"),
            ),
            (
                "is there",
                Event::Unchanged {
                    key: key(),
                    source: source(),
                    target: source(),
                },
                Some("ppn"),
            ),
            (
                "cannot go",
                skipped(Some(source()), SkipReason::ShadowedKey),
                Some("ppn"),
            ),
            ("is not there", skipped(None, SkipReason::NotFound), None),
        ] {
            let seen = judged(&order, &event).map(|judged| {
                let letters = judged.iter().map(|(_, says)| &says.as_str()[..1]);
                letters.collect::<String>()
            });
            assert_eq!(seen.as_deref(), expected, "{name}");
        }
    }
}
