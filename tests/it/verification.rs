//! Every checksum, every encryption, every direction: what is proved, and by what.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use s3sync::digest::{Algorithm, Checksum, composite, digest};
use s3sync::sandbox::{Action, Moment, Rule, When};
use s3sync::store::retry::RetrySettings;
use s3sync::store::s3::{Keys, S3Location, S3Settings, S3Store, Timeouts};
use s3sync::store::{Meter, Part, Put, Secret, Source as _, Target as _};

use crate::support::{case, key, put};
use crate::world::{Run, World, content, same};

const MIB: usize = 1 << 20;
/// The smallest part S3 takes: threshold and part size of every run here.
const PART: usize = 5 * MIB;

/// 32 bytes for SSE-C, in base64.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    world
}

/// An option of a target and its value.
type Said = (&'static str, String);

/// How a target is encrypted: a name, options of it, and whether its ETags are digests.
fn encryptions() -> Vec<(&'static str, Vec<Said>, bool)> {
    let sse = |word: &str| vec![("target.sse", format!("\"{word}\""))];
    let mut with_kms_key = sse("aws:kms");
    with_kms_key.push(("target.sse_kms_key_id", "\"alias/mine\"".to_owned()));
    let of_customer = vec![
        ("target.sse_c", "\"AES256\"".to_owned()),
        ("target.sse_c_key", format!("\"{KEY}\"")),
    ];
    vec![
        ("plain", vec![], true),
        ("SSE-S3", sse("AES256"), true),
        ("SSE-KMS", sse("aws:kms"), false),
        ("SSE-KMS with a key", with_kms_key, false),
        ("DSSE-KMS", sse("aws:kms:dsse"), false),
        ("SSE-C", of_customer, false),
    ]
}

fn with<'w>(run: Run<'w>, options: &[(impl AsRef<str>, String)]) -> Run<'w> {
    options
        .iter()
        .fold(run, |run, (option, value)| run.set(option.as_ref(), value))
}

/// A pair whose sides have keys beside their URLs.
fn pair<'w>(run: Run<'w>, name: &str, source: &str, target: &str) -> Run<'w> {
    run.text(&format!(
        "\n[pairs.{name}]\nsource.url = {source:?}\ntarget.url = {target:?}\n"
    ))
}

/// What of one end is said of the other: the key.
fn as_source(options: &[Said]) -> Vec<(String, String)> {
    options
        .iter()
        .filter(|(option, _)| option.contains("sse_c"))
        .map(|(option, value)| (option.replace("target", "source"), value.clone()))
        .collect()
}

#[test]
fn everything_is_proved_under_every_encryption_in_every_direction() {
    for (name, options, digests) in encryptions() {
        for algorithm in ["", "SHA256"] {
            case(format_args!("{name}, checksum `{algorithm}`"));
            let world = world();
            let tree = world.tree("tree");
            tree.file("small", 1000).file("large", PART + 7);
            let mut run = world.job_in_small_parts();
            if !algorithm.is_empty() {
                run = run.set("checksum.algorithm", &format!("\"{algorithm}\""));
            }
            let source = as_source(&options);
            run = with(pair(run, "up", "tree", "s3://first/"), &options);
            run = pair(run, "across", "s3://first/", "s3://second/client/");
            run = with(with(run, &source), &options).set("after", "[\"up\"]");
            run = pair(run, "copy", "s3://first/", "s3://second/server/");
            run = with(with(run, &source), &options).set("after", "[\"up\"]");
            run = run.set("server_side_copy", "true");
            run = pair(run, "down", "s3://first/", "down");
            run = with(run, &source).set("after", "[\"up\"]");
            let ran = run.run();
            ran.exit(0).transferred(8).all_proved();
            same(&tree.files(), &world.tree("down").files());
            for pair in ["up", "across", "copy", "down"] {
                for key in ["small", "large"] {
                    let line = ran.pair(pair).line(key);
                    let verify = &line["verify"];
                    if digests {
                        assert_eq!(verify["etag"]["result"], "matched", "{pair}: {line}");
                    } else {
                        assert_eq!(verify["etag"]["why"], "opaque_etag", "{pair}: {line}");
                        assert_eq!(verify["checksum"]["result"], "matched", "{pair}: {line}");
                    }
                }
            }
            assert_eq!(world.uploads("second"), [""; 0]);
        }
    }
}

#[test]
fn a_bucket_that_hides_its_etags_unasked_is_proved_all_the_same() {
    for (target, prepare) in [("s3://kms/", true), ("s3://hidden--use1-az4--x-s3/", false)] {
        case(format_args!("{target}"));
        let world = world();
        let tree = world.tree("tree");
        tree.file("small", 1000).file("large", 2 * PART + 7);
        let bucket = target.trim_start_matches("s3://").trim_end_matches('/');
        world.bucket(bucket);
        if prepare {
            world.encrypt_by_default(bucket, "aws:kms");
        }
        let ran = world
            .job_in_small_parts()
            .pair("up", "tree", target)
            .pair("copy", target, "s3://second/")
            .set("server_side_copy", "true")
            .set("after", "[\"up\"]")
            .pair("down", target, "down")
            .set("after", "[\"up\"]")
            .run();
        ran.exit(0).transferred(6).all_proved();
        for pair in ["up", "copy", "down"] {
            for key in ["small", "large"] {
                let verify = &ran.pair(pair).line(key)["verify"];
                assert_eq!(verify["etag"]["why"], "opaque_etag", "{pair} {key}");
                let checksum = &verify["checksum"];
                assert_eq!(checksum["result"], "matched", "{pair} {key}");
                assert_eq!(checksum["algorithm"], "CRC64NVME", "{pair} {key}");
            }
        }
    }
}

/// Statement 33: an algorithm that is not known here is reported, and the object is transferred.
#[test]
fn a_checksum_nobody_knows_is_told_and_stops_nothing() {
    let world = world();
    world.put("first", "small", &content("small", 1000));
    world.put_in_parts("first", "large", &content("large", PART + 7), &[PART, 7]);
    for operation in ["GetObject", "HeadObject"] {
        let unknown = Rule::new(Action::UnknownChecksum).operation(operation);
        world.faults().add(unknown);
    }
    let ran = world
        .job_in_small_parts()
        .set("checksum.download", "true")
        .pair("down", "s3://first/", "down")
        .pair("across", "s3://first/", "s3://second/client/")
        .pair("copy", "s3://first/", "s3://second/server/")
        .set("server_side_copy", "true")
        .run();
    ran.exit(0).transferred(6);
    for pair in ["down", "across", "copy"] {
        for key in ["small", "large"] {
            let line = ran.pair(pair).line(key);
            let verify = &line["verify"];
            assert_eq!(verify["etag"]["result"], "matched", "{pair}: {line}");
            assert_eq!(verify["checksum"]["result"], "not_verifiable", "{line}");
            assert_eq!(verify["checksum"]["why"], "algorithm_unknown", "{line}");
        }
    }
}

#[test]
fn a_copy_is_cut_as_its_source_is_whoever_tells() {
    let sizes = [PART, PART + 3, PART + 1, 9];
    let size = sizes.iter().sum();
    for (name, refused, proved) in [
        ("everybody tells", &[][..], true),
        ("HEAD tells", &["GetObjectAttributes"], true),
        (
            "nobody tells",
            &["GetObjectAttributes", "HeadObject"],
            false,
        ),
    ] {
        case(format_args!("{name}"));
        let world = world();
        let bytes = content("odd", size);
        world.put_in_parts("first", "odd", &bytes, &sizes);
        for operation in refused {
            // the first HEAD is of the object, and the second of its first part
            let when = match *operation {
                "HeadObject" => When::From(2),
                _ => When::Always,
            };
            let refuse = Action::Refuse {
                status: 501,
                code: "NotImplemented".to_owned(),
                retry_after: None,
            };
            world
                .faults()
                .add(Rule::new(refuse).operation(operation).when(when));
        }
        let ran = world
            .job_in_small_parts()
            .pair("copy", "s3://first/", "s3://second/")
            .set("server_side_copy", "true")
            .run();
        world.faults().clear();
        ran.transferred(1);
        let line = ran.pair("copy").line("odd");
        assert_eq!(world.get("second", "odd"), Some(bytes));
        assert_eq!(world.uploads("second"), [""; 0]);
        if proved {
            ran.exit(0).all_proved();
            assert_eq!(
                world.list("second", "")["odd"],
                world.list("first", "")["odd"]
            );
        } else {
            let checksum = &line["verify"]["checksum"]["result"];
            assert_eq!(line["verify"]["etag"]["why"], "layout_unknown", "{line}");
            // the CRC of the whole is the same however it is cut
            assert_eq!(*checksum, "matched", "{line}");
        }
    }
}

/// Statement 35: a server-side copy is compared with the version actually copied.
#[test]
fn a_copy_is_told_with_the_version_it_is_of() {
    let world = world();
    world.keep_versions("first");
    for round in ["old", "new"] {
        world.put("first", "small", &content(round, 1000));
        world.put_in_parts("first", "large", &content(round, PART + 7), &[PART, 7]);
    }
    let ran = world
        .job_in_small_parts()
        .set("checksum.download", "true")
        .pair("copy", "s3://first/", "s3://second/")
        .set("server_side_copy", "true")
        .run();
    ran.exit(0).transferred(2).all_proved();
    for key in ["small", "large"] {
        let line = ran.pair("copy").line(key);
        let head = world.head("first", key);
        assert_eq!(
            line["source"]["version_id"].as_str(),
            head.version_id(),
            "{line}"
        );
        assert_eq!(line["verify"]["checksum"]["result"], "matched", "{line}");
        assert_eq!(
            line["verify"]["checksum"]["method"], "compared_stored",
            "{line}"
        );
    }
}

/// Every way a store may be wrong about what it has, and where that is found.
#[test]
fn what_is_stored_or_told_wrong_once_is_found_and_done_again() {
    const WAYS: [(&str, &str, &str); 4] = [
        ("up", "tree", "s3://second/"),
        ("across", "s3://first/", "s3://second/"),
        ("copy", "s3://first/", "s3://second/"),
        ("down", "s3://first/", "down"),
    ];
    for (way, operation, action) in [
        ("up", "PutObject", Action::WrongETag),
        ("up", "PutObject", Action::WrongChecksum),
        ("up", "UploadPart", Action::WrongETag),
        ("up", "UploadPart", Action::WrongChecksum),
        ("up", "CompleteMultipartUpload", Action::WrongETag),
        ("up", "CompleteMultipartUpload", Action::WrongChecksum),
        ("up", "CompleteMultipartUpload", Action::SwapParts),
        ("across", "CompleteMultipartUpload", Action::SwapParts),
        ("across", "GetObject", Action::FlipResponse(700)),
        ("copy", "CopyObject", Action::FlipStored),
        ("copy", "CopyObject", Action::WrongETag),
        ("copy", "CopyObject", Action::WrongChecksum),
        ("copy", "UploadPartCopy", Action::FlipStored),
        ("copy", "CompleteMultipartUpload", Action::SwapParts),
        ("copy", "CompleteMultipartUpload", Action::WrongChecksum),
        ("down", "GetObject", Action::WrongChecksum),
        ("down", "GetObject", Action::FlipResponse(700)),
    ] {
        for (encryption, sum) in [
            ("AES256", "CRC64NVME"),
            ("aws:kms", "CRC64NVME"),
            ("AES256", ""),
        ] {
            let of_etag = action == Action::WrongETag;
            let of_sum = action == Action::WrongChecksum;
            // nothing is known of an ETag that is none, nor of a checksum nobody asked for
            if (encryption == "aws:kms" && of_etag) || (sum.is_empty() && (of_etag || of_sum)) {
                continue;
            }
            case(format_args!(
                "{way}: {action:?} of {operation} under {encryption}, checksum `{sum}`"
            ));
            let world = world();
            let tree = world.tree("tree");
            tree.file("small", 1000).file("large", PART + 7);
            let seeding = world
                .job_in_small_parts()
                .set("checksum.algorithm", "\"CRC64NVME\"");
            let seeded = pair(seeding, "seed", "tree", "s3://first/");
            seeded
                .set("target.sse", &format!("\"{encryption}\""))
                .run()
                .exit(0);
            world.faults().forget_calls();
            let rule = Rule::new(action.clone())
                .operation(operation)
                .when(When::First(1));
            world.faults().add(if of_sum && operation == "GetObject" {
                // no range is told a checksum
                rule.key("small")
            } else {
                rule
            });
            let (_, source, target) = WAYS.iter().find(|(name, ..)| *name == way).expect("a way");
            let download = !sum.is_empty();
            let mut run = world
                .job_in_small_parts()
                .set("checksum.download", &download.to_string());
            if way != "copy" && way != "down" && !sum.is_empty() {
                run = run.set("checksum.algorithm", &format!("\"{sum}\""));
            }
            run = pair(run, "pair", source, target);
            if way != "down" {
                run = run.set("target.sse", &format!("\"{encryption}\""));
            }
            if way == "copy" {
                run = run.set("server_side_copy", "true");
            }
            let ran = run.run();
            ran.exit(0).transferred(2);
            let objects = ran.pair("pair").count("verified/objects/verified");
            assert_eq!(objects, 2, "{}", ran.told());
            if way == "down" {
                same(&tree.files(), &world.tree("down").files());
            } else {
                same(&tree.files(), &world.objects("second", ""));
                assert_eq!(world.uploads("second"), [""; 0]);
            }
            let needed = match operation {
                "GetObject" => 3,
                "UploadPart" | "UploadPartCopy" => 2,
                _ => 1,
            };
            let done_again = world.faults().calls(operation) > needed;
            assert!(done_again, "it was not even noticed: {}", ran.told());
        }
    }
}

#[test]
fn a_completion_without_a_clear_answer_is_settled_by_the_object() {
    for encryption in ["AES256", "aws:kms"] {
        for (name, action) in [
            ("lost", Action::Close(Moment::After)),
            ("an error in a 200", Action::ErrorInOk(Moment::After)),
        ] {
            for when in [When::First(1), When::Always] {
                case(format_args!("{name}, {when:?}, under {encryption}"));
                let world = world();
                world.keep_versions("second");
                world.tree("tree").file("large", PART + 7);
                let rule = Rule::new(action.clone()).operation("CompleteMultipartUpload");
                world.faults().add(rule.when(when));
                let run = world
                    .job_in_small_parts()
                    .set("retry.aws_max_attempts", "2");
                let ran = pair(run, "up", "tree", "s3://second/")
                    .set("target.sse", &format!("\"{encryption}\""))
                    .run();
                ran.exit(0).transferred(1).all_proved();
                assert_eq!(
                    ran.pair("up").line("large")["attempts"],
                    1,
                    "{}",
                    ran.told()
                );
                assert_eq!(
                    world.versions("second").len(),
                    1,
                    "neither lost nor doubled"
                );
                assert_eq!(world.uploads("second"), [""; 0]);
            }
        }
    }
}

#[test]
fn a_completion_that_never_happened_leaves_what_was_there() {
    for action in [
        Action::Close(Moment::Before),
        Action::ErrorInOk(Moment::Before),
    ] {
        case(format_args!("{action:?}"));
        let world = world();
        let old = content("older", PART + 7);
        world.put_in_parts("second", "large", &old, &[PART, 7]);
        world.tree("tree").file("large", PART + 7);
        let rule = Rule::new(action).operation("CompleteMultipartUpload");
        world.faults().add(rule);
        world.tree("tree").touch("large", 4_000_000_000);
        let ran = world
            .job_in_small_parts()
            .set("retry.aws_max_attempts", "2")
            .pair("up", "tree", "s3://second/")
            .run();
        ran.exit(1).transferred(0);
        assert_eq!(ran.pair("up").count("failed"), 1, "{}", ran.told());
        assert!(
            world.get("second", "large") == Some(old),
            "the older object stays"
        );
        assert_eq!(world.uploads("second"), [""; 0]);
    }
}

#[test]
fn a_checksum_that_never_fits_lets_nothing_through() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("small", 1000).file("large", 2 * PART + 7);
    let run = world
        .job_in_small_parts()
        .set("checksum.algorithm", "\"SHA256\"");
    run.pair("up", "tree", "s3://first/").run().exit(0);
    for operation in ["GetObject", "HeadObject"] {
        let wrong = Rule::new(Action::WrongChecksum).operation(operation);
        world.faults().add(wrong);
    }
    let ran = world
        .job_in_small_parts()
        .set("checksum.download", "true")
        .set("retry.force_retry_count", "1")
        .pair("down", "s3://first/", "down")
        .run();
    ran.exit(1).transferred(0);
    assert_eq!(ran.pair("down").count("failed"), 2, "{}", ran.told());
    for key in ["small", "large"] {
        let line = ran.pair("down").line(key);
        assert_eq!(line["reason"], "checksum_mismatch", "{line}");
        assert_eq!(line["attempts"], 4, "{line}");
    }
    assert!(world.tree("down").files().is_empty());
}

/// Settings of a bucket of a world; nothing is tried twice, nobody is waited for.
fn settings(world: &World, bucket: &str) -> S3Settings {
    S3Settings {
        endpoint_url: Some(world.endpoint.url.clone()),
        region: Some(world.endpoint.region.clone()),
        force_path_style: true,
        keys: Some(Keys {
            access_key: Secret::new(&*world.endpoint.access_key),
            secret_access_key: Secret::new(&*world.endpoint.secret_key),
            session_token: None,
        }),
        retry: RetrySettings {
            attempts: 1,
            initial_backoff: Duration::ZERO,
        },
        ..S3Settings::new(S3Location::parse(&format!("s3://{bucket}/")).expect("a URL"))
    }
}

/// What a store told of.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Meter for Told {
    fn request(&self, _: &'static str, _: Option<u16>, _: Duration) {}
    fn retry(&self, _: &'static str, _: &str, _: Duration) {}
    fn lost(&self, what: &str, why: &str) {
        let mut told = self.0.lock().expect("no panic while it is held");
        told.push(format!("{what}: {why}"));
    }
}

#[test]
fn a_completion_that_is_waited_for_in_vain_is_settled_too() {
    let world = world();
    let late = Rule::new(Action::DelayAnswer(Duration::from_secs(20)));
    world
        .faults()
        .add(late.operation("CompleteMultipartUpload"));
    let settings = S3Settings {
        timeouts: Timeouts {
            read: Some(Duration::from_secs(2)),
            server_side_work: Duration::ZERO,
            ..Timeouts::default()
        },
        ..settings(&world, "second")
    };
    let bytes = content("late", 1000);
    let digests = vec![
        digest(Algorithm::Md5, &bytes),
        digest(Algorithm::Sha1, &bytes),
    ];
    let stored = world.block_on(async {
        let store = S3Store::open(settings, Arc::new(Told::default())).await;
        let put = Put {
            checksum: Some(Algorithm::Sha1),
            ..put("late", 1000)
        };
        let upload = store
            .expect("a store")
            .begin(&put)
            .await
            .expect("an upload");
        let part = Part {
            number: NonZeroU16::MIN,
            offset: 0,
            bytes: bytes.clone().into(),
            digests: digests.clone(),
        };
        let part = upload.put_part(&part).await.expect("a part");
        upload.complete(vec![part], None).await
    });
    let stored = stored.expect("what was completed is there");
    let etag = composite(&digests[..1]).expect("one part");
    assert_eq!(stored.etag.as_ref().and_then(Checksum::of_etag), Some(etag));
    let sum = composite(&digests[1..]).expect("one part");
    assert_eq!(stored.checksums, [sum]);
    assert_eq!(world.get("second", "late"), Some(bytes));
}

#[test]
fn parts_are_told_as_they_were_uploaded_and_a_refusal_is_told_once() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("summed", 2 * PART + 7);
    let run = world
        .job_in_small_parts()
        .set("checksum.algorithm", "\"SHA256\"");
    run.pair("up", "tree", "s3://first/").run().exit(0);
    world.put("first", "whole", b"whole");
    let bytes = content("summed", 2 * PART + 7);
    let told = Arc::new(Told::default());
    let open = S3Store::open(
        settings(&world, "first"),
        Arc::clone(&told) as Arc<dyn Meter>,
    );
    let store = world.block_on(open).expect("a store");
    let ask = |name| world.block_on(store.parts((&key(name)).into()));

    let layout = ask("summed").expect("an answer").expect("parts");
    let etag = &world.list("first", "")["summed"].etag;
    assert_eq!(layout.etag.map(|etag| etag.quoted()), Some(etag.clone()));
    let seen: Vec<_> = layout
        .parts
        .iter()
        .map(|part| (part.size, part.checksum))
        .collect();
    let expected: Vec<_> = bytes
        .chunks(PART)
        .map(|part| (part.len() as u64, Some(digest(Algorithm::Sha256, part))))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(ask("whole").expect("an answer"), None);
    assert!(ask("nobody").is_err());

    for (status, code) in [
        (501, "NotImplemented"),
        (403, "AccessDenied"),
        (400, "InvalidArgument"),
    ] {
        let refuse = Action::Refuse {
            status,
            code: code.to_owned(),
            retry_after: None,
        };
        world.faults().clear();
        world
            .faults()
            .add(Rule::new(refuse).operation("GetObjectAttributes"));
        assert_eq!(ask("summed").expect("no failure"), None, "{status}");
    }
    let told = told.0.lock().expect("no panic while it is held");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("GetObjectAttributes"), "{told:?}");
}

#[test]
fn a_copy_that_is_damaged_every_time_does_not_stay() {
    for (operation, key) in [("CopyObject", "small"), ("UploadPartCopy", "large")] {
        for encryption in ["AES256", "aws:kms"] {
            case(format_args!("{operation} under {encryption}"));
            let world = world();
            world.put("first", "small", &content("small", 1000));
            world.put_in_parts("first", "large", &content("large", PART + 7), &[PART, 7]);
            let rotten = Rule::new(Action::FlipStored).operation(operation);
            world.faults().add(rotten);
            let run = world
                .job_in_small_parts()
                .set("retry.force_retry_count", "1");
            let ran = pair(run, "copy", "s3://first/", "s3://second/")
                .set("server_side_copy", "true")
                .set("target.sse", &format!("\"{encryption}\""))
                .run();
            ran.exit(1).transferred(1);
            let line = ran.pair("copy").line(key);
            assert_eq!(line["outcome"], "failed", "{line}");
            assert_eq!(line["attempts"], 4, "{line}");
            let left = world.list("second", "");
            assert!(!left.contains_key(key) && left.len() == 1, "{left:?}");
            assert_eq!(world.uploads("second"), [""; 0]);
        }
    }
}

#[test]
fn an_object_of_a_customers_key_says_what_it_wants() {
    let world = world();
    world.tree("tree").file("small", 1000);
    let (_, options, _) = encryptions().pop().expect("SSE-C");
    let up = pair(world.job_in_small_parts(), "up", "tree", "s3://first/");
    with(up, &options).run().exit(0);
    for download in ["true", "false"] {
        let down = world
            .job_in_small_parts()
            .set("checksum.download", download);
        let ran = down.pair("down", "s3://first/", "down").run();
        ran.exit(1).transferred(0);
        ran.says("wants its key").says("sse_c_key");
        assert!(!ran.told().contains("unhandled"), "{}", ran.told());
    }
}
