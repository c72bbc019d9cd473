//! What a killed run leaves behind is removed by the next one, and only that.

use std::path::PathBuf;

use s3sync::sandbox::{Action, Moment, Rule, When};

use crate::resume::journal;
use crate::support::{case, skipped};
use crate::world::{NEVER, Run, World, content, until};

const MIB: usize = 1 << 20;

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world.tree("tree").file("large", 24 * MIB);
    world
}

fn up(world: &World) -> Run<'_> {
    (world.job())
        .pair("pair", "tree", "s3://second/")
        .set("performance.max_parallel_uploads", "1")
}

/// Kills a run once an operation was called so often; that call and all after it do not come back.
fn killed(world: &World, run: Run<'_>, rule: Rule, operation: &str, calls: u64) {
    world
        .faults()
        .add(rule.operation(operation).when(When::From(calls)));
    let running = run.start();
    until("the call", || world.faults().calls(operation) >= calls);
    drop(running);
    world.faults().clear();
    world.faults().forget_calls();
}

fn killed_in_the_second_part(world: &World) {
    let rule = Rule::new(Action::Delay(NEVER));
    killed(world, up(world), rule, "UploadPart", 2);
}

fn begin_foreign(world: &World, key: &str) -> String {
    world.block_on(async {
        let begun = world.client().create_multipart_upload();
        let begun = begun.bucket("second").key(key).send().await;
        begun.expect("an upload").upload_id.expect("its id")
    })
}

/// Statement 25: SIGKILL → the next run aborts its own (journaled) multipart uploads and only those.
#[test]
fn uploads_of_others_stay_whatever_their_key() {
    let world = world();
    let before = begin_foreign(&world, "large");
    killed_in_the_second_part(&world);
    let mut foreign = vec![
        before,
        begin_foreign(&world, "large"),
        begin_foreign(&world, "large.old"),
    ];
    up(&world).set("multipart.resume", "false").run().exit(0);
    let mut left = world.upload_ids("second");
    foreign.sort();
    left.sort();
    assert_eq!(left, foreign);
}

/// Statement 25: SIGKILL → the next run aborts its own (journaled) multipart uploads and only those.
#[test]
fn an_upload_of_boto3_stays() {
    const BEGIN: &str = r#"
import sys, boto3
s3 = boto3.client("s3", endpoint_url=sys.argv[1])
upload = s3.create_multipart_upload(Bucket="second", Key="large")["UploadId"]
s3.upload_part(Bucket="second", Key="large", UploadId=upload, PartNumber=1, Body=b"x" * (5 << 20))
print(upload)
"#;
    let clients = std::env::var_os("S3SYNC_TEST_CLIENTS").map(PathBuf::from);
    let python = clients.map(|clients| clients.join("python"));
    let Some(python) = python.filter(|python| python.exists()) else {
        return skipped(
            "an upload of boto3",
            "S3SYNC_TEST_CLIENTS names no directory with it",
        );
    };
    let world = world();
    killed_in_the_second_part(&world);
    let endpoint = &world.endpoint;
    let begun = std::process::Command::new(python)
        .args(["-c", BEGIN, &endpoint.url])
        .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
        .env("AWS_DEFAULT_REGION", &endpoint.region)
        .output()
        .expect("python");
    let foreign = String::from_utf8(begun.stdout.clone()).expect("an id");
    assert_eq!(world.upload_ids("second").len(), 2, "{begun:?}");
    up(&world).run().exit(0);
    assert_eq!(world.upload_ids("second"), [foreign.trim()]);
}

#[test]
fn an_upload_whose_id_was_never_heard_is_found_and_no_other() {
    for (name, foreign) in [("alone", false), ("beside one of somebody else", true)] {
        let world = world();
        let rule = Rule::new(Action::DelayAnswer(NEVER));
        killed(&world, up(&world), rule, "CreateMultipartUpload", 1);
        until("it is there", || !world.upload_ids("second").is_empty());
        let theirs = foreign.then(|| {
            let id = begin_foreign(&world, "large");
            world.block_on(async {
                let part = world.client().upload_part().bucket("second").key("large");
                let part = part.upload_id(&id).part_number(1);
                part.body(content("x", MIB).into())
                    .send()
                    .await
                    .expect("a part");
            });
            id
        });
        up(&world).run().exit(0);
        let left = world.upload_ids("second");
        assert_eq!(left, Vec::from_iter(theirs), "{name}");
        assert!(!journal(&world).exists(), "{name}");
    }
}

#[test]
fn where_it_cannot_be_told_whose_an_upload_is_all_of_them_stay() {
    let world = world();
    let rule = Rule::new(Action::DelayAnswer(NEVER));
    killed(&world, up(&world), rule, "CreateMultipartUpload", 1);
    until("it is there", || !world.upload_ids("second").is_empty());
    begin_foreign(&world, "large");
    up(&world).run().exit(3).says("which one cannot be told");
    assert_eq!(world.upload_ids("second").len(), 2);
    assert!(journal(&world).exists(), "it is looked for again");
}

#[test]
fn an_upload_whose_answer_was_lost_leaves_no_twin() {
    for lost in [1, 2] {
        let world = world();
        let rule = Rule::new(Action::Close(Moment::After));
        let rule = rule.operation("CreateMultipartUpload");
        world.faults().add(rule.when(When::First(lost)));
        up(&world).run().exit(0).all_proved();
        assert_eq!(world.faults().calls("CreateMultipartUpload"), lost + 1);
        assert_eq!(world.upload_ids("second"), [""; 0], "{lost}");
    }
}

/// Statement 25: SIGKILL → the next run removes its own temporary files and only those.
#[test]
fn temporary_files_of_a_killed_run_go_and_files_of_others_stay() {
    let world = world();
    let bytes = content("large", 24 * MIB);
    world.put_in_parts("first", "dir/large", &bytes, &[8 * MIB; 3]);
    let down = || {
        (world.job())
            .pair("pair", "s3://first/", "down")
            .set("performance.max_parallel_uploads", "1")
    };
    let rule = Rule::new(Action::Delay(NEVER));
    killed(&world, down(), rule, "GetObject", 2);
    let tree = world.tree("down");
    let names = || tree.files().into_keys().collect::<Vec<_>>();
    assert_eq!(names().len(), 1, "{:?}", names());
    let foreign = "dir/.s3sync-00000000000000aa.tmp";
    tree.write(foreign, b"of another run");
    for command in ["plan", "check"] {
        let _ = down().called(command).run();
        assert_eq!(names().len(), 2, "{command} cleans nothing");
    }
    down().set("dry_run", "true").run().exit(0);
    assert_eq!(names().len(), 2, "a dry run cleans nothing");
    down().run().exit(0).all_proved();
    assert_eq!(names(), [foreign, "dir/large"]);
    assert!(!journal(&world).exists());
}

/// Statement 25: SIGKILL → the next run removes its own temporary files, also where that comes
/// before their disk is mounted again: the run after it removes them.
#[test]
fn temporary_files_go_once_their_disk_is_back() {
    for is_a_mount_point in [false, true] {
        case(format_args!("{is_a_mount_point}"));
        let world = world();
        let bytes = content("large", 24 * MIB);
        world.put_in_parts("first", "dir/large", &bytes, &[8 * MIB; 3]);
        let down = || {
            (world.job())
                .pair("pair", "s3://first/", "down")
                .set("performance.max_parallel_uploads", "1")
        };
        let rule = Rule::new(Action::Delay(NEVER));
        killed(&world, down(), rule, "GetObject", 2);
        let (there, away) = (world.path("down"), world.path("away"));
        std::fs::rename(&there, &away).expect("unmounted");
        if is_a_mount_point {
            std::fs::create_dir(&there).expect("an empty directory");
        }
        down().run().exit(0).transferred(1);
        assert!(journal(&world).exists(), "it is not forgotten");
        std::fs::remove_dir_all(&there).expect("what was brought meanwhile");
        std::fs::rename(&away, &there).expect("mounted");
        assert_eq!(world.tree("down").files().len(), 1);
        down().run().exit(0).transferred(1);
        let left = world.tree("down").files();
        assert_eq!(left.into_keys().collect::<Vec<_>>(), ["dir/large"]);
        assert!(!journal(&world).exists());
    }
}

#[test]
fn what_cannot_be_removed_is_told_and_tried_again() {
    let world = world();
    killed_in_the_second_part(&world);
    let rule = Rule::new(Action::Refuse {
        status: 403,
        code: "AccessDenied".to_owned(),
        retry_after: None,
    });
    world.faults().add(rule.operation("AbortMultipartUpload"));
    let anew = || up(&world).set("multipart.resume", "false");
    anew().run().exit(3).says("the next run tries again");
    assert!(journal(&world).exists());
    world.faults().clear();
    anew().run().exit(0).transferred(0);
    assert_eq!(world.upload_ids("second"), [""; 0]);
    assert!(!journal(&world).exists());
}

#[test]
fn what_is_not_sent_any_more_does_not_stay_either() {
    let world = world();
    killed_in_the_second_part(&world);
    std::fs::remove_file(world.path("tree/large")).expect("removed");
    world.tree("tree").file("small", 10);
    up(&world).run().exit(0).transferred(1);
    assert_eq!(world.upload_ids("second"), [""; 0]);
    assert!(!journal(&world).exists());
}

#[test]
fn a_run_that_ends_well_leaves_no_journal() {
    let world = world();
    up(&world).run().exit(0);
    assert!(!journal(&world).exists());
    assert!(!world.faults().all_calls().contains_key("ListParts"));
    let listed = world.faults().calls("ListMultipartUploads");
    assert_eq!(listed, 0, "nothing is looked for that is not missing");
}

#[test]
fn a_torn_line_does_not_hide_the_others() {
    use std::io::Write as _;
    let world = world();
    killed_in_the_second_part(&world);
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(journal(&world));
    let mut file = file.expect("a journal");
    file.write_all(b"{\"v\":1,\"entry\":7,\"le").expect("torn");
    let ran = up(&world).run();
    ran.exit(0).says("damaged line");
    assert_eq!(ran.pair("pair").line("large")["parts"]["resumed"], 1);
    assert!(!journal(&world).exists());
}

#[test]
fn what_another_run_of_the_same_name_has_under_way_is_left_to_it() {
    let world = world();
    world.tree("other").file("small", 10);
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(rule.when(When::Nth(2)));
    let first = world.sync("tree", "s3://second/a/").start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 2
    });
    // jobs without a name share a directory
    world.sync("other", "s3://second/b/").run().exit(0);
    assert_eq!(world.upload_ids("second").len(), 1);
    assert_eq!(world.faults().calls("AbortMultipartUpload"), 0);
    drop(first);
    world.faults().clear();
    world.sync("tree", "s3://second/a/").run().exit(0);
    assert_eq!(world.upload_ids("second"), [""; 0]);
}
