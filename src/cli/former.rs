//! The predecessor read unprefixed variables: `WORKER_SIZE=64`. They are not read any more, and
//! whoever still sets one is told.

use crate::config::{Environment, Flag, FlagValues, OPTIONS};

/// Why nothing may be started: a variable that kept the predecessor from changing anything is set
/// for a program that does not read it, and data would move.
pub(super) fn refusal(environment: &Environment, is_dry: bool) -> Option<String> {
    let wanted = ["DRY_RUN", "REPORT_SYNC_STATUS"];
    let said = wanted
        .iter()
        .find(|name| environment.get(name).is_some_and(is_on))?;
    let instead = match *said {
        "DRY_RUN" => "say S3SYNC_DRY_RUN=true or --dry-run, or unset it",
        _ => "comparing without changing anything is not supported yet: unset it, or say --dry-run",
    };
    (!is_dry).then(|| {
        format!(
            "error: {said} is not read any more, and this run would change data\n --> environment variable {said}\n  = {instead}"
        )
    })
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

/// What the predecessor's variables say, as its flags would.
pub(super) fn flag_values(environment: &Environment) -> FlagValues {
    let mut values = FlagValues::default();
    if environment.get("REPORT_SYNC_STATUS").is_some_and(is_on) {
        values.not_yet("report-sync-status");
    }
    for row in OPTIONS {
        for flag in row.flags {
            let name = flag.name();
            let former = name.replace('-', "_").to_uppercase();
            let is_new = matches!(flag, Flag::File(_) | Flag::Repeated(..))
                || matches!(name, "sandbox" | "memory-limit");
            let Some(value) = environment.get(&former).filter(|_| !is_new) else {
                continue;
            };
            let is_switch = matches!(flag, Flag::Says(..));
            if !is_switch {
                values.say(row, flag, value);
            } else if is_on(value) {
                values.say(row, flag, "");
            }
        }
    }
    values
}

/// Whether a switch of the predecessor is on: everything but what sounds like no.
fn is_on(value: &str) -> bool {
    let no = ["false", "f", "0", "no", "n", "off"];
    !no.contains(&value.to_ascii_lowercase().as_str())
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
