//! Endpoints that do less than S3: what they refuse is learnt from the refusal, and the run goes on
//! with what is left, or says what it will not do without. The number is that of the statement held.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use s3sync::digest::{Algorithm, digest};
use s3sync::object::{ETag, StorageClass};
use s3sync::sandbox::{Action, Rule, Sandbox, SandboxConfig, When};
use s3sync::store::s3::{Encryption, Keys, S3Location, S3Settings, S3Store};
use s3sync::store::{
    Condition, ErrorKind, Meter, Part, Put, Read, Secret, Source as _, StoreError, Stored,
    Target as _,
};

use crate::support::{Listed, case, key, put, read, removals, write};
use crate::world::{Run, World, content, same};

const PART: usize = 5 << 20;

/// A refusal of something the server has never heard of.
fn unheard_of() -> Action {
    refusal(501, "NotImplemented")
}

fn refusal(status: u16, code: &str) -> Action {
    Action::Refuse {
        status,
        code: code.to_owned(),
        retry_after: None,
    }
}

/// Refuses what carries this header or query parameter.
fn refuses(carried: &str) -> Rule {
    Rule::new(unheard_of()).carrying(carried)
}

/// Does not look at it.
fn ignores(carried: &str) -> Rule {
    Rule::new(Action::Ignore(carried.to_owned())).carrying(carried)
}

/// Refuses an operation.
fn has_no(operation: &str) -> Rule {
    Rule::new(unheard_of()).operation(operation)
}

const UP: (&str, &str) = ("tree", "s3://second/");
const ACROSS: (&str, &str) = ("s3://first/", "s3://second/");
const DOWN: (&str, &str) = ("s3://first/", "down");

/// The same tree in a directory and in the bucket `first`: small, in parts, and of another class.
fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    let tree = world.tree("tree");
    tree.file("small", 1000)
        .file("a b+c%25", 10)
        .file("large", 2 * PART + 7);
    world.put("first", "small", &content("small", 1000));
    world.put("first", "a b+c%25", &content("a b+c%25", 10));
    let large = content("large", 2 * PART + 7);
    world.put_in_parts("first", "large", &large, &[PART, PART, 7]);
    world
}

fn job<'w>(world: &'w World, (source, target): (&str, &str), options: &[(&str, &str)]) -> Run<'w> {
    let job = world
        .job_in_small_parts()
        .set("performance.worker_size", "1")
        .pair("pair", source, target);
    options.iter().fold(job, |job, (option, value)| {
        match option.strip_prefix("target.") {
            None => job.set(option, value),
            // the job file has the target as one URL
            Some(option) => {
                let name = format!("S3SYNC_TARGET__{}", option.to_uppercase());
                job.environment(&name, value.trim_matches('"'))
            }
        }
    })
}

/// What the report says is lost.
fn lost(ran: &crate::world::Ran) -> Vec<String> {
    let lost = ran.pair("pair").report["guarantees_lost"].as_array();
    let what = |lost: &serde_json::Value| lost["what"].as_str().unwrap_or_default().to_owned();
    lost.into_iter().flatten().map(what).collect()
}

/// Statement 45: an endpoint that refuses what it does not know → the run works with what is left,
/// and `guarantees_lost` names it.
#[test]
fn n45_what_is_refused_is_left_out_once_and_told() {
    let server_side: &[_] = &[("server_side_copy", "true")];
    let of_downloads: &[_] = &[("checksum.download", "true")];
    for (rules, way, options, told) in [
        (
            vec![refuses("x-amz-mp-object-size")],
            UP,
            &[][..],
            &["length of a multipart upload"][..],
        ),
        (
            vec![refuses("x-amz-mp-object-size")],
            ACROSS,
            &[],
            &["length of a multipart upload"],
        ),
        (
            vec![refuses("x-amz-checksum-mode")],
            DOWN,
            of_downloads,
            &["additional checksums of what is read"],
        ),
        (
            vec![refuses("if-match")],
            DOWN,
            &[],
            &["reading only what was listed"],
        ),
        (vec![ignores("if-match")], DOWN, &[], &[]),
        (
            vec![refuses("x-amz-copy-source-if-match")],
            ACROSS,
            server_side,
            &["copying only what was listed"],
        ),
        (
            vec![ignores("x-amz-copy-source-if-match")],
            ACROSS,
            server_side,
            &[],
        ),
        (
            vec![has_no("CopyObject")],
            ACROSS,
            server_side,
            &["copies inside S3"],
        ),
        (
            vec![has_no("UploadPartCopy")],
            ACROSS,
            server_side,
            &["copies inside S3"],
        ),
        (vec![has_no("ListObjectsV2")], DOWN, &[], &["ListObjectsV2"]),
        (
            vec![has_no("ListObjectsV2")],
            ACROSS,
            &[],
            &["ListObjectsV2"],
        ),
        (
            vec![ignores("list-type")],
            DOWN,
            &[("performance.max_keys", "1")],
            &["ListObjectsV2"],
        ),
        (
            vec![has_no("ListObjectsV2")],
            DOWN,
            &[("performance.max_keys", "1")],
            &["ListObjectsV2"],
        ),
        (
            vec![refuses("encoding-type")],
            DOWN,
            &[],
            &["characters that XML cannot carry"],
        ),
        (
            vec![refuses("list-type"), refuses("encoding-type")],
            DOWN,
            &[],
            &["characters that XML cannot carry", "ListObjectsV2"],
        ),
        // a server that has never heard of tags answers with the object itself
        (vec![ignores("tagging")], ACROSS, &[], &[]),
        (vec![has_no("GetObjectTagging")], ACROSS, &[], &[]),
        (
            vec![ignores("x-amz-tagging")],
            UP,
            &[("tagging.set", "{ team = \"blue\" }")],
            &["tags of what is written"],
        ),
        (
            vec![ignores("x-amz-storage-class")],
            UP,
            &[("target.storage_class", "\"STANDARD_IA\"")],
            &["storage classes of what is written"],
        ),
        (vec![ignores("encoding-type")], DOWN, &[], &[]),
    ] {
        case(format_args!("{rules:?} {way:?} {options:?}"));
        let world = world();
        for rule in rules {
            world.faults().add(rule);
        }
        let ran = job(&world, way, options).run();
        ran.exit(0).transferred(3).all_proved();
        world.faults().clear();
        let arrived = if way == DOWN {
            world.tree("down").files()
        } else {
            world.objects("second", "")
        };
        same(&world.tree("tree").files(), &arrived);
        let lost = lost(&ran);
        assert_eq!(lost.len(), told.len(), "{lost:?}");
        for words in told {
            assert!(lost.iter().any(|lost| lost.contains(words)), "{lost:?}");
        }
    }
}

/// A refusal costs one request more, not one for each object.
#[test]
fn a_refusal_is_learnt_once() {
    let world = World::new();
    world.bucket("first");
    for number in 0..20 {
        world.put("first", &number.to_string(), b"x");
    }
    world.faults().add(refuses("x-amz-checksum-mode"));
    world.faults().forget_calls();
    let ran = job(&world, DOWN, &[("checksum.download", "true")]).run();
    ran.exit(0).transferred(20);
    assert_eq!(world.faults().calls("GetObject"), 21);
}

/// An encryption that was asked for and that no answer confirms: nothing is left in the clear, and
/// no more than one object was ever there.
#[test]
fn nothing_is_left_in_the_clear() {
    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const OF_S3: &[&str] = &["x-amz-server-side-encryption"];
    const OF_THE_USER: &[&str] = &[
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5",
    ];
    let customer = [("target.sse_c", "AES256"), ("target.sse_c_key", KEY)];
    let wrong = "and the answer says `AES256`";
    let nothing = "and the answer says nothing of an encryption";
    for (ignored, options, asked, told) in [
        (OF_S3, &[("target.sse", "aws:kms")][..], "aws:kms", wrong),
        (
            OF_S3,
            &[("target.sse", "aws:kms:dsse")],
            "aws:kms:dsse",
            wrong,
        ),
        (OF_THE_USER, &customer, "AES256", nothing),
    ] {
        for (way, inside) in [(UP, "false"), (ACROSS, "false"), (ACROSS, "true")] {
            for (only, write) in [
                ("large", "CreateMultipartUpload"),
                (
                    "small",
                    if inside == "true" {
                        "CopyObject"
                    } else {
                        "PutObject"
                    },
                ),
            ] {
                case(format_args!("{options:?} {way:?} {inside} {only}"));
                let world = World::new();
                world.bucket("first");
                world.bucket("second");
                let tree = world.tree("tree");
                for number in 0..if only == "small" { 12 } else { 2 } {
                    let name = format!("{only}{number}");
                    let size = if only == "small" { 100 } else { PART + 1 };
                    tree.file(&name, size);
                    if size == 100 {
                        world.put("first", &name, &content(&name, size));
                    } else {
                        let large = content(&name, size);
                        world.put_in_parts("first", &name, &large, &[PART, 1]);
                    }
                }
                for name in ignored {
                    world.faults().add(ignores(name));
                }
                world.faults().forget_calls();
                let ran = job(&world, way, options)
                    .set("performance.worker_size", "8")
                    .set("server_side_copy", inside)
                    .run();
                ran.exit(1).transferred(0);
                let option = options[0].0;
                ran.says(&format!("{option} asks for {asked}, {told}"));
                ran.says(&format!(
                    "leave {option} out if the endpoint encrypts by itself"
                ));
                if only == "small" {
                    ran.says("the object was removed again");
                    assert_eq!(world.faults().calls(write), 1, "{}", ran.told());
                }
                assert_eq!(world.faults().calls("UploadPart"), 0, "{}", ran.told());
                assert!(world.objects("second", "").is_empty());
                assert_eq!(lost(&ran), [""; 0]);
            }
        }
    }
}

/// A storage class that comes from the source may be another; one the user names may not, nor may
/// an encryption or an ACL.
#[test]
fn what_the_user_names_is_never_left_out() {
    let class = |status, code| {
        let rule = Rule::new(refusal(status, code)).carrying("x-amz-storage-class");
        (rule, "target.storage_class")
    };
    for ((rule, option), value) in [
        (class(400, "InvalidStorageClass"), "\"STANDARD_IA\""),
        (class(501, "NotImplemented"), "\"STANDARD_IA\""),
        ((refuses("x-amz-acl"), "target.acl"), "\"private\""),
        (
            (refuses("x-amz-server-side-encryption"), "target.sse"),
            "\"AES256\"",
        ),
    ] {
        for way in [UP, ACROSS] {
            case(format_args!("{rule:?} {way:?}"));
            let world = world();
            world.faults().add(rule.clone());
            let ran = job(&world, way, &[(option, value)]).run();
            ran.exit(1).transferred(0);
            ran.says(&format!(
                "it was asked for {option}, which is never left out"
            ));
            assert!(world.objects("second", "").is_empty());
            assert_eq!(lost(&ran), [""; 0]);
        }
    }
}

#[test]
fn a_class_of_the_source_is_a_guarantee_lost_where_the_target_has_none() {
    for (status, code) in [(400, "InvalidStorageClass"), (501, "NotImplemented")] {
        for inside in ["false", "true"] {
            case(format_args!("{code} {inside}"));
            let world = world();
            let classed = [("target.storage_class", "\"STANDARD_IA\"")];
            job(&world, ("tree", "s3://first/classed/"), &classed)
                .run()
                .exit(0)
                .transferred(3);
            let across = ("s3://first/classed/", "s3://second/");
            let rule = Rule::new(refusal(status, code)).carrying("x-amz-storage-class");
            world.faults().add(rule);
            let ran = job(&world, across, &[("server_side_copy", inside)]).run();
            ran.exit(0).transferred(3).all_proved();
            same(&world.tree("tree").files(), &world.objects("second", ""));
            let lost = lost(&ran);
            assert_eq!(lost.len(), 1, "{lost:?}");
            let words = "the storage class STANDARD_IA of the source";
            assert!(lost[0].contains(words), "{lost:?}");
        }
    }
}

/// A target that does not know one class is no target without classes; and a source may tell them
/// by HEAD alone.
#[test]
fn a_class_that_is_refused_takes_no_other_with_it() {
    const OF: [(&str, &str); 4] = [
        ("a", "GLACIER_IR"),
        ("b", "STANDARD_IA"),
        ("c", "GLACIER_IR"),
        ("d", "STANDARD_IA"),
    ];
    for (status, code, is_listed) in [
        (400, "InvalidStorageClass", true),
        (501, "NotImplemented", false),
    ] {
        for inside in ["false", "true"] {
            case(format_args!("{code} {is_listed} {inside}"));
            let world = World::new();
            world.bucket("first");
            world.bucket("second");
            for (key, class) in OF {
                world.put_with_header("first", key, "x-amz-storage-class", class);
                if class == "GLACIER_IR" {
                    let rule = Rule::new(refusal(status, code)).carrying("x-amz-storage-class");
                    world.faults().add(rule.key(key));
                }
            }
            if !is_listed {
                let hides = Rule::new(Action::HideClasses).operation("ListObjectsV2");
                world.faults().add(hides);
            }
            let ran = job(&world, ACROSS, &[("server_side_copy", inside)]).run();
            ran.exit(0).transferred(4).all_proved();
            let lost = lost(&ran);
            assert_eq!(lost.len(), 1, "{lost:?}");
            assert!(lost[0].contains("class GLACIER_IR"), "{lost:?}");
            for (key, class) in OF {
                let head = world.head("second", key);
                let kept = head
                    .storage_class()
                    .map(aws_sdk_s3::types::StorageClass::as_str);
                let expected = (class == "STANDARD_IA").then_some(class);
                assert_eq!(kept, expected, "{key}");
            }
        }
    }
}

/// What a store tells while it works.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Meter for Told {
    fn request(&self, _: &'static str, _: Option<u16>, _: Duration) {}
    fn retry(&self, _: &'static str, _: &str, _: Duration) {}
    fn lost(&self, what: &str, _: &str) {
        self.0.lock().expect("no panic").push(what.to_owned());
    }
}

/// A bucket as a store, with the sandbox it is in.
struct Place {
    store: S3Store,
    told: Arc<Told>,
    sandbox: Sandbox,
    _dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = SandboxConfig {
            dir: dir.path().to_owned(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        sandbox.create_bucket("bucket").expect("a bucket");
        let settings = S3Settings {
            endpoint_url: Some(sandbox.endpoint_url()),
            region: Some(sandbox.region().to_owned()),
            force_path_style: true,
            keys: Some(Keys {
                access_key: Secret::new(sandbox.access_key()),
                secret_access_key: Secret::new(sandbox.secret_key()),
                session_token: None,
            }),
            encryption: Encryption::Bucket,
            ..S3Settings::new(S3Location::parse("s3://bucket").expect("a location"))
        };
        let told = Arc::new(Told::default());
        let store = S3Store::open(settings, Arc::<Told>::clone(&told)).await;
        Self {
            store: store.expect("a store"),
            told,
            sandbox,
            _dir: dir,
        }
    }

    async fn put(&self, put: &Put, in_parts: bool) -> Result<Stored, StoreError> {
        let bytes = Bytes::from(content("k", 1000));
        let md5 = digest(Algorithm::Md5, &bytes);
        if !in_parts {
            return self.store.put(put, bytes, &[md5]).await;
        }
        let upload = self.store.begin(put).await?;
        let part = Part {
            number: std::num::NonZeroU16::MIN,
            offset: 0,
            bytes,
            digests: vec![md5],
        };
        let part = upload.put_part(&part).await?;
        let completed = upload.complete(vec![part], None).await;
        completed.map_err(|incomplete| match incomplete {
            s3sync::store::Incomplete::Undone(error)
            | s3sync::store::Incomplete::Unproved { error, .. } => error,
        })
    }

    fn told(&self) -> Vec<String> {
        self.told.0.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn n45_tags_that_are_refused_are_left_out_and_told() {
    for in_parts in [false, true] {
        for also in [None, Some("x-amz-website-redirect-location")] {
            case(format_args!("{in_parts} {also:?}"));
            let place = Place::new().await;
            let faults = place.sandbox.faults();
            faults.add(refuses("x-amz-tagging"));
            let mut dressed = put("k", 1000);
            dressed.tags.insert("team".into(), "blue".into());
            if let Some(also) = also {
                faults.add(refuses(also));
                dressed.attributes.website_redirect = Some("/elsewhere".to_owned());
            }
            for _ in 0..3 {
                let _ = place.put(&dressed, in_parts).await.expect("a put");
            }
            let told = place.told();
            let expected = 1 + usize::from(also.is_some());
            assert_eq!(told.len(), expected, "{told:?}");
            assert!(told[0].contains("tags of what is written"), "{told:?}");
        }
    }
}

/// S3's own complaint about tags is one about the object, and no reason to drop those of others.
#[tokio::test]
async fn tags_that_s3_finds_wrong_are_an_error_of_their_object() {
    let place = Place::new().await;
    let mut dressed = put("k", 1000);
    dressed.tags = (0..11).map(|n| (n.to_string(), String::new())).collect();
    let error = place.put(&dressed, false).await.expect_err("eleven tags");
    assert!(matches!(error.kind, ErrorKind::Other), "{error}");
    assert_eq!(place.told(), [""; 0]);
    assert!(read(&place.store, "k").await.is_err(), "nothing is written");
}

#[tokio::test]
async fn n45_a_condition_that_is_refused_is_looked_after_before() {
    let other = ETag::parse("\"0123456789abcdef0123456789abcdef\"");
    for in_parts in [false, true] {
        for (there, condition, written) in [
            (false, Condition::Absent, true),
            (true, Condition::Absent, false),
            (true, Condition::Has(other.clone()), false),
        ] {
            case(format_args!("{in_parts} {there} {condition:?}"));
            let place = Place::new().await;
            let faults = place.sandbox.faults();
            if there {
                write(&place.store, "k", "before").await.expect("a put");
            }
            for operation in ["PutObject", "CompleteMultipartUpload"] {
                for header in ["if-match", "if-none-match"] {
                    faults.add(refuses(header).operation(operation));
                }
            }
            let guarded = Put {
                condition,
                ..put("k", 1000)
            };
            let result = place.put(&guarded, in_parts).await;
            let now = read(&place.store, "k").await.expect("an object").bytes;
            if written {
                assert_eq!(now, content("k", 1000));
                assert_eq!(place.told().len(), 1, "{:?}", place.told());
                assert!(place.told()[0].contains("conditions"), "{:?}", place.told());
                // and from then on
                let error = place
                    .put(&guarded, in_parts)
                    .await
                    .expect_err("it is there now");
                assert_eq!(error.kind, ErrorKind::PreconditionFailed, "{error}");
            } else {
                assert_eq!(now, "before");
                let error = result.expect_err("it may not be written");
                assert_eq!(error.kind, ErrorKind::PreconditionFailed, "{error}");
            }
        }
    }
    let place = Place::new().await;
    let first = place.put(&put("k", 1000), false).await.expect("a put");
    place
        .sandbox
        .faults()
        .add(refuses("if-match").operation("PutObject"));
    let guarded = Put {
        condition: Condition::Has(first.etag.expect("an ETag")),
        ..put("k", 1000)
    };
    let _ = place
        .put(&guarded, false)
        .await
        .expect("it is the same still");
}

#[tokio::test]
async fn n45_many_are_deleted_one_by_one_where_that_is_all_there_is() {
    for (status, code) in [
        (501, "NotImplemented"),
        (405, "MethodNotAllowed"),
        (400, "MissingContentMD5"),
    ] {
        case(format_args!("{code}"));
        let place = Place::new().await;
        let faults = place.sandbox.faults();
        faults.add(Rule::new(refusal(status, code)).operation("DeleteObjects"));
        faults.add(
            Rule::new(refusal(403, "AccessDenied"))
                .operation("DeleteObject")
                .key("07"),
        );
        let keys: Vec<_> = (0..20).map(|n| key(&format!("{n:02}"))).collect();
        for key in &keys {
            write(&place.store, key.as_str(), "x").await.expect("a put");
        }
        for _ in 0..2 {
            let results = place.store.delete(&removals(&keys)).await.expect("results");
            let failed = |result: &Result<s3sync::store::Removed, StoreError>| {
                result
                    .as_ref()
                    .is_err_and(|error| error.kind == ErrorKind::AccessDenied)
            };
            assert_eq!(results.len(), 20);
            assert_eq!(results.iter().position(failed), Some(7));
            assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
        }
        let left = Listed::of(&place.store).await;
        assert_eq!(left.keys(), ["07"]);
        assert_eq!(faults.calls("DeleteObjects"), 1);
        assert_eq!(place.told().len(), 1, "{:?}", place.told());
    }
}

/// A server that does not look at If-Match answers with another object: that is seen by its ETag.
#[tokio::test]
async fn an_ignored_if_match_splices_nothing() {
    let place = Place::new().await;
    place.sandbox.faults().add(ignores("if-match"));
    write(&place.store, "k", "first").await.expect("a put");
    let listed = place
        .store
        .head((&key("k")).into(), false)
        .await
        .expect("a head");
    write(&place.store, "k", "other").await.expect("a put");
    let read = Read {
        key: key("k"),
        version: None,
        range: Some(1..3),
        expected: 2,
        if_match: listed.etag,
        hash: Vec::new(),
    };
    let error = place.store.read(&read).await.expect_err("another object");
    assert_eq!(error.kind, ErrorKind::Changed, "{error}");
}

/// A long listing of an endpoint that knows only ListObjects: every key once, in order.
#[tokio::test]
async fn a_listing_by_markers_has_every_key_once() {
    for rule in [has_no("ListObjectsV2"), ignores("list-type")] {
        case(format_args!("{rule:?}"));
        let place = Place::new().await;
        let mut keys = Vec::new();
        for folder in ["", "a/", "a&b/", "b/c/", "\u{e9} +%/"] {
            for number in 0..300 {
                keys.push(format!("{folder}{number:03}"));
            }
        }
        for key in &keys {
            write(&place.store, key, "x").await.expect("a put");
        }
        keys.sort();
        place.sandbox.faults().add(rule);
        let listed = Listed::of(&place.store).await;
        assert!(listed.error.is_none(), "{:?}", listed.error);
        assert_eq!(listed.keys(), keys);
    }
}

/// Words that may mean anything teach nothing until they come twice in a row.
#[tokio::test]
async fn an_odd_answer_is_not_held_against_the_next_object() {
    let sha256 = |name: &str| Put {
        checksum: Some(Algorithm::Sha256),
        ..put(name, 1000)
    };
    let checksum = "x-amz-checksum-sha256";
    for (name, status, code, when, kept, told) in [
        (
            "once",
            400,
            "InvalidRequest",
            When::Nth(1),
            "_2345",
            &["of `k1`"][..],
        ),
        (
            "now and then",
            400,
            "InvalidRequest",
            When::Every(2),
            "1_3_5",
            &["of `k2`", "of `k4`"],
        ),
        (
            "always",
            400,
            "InvalidRequest",
            When::Always,
            "_____",
            &["of `k1`", "SHA256 checksums of what is written"],
        ),
        (
            "in its own words",
            400,
            "InvalidChecksumAlgorithm",
            When::First(1),
            "_____",
            &["SHA256 checksums of what is written"],
        ),
        (
            "in S3's words",
            501,
            "NotImplemented",
            When::First(1),
            "_____",
            &["SHA256 checksums of what is written"],
        ),
    ] {
        case(format_args!("{name}"));
        let place = Place::new().await;
        let rule = Rule::new(refusal(status, code)).carrying(checksum);
        place.sandbox.faults().add(rule.when(when));
        let mut has = String::new();
        for number in 1..=5 {
            let bytes = Bytes::from(content("k", 1000));
            let digests = [Algorithm::Md5, Algorithm::Sha256];
            let digests = digests.map(|algorithm| digest(algorithm, &bytes));
            let one = sha256(&format!("k{number}"));
            let stored = place.store.put(&one, bytes, &digests).await.expect("a put");
            let own = stored.checksums.iter();
            let is_kept = own.clone().any(|sum| sum.algorithm() == Algorithm::Sha256);
            has.push(if is_kept {
                char::from_digit(number, 10).expect("a digit")
            } else {
                '_'
            });
        }
        assert_eq!(has, kept);
        let heard = place.told();
        assert_eq!(heard.len(), told.len(), "{heard:?}");
        for (heard, words) in heard.iter().zip(told) {
            assert!(heard.contains(words), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn an_odd_answer_to_a_deletion_is_not_held_against_the_next() {
    for (deny, when, batches, told) in [
        (false, When::Nth(1), 3, 0),
        (false, When::Always, 2, 1),
        (true, When::Always, 3, 0),
    ] {
        case(format_args!("{deny} {when:?}"));
        let place = Place::new().await;
        let faults = place.sandbox.faults();
        let odd = Rule::new(refusal(400, "InvalidRequest")).operation("DeleteObjects");
        faults.add(odd.when(when));
        if deny {
            faults.add(Rule::new(refusal(403, "AccessDenied")).operation("DeleteObject"));
        }
        for _ in 0..3 {
            let results = place.store.delete(&removals(&[key("a"), key("b")])).await;
            let results = results.expect("results");
            assert!(results.iter().all(|result| result.is_err() == deny));
        }
        assert_eq!(faults.calls("DeleteObjects"), batches);
        assert_eq!(place.told().len(), told, "{:?}", place.told());
    }
}

/// What could not be looked at is looked for on the next object, and not for ever.
#[tokio::test]
async fn a_look_in_vain_is_no_look() {
    let denied = || Rule::new(refusal(403, "AccessDenied")).operation("HeadObject");
    for (name, rule, looks, told) in [
        ("denied once", denied().when(When::First(1)), 2, 1),
        ("denied three times", denied().when(When::First(3)), 4, 1),
        ("always denied", denied(), 32, 0),
        (
            "another object",
            Rule::new(Action::WrongETag)
                .operation("HeadObject")
                .when(When::First(2)),
            3,
            1,
        ),
    ] {
        case(format_args!("{name}"));
        let place = Place::new().await;
        let faults = place.sandbox.faults();
        faults.add(rule);
        faults.add(ignores("x-amz-storage-class"));
        let dressed = Put {
            storage_class: Some(StorageClass::new("STANDARD_IA")),
            ..put("k", 1000)
        };
        for _ in 0..40 {
            let _ = place.put(&dressed, false).await.expect("a put");
        }
        assert_eq!(faults.calls("HeadObject"), looks);
        assert_eq!(place.told().len(), told, "{:?}", place.told());
    }
}

/// A server that is merely tired is no server that cannot.
#[tokio::test]
async fn nothing_is_learnt_from_a_bad_night() {
    let place = Place::new().await;
    place.sandbox.faults().add(
        Rule::slow_down()
            .carrying("x-amz-tagging")
            .when(When::First(2)),
    );
    let mut dressed = put("k", 1000);
    dressed.tags.insert("team".into(), "blue".into());
    dressed.storage_class = Some(StorageClass::new("STANDARD_IA"));
    let _ = place.put(&dressed, false).await.expect("a put");
    let head = place
        .store
        .head((&key("k")).into(), false)
        .await
        .expect("a head");
    assert_eq!(head.tag_count, Some(1));
    assert_eq!(place.told(), [""; 0]);
}
