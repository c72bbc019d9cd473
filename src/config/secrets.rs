//! Secrets that stand in files of their own.

use std::path::Path;

use super::bounded::{self, Pipes};
use super::option::OptionRow;
use super::problem::{Place, Problem};
use super::setting::{Keeper, Refusal, Setting, secret};
use crate::store::Secret;

/// Most bytes in a file that holds a secret.
const LONGEST_SECRET: u64 = 64 << 10;

/// A secret option's value from a file below `base`.
pub(super) fn secret_of_file(
    row: &OptionRow,
    base: &Path,
    path: &str,
    place: &Place,
    problems: &mut Vec<Problem>,
) -> Result<Setting, Refusal> {
    let text = read_secret(base, path, place, problems).map_err(|what| Refusal {
        message: format!("`{}` {what}", row.path),
        remedy: String::new(),
    })?;
    secret(row, text, Keeper::File(base.join(path)))
}

/// The content of a file below `base` that holds a secret, without the newline editors put at its
/// end. The error is the second half of a sentence; a file that everybody may read is a warning.
fn read_secret(
    base: &Path,
    path: &str,
    place: &Place,
    problems: &mut Vec<Problem>,
) -> Result<Secret, String> {
    let refuse = |what: &str| format!("is to come from the file `{path}`: {what}");
    let content = bounded::read(&base.join(path), LONGEST_SECRET, Pipes::Read)
        .map_err(|what| refuse(&what))?;
    let text = String::from_utf8(content.bytes).map_err(|_| refuse("it is not UTF-8"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("is to come from the file `{path}`, which is empty"));
    }
    if secret.contains('\0') {
        return Err(refuse("it contains a NUL character"));
    }
    if content.is_for_everybody {
        let message = format!("every user of this machine can read the secret in `{path}`");
        problems.push(Problem::warning(message, place).remedy("chmod o-r it"));
    }
    Ok(Secret::new(secret))
}
