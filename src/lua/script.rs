//! A script as it was read.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::config::Said;
use crate::event::Rule;
use crate::hook::HookError;

/// A script, its content and where it is said.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its file.
    pub path: PathBuf,
    /// What is in it.
    pub text: Arc<str>,
    /// SHA-256 of that, hexadecimal.
    pub sha256: String,
    /// What objects it rejects are counted under.
    pub rule: Arc<Rule>,
}

impl Script {
    /// Reads it.
    pub fn read(said: &Said<PathBuf>) -> Result<Self, HookError> {
        let path = said.value.clone();
        let bytes = std::fs::read(&path).map_err(|error| {
            let message = format!("cannot read the script `{}`: {error}", path.display());
            HookError::new(message).of_script().for_the_pair()
        })?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("the script `{}` is not UTF-8", path.display());
            HookError::new(message).of_script().for_the_pair()
        })?;
        Ok(Self {
            rule: Arc::new(said.rule(path.display().to_string())),
            path,
            text: text.into(),
            sha256,
        })
    }

    /// The name errors call it by.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}
