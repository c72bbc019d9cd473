/*! Objects that other people's tools uploaded: `check` never takes their part layouts for damage,
and finds a single flipped byte.

`S3SYNC_TEST_CLIENTS` names a directory with `aws`, `rclone`, `s5cmd` and a `python` that has boto3;
whichever are not there are skipped. `S3SYNC_TEST_PREDECESSOR` names the binary of s3sync 1.x.
*/

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{case, skipped};
use crate::world::{Endpoint, Tree, World};

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

#[test]
fn what_aws_cli_uploaded_is_known() {
    uploaded_by("aws", |aws, endpoint, tree| {
        let mut command = Command::new(aws);
        command.args(["--endpoint-url", &endpoint.url, "s3", "sync", "--quiet"]);
        command.args([tree.path(), "s3://bucket/t/"]);
        command
    });
}

#[test]
fn what_s5cmd_uploaded_is_known() {
    uploaded_by("s5cmd", |s5cmd, endpoint, tree| {
        let mut command = Command::new(s5cmd);
        command.args(["--endpoint-url", &endpoint.url, "--log", "error", "sync"]);
        command.args([&format!("{}/", tree.path()), "s3://bucket/t/"]);
        command
    });
}

#[test]
fn what_rclone_uploaded_is_known() {
    uploaded_by("rclone", |rclone, endpoint, tree| {
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

#[test]
fn what_boto3_uploaded_in_unequal_parts_is_known() {
    uploaded_by("python", |python, endpoint, tree| {
        let mut command = Command::new(python);
        command.args(["-c", UNEQUAL, &endpoint.url, tree.path(), "bucket", "t/"]);
        command
    });
}

#[test]
fn what_the_predecessor_uploaded_is_known() {
    let test = "what_the_predecessor_uploaded_is_known";
    let Some(binary) = std::env::var_os("S3SYNC_TEST_PREDECESSOR").map(PathBuf::from) else {
        return skipped(test, "S3SYNC_TEST_PREDECESSOR names no binary");
    };
    is_known(&binary, |binary, endpoint, tree| {
        let mut command = Command::new(binary);
        command.args([tree.path(), "s3://bucket/t/", "--target-force-path-style"]);
        command.args(["--target-endpoint-url", &endpoint.url]);
        command
    });
}

/// The tool of this name, where there is one.
fn uploaded_by(name: &str, command: impl Fn(&Path, &Endpoint, &Tree) -> Command) {
    let test = format!("what {name} uploaded is known");
    let Some(clients) = std::env::var_os("S3SYNC_TEST_CLIENTS").map(PathBuf::from) else {
        return skipped(&test, "S3SYNC_TEST_CLIENTS names no directory");
    };
    let tool = clients.join(name);
    if !tool.exists() {
        return skipped(&test, "S3SYNC_TEST_CLIENTS has no such tool");
    }
    is_known(&tool, command);
}

/// Uploads with the tool, and checks from both ends.
fn is_known(tool: &Path, command: impl Fn(&Path, &Endpoint, &Tree) -> Command) {
    let world = World::new();
    world.bucket("bucket");
    let tree = world.tree("tree");
    for (name, size) in FILES {
        tree.file(name, size);
    }
    let endpoint = &world.endpoint;
    let done = command(tool, endpoint, &tree)
        .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
        .env("AWS_REGION", &endpoint.region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("the tool starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", tool.display());
    assert_eq!(
        world.list("bucket", "t/").len(),
        FILES.len(),
        "all is there"
    );

    let check = |by: &str| {
        world
            .job()
            .set("check.mode", &format!("\"{by}\""))
            .pair("up", "tree", "s3://bucket/t/")
            .pair("down", "s3://bucket/t/", "tree")
            .called("check")
            .run()
    };
    let ran = check("etag");
    ran.exit(0);
    for pair in ["up", "down"] {
        let matches = ran.pair(pair).count("compared/etag/matches");
        assert_eq!(matches, FILES.len() as u64, "{}", ran.told());
    }
    // a byte, with the size and the time the file had
    for flipped in ["eight", "dir/seventeen", "dir/sixty"] {
        case(format_args!("a flipped byte of {flipped}"));
        let whole = std::fs::read(tree.join(flipped)).expect("a file");
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        tree.write(flipped, &bytes);
        let ran = check("etag");
        ran.exit(3);
        for pair in ["up", "down"] {
            let pair = ran.pair(pair);
            assert_eq!(pair.count("compared/etag/mismatch"), 1, "{}", ran.told());
            assert_eq!(pair.line(flipped)["outcome"], "warning", "{}", ran.told());
        }
        tree.write(flipped, &whole);
    }
}
