//! Tables of texts: metadata and tags as flags write them, and what their keys may be.

use std::collections::BTreeMap;

use super::option::Kind;

/// Reads `k=v,…` as the predecessor does: keys and values of letters, digits, `_`, `.` and `-`.
pub(super) fn metadata(text: &str) -> Result<BTreeMap<String, String>, String> {
    let is_word = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let mut table = BTreeMap::new();
    for element in text.split(',') {
        let split = element.split_once('=');
        let Some((key, value)) =
            split.filter(|(key, value)| !key.is_empty() && is_word(key) && is_word(value))
        else {
            return Err(format!(
                "must be k=v,… of letters, digits, `_`, `.` and `-`, not `{text}`; other texts can be said in a job file"
            ));
        };
        once(&mut table, key.to_owned(), value.to_owned())?;
    }
    Ok(table)
}

/// Reads `k=v&…`, URL-encoded; a `&` in front is no matter.
pub(super) fn tags(text: &str) -> Result<BTreeMap<String, String>, String> {
    let is_encoded = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '%' | '.' | '_' | '-' | '~'))
    };
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).ok()
    };
    let mut table = BTreeMap::new();
    for element in text.strip_prefix('&').unwrap_or(text).split('&') {
        let split = element.split_once('=');
        let legal = split
            .filter(|(key, value)| !key.is_empty() && is_encoded(key) && is_encoded(value))
            .and_then(|(key, value)| Some((decode(key)?, decode(value)?)));
        let Some((key, value)) = legal else {
            return Err(format!("must be k=v&…, URL-encoded, not `{text}`"));
        };
        once(&mut table, key, value)?;
    }
    check(Kind::Tags, &table)?;
    Ok(table)
}

/// What is wrong with a table of texts, if anything is.
pub(super) fn check(kind: Kind, table: &BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in table {
        let what = match kind {
            Kind::Metadata => metadata_problem(key, value),
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
            Kind::Tags if key.is_empty() => Some("is empty"),
            Kind::Tags if key.chars().count() > 128 => Some("is longer than 128 characters"),
            Kind::Tags if value.chars().count() > 256 => {
                Some("has a value of more than 256 characters")
            }
            Kind::Variables => super::pairs::name_problem(key),
            _ => None,
        };
        if let Some(what) = what {
            return Err(format!("has a key `{key}` that {what}"));
        }
    }
    if kind == Kind::Tags && table.len() > 10 {
        return Err(format!(
            "has {} tags, and an object has 10 at most",
            table.len()
        ));
    }
    Ok(())
}

/// Names of metadata are names of HTTP headers (RFC 9110, token); values go into them.
fn metadata_problem(key: &str, value: &str) -> Option<&'static str> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if key.is_empty() || !key.chars().all(token) {
        return Some("cannot be a header's name");
    }
    value
        .chars()
        .any(char::is_control)
        .then_some("has a value with control characters")
}

fn once(table: &mut BTreeMap<String, String>, key: String, value: String) -> Result<(), String> {
    if table.contains_key(&key) {
        return Err(format!("says `{key}` twice"));
    }
    table.insert(key, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: Result<BTreeMap<String, String>, String>) -> String {
        match table {
            Ok(table) => {
                let pairs = table.iter().map(|(key, value)| format!("{key}:{value}"));
                pairs.collect::<Vec<_>>().join(" ")
            }
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn metadata_is_read_as_the_predecessor_reads_it() {
        for (text, read) in [
            ("key=value", "key:value"),
            ("key_1=Va-lu_e.1,k.2=", "k.2: key_1:Va-lu_e.1"),
            ("key", "refused"),
            ("key=value,", "refused"),
            ("key=a=b", "refused"),
            ("key#1=value", "refused"),
            ("key=%1", "refused"),
            ("k=1,k=2", "refused"),
            ("", "refused"),
        ] {
            assert_eq!(shown(metadata(text)), read, "{text}");
        }
    }

    #[test]
    fn tags_are_url_encoded() {
        for (text, read) in [
            ("key=value", "key:value"),
            ("key1=value1&key2=value2", "key1:value1 key2:value2"),
            ("%E3%82%AD=a+b", "キ:a b"),
            ("k=", "k:"),
            ("&k=v", "k:v"),
            ("&&k=v", "refused"),
            ("k=v&", "refused"),
            ("k=v&&l=w", "refused"),
            ("", "refused"),
            ("&", "refused"),
            ("key", "refused"),
            ("k=v w", "refused"),
            ("k=%FF", "refused"),
            ("k=1&k=2", "refused"),
            ("a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1", "refused"),
        ] {
            assert_eq!(shown(tags(text)), read, "{text}");
        }
    }
}
