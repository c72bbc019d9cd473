//! The predecessor read unprefixed variables: `WORKER_SIZE=64`. They are not read any more, and
//! whoever still sets one is told.

use crate::config::{Environment, Flag, FlagValues, OPTIONS, OptionRow};

/// Why nothing may be started: a variable that kept the predecessor from changing anything is set
/// for a program that does not read it, and data would move.
pub(super) fn refusal(environment: &Environment, changes_nothing: bool) -> Option<String> {
    let wanted = ["DRY_RUN", "REPORT_SYNC_STATUS"];
    let said = wanted
        .iter()
        .find(|name| environment.get(name).is_some_and(is_on))?;
    let instead = match *said {
        "DRY_RUN" => "say S3SYNC_DRY_RUN=true or --dry-run, or unset it",
        _ => "say --report-sync-status, or unset it",
    };
    (!changes_nothing).then(|| {
        format!(
            "error: {said} is not read any more, and this run would change data\n --> environment variable {said}\n  = {instead}"
        )
    })
}

/// Whether the predecessor's variables ask for a comparison instead of a synchronization.
pub(super) fn only_compares(environment: &Environment) -> bool {
    environment.get("REPORT_SYNC_STATUS").is_some_and(is_on)
}

/// A warning for each variable of the predecessor that is set in vain. Those of the AWS SDK are
/// still read by the SDK, and `DRY_RUN` is refused.
pub(super) fn warnings(environment: &Environment) -> Vec<String> {
    variables()
        .filter(|(_, _, former)| former != "DRY_RUN" && !former.starts_with("AWS_"))
        .filter(|(row, _, former)| {
            environment.get(former).is_some() && environment.get(&row.variable()).is_none()
        })
        .map(|(row, _, former)| format!("{former} is not read; say {}", row.variable()))
        .collect()
}

/// What the predecessor's variables say, as its flags would.
pub(super) fn flag_values(environment: &Environment) -> FlagValues {
    let mut values = FlagValues::default();
    for (row, flag, former) in variables() {
        match (environment.get(&former), flag) {
            (Some(value), Flag::Says(..)) if is_on(value) => values.say(row, flag, ""),
            (Some(value), _) if !is_says(flag) => values.say(row, flag, value),
            _ => {}
        }
    }
    values
}

/// Whether a switch of the predecessor is on: everything but what sounds like no.
fn is_on(value: &str) -> bool {
    let no = ["false", "f", "0", "no", "n", "off"];
    !no.contains(&value.to_ascii_lowercase().as_str())
}

/// The flags that the predecessor had, and the variable it read for each.
fn variables() -> impl Iterator<Item = (&'static OptionRow, &'static Flag, String)> {
    OPTIONS.iter().flat_map(|row| {
        let is_switch = row.flags.len() == 2 && row.flags.iter().all(is_says);
        // of a switch, the opposite is ours
        let theirs = row
            .flags
            .iter()
            .take(if is_switch { 1 } else { usize::MAX });
        theirs.filter_map(move |flag| {
            let name = flag.name();
            let is_new = matches!(flag, Flag::File(_) | Flag::Repeated(..))
                || matches!(name, "sandbox" | "memory-limit");
            (!is_new).then(|| (row, flag, name.replace('-', "_").to_uppercase()))
        })
    })
}

fn is_says(flag: &Flag) -> bool {
    matches!(flag, Flag::Says(..))
}
