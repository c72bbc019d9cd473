//! SIGKILL in the middle of large uploads: the next run goes on with the parts that are proved to
//! be those of the object, ends what it cannot go on with, and touches nothing of anybody else's.

use std::path::PathBuf;

use s3sync::sandbox::{Action, Rule, When};

use crate::world::{NEVER, Run, World, content, until};

const MIB: usize = 1 << 20;

/// So many parts the object has, and so many are there when the run is killed.
const PARTS: u64 = 5;
const THERE: u64 = 3;

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world.tree("tree").file("large", 40 * MIB);
    world.tree("tree").touch("large", 1_700_000_000);
    world
}

fn up(world: &World) -> Run<'_> {
    up_with(world.job())
}

/// The same with defaults that are said already.
fn up_with(job: Run<'_>) -> Run<'_> {
    job.pair("pair", "tree", "s3://second/")
        .set("performance.max_parallel_uploads", "1")
}

/// Kills a run while its fourth part is on its way.
fn killed(world: &World, run: Run<'_>) {
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(rule.when(When::From(THERE + 1)));
    let running = run.start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") > THERE
    });
    drop(running);
    world.faults().clear();
    world.faults().forget_calls();
}

pub(crate) fn journal(world: &World) -> PathBuf {
    world.path("reports/job/journal.ndjson")
}

/// Statement 25: SIGKILL → the next run is not blocked, aborts its own multipart uploads.
#[test]
fn an_upload_that_was_cut_off_goes_on_where_it_was() {
    let world = world();
    killed(&world, up(&world));
    assert_eq!(world.uploads("second"), ["large"]);
    assert!(journal(&world).exists());

    let ran = up(&world).run();
    ran.exit(0).all_proved().transferred(1);
    let pair = ran.pair("pair");
    let line = pair.line("large");
    assert_eq!(line["parts"]["resumed"], THERE, "{line}");
    assert_eq!(line["parts"]["count"], PARTS, "{line}");
    for (operation, calls) in [
        ("UploadPart", PARTS - THERE),
        ("CreateMultipartUpload", 0),
        ("AbortMultipartUpload", 0),
        ("CompleteMultipartUpload", 1),
    ] {
        assert_eq!(world.faults().calls(operation), calls, "{operation}");
    }
    let bytes = content("large", 40 * MIB);
    assert!(world.get("second", "large") == Some(bytes), "other bytes");
    assert_eq!(world.uploads("second"), [""; 0]);
    assert!(!journal(&world).exists(), "nothing is left");
}

/// What is changed between the two runs, and how many parts need not be sent again.
struct Case {
    name: &'static str,
    both: fn(Run<'_>) -> Run<'_>,
    second: fn(Run<'_>) -> Run<'_>,
    between: fn(&World),
    resumed: u64,
    /// Whether it is begun anew.
    is_anew: bool,
}

const SAME: Case = Case {
    name: "",
    both: |run| run,
    second: |run| run,
    between: |_| {},
    resumed: THERE,
    is_anew: false,
};

#[test]
fn only_what_is_proved_to_be_of_the_same_object_is_not_sent_again() {
    let anew = |name| Case {
        name,
        resumed: 0,
        is_anew: true,
        ..SAME
    };
    for case in [
        Case {
            name: "by a checksum of each part",
            both: |run| run.set("checksum.algorithm", "\"SHA256\""),
            ..SAME
        },
        Case {
            name: "by a checksum of the whole",
            both: |run| {
                run.set("checksum.algorithm", "\"CRC64NVME\"")
                    .set("checksum.full_object", "true")
            },
            ..SAME
        },
        Case {
            name: "encrypted by KMS, by its checksum",
            both: |run| {
                run.set("target.sse", "\"aws:kms\"")
                    .set("checksum.algorithm", "\"SHA256\"")
            },
            ..SAME
        },
        Case {
            name: "encrypted by a key of the user's, by its checksum",
            both: |run| {
                run.set("target.sse_c", "\"AES256\"")
                    .set(
                        "target.sse_c_key",
                        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"",
                    )
                    .set("checksum.algorithm", "\"CRC32C\"")
            },
            ..SAME
        },
        Case {
            name: "other content of the same size and time",
            between: |world| {
                let mut bytes = content("large", 40 * MIB);
                bytes[9 * MIB] ^= 1;
                let tree = world.tree("tree");
                tree.write("large", &bytes).touch("large", 1_700_000_000);
            },
            resumed: THERE - 1,
            ..SAME
        },
        Case {
            name: "a part was overwritten by somebody else",
            between: |world| {
                let id = world.upload_ids("second").remove(0);
                world.block_on(async {
                    let part = world.client().upload_part().bucket("second").key("large");
                    let part = part.upload_id(id).part_number(2);
                    let part = part.body(content("other", 8 * MIB).into());
                    part.send().await.expect("a part");
                });
            },
            resumed: THERE - 1,
            ..SAME
        },
        Case {
            between: |world| {
                world.tree("tree").touch("large", 1_700_000_001);
            },
            ..anew("another time of the source")
        },
        Case {
            between: |world| {
                world.tree("tree").file("large", 40 * MIB - 1);
            },
            ..anew("another size of the source")
        },
        Case {
            second: |run| run.set("multipart.chunksize", "\"10MiB\""),
            ..anew("parts of another size")
        },
        Case {
            second: |run| run.set("metadata.cache_control", "\"no-cache\""),
            ..anew("another header")
        },
        Case {
            second: |run| run.set("target.storage_class", "\"STANDARD_IA\""),
            ..anew("another storage class")
        },
        Case {
            second: |run| run.set("target.sse", "\"AES256\""),
            ..anew("another encryption")
        },
        Case {
            second: |run| run.set("checksum.algorithm", "\"SHA256\""),
            ..anew("another checksum")
        },
        Case {
            second: |run| run.set("multipart.resume", "false"),
            ..anew("switched off")
        },
    ] {
        let name = case.name;
        let world = world();
        killed(&world, up_with((case.both)(world.job())));
        (case.between)(&world);
        world.faults().forget_calls();
        let ran = up_with((case.second)((case.both)(world.job()))).run();
        ran.exit(0).transferred(1);
        let line = ran.pair("pair").line("large");
        let resumed = line["parts"]["resumed"].as_u64().unwrap_or_default();
        assert_eq!(resumed, case.resumed, "{name}: {line}");
        let count = line["parts"]["count"].as_u64().expect("a count");
        let sent = world.faults().calls("UploadPart");
        assert_eq!(sent, count - case.resumed, "{name}");
        for operation in ["CreateMultipartUpload", "AbortMultipartUpload"] {
            let calls = world.faults().calls(operation);
            assert_eq!(calls, u64::from(case.is_anew), "{name}: {operation}");
        }
        if !name.contains("a key of the user's") {
            let bytes = std::fs::read(world.path("tree/large")).expect("the source");
            assert!(world.get("second", "large") == Some(bytes), "{name}");
        }
        assert_eq!(world.uploads("second"), [""; 0], "{name}");
        assert!(!journal(&world).exists(), "{name}");
    }
}

#[test]
fn what_nothing_proves_is_begun_anew_within_the_same_upload() {
    // KMS hides the MD5s, and no checksum was asked for
    let world = world();
    let kms = || {
        let job = world.job().set("target.sse", "\"aws:kms\"");
        let job = job.set("checksum.express_one_zone_default", "false");
        up_with(job.set("verify.unverifiable", "\"accept\""))
    };
    killed(&world, kms());
    let ran = kms().run();
    ran.exit(0).transferred(1);
    let line = ran.pair("pair").line("large");
    assert!(line["parts"]["resumed"].is_null(), "{line}");
    assert_eq!(world.faults().calls("UploadPart"), PARTS);
    let bytes = content("large", 40 * MIB);
    assert!(world.get("second", "large") == Some(bytes), "other bytes");
    assert_eq!(world.uploads("second"), [""; 0]);
}

#[test]
fn from_bucket_to_bucket_it_goes_on_as_well() {
    let world = world();
    let bytes = content("large", 40 * MIB);
    world.put_in_parts("first", "large", &bytes, &[8 * MIB; 5]);
    let across = || {
        (world.job())
            .pair("pair", "s3://first/", "s3://second/")
            .set("performance.max_parallel_uploads", "1")
    };
    world.faults().forget_calls();
    killed(&world, across());
    let ran = across().run();
    ran.exit(0).all_proved().transferred(1);
    let line = ran.pair("pair").line("large");
    assert_eq!(line["parts"]["resumed"], THERE, "{line}");
    assert_eq!(world.faults().calls("UploadPart"), PARTS - THERE);
    assert!(world.get("second", "large") == Some(bytes), "other bytes");
    assert_eq!(world.uploads("second"), [""; 0]);
}

#[test]
fn a_copy_inside_s3_is_begun_anew() {
    let world = world();
    let bytes = content("large", 40 * MIB);
    world.put_in_parts("first", "large", &bytes, &[8 * MIB; 5]);
    let across = || {
        (world.job())
            .pair("pair", "s3://first/", "s3://second/")
            .set("server_side_copy", "true")
            .set("performance.max_parallel_uploads", "1")
    };
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPartCopy");
    world.faults().add(rule.when(When::From(THERE + 1)));
    let running = across().start();
    until("a part is on its way", || {
        world.faults().calls("UploadPartCopy") > THERE
    });
    drop(running);
    world.faults().clear();
    world.faults().forget_calls();
    assert_eq!(world.uploads("second"), ["large"]);
    across().run().exit(0).all_proved().transferred(1);
    assert_eq!(world.faults().calls("UploadPartCopy"), PARTS);
    assert!(world.get("second", "large") == Some(bytes), "other bytes");
    assert_eq!(world.uploads("second"), [""; 0]);
}

#[test]
fn an_upload_that_was_aborted_meanwhile_is_begun_anew() {
    let world = world();
    killed(&world, up(&world));
    let id = world.upload_ids("second").remove(0);
    world.block_on(async {
        let abort = world.client().abort_multipart_upload();
        let abort = abort.bucket("second").key("large").upload_id(id);
        abort.send().await.expect("aborted");
    });
    let ran = up(&world).run();
    ran.exit(0).all_proved();
    assert!(ran.pair("pair").line("large")["parts"]["resumed"].is_null());
    assert!(!journal(&world).exists());
}

#[test]
fn whoever_may_not_list_parts_begins_anew() {
    let world = world();
    killed(&world, up(&world));
    let rule = Rule::new(Action::Refuse {
        status: 403,
        code: "AccessDenied".to_owned(),
        retry_after: None,
    });
    world.faults().add(rule.operation("ListParts"));
    let ran = up(&world).run();
    ran.exit(0).all_proved().says("begun again");
    assert!(ran.pair("pair").line("large")["parts"]["resumed"].is_null());
    world.faults().clear();
    assert_eq!(world.uploads("second"), [""; 0]);
}

#[test]
fn runs_of_other_pairs_leave_it_for_the_next_of_its_own() {
    let world = world();
    world.tree("other").file("small", 10);
    let two = || up(&world).pair("other", "other", "s3://second/other/");
    killed(&world, two());
    two().arguments(&["--pair", "other"]).run().exit(0);
    assert_eq!(world.uploads("second"), ["large"]);
    let ran = two().run();
    ran.exit(0).all_proved();
    assert_eq!(ran.pair("pair").line("large")["parts"]["resumed"], THERE);
}

#[test]
fn pairs_without_a_name_leave_what_others_have_begun() {
    let world = world();
    world.tree("other").file("small", 10);
    let parts = [
        "--multipart-chunksize",
        "8MiB",
        "--max-parallel-uploads",
        "1",
    ];
    let first = || world.sync("tree", "s3://second/a/").arguments(&parts);
    killed(&world, first());
    world.sync("other", "s3://second/b/").run().exit(0);
    assert_eq!(world.uploads("second"), ["a/large"]);
    let ran = first().run();
    ran.exit(0);
    assert_eq!(world.uploads("second"), [""; 0]);
    assert_eq!(
        world.faults().calls("CreateMultipartUpload"),
        0,
        "{}",
        ran.told()
    );
}
