//! An explanation for programs.

use serde_json::{Map, Value, json};

use super::super::record::NotApplied;
use super::{Explained, Explanation, Voice};

impl Explanation {
    /// `{job, origin, digest, settings, hooks, pairs: {NAME: {settings, not_applied}}}`, where
    /// settings are `{PATH: {value, origin, overrode: [{value, origin}], supported}}`. Secrets are
    /// `[redacted]`.
    pub fn to_json(&self) -> Value {
        let pairs: Map<String, Value> = self
            .pairs
            .iter()
            .map(|pair| {
                let not_applied = pair.not_applied.iter();
                let not_applied: Vec<Value> = not_applied.map(NotApplied::to_json).collect();
                let shown =
                    json!({ "settings": settings(&pair.settings), "not_applied": not_applied });
                (pair.name.clone(), shown)
            })
            .collect();
        let hooks: Vec<Value> = self.hooks.iter().map(|hook| settings(hook)).collect();
        json!({
            "job": self.name,
            "origin": self.origin,
            "digest": self.digest,
            "settings": settings(&self.job),
            "hooks": hooks,
            "pairs": pairs,
        })
    }
}

fn settings(settings: &[Explained]) -> Value {
    let shown = settings.iter().map(|explained| {
        let voice =
            |voice: &Voice| json!({ "value": voice.setting.to_json(), "origin": voice.origin });
        let overrode: Vec<Value> = explained.chain.iter().skip(1).map(voice).collect();
        let mut shown = voice(&explained.chain[0]);
        shown["overrode"] = overrode.into();
        (explained.path.clone(), shown)
    });
    Value::Object(shown.collect())
}
