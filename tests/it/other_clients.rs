/*! Objects that other people's tools uploaded: `check` never takes their part layouts for damage,
and finds a single flipped byte, by the ETag and by whatever checksum the tool stored.

`S3SYNC_TEST_CLIENTS` names a directory with `aws`, `rclone`, `s5cmd` and a `python` that has boto3;
whichever are not there are skipped. `S3SYNC_TEST_PREDECESSOR` names the binary of s3sync 1.x.
*/

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use s3sync::digest::Algorithm;
use serde_json::Value;

use crate::support::{case, skipped};
use crate::world::{Endpoint, Ran, Tree, World};

const MIB: usize = 1 << 20;

/// Sizes at which every tool cuts at least one of them into parts.
const FILES: [(&str, usize); 5] = [
    ("empty", 0),
    ("small", 70_000),
    ("eight", 8 * MIB),
    ("dir/seventeen", 17 * MIB + 3),
    ("dir/sixty", 60 * MIB + 1),
];

/// boto3 with parts of sizes that no tool would choose.
const UNEQUAL: &str = r#"
import os, sys, boto3
endpoint, root, bucket, prefix = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
for folder, _, names in os.walk(root):
    for name in names:
        path = os.path.join(folder, name)
        key = prefix + os.path.relpath(path, root)
        data = open(path, "rb").read()
        if len(data) < 16 << 20:
            s3.put_object(Bucket=bucket, Key=key, Body=data)
            continue
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts, at = [], 0
        for number, size in enumerate([5 << 20, (6 << 20) + 1, len(data)], 1):
            piece = data[at:at + size]
            at += len(piece)
            tag = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=piece)["ETag"]
            parts.append({"PartNumber": number, "ETag": tag})
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
"#;

/// boto3 as it comes.
const MANAGED: &str = r#"
import os, sys, boto3
endpoint, root, bucket, prefix = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
for folder, _, names in os.walk(root):
    for name in names:
        path = os.path.join(folder, name)
        s3.upload_file(path, bucket, prefix + os.path.relpath(path, root))
"#;

/// Statement 8: objects uploaded by another tool, as it cuts them, are no `mismatch`.
#[test]
fn what_aws_cli_uploaded_is_known() {
    for algorithm in ["", "SHA256", "SHA1", "CRC32", "CRC32C", "CRC64NVME"] {
        uploaded_by("aws", algorithm, |aws, endpoint, tree| {
            let mut command = Command::new(aws);
            command.args(["--endpoint-url", &endpoint.url, "s3", "sync", "--quiet"]);
            if !algorithm.is_empty() {
                command.args(["--checksum-algorithm", algorithm]);
            }
            command.args([tree.path(), "s3://bucket/t/"]);
            command
        });
    }
}

/// Statement 8: objects uploaded by another tool, as it cuts them, are no `mismatch`.
#[test]
fn what_s5cmd_uploaded_is_known() {
    uploaded_by("s5cmd", "", |s5cmd, endpoint, tree| {
        let mut command = Command::new(s5cmd);
        command.args(["--endpoint-url", &endpoint.url, "--log", "error", "sync"]);
        command.args([&format!("{}/", tree.path()), "s3://bucket/t/"]);
        command
    });
}

/// Statement 8: objects uploaded by another tool, as it cuts them, are no `mismatch`.
#[test]
fn what_rclone_uploaded_is_known() {
    uploaded_by("rclone", "", |rclone, endpoint, tree| {
        let remote = format!(
            ":s3,provider=Other,env_auth=true,endpoint='{}',region={},upload_cutoff=6M:bucket/t/",
            endpoint.url, endpoint.region
        );
        let mut command = Command::new(rclone);
        command.args(["--config", "/dev/null", "--s3-no-check-bucket", "-q"]);
        command.args(["copy", tree.path(), &remote]);
        command
    });
}

/// Statement 8: objects uploaded by another tool, as it cuts them, are no `mismatch`.
#[test]
fn what_boto3_uploaded_in_unequal_parts_is_known() {
    uploaded_by("python", "", |python, endpoint, tree| {
        let mut command = Command::new(python);
        command.args(["-c", UNEQUAL, &endpoint.url, tree.path(), "bucket", "t/"]);
        command
    });
}

/// Statement 8: objects uploaded by another tool, as it cuts them, are no `mismatch`.
#[test]
fn what_boto3_uploaded_by_default_is_known() {
    uploaded_by("python", "CRC32", |python, endpoint, tree| {
        let mut command = Command::new(python);
        command.args(["-c", MANAGED, &endpoint.url, tree.path(), "bucket", "t/"]);
        command
    });
}

#[test]
fn what_the_predecessor_uploaded_is_known() {
    let test = "what_the_predecessor_uploaded_is_known";
    let Some(binary) = predecessor(test) else {
        return;
    };
    for algorithm in ["", "SHA256", "CRC32C", "CRC64NVME"] {
        is_known(&binary, algorithm, |binary, endpoint, tree| {
            let mut command = Command::new(binary);
            command.args([tree.path(), "s3://bucket/t/", "--target-force-path-style"]);
            command.args(["--target-endpoint-url", &endpoint.url]);
            if !algorithm.is_empty() {
                command.args(["--additional-checksum-algorithm", algorithm]);
            }
            command
        });
    }
}

/// The binary of s3sync 1.x.
fn predecessor(test: &str) -> Option<PathBuf> {
    let binary = std::env::var_os("S3SYNC_TEST_PREDECESSOR").map(PathBuf::from);
    if binary.is_none() {
        skipped(test, "S3SYNC_TEST_PREDECESSOR names no binary");
    }
    binary
}

/// The tool of this name, where there is one.
fn uploaded_by(name: &str, algorithm: &str, command: impl Fn(&Path, &Endpoint, &Tree) -> Command) {
    let test = format!("what {name} uploaded is known");
    let Some(clients) = std::env::var_os("S3SYNC_TEST_CLIENTS").map(PathBuf::from) else {
        return skipped(&test, "S3SYNC_TEST_CLIENTS names no directory");
    };
    let tool = clients.join(name);
    if !tool.exists() {
        return skipped(&test, "S3SYNC_TEST_CLIENTS has no such tool");
    }
    is_known(&tool, algorithm, command);
}

/// Uploads with the tool, and checks from both ends.
fn is_known(tool: &Path, algorithm: &str, command: impl Fn(&Path, &Endpoint, &Tree) -> Command) {
    case(format_args!("{}, checksum `{algorithm}`", tool.display()));
    let world = World::new();
    world.bucket("bucket");
    let tree = world.tree("tree");
    for (name, size) in FILES {
        tree.file(name, size);
    }
    let endpoint = &world.endpoint;
    let done = with_keys(command(tool, endpoint, &tree), endpoint)
        .output()
        .expect("the tool starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", tool.display());
    assert_eq!(
        world.list("bucket", "t/").len(),
        FILES.len(),
        "all is there"
    );
    let ran = check(&world, "etag", "");
    all_match(&ran);
    for pair in ["up", "down"] {
        let pair = ran.pair(pair);
        assert_eq!(pair.count("compared/etag/mismatch"), 0, "{}", ran.told());
    }
    if !algorithm.is_empty() {
        let ran = check(&world, "checksum", algorithm);
        all_match(&ran);
        for pair in ["up", "down"] {
            let matches = ran.pair(pair).count("compared/checksum/matches");
            assert_eq!(matches, FILES.len() as u64, "{}", ran.told());
        }
    }
    // whatever is asked for, nothing that is the same is called different
    for other in Algorithm::ALL {
        let ran = check(&world, "checksum", other.as_str());
        for pair in ["up", "down"] {
            let mismatch = ran.pair(pair).count("compared/mismatch");
            assert_eq!(mismatch, 0, "{other}: {}", ran.told());
        }
    }
    // a byte, with the size and the time the file had
    for flipped in ["eight", "dir/seventeen", "dir/sixty"] {
        case(format_args!("a flipped byte of {flipped}"));
        let whole = std::fs::read(tree.join(flipped)).expect("a file");
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        tree.write(flipped, &bytes);
        is_found(&check(&world, "etag", ""), flipped);
        if !algorithm.is_empty() {
            is_found(&check(&world, "checksum", algorithm), flipped);
        }
        tree.write(flipped, &whole);
    }
}

fn with_keys(mut command: Command, endpoint: &Endpoint) -> Command {
    command
        .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
        .env("AWS_REGION", &endpoint.region)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// `check` from both ends.
fn check(world: &World, mode: &str, algorithm: &str) -> Ran {
    let mut job = world.job().set("check.mode", &format!("{mode:?}"));
    if !algorithm.is_empty() {
        job = job.set("check.checksum_algorithm", &format!("{algorithm:?}"));
    }
    job.pair("up", "tree", "s3://bucket/t/")
        .pair("down", "s3://bucket/t/", "tree")
        .called("check")
        .run()
}

#[track_caller]
fn all_match(ran: &Ran) {
    ran.exit(0);
    for pair in ["up", "down"] {
        let matches = ran.pair(pair).count("compared/matches");
        assert_eq!(matches, FILES.len() as u64, "{}", ran.told());
    }
}

#[track_caller]
fn is_found(ran: &Ran, key: &str) {
    ran.exit(3);
    for pair in ["up", "down"] {
        let pair = ran.pair(pair);
        assert_eq!(pair.count("compared/mismatch"), 1, "{}", ran.told());
        assert_eq!(pair.line(key)["reason"], "mismatch", "{}", ran.told());
    }
}

#[test]
fn the_predecessor_and_we_say_the_same_of_a_tree() {
    let Some(binary) = predecessor("the_predecessor_and_we_say_the_same_of_a_tree") else {
        return;
    };
    for (algorithm, mode) in [
        ("", &["--check-etag"][..]),
        ("SHA256", &["--check-additional-checksum", "SHA256"]),
        ("CRC32C", &["--check-additional-checksum", "CRC32C"]),
        ("CRC64NVME", &["--check-additional-checksum", "CRC64NVME"]),
        ("CRC64NVME", &["--check-etag"]),
        // one that the objects do not have
        ("SHA256", &["--check-additional-checksum", "CRC32"]),
    ] {
        case(format_args!("uploaded with `{algorithm}`: {mode:?}"));
        let world = World::new();
        world.bucket("bucket");
        let tree = world.tree("tree");
        for (name, size) in FILES {
            tree.file(name, size);
        }
        let endpoint = &world.endpoint;
        let mut upload = Command::new(&binary);
        upload.args([tree.path(), "s3://bucket/t/", "--target-force-path-style"]);
        upload.args(["--target-endpoint-url", &endpoint.url]);
        if !algorithm.is_empty() {
            upload.args(["--additional-checksum-algorithm", algorithm]);
        }
        let done = with_keys(upload, endpoint).output().expect("it starts");
        assert!(done.status.success());
        let mut bytes = std::fs::read(tree.join("dir/sixty")).expect("a file");
        bytes[9 * MIB] ^= 1;
        tree.write("dir/sixty", &bytes);
        tree.file("missing", 10).file("small", 69_999);
        for (source, target) in [("tree", "s3://bucket/t/"), ("s3://bucket/t/", "tree")] {
            case(format_args!("{source} {target}"));
            let side = if source == "tree" { "target" } else { "source" };
            let mut command = Command::new(&binary);
            command.current_dir(world.path(""));
            command.args([source, target, "--report-sync-status", "--json-tracing"]);
            command.args([&format!("--{side}-endpoint-url"), &endpoint.url]);
            command.arg(format!("--{side}-force-path-style")).args(mode);
            let theirs = with_keys(command, endpoint).output().expect("it starts");
            let ours = world.sync(source, target).without("sync");
            let ours = ours.arguments(&["--report-sync-status", "--json-tracing"]);
            let ours = ours.arguments(mode).run();
            let said = String::from_utf8_lossy(&theirs.stdout);
            assert_eq!(records(&ours.stdout), records(&said), "{}", ours.told());
            ours.exit(theirs.status.code().expect("a code"));
        }
    }
}

/// The records of a status report, without what else is logged and without their times: those of
/// a file have more digits here.
fn records(lines: &str) -> BTreeSet<String> {
    let records = lines.lines().filter_map(|line| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        let fields = record["fields"].as_object_mut().expect("fields");
        fields.retain(|name, _| !name.ends_with("last_modified"));
        let is_record = ["SYNC_STATUS", "REPORT_SUMMARY"].contains(&fields["name"].as_str()?);
        is_record.then(|| Value::Object(fields.clone()).to_string())
    });
    records.collect()
}
