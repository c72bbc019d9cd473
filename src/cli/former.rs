//! The predecessor read unprefixed variables: `WORKER_SIZE=64`. They are not read any more, and
//! whoever still sets one is told.

use crate::config::{Environment, Flag, OPTIONS};

/// Why nothing may be started: `DRY_RUN` is set for a program that does not read it, and data
/// would move.
pub(super) fn refusal(environment: &Environment, is_dry: bool) -> Option<&'static str> {
    let said = environment.get("DRY_RUN")?.to_ascii_lowercase();
    let wants_it = !matches!(said.as_str(), "false" | "0" | "no" | "off");
    (wants_it && !is_dry).then_some(
        "error: DRY_RUN is not read any more, and this run would change data\n \
         --> environment variable DRY_RUN\n  \
         = say S3SYNC_DRY_RUN=true or --dry-run, or unset it",
    )
}

/// A warning for each variable of the predecessor that is set in vain.
pub(super) fn warnings(environment: &Environment) -> Vec<String> {
    let mut warnings = Vec::new();
    for row in OPTIONS {
        for former in row.flags.iter().filter_map(former_name) {
            if environment.get(&former).is_some() && environment.get(&row.variable()).is_none() {
                warnings.push(format!("{former} is not read; say {}", row.variable()));
            }
        }
    }
    warnings
}

/// The variable the predecessor had for a flag, where it had the flag. Those of the AWS SDK are
/// still read by the SDK.
fn former_name(flag: &Flag) -> Option<String> {
    let name = flag.name();
    let is_new = matches!(flag, Flag::File(_) | Flag::Repeated(..))
        || matches!(name, "sandbox" | "memory-limit" | "dry-run")
        || name.starts_with("aws-");
    (!is_new).then(|| name.replace('-', "_").to_uppercase())
}
