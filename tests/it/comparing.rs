//! The modes of comparing with the built binary: what each takes for a change, in every direction,
//! and what it costs.

use std::collections::BTreeMap;

use aws_sdk_s3::types::ServerSideEncryption;

use crate::plain::Plain;
use crate::support::case;
use crate::world::{Ran, Run, Tree, World, content, same};

const MIB: usize = 1 << 20;

type Options = &'static [(&'static str, &'static str)];

const ETAG: Options = &[("check.mode", "\"etag\"")];
const CHECKSUM: Options = &[
    ("check.mode", "\"checksum\""),
    ("check.checksum_algorithm", "\"CRC64NVME\""),
];
const COMPOSITE: Options = &[
    ("check.mode", "\"checksum\""),
    ("check.checksum_algorithm", "\"SHA256\""),
];
const MTIME_AND_ETAG: Options = &[("check.mode", "\"mtime_and_etag\"")];
const MTIME_AND_CHECKSUM: Options = &[
    ("check.mode", "\"mtime_and_checksum\""),
    ("check.checksum_algorithm", "\"SHA256\""),
];
const SIZE: Options = &[("check.mode", "\"size\"")];
const ALWAYS: Options = &[("check.mode", "\"always\"")];

/// All modes, and what uploads need to be compared by them.
const MODES: [(&str, Options, Options); 8] = [
    ("mtime", &[], &[]),
    ("size", SIZE, &[]),
    ("etag", ETAG, &[]),
    (
        "checksum",
        CHECKSUM,
        &[("checksum.algorithm", "\"CRC64NVME\"")],
    ),
    ("mtime_and_etag", MTIME_AND_ETAG, &[]),
    (
        "mtime_and_checksum",
        MTIME_AND_CHECKSUM,
        &[("checksum.algorithm", "\"SHA256\"")],
    ),
    (
        "each",
        &[
            ("check.mode", "\"etag\""),
            ("check.head_each_target", "true"),
        ],
        &[],
    ),
    ("always", ALWAYS, &[]),
];

/// Up, across and back, below a prefix of its own.
fn round<'w>(world: &'w World, name: &str, options: &[Options]) -> Run<'w> {
    let mut run = world.job();
    for (option, value) in options.iter().copied().flatten() {
        run = run.set(option, value);
    }
    run.pair("up", "tree", &format!("s3://first/{name}/"))
        .pair(
            "across",
            &format!("s3://first/{name}/"),
            &format!("s3://second/{name}/"),
        )
        .set("after", "[\"up\"]")
        .pair(
            "down",
            &format!("s3://second/{name}/"),
            &format!("down_{name}"),
        )
        .set("after", "[\"across\"]")
}

/// A pair by itself, with a mode.
fn pair<'w>(world: &'w World, source: &str, target: &str, options: &[Options]) -> Run<'w> {
    let mut run = world.job().pair("one", source, target);
    for (option, value) in options.iter().copied().flatten() {
        run = run.set(option, value);
    }
    run
}

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world
}

/// Keys and reasons of what a run transferred, or a dry run would.
fn moved(ran: &Ran, pair: &str) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines = ran.pair(pair).evidence().into_iter();
    lines
        .filter(|line| line["action"] == "transfer")
        .map(|line| (text(&line["key"]), text(&line["reason"])))
        .collect()
}

fn pairs<const N: usize>(rows: [(&str, &str); N]) -> BTreeMap<String, String> {
    let owned = |(key, reason): (&str, &str)| (key.to_owned(), reason.to_owned());
    rows.into_iter().map(owned).collect()
}

/// An object with another byte than it had, of the same size.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// Statement 10: a second run right after a first does nothing, in every mode but `always`, in
/// every direction.
#[test]
fn a_second_run_does_nothing_in_every_mode_but_one() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("empty", 0).file("small", 70_000);
    tree.file("dir/parts", 8 * MIB + 1);
    for (name, mode, uploads) in MODES {
        case(format_args!("{name}"));
        let run = || round(&world, name, &[mode, uploads]);
        let dry = run().arguments(&["--dry-run"]).run();
        let first = run().run();
        first.exit(0).transferred(9).all_proved();
        assert_eq!(moved(&dry, "up"), moved(&first, "up"), "{name}");
        same(&tree.files(), &world.tree(&format!("down_{name}")).files());
        let again = if name == "always" { 9 } else { 0 };
        let dry = run().arguments(&["--dry-run"]).run();
        dry.exit(0).transferred(again);
        run().run().exit(0).transferred(again);
    }
}

/// Statement 4: only mtime touched, content equal, a content mode → no bytes move, nor in the run
/// after.
#[test]
fn a_touched_file_moves_no_bytes_where_content_counts() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("small", 70_000).file("parts", 17 * MIB);
    for (name, mode, uploads) in MODES {
        if ["mtime", "always"].contains(&name) {
            continue;
        }
        case(format_args!("{name}"));
        let run = || round(&world, name, &[mode, uploads]).run();
        run().exit(0).transferred(6);
        for round in 0..2 {
            for file in ["small", "parts"] {
                tree.touch(file, 3_000_000_000 + round);
                world.tree(&format!("down_{name}")).touch(file, 1);
            }
            run().exit(0).transferred(0);
        }
        for file in ["small", "parts"] {
            tree.touch(file, 1_600_000_000);
        }
    }
}

/// Statement 3: same size and older mtime → transferred by `etag` and `checksum` modes.
#[test]
fn a_restored_file_of_the_same_size_is_found_by_its_content_only() {
    let world = world();
    let tree = world.tree("tree");
    for (name, mode, uploads) in MODES {
        tree.file("small", 70_000)
            .file("parts", 9 * MIB)
            .file("same", 10);
        case(format_args!("{name}"));
        let run = || round(&world, name, &[mode, uploads]).run();
        run().exit(0).transferred(9);
        let old = flipped(&content("small", 70_000), 69_999);
        tree.write("small", &old).touch("small", 1_000_000_000);
        let old = flipped(&content("parts", 9 * MIB), 9 * MIB - 1);
        tree.write("parts", &old).touch("parts", 1_000_000_000);
        let reason = match name {
            "etag" | "each" => "etag_differs",
            "checksum" => "checksum_differs",
            "always" => "forced",
            _ => "",
        };
        let ran = run();
        ran.exit(0);
        let expected = match reason {
            "" => pairs([]),
            "forced" => pairs([("parts", "forced"), ("same", "forced"), ("small", "forced")]),
            _ => pairs([("parts", reason), ("small", reason)]),
        };
        assert_eq!(moved(&ran, "up"), expected, "{name}: {}", ran.told());
        if !reason.is_empty() {
            same(&tree.files(), &world.tree(&format!("down_{name}")).files());
        }
    }
}

#[test]
fn a_file_that_rots_in_the_target_is_brought_again() {
    let world = world();
    for (name, mode) in [("etag", ETAG), ("checksum", CHECKSUM)] {
        case(format_args!("{name}"));
        let up = [("checksum.algorithm", "\"CRC64NVME\"")];
        let tree = world.tree("tree");
        tree.file("a", 1000).file("b", 9 * MIB);
        let url = format!("s3://first/{name}/");
        let mut run = pair(&world, "tree", &url, &[mode]);
        for (option, value) in up {
            run = run.set(option, value);
        }
        run.run().exit(0);
        let down = world.tree(&format!("down_{name}"));
        let run = || pair(&world, &url, down.path(), &[mode]).run();
        run().exit(0).transferred(2);
        // right in size and time, and wrong
        let time = std::fs::metadata(down.join("b")).and_then(|file| file.modified());
        let bytes = flipped(&content("b", 9 * MIB), 4 * MIB);
        std::fs::write(down.join("b"), bytes).expect("a file");
        let file = std::fs::File::options().write(true).open(down.join("b"));
        let file = file.expect("a file");
        file.set_modified(time.expect("a time")).expect("a time");
        let ran = run();
        ran.exit(0).transferred(1);
        same(&tree.files(), &down.files());
        run().exit(0).transferred(0);
    }
}

/// Part sizes of other tools, and some of nobody's.
const LAYOUTS: [(&str, &[usize]); 7] = [
    ("p5", &[5 * MIB, 5 * MIB, 5 * MIB, 3]),
    ("p8", &[8 * MIB, 8 * MIB, 1]),
    ("p16", &[16 * MIB, MIB]),
    ("p17", &[17 * MIB, 17 * MIB, 1]),
    ("p50", &[50 * MIB, MIB]),
    ("one", &[9 * MIB]),
    ("unequal", &[5 * MIB + 12_345, 6 * MIB, 77]),
];

/// Statement 8: objects of other tools (8, 16, 17 MiB parts) compared → `matches` or `unknown`,
/// never a false `mismatch`.
#[test]
fn parts_of_any_size_are_the_same_content_and_a_flipped_byte_is_found() {
    let world = world();
    let server = Plain::of(&world);
    let tree = world.tree("tree");
    for (key, sizes) in LAYOUTS {
        let bytes = content(key, sizes.iter().sum());
        tree.write(key, &bytes);
        server.put_in_parts("first", key, &bytes, sizes, None);
    }
    let asked: Options = &[("multipart.auto_chunksize", "true")];
    let up = |options: &[Options]| pair(&world, "tree", "s3://first/", options).run();
    let down = |options: &[Options]| pair(&world, "s3://first/", "tree", options).run();
    for mode in [ETAG, COMPOSITE] {
        up(&[mode, asked]).exit(0).transferred(0);
        down(&[mode, asked]).exit(0).transferred(0);
    }
    // nobody can guess unequal parts, and nothing is said to differ for that
    for ran in [
        up(&[ETAG]),
        down(&[ETAG]),
        up(&[COMPOSITE]),
        down(&[COMPOSITE]),
    ] {
        ran.exit(3).transferred(0).says("layout_unknown");
        assert_eq!(ran.pair("one").count("unchanged"), 7, "{}", ran.told());
    }
    let refused: Options = &[("check.on_unverifiable", "\"fail\"")];
    let ran = up(&[ETAG, refused]);
    ran.exit(1).transferred(0);
    assert_eq!(ran.pair("one").line("unequal")["reason"], "unverifiable");

    let transfer: Options = &[("check.on_unverifiable", "\"transfer\"")];
    let dry = pair(&world, "tree", "s3://first/", &[ETAG, transfer]);
    let dry = dry.arguments(&["--dry-run"]).run();
    dry.exit(0);
    assert_eq!(moved(&dry, "one"), pairs([("unequal", "undecided")]));

    for (key, sizes) in LAYOUTS {
        let size = sizes.iter().sum::<usize>();
        tree.write(key, &flipped(&content(key, size), size / 2));
    }
    for mode in [ETAG, COMPOSITE] {
        for (source, target) in [("tree", "s3://first/"), ("s3://first/", "tree")] {
            let dry = pair(&world, source, target, &[mode, asked]);
            let dry = dry.arguments(&["--dry-run"]).run();
            dry.exit(0).transferred(LAYOUTS.len());
        }
    }
    // a guess that does not match proves nothing, unless it is no guess
    let dry = pair(&world, "tree", "s3://first/", &[ETAG]);
    let dry = dry.arguments(&["--dry-run"]).run();
    dry.exit(3);
    assert_eq!(moved(&dry, "one"), pairs([("one", "etag_differs")]));
}

#[test]
fn a_checksum_of_the_whole_decides_what_parts_do_not() {
    let world = world();
    let server = Plain::of(&world);
    let tree = world.tree("tree");
    let bytes = content("unequal", 11 * MIB);
    let sizes = [5 * MIB + 7, 6 * MIB - 7];
    server.upload("first", "unequal", &bytes, &sizes, (None, None));
    // the same content in other parts
    let sizes = [6 * MIB, 5 * MIB];
    server.upload("second", "unequal", &bytes, &sizes, (None, None));
    tree.write("unequal", &bytes);
    for (source, target) in [
        ("tree", "s3://first/"),
        ("s3://first/", "tree"),
        ("s3://first/", "s3://second/"),
    ] {
        case(format_args!("{source} to {target}"));
        for mode in [ETAG, CHECKSUM] {
            let ran = pair(&world, source, target, &[mode]).run();
            ran.exit(0).transferred(0);
        }
    }
    tree.write("unequal", &flipped(&bytes, 0));
    for mode in [ETAG, CHECKSUM] {
        let ran = pair(&world, "tree", "s3://first/", &[mode]);
        let ran = ran.arguments(&["--dry-run"]).run();
        ran.exit(0).transferred(1);
    }
}

/// Statement 9: SSE-KMS: the ETag is not taken for an MD5.
#[test]
fn an_etag_that_is_no_digest_is_not_taken_for_one() {
    let world = world();
    let server = Plain::of(&world);
    let tree = world.tree("tree");
    let kms = || Some(ServerSideEncryption::AwsKms);
    let (bare, summed) = (content("bare", 12 * MIB), content("summed", 5000));
    let alike = content("alike", 6 * MIB);
    tree.write("bare", &bare).write("summed", &summed);
    tree.write("alike", &alike);
    // `bare` is cut as nobody would guess, and not alike on both sides
    for (bucket, first) in [("first", 5 * MIB + 7), ("second", 6 * MIB + 7)] {
        let sizes = [first, 12 * MIB - first];
        server.put_in_parts(bucket, "bare", &bare, &sizes, kms());
        server.put_in_parts(bucket, "alike", &alike, &[5 * MIB, MIB], kms());
        server.put(bucket, "summed", &summed, kms());
    }
    for (source, target) in [
        ("tree", "s3://first/"),
        ("s3://first/", "tree"),
        ("s3://first/", "s3://second/"),
    ] {
        case(format_args!("{source} to {target}"));
        for (mode, why) in [(ETAG, "opaque_etag"), (CHECKSUM, "no_checksum")] {
            let ran = pair(&world, source, target, &[mode]).run();
            ran.exit(3).transferred(0).says(why);
            assert_eq!(ran.pair("one").count("warnings"), 1, "{}", ran.told());
        }
    }
    // the composite of its parts decides where their sizes may be asked for
    let asked: Options = &[("multipart.auto_chunksize", "true")];
    for mode in [ETAG, CHECKSUM] {
        for (source, target) in [("tree", "s3://first/"), ("s3://first/", "tree")] {
            let ran = pair(&world, source, target, &[mode, asked]).run();
            ran.exit(0).transferred(0);
        }
    }
    // what differs is found where anything tells
    tree.write("bare", &flipped(&bare, 1));
    tree.write("summed", &flipped(&summed, 1));
    tree.write("alike", &flipped(&alike, 1));
    for (mode, reason) in [(ETAG, "etag_differs"), (CHECKSUM, "checksum_differs")] {
        let dry = pair(&world, "tree", "s3://first/", &[mode]);
        let dry = dry.arguments(&["--dry-run"]).run();
        assert_eq!(moved(&dry, "one"), pairs([("summed", reason)]));
        let dry = pair(&world, "tree", "s3://first/", &[mode, asked]);
        let dry = dry.arguments(&["--dry-run"]).run();
        let expected = ["alike", "bare", "summed"].map(|key| (key, reason));
        assert_eq!(moved(&dry, "one"), pairs(expected), "{}", dry.told());
    }
    // and between buckets: the same parts, another content
    let sizes = [5 * MIB, MIB];
    server.put_in_parts("second", "alike", &flipped(&alike, 1), &sizes, kms());
    let over = |options: &[Options]| {
        let dry = pair(&world, "s3://first/", "s3://second/", options);
        dry.arguments(&["--dry-run"]).run()
    };
    assert_eq!(moved(&over(&[ETAG]), "one"), pairs([]));
    let expected = pairs([("alike", "etag_differs")]);
    assert_eq!(moved(&over(&[ETAG, asked]), "one"), expected);
}

/// Two contents of one MD5: the collision of Wang and Yu.
fn collision() -> [Vec<u8>; 2] {
    const HEX: &str = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89\
        55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b\
        d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
        e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
    let one: Vec<u8> = (0..HEX.len() / 2)
        .map(|at| u8::from_str_radix(&HEX[2 * at..2 * at + 2], 16).expect("hex"))
        .collect();
    let mut other = one.clone();
    for at in [19, 45, 59, 83, 109, 123] {
        other[at] ^= 0x80;
    }
    [one, other]
}

#[test]
fn one_proof_of_a_difference_outweighs_all_that_is_equal() {
    let world = world();
    let server = Plain::of(&world);
    let [one, other] = collision();
    server.put("first", "k", &one, None);
    server.put("second", "k", &other, None);
    let etag = |bucket| world.head(bucket, "k").e_tag;
    assert_eq!(etag("first"), etag("second"));
    // there is no SHA1: the CRC64NVME that S3 keeps anyway was asked for with it
    let sha1: Options = &[
        ("check.mode", "\"checksum\""),
        ("check.checksum_algorithm", "\"SHA1\""),
    ];
    let run = || pair(&world, "s3://first/", "s3://second/", &[sha1]);
    let ran = run().called("check").run();
    ran.exit(3).says("differs  k");
    let ran = run().arguments(&["--dry-run"]).run();
    assert_eq!(moved(&ran, "one"), pairs([("k", "checksum_differs")]));
}

#[test]
fn other_evidence_makes_up_for_a_checksum_that_is_not_kept() {
    let world = world();
    let server = Plain::of(&world);
    let there = world.tree("there");
    let sha1: Options = &[
        ("check.mode", "\"checksum\""),
        ("check.checksum_algorithm", "\"SHA1\""),
    ];
    // by the ETag; where that is opaque, by the CRC64NVME that S3 keeps anyway
    for (key, encryption) in [("plain", None), ("kms", Some(ServerSideEncryption::AwsKms))] {
        for (name, other) in [("same", "same"), ("other", "else")] {
            let key = format!("{key}/{name}");
            server.put("first", &key, &content(name, 5000), encryption.clone());
            server.put("second", &key, &content(other, 5000), encryption.clone());
            there.write(&key, &content(other, 5000));
        }
    }
    for (source, target) in [
        ("there", "s3://first/"),
        ("s3://first/", "there"),
        ("s3://first/", "s3://second/"),
    ] {
        let dry = pair(&world, source, target, &[sha1]);
        let dry = dry.arguments(&["--dry-run"]).run();
        dry.exit(0);
        let expected = ["kms/other", "plain/other"].map(|key| (key, "checksum_differs"));
        assert_eq!(moved(&dry, "one"), pairs(expected), "{source} to {target}");
    }
}

#[test]
fn each_target_is_asked_for_instead_of_listed() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("a", 10).file("b", 10).file("new", 10);
    world.put("first", "a", &content("a", 10));
    world.put("first", "b", &content("other", 10));
    world.put("first", "not/of/the/source", b"x");
    let each: Options = &[("check.head_each_target", "true")];
    for (mode, expected) in [
        (&[][..], pairs([("new", "missing_in_target")])),
        (SIZE, pairs([("new", "missing_in_target")])),
        (
            ETAG,
            pairs([("b", "etag_differs"), ("new", "missing_in_target")]),
        ),
        (
            ALWAYS,
            pairs([
                ("a", "forced"),
                ("b", "forced"),
                ("new", "missing_in_target"),
            ]),
        ),
    ] {
        case(format_args!("{mode:?}"));
        world.faults().forget_calls();
        let dry = pair(&world, "tree", "s3://first/", &[mode, each]);
        let dry = dry.arguments(&["--dry-run"]).run();
        dry.exit(0);
        assert_eq!(moved(&dry, "one"), expected);
        assert_eq!(world.faults().calls("ListObjectsV2"), 0, "{}", dry.told());
        assert_eq!(world.faults().calls("HeadObject"), 3, "{}", dry.told());
    }
    for _ in 0..2 {
        pair(&world, "tree", "s3://first/", &[each]).run().exit(0);
    }
    let ran = pair(&world, "s3://first/", "down", &[ETAG, each]).run();
    ran.exit(0).transferred(4);
    let ran = pair(&world, "s3://first/", "down", &[ETAG, each]).run();
    ran.exit(0).transferred(0);
}

#[test]
fn requests_are_made_only_where_the_listings_do_not_tell() {
    let world = world();
    let tree: Tree = world.tree("tree");
    tree.file("small", 1000).file("parts", 9 * MIB);
    let summed: Options = &[("checksum.algorithm", "\"CRC64NVME\"")];
    round(&world, "x", &[summed]).run().exit(0);
    for (name, mode, [up, across, down]) in [
        ("mtime", &[][..], [0, 0, 0]),
        ("size", SIZE, [0, 0, 0]),
        // a large file is not read before it is known what for
        ("etag", ETAG, [1, 0, 1]),
        ("checksum", CHECKSUM, [2, 4, 2]),
        ("mtime_and_etag", MTIME_AND_ETAG, [0, 0, 0]),
    ] {
        for (source, target, expected) in [
            ("tree", "s3://first/x/", up),
            ("s3://first/x/", "s3://second/x/", across),
            ("s3://second/x/", "down_x", down),
        ] {
            world.faults().forget_calls();
            let ran = pair(&world, source, target, &[mode]).run();
            ran.exit(0).transferred(0);
            let heads = world.faults().calls("HeadObject");
            assert_eq!(heads, expected, "{name} {source}: {}", ran.told());
            assert_eq!(world.faults().calls("GetObject"), 0, "{name} {source}");
        }
    }
}
