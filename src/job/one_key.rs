//! What a plan of one key has to look at: the key, and those that may take its path.

use std::sync::Arc;

use crate::config::{Pair, SourceSpec, TargetSpec, Versions};
use crate::object::ObjectKey;

/// Has a pair ask for one key, where that tells what listing everything would tell.
pub(super) fn narrow(pair: &mut Pair, key: &str) {
    // what only the target has, and what withholds its deletion, only listings tell
    if pair.versions == Versions::Latest && pair.deletion.is_none() {
        let needed = needed(pair, key).map(Arc::from);
        Arc::make_mut(&mut pair.filters).only = needed;
    }
}

/// The keys by which it is decided on one; `None` where only a listing tells.
fn needed(pair: &Pair, key: &str) -> Option<Vec<ObjectKey>> {
    // of one that has no name in a directory, only a listing says so
    let own = ObjectKey::new(key)
        .ok()
        .filter(|own| !own.unslashed().is_empty())?;
    let down = matches!(pair.target, TargetSpec::Local(_));
    match &pair.source {
        // how names that are not text are shown
        SourceSpec::Local(_) if key.contains("\\x") => return None,
        // a path to a file, but not the key it is listed under
        SourceSpec::Local(_) if key.split('/').any(|name| matches!(name, "" | "." | "..")) => {
            return None;
        }
        // the prefix may be the key of one object, which is called by its last segment
        SourceSpec::S3(source) if source.location.prefix.rsplit('/').next() == Some(key) => {
            return None;
        }
        SourceSpec::Local(_) | SourceSpec::S3(_) => {}
    }
    if !down {
        return Some(vec![own]);
    }
    // in a directory `a` is in the way of `a/b`, and `/a` of `a`
    let name = own.unslashed();
    let above = name.match_indices('/').map(|(at, _)| &name[..at]);
    let names = above.chain([name]).filter(|name| !name.is_empty());
    let both = names.flat_map(|name| [name.to_owned(), format!("/{name}")]);
    Some(both.filter_map(|key| ObjectKey::new(key).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment, FlagValues};

    #[test]
    fn the_keys_that_decide_are_asked_about() {
        for (source, target, key, expected) in [
            ("/a", "s3://b/", "x/y", Some(&["x/y"][..])),
            ("/a", "s3://b/", "caf\\xe9", None),
            ("/a", "s3://b/", "/x", None),
            ("/a", "s3://b/", "x//y", None),
            ("/a", "s3://b/", "./x", None),
            ("/a", "s3://b/", "y/../x", None),
            ("s3://b/p/", "s3://c/", "x", Some(&["x"])),
            ("s3://b/p/x", "s3://c/", "x", None),
            ("s3://b/p/x", "s3://c/", "y", Some(&["y"])),
            ("s3://b/", "/a", "x", Some(&["x", "/x"])),
            ("s3://b/", "/a", "/x", Some(&["x", "/x"])),
            (
                "s3://b/",
                "/a",
                "x/y/",
                Some(&["x", "/x", "x/y", "/x/y", "x/y/", "/x/y/"]),
            ),
            ("s3://b/", "/a", "", None),
            ("s3://b/p", "/a", "/", None),
        ] {
            let text = format!("[pairs.p]\nsource = '{source}'\ntarget = '{target}'\n");
            let variables = [("S3SYNC_JOB_TOML".into(), text.into())];
            let environment = Environment::new(variables, "/");
            let jobs = config::from_environment(&environment, &FlagValues::default());
            let mut pair = jobs.expect("a job").pairs.remove(0);
            narrow(&mut pair, key);
            let seen = pair.filters.only.as_deref();
            let seen = seen.map(|keys| keys.iter().map(ObjectKey::as_str).collect::<Vec<_>>());
            assert_eq!(seen.as_deref(), expected, "{source} {target} {key}");
        }
    }
}
