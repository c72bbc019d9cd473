/*! A second run right after a first does nothing, whatever is written beside the content, however
it is written and however it is compared.
*/

use crate::support::case;
use crate::world::{Headers, Run, World, content};

const MIB: usize = 1 << 20;

/// In parts.
const LARGE: usize = 5 * MIB + 1;

type Options = &'static [(&'static str, &'static str)];

/// What changes how objects are written, or what is found of them.
const OPTIONS: &[Options] = &[
    &[],
    &[
        ("metadata.cache_control", "'public'"),
        ("metadata.expires", "2050-01-02T03:04:05.678Z"),
    ],
    &[
        ("metadata.content_encoding", "'br'"),
        ("metadata.content_type", "'image/x'"),
    ],
    &[
        ("metadata.website_redirect", "'/else?x'"),
        ("metadata.content_language", "'fr'"),
    ],
    &[
        ("metadata.user", "{ a = 'größe' }"),
        ("metadata.put_last_modified", "true"),
    ],
    &[
        ("metadata.put_last_modified", "true"),
        ("check.head_each_target", "true"),
    ],
    &[("tagging.set", "{ a = 'b c&d' }")],
    &[
        ("target.storage_class", "'GLACIER_IR'"),
        ("target.acl", "'public-read'"),
    ],
    &[("target.storage_class", "'DEEP_ARCHIVE'")],
    &[("target.sse", "'AES256'")],
    &[("target.sse", "'aws:kms'")],
    &[("target.sse", "'aws:kms:dsse'")],
    &[
        ("checksum.algorithm", "'SHA256'"),
        ("check.mode", "'checksum'"),
        ("check.checksum_algorithm", "'SHA256'"),
    ],
    &[
        ("checksum.algorithm", "'CRC32'"),
        ("checksum.full_object", "true"),
        ("check.mode", "'mtime_and_checksum'"),
        ("check.checksum_algorithm", "'CRC32'"),
    ],
    &[("checksum.algorithm", "'XXHASH3'")],
    &[("conditional.if_match", "true")],
    &[("conditional.if_none_match", "true")],
    &[("check.mode", "'size'")],
    &[("check.mode", "'etag'")],
    &[("check.mode", "'mtime_and_etag'")],
    &[("check.head_each_target", "true")],
    &[
        ("performance.max_keys", "1"),
        ("performance.max_parallel_listings", "4"),
    ],
    &[("multipart.chunksize", "'7MiB'")],
    &[("multipart.threshold", "'8MiB'")],
    &[
        ("protocol.content_md5_header", "false"),
        ("protocol.payload_signing", "'never'"),
    ],
];

/// Those that mean something between buckets alone.
const OF_BUCKETS: &[Options] = &[
    &[
        ("metadata.sync_system", "false"),
        ("metadata.sync_user_defined", "false"),
    ],
    &[("tagging.copy", "false")],
    &[("tagging.sync_latest", "true")],
    &[("annotations.sync", "true")],
    &[("annotations.sync_latest", "true")],
    &[("multipart.auto_chunksize", "true")],
];

const NAMES: [&str; 14] = [
    "space here",
    "plus+",
    "per%cent%20",
    "hash#",
    "what?",
    "a&b",
    "star*[1]",
    "$@",
    "quo'te\"s",
    "back\\slash",
    "l\u{200e}r",
    "wide\u{3000}",
    "\u{1f980}",
    "bare",
];

fn world() -> World {
    let world = World::new();
    for bucket in ["source", "target"] {
        world.bucket(bucket);
    }
    let dressed = Headers {
        cache_control: Some("no-store"),
        content_type: Some("text/x-odd"),
        user: &[("name", "value")],
        tags: "a=1&b=2",
        ..Headers::NONE
    };
    for name in NAMES {
        world.put_with("source", name, name.as_bytes(), &dressed);
        world.tree("tree").write(name, name.as_bytes());
    }
    world.annotate("source", "bare", "note", b"text");
    world.put("source", "dir/", b"");
    world.put("source", "empty", b"");
    world.tree("tree").write("empty", b"").file("large", LARGE);
    let sizes = [5 * MIB, LARGE - 5 * MIB];
    world.put_in_parts("source", "large", &content("large", LARGE), &sizes);
    world
}

/// Every option in every direction it has a meaning for.
fn job(world: &World) -> (Run<'_>, usize) {
    let mut run = world.job();
    let mut pairs = 0;
    for (number, options) in OPTIONS.iter().chain(OF_BUCKETS).enumerate() {
        for way in ["up", "client", "server"] {
            if way == "up" && number >= OPTIONS.len() {
                continue;
            }
            let source = if way == "up" { "tree" } else { "s3://source/" };
            let name = format!("{way}{number}");
            run = run.text(&format!(
                "\n[pairs.{name}]\nsource.url = '{source}'\ntarget.url = 's3://target/{name}/'\n"
            ));
            for part in ["multipart.threshold", "multipart.chunksize"] {
                let is_said =
                    |(option, _): &(&str, &str)| *option == part || option.contains("auto");
                if !options.iter().any(is_said) {
                    run = run.set(part, "'5MiB'");
                }
            }
            if way == "server" {
                run = run.set("server_side_copy", "true");
            }
            run = options
                .iter()
                .fold(run, |run, (option, value)| run.set(option, value));
            pairs += 1;
        }
    }
    (run, pairs)
}

/// Statement 9: SSE-KMS, DSSE: no re-upload loop.
/// Statement 10: a second run right after a first does nothing, whatever is written beside the
/// content.
#[test]
fn n10_a_second_run_does_nothing_whatever_was_written() {
    let world = world();
    let (run, pairs) = job(&world);
    let first = run.clone().run();
    assert!(first.has_ended(0) || first.has_ended(3), "{}", first.told());
    let objects = first.report["pairs"].as_array().expect("pairs").iter();
    let none_left = objects.map(|pair| pair["counts"]["unchanged"].as_u64());
    assert_eq!(none_left.filter(|count| *count == Some(0)).count(), pairs);
    world.faults().forget_calls();
    let second = run.run();
    second.exit(0);
    for pair in second.report["pairs"].as_array().expect("pairs") {
        case(format_args!("{}", pair["name"]));
        assert_eq!(
            pair["counts"]["unchanged"],
            pair["counts"]["listed"]["source"]
        );
        assert_eq!(pair["counts"]["warnings"], 0, "{pair}");
    }
    assert_eq!(world.faults().mutations(), []);
}

/// Statement 5: a file written in the same second as its upload → the next run decides by content,
/// and the run after that does nothing.
#[test]
fn a_file_of_the_second_of_its_upload_is_settled_by_its_content() {
    for (key, size) in [("small", 1000), ("large", LARGE)] {
        for changes in [false, true] {
            case(format_args!("{key}, changed {changes}"));
            let world = World::new();
            world.bucket("target");
            let tree = world.tree("tree");
            let run = || {
                world
                    .job_in_small_parts()
                    .pair("pair", "tree", "s3://target/")
                    .run()
            };
            tree.file(key, size);
            run().exit(0).transferred(1);
            let modified = world.head("target", key).last_modified.expect("a time");
            let mut bytes = content(key, size);
            bytes[size / 2] ^= u8::from(changes);
            tree.write(key, &bytes).touch(key, modified.secs());
            let ran = run();
            ran.exit(0).transferred(usize::from(changes));
            assert!(world.get("target", key) == Some(bytes), "{}", ran.told());
            // what was written once more is of a later second, or of the same one
            world.faults().forget_calls();
            run().exit(0).transferred(0);
            assert_eq!(world.faults().mutations(), []);
        }
    }
}
