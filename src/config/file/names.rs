//! What the names in `${…}` stand for.

use std::collections::BTreeMap;

use super::expand::{Expanded, Known, expand};
use super::grammar::{Name, Otherwise, Reference, is_plain, parse};
use super::source::Words;
use crate::config::environment::Environment;
use crate::config::problem::Problem;
use crate::config::suggest::nearest;
use crate::config::text::sounds_secret;

/// Every name that can be referred to.
pub(super) struct Names<'a> {
    pub(super) environment: &'a Environment,
    /// `[vars]`; what is wrong has no value, and was told.
    pub(super) vars: BTreeMap<String, Option<Expanded>>,
    /// The job's name, unless it is wrong.
    pub(super) job: Option<Expanded>,
    /// Whether a file is missing, which may be the one that says a variable.
    pub(super) is_broken: bool,
}

/// Where a text stands, which decides what it can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within<'a> {
    /// `include`.
    Include,
    /// What the whole job has.
    Job,
    /// What a pair has.
    Pair(&'a str),
}

impl<'a> Names<'a> {
    /// Nothing but the environment.
    pub(super) fn of_the_environment(environment: &'a Environment) -> Self {
        Self {
            environment,
            vars: BTreeMap::new(),
            job: None,
            is_broken: false,
        }
    }

    /// Fills in a text of a file. What is wrong is told at its place in the text.
    pub(super) fn fill_in(
        &self,
        words: &Words<'_>,
        within: Within<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Expanded> {
        fill_in(
            words,
            &mut |reference| self.look_up(reference, within),
            problems,
        )
    }

    fn look_up(&self, reference: &Reference, within: Within<'_>) -> Known {
        match (&reference.name, within) {
            (Name::Environment(name), _) => {
                of_the_environment(name, self.environment, self.vars.keys())
            }
            (Name::Date, _) => Known::Value(Expanded::plain(&self.environment.date())),
            (Name::Var(_) | Name::Job | Name::Pair, Within::Include) => Known::Refused {
                message: format!("`{}` is not known in `include`", reference.name.spelling()),
                remedy: "only variables of the environment are known here".to_owned(),
            },
            (Name::Pair, Within::Pair(pair)) => Known::Value(Expanded::plain(pair)),
            (Name::Pair, _) => no_pair_here(),
            (Name::Job, _) => self.job.clone().map_or(Known::Told, Known::Value),
            (Name::Var(name), _) => match self.vars.get(name) {
                Some(None) => Known::Told,
                Some(Some(value)) if value.text.is_empty() => is_empty(name),
                Some(Some(value)) => Known::Value(value.clone()),
                None if self.is_broken && reference.otherwise == Otherwise::Nothing => Known::Told,
                None => unknown(name, self.environment, self.vars.keys()),
            },
        }
    }
}

/// Fills in a text of a file by what `look_up` knows. What is wrong is told at its place.
pub(super) fn fill_in(
    words: &Words<'_>,
    look_up: &mut dyn FnMut(&Reference) -> Known,
    problems: &mut Vec<Problem>,
) -> Option<Expanded> {
    if is_plain(words.text) {
        return Some(Expanded::plain(words.text));
    }
    if Problem::are_plenty(problems) {
        return None;
    }
    let mut mistakes = Vec::new();
    let expanded = match parse(words.text) {
        Ok(template) => expand(&template, look_up, &mut mistakes),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    };
    problems.extend(mistakes.into_iter().map(|mistake| {
        Problem::new(mistake.message, &words.place(&mistake.range)).remedy(mistake.remedy)
    }));
    expanded
}

/// A variable of the environment.
pub(super) fn of_the_environment<'v>(
    name: &str,
    environment: &Environment,
    vars: impl IntoIterator<Item = &'v String>,
) -> Known {
    if let Some(value) = environment.get(name) {
        return Known::Value(if sounds_secret(name) {
            Expanded::secret(value)
        } else {
            Expanded::plain(value)
        });
    }
    if environment.is_unreadable(name) {
        return Known::Refused {
            message: format!("the value of `{name}` is not UTF-8"),
            remedy: String::new(),
        };
    }
    let is_empty = environment.names().any(|known| known == name);
    let message = if is_empty {
        format!("`{name}` is empty, which counts as not set")
    } else {
        format!("`{name}` is not set")
    };
    let lower = name.to_lowercase();
    let var = nearest(&lower, vars.into_iter().map(String::as_str));
    let variable = nearest(name, environment.names().filter(|known| *known != name));
    let remedy = match (var, variable) {
        _ if is_empty => format!("give it a value, or write ${{{name}:-default}}"),
        (Some(var), _) if var == lower => format!("did you mean ${{vars.{var}}}?"),
        (_, Some(variable)) => format!("did you mean ${{{variable}}}?"),
        (Some(var), None) => format!("did you mean ${{vars.{var}}}?"),
        (None, None) => format!("set it, or write ${{{name}:-default}}"),
    };
    Known::NotSet { message, remedy }
}

/// A variable that no `[vars]` has.
pub(super) fn unknown<'v>(
    name: &str,
    environment: &Environment,
    vars: impl IntoIterator<Item = &'v String>,
) -> Known {
    let upper = name.to_uppercase();
    let remedy = match nearest(name, vars.into_iter().map(String::as_str)) {
        Some(near) => format!("did you mean ${{vars.{near}}}?"),
        None if environment.get(&upper).is_some() => format!("did you mean ${{{upper}}}?"),
        None => format!("say it in [vars], or write ${{vars.{name}:-default}}"),
    };
    Known::NotSet {
        message: format!("`vars.{name}` is not set"),
        remedy,
    }
}

/// A variable without letters is not set, like one of the environment.
pub(super) fn is_empty(name: &str) -> Known {
    Known::NotSet {
        message: format!("`vars.{name}` is empty, which counts as not set"),
        remedy: format!("give it a value, or write ${{vars.{name}:-}} if it may be empty"),
    }
}

/// `${s3sync.pair}` where no pair is.
pub(super) fn no_pair_here() -> Known {
    Known::Refused {
        message: "`s3sync.pair` is known only within a pair".to_owned(),
        remedy: "use it in [defaults] or in a [pairs.NAME]".to_owned(),
    }
}
