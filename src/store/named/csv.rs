//! Rows of an S3 Inventory and of an S3 Batch Operations manifest: bucket, URL-encoded key, and more.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The first two columns of a row, or what is wrong with it. The key is decoded; bytes that are not
/// UTF-8 are left to whoever makes a key of it.
pub(super) fn row(text: &str) -> Result<(Cow<'_, str>, Vec<u8>), String> {
    let (bucket, rest) = column(text)?;
    let rest = rest.ok_or("it has one column, and the key would be the second")?;
    let (key, _) = column(rest)?;
    Ok((bucket, decoded(&key)?))
}

/// The first column, and what comes behind its comma.
fn column(text: &str) -> Result<(Cow<'_, str>, Option<&str>), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Ok(match text.split_once(',') {
            Some((column, rest)) => (column.into(), Some(rest)),
            None => (text.into(), None),
        });
    };
    let mut from = 0;
    loop {
        let end = quoted[from..].find('"').ok_or("a quote is not closed")? + from;
        let rest = &quoted[end + 1..];
        if rest.starts_with('"') {
            from = end + 2;
            continue;
        }
        let column = quoted[..end].replace("\"\"", "\"").into();
        return match rest.strip_prefix(',') {
            Some(rest) => Ok((column, Some(rest))),
            None if rest.is_empty() => Ok((column, None)),
            None => Err("a closing quote is followed by something else than a comma".to_owned()),
        };
    }
}

/// Keys are encoded as in a query: a space may be a `+`, and a `+` is `%2B`.
fn decoded(key: &str) -> Result<Vec<u8>, String> {
    for (at, _) in key.match_indices('%') {
        let digits = key.as_bytes().get(at + 1..at + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(format!(
                "`{}` is no escape: in a CSV keys are URL-encoded, a % is %25",
                key[at..].chars().take(3).collect::<String>()
            ));
        }
    }
    Ok(percent_decode_str(&key.replace('+', " ")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_s3_writes_them() {
        for (text, expected) in [
            (r#""b","a%2Fb.jpg""#, Ok(("b", "a/b.jpg"))),
            (
                r#""b","photos/a+b%2Bc%20d","12","2026-01-01T00:00:00.000Z""#,
                Ok(("b", "photos/a b+c d")),
            ),
            ("b,plain", Ok(("b", "plain"))),
            ("b,plain,version", Ok(("b", "plain"))),
            (r#"b,"with,comma""#, Ok(("b", "with,comma"))),
            (r#"b,"a ""quote""",v"#, Ok(("b", "a \"quote\""))),
            ("b,", Ok(("b", ""))),
            ("b,%E2%82%AC", Ok(("b", "€"))),
            ("b", Err("one column")),
            (r#""b","open"#, Err("not closed")),
            (r#""b"x,"k""#, Err("something else than a comma")),
            ("b,100%", Err("`%` is no escape")),
            ("b,%zz", Err("`%zz` is no escape")),
        ] {
            let seen = row(text);
            match (&seen, expected) {
                (Ok((bucket, key)), Ok((expected_bucket, expected_key))) => {
                    assert_eq!(bucket, expected_bucket, "{text}");
                    assert_eq!(key, expected_key.as_bytes(), "{text}");
                }
                (Err(error), Err(words)) => assert!(error.contains(words), "{text}: {error}"),
                _ => panic!("{text}: {seen:?}"),
            }
        }
    }
}
