//! `${…}` filled in.

use super::grammar::{Mistake, Name, Otherwise, Part, Reference, Template};

/// A text with everything filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// The same with stars for what sounds secret: what messages may quote.
    pub(super) shown: String,
    /// Whether something that sounds secret was filled in.
    pub(super) is_secret: bool,
}

/// What is known of a name.
#[derive(Debug)]
pub(super) enum Known {
    /// Its value.
    Value(Expanded),
    /// It is not set, or empty, which is the same.
    NotSet {
        /// What is said if nothing stands in for it.
        message: String,
        remedy: String,
    },
    /// It cannot be referred to here.
    Refused { message: String, remedy: String },
    /// Its value is wrong, which was told where it is said.
    Told,
}

/// Most mistakes that are told of one text.
const MOST_MISTAKES: usize = 20;

/// Longest text that comes out: variables that name each other grow fast.
const LONGEST: usize = 1 << 20;

/// Fills a template in by what `look_up` knows. What is wrong goes to `mistakes`; a text comes out
/// when nothing is.
pub(super) fn expand(
    template: &Template,
    look_up: &mut dyn FnMut(&Reference) -> Known,
    mistakes: &mut Vec<Mistake>,
) -> Option<Expanded> {
    let mut whole = Some(Expanded::default());
    for part in &template.0 {
        if mistakes.len() >= MOST_MISTAKES {
            return None;
        }
        let value = match part {
            Part::Text(text) => Some(Expanded::plain(text)),
            Part::Reference(reference) => fill_in(reference, look_up, mistakes),
        };
        whole = whole.zip(value).map(|(whole, value)| whole.and(&value));
        if whole
            .as_ref()
            .is_some_and(|whole| whole.text.len() > LONGEST)
        {
            let range = match part {
                Part::Reference(reference) => reference.range.clone(),
                Part::Text(_) => 0..0,
            };
            mistakes.push(Mistake {
                range,
                message: "the text becomes longer than 1MiB".to_owned(),
                remedy: "variables are for short texts".to_owned(),
            });
            return None;
        }
    }
    whole
}

fn fill_in(
    reference: &Reference,
    look_up: &mut dyn FnMut(&Reference) -> Known,
    mistakes: &mut Vec<Mistake>,
) -> Option<Expanded> {
    let (message, remedy) = match look_up(reference) {
        Known::Value(value) => return Some(value),
        Known::Told => return None,
        Known::Refused { message, remedy } => (message, remedy),
        Known::NotSet { message, remedy } => match &reference.otherwise {
            Otherwise::Default(default) => return expand(default, look_up, mistakes),
            Otherwise::Nothing => (message, remedy),
            Otherwise::Message(words) if words.is_empty() => (message, String::new()),
            Otherwise::Message(words) => (message, words.clone()),
        },
    };
    mistakes.push(Mistake {
        range: reference.range.clone(),
        message,
        remedy,
    });
    None
}

impl Expanded {
    /// A text everybody may see.
    pub(super) fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            shown: text.to_owned(),
            is_secret: false,
        }
    }

    /// A text that is shown as stars.
    pub(super) fn secret(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            shown: "***".to_owned(),
            is_secret: true,
        }
    }

    fn and(mut self, other: &Self) -> Self {
        self.text.push_str(&other.text);
        self.shown.push_str(&other.shown);
        self.is_secret |= other.is_secret;
        self
    }
}

impl Name {
    /// As it is written between the braces.
    pub(super) fn spelling(&self) -> String {
        match self {
            Self::Environment(name) => name.clone(),
            Self::Var(name) => format!("vars.{name}"),
            Self::Job => "s3sync.job".to_owned(),
            Self::Pair => "s3sync.pair".to_owned(),
            Self::Date => "s3sync.date".to_owned(),
        }
    }
}
