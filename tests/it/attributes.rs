/*! What objects have beside their bytes: the same whichever way they are written.

Six ways of writing, times what is copied, set or dropped. `S3SYNC_TEST_CLIENTS` names a directory
with a `python` that has boto3: where it is there, the same is read with it as well.
*/

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use s3sync::object::Timestamp;
use s3sync::sandbox::{Action, Rule, When};

use crate::support::{case, skipped};
use crate::world::{Dress, Run, World, content};

const MIB: usize = 1 << 20;

/// From five MiB on objects are written in parts.
const LARGE: usize = 5 * MIB + 1;

/// Names, their sizes, and the types that follow from them.
const FILES: [(&str, usize, &str); 4] = [
    ("small.json", 1000, "application/json"),
    ("empty.TXT", 0, "text/plain"),
    ("dir/large.html", LARGE, "text/html"),
    ("no extension", 10, "application/octet-stream"),
];

/// What is there in S3 alone.
const MARKER: &str = "folder/";

/// What S3 says of an object whose type nobody told.
const UNTYPED: (&str, &str) = ("content-type", "binary/octet-stream");

/// What all objects at the source have.
const SOURCE: &[(&str, &str)] = &[
    ("cache-control", "no-store, max-age=0"),
    ("content-disposition", "attachment; filename=\"a b.txt\""),
    ("content-encoding", "gzip"),
    ("content-language", "de, en"),
    ("content-type", "text/x-odd; charset=utf-8"),
    ("expires", "Wed, 01 Dec 2055 16:00:00 GMT"),
    ("meta-empty", ""),
    ("meta-plain", "a, b=c; \"d\""),
    ("meta-words", "=?UTF-8?B?Z3LDtsOfZQ==?="),
    ("storage-class", "STANDARD_IA"),
    ("website-redirect", "/elsewhere?x=1&y=2"),
];

/// A treatment: options of the job, what they add to an object that comes from S3 or from a
/// directory, and whether what the source says is kept.
struct Treatment {
    name: &'static str,
    options: &'static [(&'static str, &'static str)],
    /// Options of pairs between buckets alone, and of those from a directory alone.
    of_buckets: &'static [(&'static str, &'static str)],
    of_files: &'static [(&'static str, &'static str)],
    keeps_system: bool,
    keeps_user: bool,
    expected: &'static [(&'static str, &'static str)],
    has_origin: bool,
}

const NOTHING: Treatment = Treatment {
    name: "",
    options: &[],
    of_buckets: &[],
    of_files: &[],
    keeps_system: true,
    keeps_user: true,
    expected: &[],
    has_origin: false,
};

const TREATMENTS: &[Treatment] = &[
    Treatment {
        name: "copied",
        ..NOTHING
    },
    Treatment {
        name: "all set",
        options: &[
            ("metadata.cache_control", "'public'"),
            ("metadata.content_disposition", "'inline'"),
            ("metadata.content_encoding", "'br'"),
            ("metadata.content_language", "'fr'"),
            ("metadata.content_type", "'image/x-own'"),
            ("metadata.expires", "2050-01-02T03:04:05.678Z"),
            ("metadata.website_redirect", "'https://example.com/a?b'"),
            ("metadata.user", "{ Owner = 'me', note = 'größe' }"),
            ("metadata.put_last_modified", "true"),
            ("target.storage_class", "'GLACIER_IR'"),
            ("target.acl", "'public-read'"),
        ],
        keeps_user: false,
        expected: &[
            ("acl", "AllUsers READ"),
            ("cache-control", "public"),
            ("content-disposition", "inline"),
            ("content-encoding", "br"),
            ("content-language", "fr"),
            ("content-type", "image/x-own"),
            ("expires", "Sun, 02 Jan 2050 03:04:05 GMT"),
            ("meta-note", "=?UTF-8?B?Z3LDtsOfZQ==?="),
            ("meta-owner", "me"),
            ("storage-class", "GLACIER_IR"),
            ("website-redirect", "https://example.com/a?b"),
        ],
        has_origin: true,
        ..NOTHING
    },
    Treatment {
        name: "some set",
        options: &[
            ("metadata.cache_control", "'public'"),
            ("metadata.put_last_modified", "true"),
        ],
        expected: &[("cache-control", "public")],
        has_origin: true,
        ..NOTHING
    },
    Treatment {
        name: "the class set back",
        options: &[("target.storage_class", "'STANDARD'")],
        expected: &[("storage-class", "")],
        ..NOTHING
    },
    Treatment {
        name: "dropped",
        of_buckets: &[
            ("metadata.sync_system", "false"),
            ("metadata.sync_user_defined", "false"),
        ],
        of_files: &[("metadata.guess_mime_type", "false")],
        keeps_system: false,
        keeps_user: false,
        expected: &[UNTYPED],
        ..NOTHING
    },
    Treatment {
        name: "headers dropped, and some set",
        options: &[("metadata.expires", "2050-01-02T03:04:05Z")],
        of_buckets: &[("metadata.sync_system", "false")],
        of_files: &[("metadata.guess_mime_type", "false")],
        keeps_system: false,
        expected: &[UNTYPED, ("expires", "Sun, 02 Jan 2050 03:04:05 GMT")],
        ..NOTHING
    },
    Treatment {
        name: "user metadata dropped",
        options: &[("metadata.put_last_modified", "true")],
        of_buckets: &[("metadata.sync_user_defined", "false")],
        keeps_user: false,
        has_origin: true,
        ..NOTHING
    },
];

/// Statement 35: a server-side copy in parts, as all above 5 GiB are, keeps metadata and class.
#[test]
fn every_way_of_writing_dresses_alike() {
    let world = World::new();
    let source: Dress = dress(SOURCE);
    world.bucket("source");
    world.bucket("target");
    let tree = world.tree("tree");
    for (name, size, _) in FILES {
        tree.file(name, size);
        let bytes = content(name, size);
        if size == LARGE {
            world.put_parts_dressed("source", name, &bytes, 5 * MIB, &source);
        } else {
            world.put_dressed("source", name, &bytes, &source);
        }
    }
    world.put_dressed("source", MARKER, b"", &source);
    let mut all = BTreeMap::new();
    for (number, treatment) in TREATMENTS.iter().enumerate() {
        case(format_args!("{}", treatment.name));
        let to = |way: &str| format!("s3://target/{number}/{way}/");
        let mut run = set(world.job_in_small_parts(), treatment.options);
        for (way, from, options) in [
            ("up", "tree", treatment.of_files),
            ("client", "s3://source/", treatment.of_buckets),
            ("server", "s3://source/", treatment.of_buckets),
        ] {
            run = run.pair(way, from, &to(way));
            run = set(run, options);
        }
        let ran = run.set("server_side_copy", "true").run();
        ran.exit(0).all_proved();
        for (name, _, guessed) in FILES {
            let of_file = dress(&[("content-type", guessed)]);
            for (way, kept, time) in [
                ("up", &of_file, tree_time()),
                ("client", &source, source_time(&world, name)),
                ("server", &source, source_time(&world, name)),
            ] {
                let expected = treatment.expected(kept, time);
                all.insert(format!("{number}/{way}/{name}"), expected);
            }
        }
        for way in ["client", "server"] {
            let expected = treatment.expected(&source, source_time(&world, MARKER));
            all.insert(format!("{number}/{way}/{MARKER}"), expected);
        }
    }
    let listed: Vec<_> = world.list("target", "").into_keys().collect();
    let keys: Vec<_> = all.keys().cloned().collect();
    assert_eq!(listed, keys);
    for (key, expected) in &all {
        assert_eq!(world.dress("target", key), *expected, "{key}");
    }
    if let Some(seen) = by_boto3(&world, "target") {
        assert_eq!(seen, all, "read with boto3");
    }
}

#[test]
fn an_expiry_that_is_no_time_is_told_once_and_left_behind() {
    for (options, is_lost) in [
        (&[][..], true),
        (&[("metadata.sync_system", "false")], false),
        (&[("metadata.expires", "2050-01-02T03:04:05Z")], false),
    ] {
        case(format_args!("{options:?}"));
        let world = World::new();
        world.bucket("source");
        world.bucket("target");
        let large = content("large", LARGE);
        world.put_with_header("source", "small", "expires", "0");
        world.put_parts_with_header("source", "large", &large, 5 * MIB, ("expires", "-1"));
        // one of them arrives at the second attempt
        let damage = Rule::new(Action::FlipStored).operation("PutObject");
        world.faults().add(damage.when(When::Nth(1)));
        let mut run = set(world.job_in_small_parts(), options);
        for way in ["client", "server"] {
            run = run.pair(way, "s3://source/", &format!("s3://target/{way}/"));
        }
        let ran = run.set("server_side_copy", "true").run();
        ran.transferred(4);
        let expected = options
            .iter()
            .find(|(option, _)| option.ends_with("expires"));
        let expected = expected.map(|_| "Sun, 02 Jan 2050 03:04:05 GMT".to_owned());
        for (key, text) in [("small", "0"), ("large", "-1")] {
            let words = format!("`{key}`: its Expires `{text}` is no time, and is not copied");
            // by each of the two pairs
            let told = ran.stderr.matches(&*words).count();
            assert_eq!(told, if is_lost { 2 } else { 0 }, "{}", ran.told());
            for way in ["client", "server"] {
                let mut dress = world.dress("target", &format!("{way}/{key}"));
                assert_eq!(dress.remove("expires"), expected, "{way}/{key}");
            }
        }
    }
}

#[test]
fn user_metadata_beyond_ascii_is_told_the_same_at_both_ends() {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    let large = content("large", LARGE);
    // as S3 documents it: bytes beyond ASCII are told in encoded words
    let (name, value) = ("x-amz-meta-nonascii", "\u{c4}M\u{c4}Z\u{d5}\u{d1} S3");
    world.put_with_header("source", "small", name, value);
    world.put_parts_with_header("source", "large", &large, 5 * MIB, (name, value));
    let told = "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=";
    let mut run = world.job_in_small_parts();
    for way in ["client", "server"] {
        run = run.pair(way, "s3://source/", &format!("s3://target/{way}/"));
    }
    let ran = run.set("server_side_copy", "true").run();
    ran.exit(0).all_proved();
    for key in ["small", "large"] {
        let source = world.dress("source", key);
        assert_eq!(source["meta-nonascii"], told);
        for way in ["client", "server"] {
            assert_eq!(world.dress("target", &format!("{way}/{key}")), source);
        }
    }
}

impl Treatment {
    /// What an object of a source like this has afterwards.
    fn expected(&self, source: &Dress, modified: Timestamp) -> Dress {
        let mut expected = source.clone();
        let is_user = |name: &String| name.starts_with("meta-");
        let is_class = |name: &String| name == "storage-class";
        expected.retain(|name, _| {
            (is_user(name) && self.keeps_user)
                || (!is_user(name) && self.keeps_system)
                || is_class(name)
        });
        expected.extend(dress(self.expected));
        expected.retain(|name, value| !(is_class(name) && value.is_empty()));
        if self.has_origin {
            let time = modified.rfc3339_offset();
            expected.insert("meta-s3sync_origin_last_modified".to_owned(), time);
        }
        expected
    }
}

fn dress(pairs: &[(&str, &str)]) -> Dress {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn set<'w>(run: Run<'w>, options: &[(&str, &str)]) -> Run<'w> {
    options
        .iter()
        .fold(run, |run, (option, value)| run.set(option, value))
}

/// When the files of a tree were written.
fn tree_time() -> Timestamp {
    Timestamp::new(1_600_000_000, 0)
}

fn source_time(world: &World, key: &str) -> Timestamp {
    let time = *world.head("source", key).last_modified().expect("a time");
    Timestamp::new(time.secs(), 0)
}

/// Everything in a bucket as boto3 sees it.
const READ: &str = r#"
import json, sys, boto3
endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
names = {"CacheControl": "cache-control", "ContentDisposition": "content-disposition",
         "ContentEncoding": "content-encoding", "ContentLanguage": "content-language",
         "ContentType": "content-type", "ExpiresString": "expires",
         "WebsiteRedirectLocation": "website-redirect", "StorageClass": "storage-class"}
seen = {}
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for row in page.get("Contents", []):
        key = row["Key"]
        head = s3.head_object(Bucket=bucket, Key=key)
        dress = {ours: head[theirs] for theirs, ours in names.items() if theirs in head}
        dress |= {"meta-" + name: value for name, value in head["Metadata"].items()}
        grants = s3.get_object_acl(Bucket=bucket, Key=key)["Grants"]
        public = [grant["Grantee"]["URI"].split("/")[-1] + " " + grant["Permission"]
                  for grant in grants if "URI" in grant["Grantee"]]
        if public:
            dress["acl"] = ", ".join(public)
        seen[key] = dress
print(json.dumps(seen))
"#;

fn by_boto3(world: &World, bucket: &str) -> Option<BTreeMap<String, Dress>> {
    let python =
        std::env::var_os("S3SYNC_TEST_CLIENTS").map(|path| PathBuf::from(path).join("python"));
    let Some(python) = python.filter(|python| python.exists()) else {
        skipped(
            "reading with boto3",
            "S3SYNC_TEST_CLIENTS names no directory with a python",
        );
        return None;
    };
    let endpoint = &world.endpoint;
    let done = Command::new(python)
        .args(["-c", READ, &endpoint.url, bucket])
        .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
        .env("AWS_REGION", &endpoint.region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("python starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("JSON"))
}
