//! The filters of a pair by their names, in the order they are asked.

use std::sync::Arc;

use super::rule::{Rules, joined};
use crate::config::{self, Pattern, Patterns};
use crate::event::Rule;
use crate::hook::Hooks;

/// Every filter of a pair.
#[derive(Debug, Clone, Default)]
pub struct FilterOrder {
    /// Those on what a listing tells, hooks last.
    pub early: Vec<Arc<Rule>>,
    /// Those on what only asking tells, of what would be transferred.
    pub late: Vec<Arc<Rule>>,
}

impl FilterOrder {
    /// Of a pair with these hooks.
    pub fn of(said: &config::Filters, hooks: &Hooks) -> Self {
        let Rules(rules) = Rules::of(said);
        let early = rules.into_iter().map(|(rule, _)| rule);
        let late = [&said.content_type, &said.metadata, &said.tags];
        Self {
            early: early
                .chain(hooks.filters.iter().map(|hook| hook.rule()))
                .collect(),
            late: late.into_iter().flat_map(rules_of).collect(),
        }
    }
}

fn rules_of(patterns: &Patterns) -> Vec<Arc<Rule>> {
    let include = patterns.include.iter().map(|said| {
        let text = joined(said.value.iter().map(Pattern::as_str));
        said.rule(text)
    });
    let exclude = patterns.exclude.iter().flat_map(|said| {
        let each = said.value.iter().map(Pattern::as_str);
        each.map(|text| said.rule(text))
    });
    include.chain(exclude).map(Arc::new).collect()
}
