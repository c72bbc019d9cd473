//! What this version only knows by name: read, typed and explained, and refused where it counts.

use super::merged::Decided;
use super::option::Kind;
use super::problem::Problem;
use super::setting::{Setting, listed};

/// Refuses every value that counts, is not the default, and is not built.
pub(super) fn refuse(decided: &[Decided<'_>], problems: &mut Vec<Problem>) {
    let mut told = "";
    for decided in decided {
        // of a table, its first key stands for all
        if let (Some((message, remedy)), false) = (refusal(decided), told == decided.row.path) {
            told = decided.row.path;
            let problem = Problem::new(message, decided.place).remedy(remedy);
            problems.push(problem.not_yet());
        }
    }
}

const LEAVE_IT_OUT: &str = "leave it out: this version does not have it";

/// Whether a value that counts does not do what it says yet; then what is said of it, and what to
/// do.
pub(super) fn refusal(decided: &Decided<'_>) -> Option<(String, String)> {
    let row = decided.row;
    if let (Kind::Word { now, later }, Setting::Text(word)) = (row.kind, decided.setting)
        && later.contains(&word.as_str())
    {
        return Some((
            format!("not supported yet: `{} = \"{word}\"`", row.path),
            format!("this version has {}", listed(now, "and")),
        ));
    }
    if row.is_built || decided.is_default() {
        return None;
    }
    let remedy = match row.default {
        Some(default @ ("true" | "false")) => {
            format!("leave it out: this version only has {default}")
        }
        _ => LEAVE_IT_OUT.to_owned(),
    };
    Some((format!("not supported yet: `{}`", row.path), remedy))
}
