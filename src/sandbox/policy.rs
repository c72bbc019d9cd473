//! Bucket policies: statements that allow or deny actions on resources.
//!
//! The sandbox has one account, so a request with a signature may do what no statement denies, and
//! one without a signature may do what some statement allows to everyone. Conditions are not
//! evaluated; a policy that has one is refused rather than misunderstood.

use serde_json::Value;

use super::error::{Result, error, not_implemented};

/// A policy, ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    denies: bool,
    /// Whether it is about everyone, not only about the account.
    everyone: bool,
    actions: Patterns,
    resources: Patterns,
}

/// Patterns of which one must match, or none when `inverted`.
#[derive(Debug, Clone)]
struct Patterns {
    inverted: bool,
    any: Vec<String>,
}

impl Policy {
    /// The name of the setting a bucket keeps its policy under.
    pub(super) const SETTING: &'static str = "policy";

    /// Reads a policy document.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let document: Value = serde_json::from_str(text)
            .map_err(|_| malformed("This policy contains invalid Json"))?;
        let statements = document
            .get("Statement")
            .ok_or_else(|| malformed("Missing required field Statement"))?;
        let statements = match statements {
            Value::Array(statements) => statements
                .iter()
                .map(Statement::read)
                .collect::<Result<_>>()?,
            one => vec![Statement::read(one)?],
        };
        Ok(Self { statements })
    }

    /// Whether a request may do this.
    pub(super) fn permits(&self, anonymous: bool, action: &str, resource: &str) -> bool {
        let action = format!("s3:{action}");
        let mut about = self
            .statements
            .iter()
            .filter(|statement| statement.is_about(anonymous, &action, resource))
            .peekable();
        let allowed = !anonymous || about.peek().is_some();
        allowed && about.all(|statement| !statement.denies)
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self> {
        let denies = match value.get("Effect").and_then(Value::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => return Err(malformed("Invalid effect")),
        };
        if value.get("Condition").is_some() {
            return Err(not_implemented("conditions in bucket policies"));
        }
        if value.get("NotPrincipal").is_some() {
            return Err(not_implemented("NotPrincipal in bucket policies"));
        }
        let principal = value
            .get("Principal")
            .ok_or_else(|| malformed("Missing required field Principal"))?;
        Ok(Self {
            denies,
            everyone: is_everyone(principal),
            actions: Patterns::read(value, "Action", "NotAction")?,
            resources: Patterns::read(value, "Resource", "NotResource")?,
        })
    }

    fn is_about(&self, anonymous: bool, action: &str, resource: &str) -> bool {
        (self.everyone || !anonymous)
            && self.actions.admit(action)
            && self.resources.admit(resource)
    }
}

impl Patterns {
    fn read(value: &Value, name: &str, inverse: &str) -> Result<Self> {
        let (inverted, patterns) = match (value.get(name), value.get(inverse)) {
            (Some(patterns), None) => (false, patterns),
            (None, Some(patterns)) => (true, patterns),
            _ => {
                return Err(malformed(
                    "Policy statement must contain one of Action and Resource each",
                ));
            }
        };
        let texts = match patterns {
            Value::Array(texts) => texts.iter().collect(),
            one => vec![one],
        };
        let any = texts
            .into_iter()
            .map(|text| {
                text.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| malformed("Policy has invalid resource"))
            })
            .collect::<Result<_>>()?;
        Ok(Self { inverted, any })
    }

    fn admit(&self, text: &str) -> bool {
        self.any
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), text.as_bytes()))
            != self.inverted
    }
}

fn is_everyone(principal: &Value) -> bool {
    match principal {
        Value::String(name) => name == "*",
        Value::Array(names) => names.iter().any(is_everyone),
        Value::Object(kinds) => kinds.values().any(is_everyone),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn malformed(message: &str) -> s3s::S3Error {
    error(400, "MalformedPolicy", message)
}

/// `*` is any text, `?` any one byte.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:GetObject", "s3:GetObjectTagging", false),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/c", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false),
            ("a*b?d", "axxbcbxd", true),
            ("a*b?d", "axxbcbx", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_denial_wins_and_strangers_need_leave() {
        let policy = Policy::parse(
            r#"{"Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
                {"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/no*"}
            ]}"#,
        )
        .expect("a policy");
        for (anonymous, action, key, permitted) in [
            (false, "GetObject", "yes", true),
            (false, "GetObject", "no", false),
            (false, "PutObject", "no", true),
            (true, "GetObject", "yes", true),
            (true, "GetObject", "no", false),
            (true, "PutObject", "yes", false),
        ] {
            let resource = format!("arn:aws:s3:::b/{key}");
            assert_eq!(
                policy.permits(anonymous, action, &resource),
                permitted,
                "{anonymous} {action} {key}"
            );
        }
    }
}
