/*! What may stand in a text of a job file: `${…}`.

`${NAME}` is an environment variable, `${vars.name}` a variable of the file, `${s3sync.job}`,
`${s3sync.pair}` and `${s3sync.date}` are known to the program. `:-default` and `:?message` follow
the name. `$${` stands for `${`; a `$` alone is itself. A default may hold references of its own;
what is filled in is never looked at again.
*/

use std::ops::Range;

use crate::config::said::is_var;
use crate::config::suggest::nearest;

/// A text in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Reference(Reference),
}

/// One `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// Where in the text it stands, in bytes.
    pub(super) range: Range<usize>,
    pub(super) name: Name,
    pub(super) otherwise: Otherwise,
}

/// What is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A variable of the environment.
    Environment(String),
    /// A variable of `[vars]`.
    Var(String),
    /// The job's name.
    Job,
    /// The pair's name.
    Pair,
    /// The day the run began, in UTC.
    Date,
}

/// What if it is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// An error.
    Nothing,
    /// This instead.
    Default(Template),
    /// An error of these words.
    Message(String),
}

/// What is wrong in a text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) remedy: String,
}

/// How deep defaults may stand in defaults.
const DEEPEST: usize = 4;

/// Splits a text into its parts.
pub(super) fn parse(text: &str) -> Result<Template, Mistake> {
    let mut parser = Parser { text, at: 0 };
    parser.template(0)
}

/// The environment variable that a text is, if it is nothing but `${NAME}`.
pub(super) fn only_variable(text: &str) -> Option<String> {
    match parse(text).ok()?.0.as_slice() {
        [Part::Reference(reference)] => match &reference.name {
            Name::Environment(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text has anything that [`parse`] would not leave as it is.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains("${")
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// Up to the end of the text, or of the default it is, whose brace is left.
    fn template(&mut self, depth: usize) -> Result<Template, Mistake> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(next) = self.rest().chars().next() {
            if depth > 0 && next == '}' {
                break;
            }
            if self.rest().starts_with("${") {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Reference(self.reference(depth)?));
            } else if depth > 0 && next == '{' {
                return Err(self.brace());
            } else if depth == 0 && self.rest().starts_with("$${") {
                plain.push_str("${");
                self.at += 3;
            } else {
                plain.push(next);
                self.at += next.len_utf8();
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts))
    }

    fn reference(&mut self, depth: usize) -> Result<Reference, Mistake> {
        let start = self.at;
        if depth > DEEPEST {
            return Err(mistake(
                start..start + 2,
                "`${` stands too deep in other defaults",
                "say the inner ones in [vars]",
            ));
        }
        self.at += 2;
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let spelling = self.while_(is_of_name).to_owned();
        let is_well_formed = self.rest().starts_with('}')
            || self.rest().starts_with(":-")
            || self.rest().starts_with(":?");
        if !is_well_formed || spelling.is_empty() {
            return Err(self.malformed(start, &spelling));
        }
        let name = match name(&spelling) {
            Ok(name) => name,
            Err((message, remedy)) => {
                let end = self.rest().find('}').map_or(self.at, |at| self.at + at + 1);
                return Err(mistake(start..end, message, remedy));
            }
        };
        let otherwise = if self.rest().starts_with(":-") {
            self.at += 2;
            Otherwise::Default(self.template(depth + 1)?)
        } else if self.rest().starts_with(":?") {
            self.at += 2;
            let message = self.while_(|c| !matches!(c, '{' | '}')).trim().to_owned();
            if self.rest().starts_with('{') {
                return Err(self.brace());
            }
            Otherwise::Message(message)
        } else {
            Otherwise::Nothing
        };
        if !self.rest().starts_with('}') {
            return Err(self.unclosed(start));
        }
        self.at += 1;
        Ok(Reference {
            range: start..self.at,
            name,
            otherwise,
        })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Takes characters as long as they are such.
    fn while_(&mut self, is_such: impl Fn(char) -> bool) -> &str {
        let rest = &self.text[self.at..];
        let taken = rest.find(|c| !is_such(c)).map_or(rest, |at| &rest[..at]);
        self.at += taken.len();
        taken
    }

    /// Something that stands where a reference would, and is none.
    fn malformed(&self, start: usize, spelling: &str) -> Mistake {
        let Some(end) = self.text[start..].find('}').map(|at| start + at + 1) else {
            return self.unclosed(start);
        };
        let whole = &self.text[start..end];
        let inner = &whole[2..whole.len() - 1];
        let trimmed = inner.trim();
        let colon = [":", "-", ":=", ":+", "?", "="]
            .iter()
            .any(|sign| self.rest().starts_with(sign));
        let remedy = if inner.is_empty() || spelling.starts_with(|c: char| c.is_ascii_digit()) {
            format!("a variable's name is missing; write ${whole} if it is meant as it stands")
        } else if trimmed != inner && name(trimmed).is_ok() {
            format!("write ${{{trimmed}}} without the spaces")
        } else if colon && name(spelling).is_ok() {
            format!(
                "there is ${{{spelling}}}, ${{{spelling}:-default}} and ${{{spelling}:?message}}"
            )
        } else {
            format!("names are letters, digits and `_`; write ${whole} if it is meant as it stands")
        };
        mistake(start..end, format!("`{whole}` names no variable"), remedy)
    }

    fn unclosed(&self, start: usize) -> Mistake {
        mistake(
            start..self.text.len(),
            "`${` without its `}`",
            "close it, or write $${ if it is meant as it stands",
        )
    }

    /// A brace in a default or message, which would end too early.
    fn brace(&self) -> Mistake {
        mistake(
            self.at..self.at + 1,
            "a default or message inside `${…}` cannot contain `{`",
            "say the text in [vars], and refer to it: ${NAME:-${vars.text}}",
        )
    }
}

fn mistake(range: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) -> Mistake {
    Mistake {
        range,
        message: message.into(),
        remedy: remedy.into(),
    }
}

/// What a spelling refers to. The error is a message and a remedy.
fn name(spelling: &str) -> Result<Name, (String, String)> {
    let wrong = |message: String, remedy: String| Err((message, remedy));
    match spelling.split_once('.') {
        Some(("vars", var)) if is_var(var) => Ok(Name::Var(var.to_owned())),
        Some(("vars", _)) => wrong(
            format!("`{spelling}` is not a name of [vars]"),
            "lower-case letters, digits and `_`, such as ${vars.dr_bucket}".to_owned(),
        ),
        Some(("s3sync", "job")) => Ok(Name::Job),
        Some(("s3sync", "pair")) => Ok(Name::Pair),
        Some(("s3sync", "date")) => Ok(Name::Date),
        Some(("s3sync", word)) => wrong(
            format!("`{spelling}` is unknown"),
            match nearest(word, ["job", "pair", "date"]) {
                Some(near) => format!("did you mean ${{s3sync.{near}}}?"),
                None => "there is s3sync.job, s3sync.pair and s3sync.date".to_owned(),
            },
        ),
        Some((table, rest)) => wrong(
            format!("`{spelling}` names no variable"),
            if matches!(table, "env" | "ENV") && is_of_environment(rest) {
                format!("the environment's need no prefix: ${{{rest}}}")
            } else if nearest(table, ["vars"]).is_some() && is_var(rest) {
                format!("did you mean ${{vars.{rest}}}?")
            } else if nearest(table, ["s3sync"]).is_some() {
                format!("did you mean ${{s3sync.{rest}}}?")
            } else {
                "there is ${NAME} of the environment, ${vars.name} of [vars], and ${s3sync.job}, ${s3sync.pair}, ${s3sync.date}".to_owned()
            },
        ),
        None if is_of_environment(spelling) => Ok(Name::Environment(spelling.to_owned())),
        None => wrong(
            format!("`${{{spelling}}}` names no variable"),
            format!(
                "a name does not begin with a digit; write $${{{spelling}}} if it is meant as it stands"
            ),
        ),
    }
}

fn is_of_environment(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(range: Range<usize>, name: Name, otherwise: Otherwise) -> Part {
        Part::Reference(Reference {
            range,
            name,
            otherwise,
        })
    }

    #[test]
    fn texts_come_apart() {
        let text = |text: &str| Part::Text(text.to_owned());
        let variable = |name: &str| Name::Environment(name.to_owned());
        let nothing = || Otherwise::Nothing;
        let default = |parts| Otherwise::Default(Template(parts));
        for (said, parts) in [
            ("", vec![]),
            (r"\.tmp$", vec![text(r"\.tmp$")]),
            ("$1 $ $$", vec![text("$1 $ $$")]),
            ("$${X}", vec![text("${X}")]),
            ("$$${X}", vec![text("$${X}")]),
            ("${_A9}", vec![reference(0..6, variable("_A9"), nothing())]),
            (
                "a${X}b",
                vec![
                    text("a"),
                    reference(1..5, variable("X"), nothing()),
                    text("b"),
                ],
            ),
            (
                "${X:-}",
                vec![reference(0..6, variable("X"), default(vec![]))],
            ),
            (
                "${X:-a:-b$}",
                vec![reference(
                    0..11,
                    variable("X"),
                    default(vec![text("a:-b$")]),
                )],
            ),
            (
                "${X:-a${Y}b}",
                vec![reference(
                    0..12,
                    variable("X"),
                    default(vec![
                        text("a"),
                        reference(6..10, variable("Y"), nothing()),
                        text("b"),
                    ]),
                )],
            ),
            (
                "${X:?set it, please}",
                vec![reference(
                    0..20,
                    variable("X"),
                    Otherwise::Message("set it, please".to_owned()),
                )],
            ),
            (
                "${vars.x}${s3sync.job}${s3sync.pair}${s3sync.date}",
                vec![
                    reference(0..9, Name::Var("x".to_owned()), nothing()),
                    reference(9..22, Name::Job, nothing()),
                    reference(22..36, Name::Pair, nothing()),
                    reference(36..50, Name::Date, nothing()),
                ],
            ),
        ] {
            assert_eq!(parse(said), Ok(Template(parts)), "{said}");
        }
    }

    #[test]
    fn what_is_no_reference_says_what_would_be() {
        for (said, range, message, remedy) in [
            ("${", 0..2, "without its `}`", "$${"),
            ("a${X", 1..4, "without its `}`", "close it"),
            ("${X:-a", 0..6, "without its `}`", "close it"),
            ("${}", 0..3, "`${}` names no variable", "$${}"),
            ("^a${2}$", 2..6, "`${2}` names no variable", "$${2}"),
            ("${2,3}", 0..6, "`${2,3}` names no variable", "$${2,3}"),
            ("${9X}", 0..5, "`${9X}` names no variable", "$${9X}"),
            ("${ X }", 0..6, "names no variable", "write ${X} without"),
            ("${X-y}", 0..6, "names no variable", "${X:-default}"),
            ("${X:y}", 0..6, "names no variable", "${X:-default}"),
            ("${X:=y}", 0..7, "names no variable", "${X:-default}"),
            ("${a-b}", 0..6, "names no variable", "${a:-default}"),
            ("${ä}", 0..5, "names no variable", "letters, digits"),
            ("${X:-a{2}}", 6..7, "cannot contain `{`", "[vars]"),
            ("${X:?a{b}}", 6..7, "cannot contain `{`", "[vars]"),
            ("${vars.X}", 0..9, "not a name of [vars]", "lower-case"),
            ("${vars.}", 0..8, "not a name of [vars]", "lower-case"),
            (
                "${var.x}",
                0..8,
                "names no variable",
                "did you mean ${vars.x}?",
            ),
            ("${env.HOME}", 0..11, "names no variable", "${HOME}"),
            (
                "${s3sync.jbo}",
                0..13,
                "unknown",
                "did you mean ${s3sync.job}?",
            ),
            ("${s3sync.x}", 0..11, "unknown", "s3sync.pair"),
            ("${a.b}", 0..6, "names no variable", "${vars.name}"),
        ] {
            let mistake = parse(said).expect_err(said);
            assert_eq!(mistake.range, range, "{said}: {mistake:?}");
            assert!(mistake.message.contains(message), "{said}: {mistake:?}");
            assert!(mistake.remedy.contains(remedy), "{said}: {mistake:?}");
            assert!(!mistake.remedy.contains("$$$"), "{said}: {mistake:?}");
        }
    }

    #[test]
    fn defaults_in_defaults_have_an_end() {
        let nested = |depth: usize| format!("{}x{}", "${A:-".repeat(depth), "}".repeat(depth));
        assert!(parse(&nested(5)).is_ok());
        let mistake = parse(&nested(100_000)).expect_err("too deep");
        assert!(mistake.message.contains("too deep"), "{mistake:?}");
    }
}
