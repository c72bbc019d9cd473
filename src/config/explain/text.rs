//! An explanation for people.

use std::fmt::Write as _;

use super::super::setting::{Keeper, Setting};
use super::toml::value;
use super::{Explained, Explanation, Voice};

/// Values longer than this have their origin on the next line, so that one does not push all
/// others to the right.
const WIDEST: usize = 56;

impl Explanation {
    /// Every value with its origin, and below it what it overrode:
    ///
    /// ```text
    /// pair photos
    ///   performance.worker_size = 8  flag --worker-size
    ///     over 64                    env S3SYNC_PERFORMANCE__WORKER_SIZE
    ///     over 16                    built-in
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "job {}\n  from    {}\n  digest  {}\n",
            self.name, self.origin, self.digest
        );
        write_settings(&mut text, &self.job);
        for (number, hook) in self.hooks.iter().enumerate() {
            let _ = writeln!(text, "\nhook {}", number + 1);
            write_settings(&mut text, hook);
        }
        for pair in &self.pairs {
            let _ = writeln!(text, "\npair {}", pair.name);
            write_settings(&mut text, &pair.settings);
            for path in &pair.unset {
                let _ = writeln!(text, "  {path} is not set");
            }
            for it in &pair.not_applied {
                let _ = writeln!(
                    text,
                    "  {} means nothing here: it wants {} ({})",
                    it.path, it.wants, it.origin
                );
            }
        }
        text
    }
}

fn write_settings(text: &mut String, settings: &[Explained]) {
    let lines: Vec<(String, String)> = settings.iter().flat_map(lines).collect();
    let width = lines
        .iter()
        .map(|(left, _)| left.chars().count())
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or(0);
    for (left, right) in lines {
        let _ = if left.chars().count() > width {
            writeln!(text, "  {left}\n  {:width$}  {right}", "")
        } else {
            writeln!(text, "  {left:width$}  {right}")
        };
    }
}

/// A value and its origin, then what it overrode.
fn lines(explained: &Explained) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (number, voice) in explained.chain.iter().enumerate() {
        let shown = shown(voice);
        if number == 0 {
            lines.push((
                format!("{} = {shown}", explained.path),
                voice.origin.clone(),
            ));
        } else {
            lines.push((format!("  over {shown}"), voice.origin.clone()));
        }
    }
    lines
}

fn shown(voice: &Voice) -> String {
    let redacted = match voice.keeper() {
        // here nothing is filled in any more
        None => return value(&voice.setting).to_string().replace("$${", "${"),
        Some(Keeper::Here) => {
            return Setting::to_json(&voice.setting)
                .as_str()
                .unwrap_or("")
                .to_owned();
        }
        Some(Keeper::Variable(variable)) => format!("variable {variable}"),
        Some(Keeper::File(path)) => format!("file {}", path.display()),
    };
    format!("[redacted] ({redacted})")
}
