//! What AWS has to allow for an option to do what it says:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.

use std::fmt::Write as _;

use super::option::OptionRow;
use super::options::OPTIONS;

/// Actions that a pair needs where an option counts with some value.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// With which value.
    pub when: When,
    /// What the source's credentials must be allowed.
    pub source: &'static [&'static str],
    /// What the target's credentials must be allowed.
    pub target: &'static [&'static str],
}

/// With which value an option needs what a [`Grant`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With any.
    Set,
    /// With this text: `true`, `aws:kms`, …
    Is(&'static str),
    /// Where a location is in S3.
    OnS3,
    /// Where it is in a directory bucket.
    OnDirectoryBucket,
}

impl Grant {
    /// For an option with any value.
    pub(super) const fn set() -> Self {
        Self::new(When::Set)
    }

    /// For an option with this value.
    pub(super) const fn is(value: &'static str) -> Self {
        Self::new(When::Is(value))
    }

    /// For something that counts under a condition.
    pub(super) const fn new(when: When) -> Self {
        Self {
            when,
            source: &[],
            target: &[],
        }
    }

    /// On the source.
    pub(super) const fn source(mut self, actions: &'static [&'static str]) -> Self {
        self.source = actions;
        self
    }

    /// On the target.
    pub(super) const fn target(mut self, actions: &'static [&'static str]) -> Self {
        self.target = actions;
        self
    }
}

/// The actions every option needs, as a table in Markdown.
pub fn permissions() -> String {
    let mut table = "| option | on the source | on the target |\n|---|---|---|\n".to_owned();
    for row in OPTIONS {
        for grant in row.grants {
            let _ = writeln!(
                table,
                "| {} | {} | {} |",
                name(row, grant.when),
                actions(grant.source),
                actions(grant.target)
            );
        }
    }
    table
}

fn name(row: &OptionRow, when: When) -> String {
    match when {
        When::Set => format!("`{}`", row.path),
        When::Is(value) => {
            let by_default = row.default == Some(value);
            let note = if by_default { " (default)" } else { "" };
            format!("`{} = {value}`{note}", row.path)
        }
        When::OnS3 => format!("`{}` in S3", row.path),
        When::OnDirectoryBucket => format!("`{}` in a directory bucket", row.path),
    }
}

/// Each in code; what one says of where it is to be allowed, behind it.
fn actions(actions: &[&str]) -> String {
    let each = actions.iter().map(|action| match action.split_once(' ') {
        Some((action, place)) => format!("`{action}` {place}"),
        None => format!("`{action}`"),
    });
    each.collect::<Vec<_>>().join(", ")
}
