//! The filters of a pair by their names, in the order they are asked.

use std::sync::Arc;

use super::LateFilters;
use super::rule::Rules;
use crate::config;
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
        Self {
            early: early
                .chain(hooks.filters.iter().map(|hook| hook.rule()))
                .collect(),
            late: LateFilters::new(said).rules().collect(),
        }
    }
}
