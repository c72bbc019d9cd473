/*! In which form a file names keys, by what is in it.

Nothing is guessed in silence: what could be two things is refused, with what tells them apart.
Names that are separated by NUL are never anything else.
*/

use std::path::Path;

use super::csv;
use crate::store::{Description, StoreKind};

/// How keys stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One a line; `crlf` is whether lines end as on Windows.
    Lines {
        /// Whether a carriage return belongs to the end of a line.
        crlf: bool,
    },
    /// Each with a NUL behind it.
    Nul,
    /// Rows of bucket, URL-encoded whole key, and more. `named` is whether the file's name says so.
    Csv {
        /// Whether it ends in `.csv`.
        named: bool,
    },
}

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The bucket; `None` for what is none.
    pub(super) bucket: Option<String>,
    /// What whole keys begin with.
    pub(super) prefix: String,
    /// Whether it is a directory.
    pub(super) is_local: bool,
}

impl Place {
    pub(super) fn of(description: &Description) -> Self {
        let Description { url, prefix, .. } = description;
        let bucket = url.strip_prefix("s3://").map(|rest| {
            let bucket = rest.strip_suffix(prefix.as_str()).unwrap_or(rest);
            bucket.strip_suffix('/').unwrap_or(bucket).to_owned()
        });
        Self {
            bucket: bucket.filter(|_| description.kind == StoreKind::S3),
            prefix: prefix.clone(),
            is_local: description.kind == StoreKind::Local,
        }
    }

    /// Whether a row of this bucket is about it. What an access point's ARN stands for is not
    /// known here.
    pub(super) fn is_in(&self, bucket: &str) -> bool {
        self.bucket
            .as_deref()
            .is_some_and(|own| own == bucket || own.starts_with("arn:"))
    }
}

/// What a file begins with when it is something else, and what to do about it.
const OTHERS: &[(&[u8], &str)] = &[
    (
        b"\x1f\x8b",
        "it is compressed with gzip, which is not read here; gunzip it first",
    ),
    (
        b"PAR1",
        "it is Parquet, which is not read here; an S3 Inventory can be had as CSV",
    ),
    (
        b"ORC",
        "it is ORC, which is not read here; an S3 Inventory can be had as CSV",
    ),
    (b"\xff\xfe", "it is UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16; save it as UTF-8"),
];

/// Recognises a file by its name and by how it begins, without a byte order mark.
pub(super) fn recognise(path: &Path, head: &[u8], place: &Place) -> Result<Form, String> {
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        // a list of keys may begin with these letters too
        let is_text = head.is_ascii() && !head.contains(&0);
        if !is_text {
            return Err((*what).to_owned());
        }
    }
    if head.contains(&0) {
        return Ok(Form::Nul);
    }
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let crlf = first.ends_with(b"\r") && first.len() < head.len();
    let first = String::from_utf8_lossy(first);
    let first = first.trim_end_matches('\r');
    let has_name = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    if has_name && place.is_local {
        return Err(
            "it is a CSV by its name, which names objects of a bucket, and the source is a directory; name its files one a line, in a file that is not called .csv".to_owned(),
        );
    }
    if has_name {
        return Ok(Form::Csv { named: true });
    }
    if head.starts_with(b"{") && find(head, b"\"fileSchema\"") {
        return Err(
            "it is the manifest of an S3 Inventory; name the CSV that it lists, unpacked"
                .to_owned(),
        );
    }
    let Ok((bucket, _)) = csv::row(first) else {
        return Ok(Form::Lines { crlf });
    };
    if place.is_in(&bucket) && place.bucket.as_deref() == Some(&*bucket) {
        return Ok(Form::Csv { named: false });
    }
    if first.starts_with('"')
        && may_be_bucket(&bucket)
        && first[bucket.len() + 2..].starts_with(",\"")
    {
        return Err(format!(
            "line 1 is that of a CSV of the bucket `{bucket}`, which is not the source; if these are keys, separate them by NUL"
        ));
    }
    Ok(Form::Lines { crlf })
}

fn find(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|some| some == needle)
}

/// Whether it looks like the name of a bucket.
fn may_be_bucket(text: &str) -> bool {
    let is_fit = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':' | '/')
    };
    text.len() >= 3 && text.chars().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_and_its_beginning() {
        use Form::{Csv, Lines, Nul};
        let crlf = |crlf| Ok(Lines { crlf });
        for (name, path, head, expected) in [
            ("lines", "k", &b"a\nb,c\n"[..], crlf(false)),
            ("no end of line", "k", b"a", crlf(false)),
            ("nothing", "k", b"", crlf(false)),
            ("of Windows", "k.txt", b"a\r\nb\r\n", crlf(true)),
            ("a key that ends so", "k", b"a\r", crlf(false)),
            ("as find prints", "k", b"a\nb\0c\0", Ok(Nul)),
            ("never anything else", "k", b"own,a\0", Ok(Nul)),
            ("by its name", "k.CSV", b"x,y\n", Ok(Csv { named: true })),
            (
                "an inventory",
                "k",
                b"\"own\",\"a\"\n",
                Ok(Csv { named: false }),
            ),
            ("a manifest", "k", b"own,a,v\n", Ok(Csv { named: false })),
            ("a comma in a key", "k", b"owner,a\n", crlf(false)),
            (
                "quotes in a key",
                "k",
                b"\"Hello\",\"World\"\n",
                crlf(false),
            ),
            (
                "another bucket",
                "k",
                b"\"other\",\"a\"\n",
                Err("of the bucket `other`"),
            ),
            ("gzip", "k.csv.gz", b"\x1f\x8b\x08\0", Err("gunzip")),
            ("parquet", "k", b"PAR1\x15\0", Err("Parquet")),
            ("a key like that", "k", b"PAR1/x\n", crlf(false)),
            ("utf-16", "k", b"\xff\xfea\0", Err("UTF-16")),
            (
                "the inventory's manifest",
                "manifest.json",
                b"{\n \"fileSchema\" : \"Bucket, Key\"}",
                Err("manifest"),
            ),
        ] {
            let place = Place {
                bucket: Some("own".to_owned()),
                prefix: String::new(),
                is_local: false,
            };
            let seen = recognise(Path::new(path), head, &place);
            match (&seen, expected) {
                (Err(error), Err(words)) => assert!(error.contains(words), "{name}: {error}"),
                (seen, expected) => assert_eq!(
                    seen.as_ref().ok().copied(),
                    expected.ok(),
                    "{name}: {seen:?}"
                ),
            }
        }
    }

    #[test]
    fn the_bucket_of_a_place_is_known() {
        for (url, prefix, bucket) in [
            ("s3://b/", "", "b"),
            ("s3://b/p/", "p/", "b"),
            (
                "s3://arn:aws:s3:r:1:accesspoint/n/p",
                "p",
                "arn:aws:s3:r:1:accesspoint/n",
            ),
        ] {
            let place = Place::of(&Description {
                url: url.to_owned(),
                kind: StoreKind::S3,
                prefix: prefix.to_owned(),
                region: None,
                endpoint: None,
                versioning: None,
            });
            assert_eq!(place.bucket.as_deref(), Some(bucket), "{url}");
        }
    }
}
