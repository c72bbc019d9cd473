//! Every direction with the built binary: what arrives, what is proved, what a second run does.

use std::collections::BTreeMap;

use serde_json::json;

use crate::world::{Ran, Tree, World, content, same};

const MIB: usize = 1 << 20;

/// Sizes around the threshold of multipart, 8 MiB, and ones that are special otherwise.
const SIZES: &[(&str, usize)] = &[
    ("empty", 0),
    ("one", 1),
    ("dir/small", 70_000),
    ("dir/below", 8 * MIB - 1),
    ("dir/at", 8 * MIB),
    ("dir/above", 8 * MIB + 1),
    ("dir/deep/large", 20 * MIB + 7),
];

/// How a pair proves what it moves, as options of every pair.
const PROOFS: &[(&str, &[(&str, &str)])] = &[
    ("ETags alone", &[]),
    (
        "CRC64NVME",
        &[
            ("checksum.algorithm", "\"CRC64NVME\""),
            ("checksum.download", "true"),
        ],
    ),
    (
        "SHA256",
        &[
            ("checksum.algorithm", "\"SHA256\""),
            ("checksum.download", "true"),
        ],
    ),
];

/// Up, across by both ways, and back from both copies.
fn round_trip(world: &World, defaults: &[(&str, &str)]) -> Ran {
    let mut run = world.job();
    for (option, value) in defaults {
        run = run.set(option, value);
    }
    run.pair("up", "tree", "s3://first/up/")
        .pair("client", "s3://first/up/", "s3://second/client/")
        .set("after", "[\"up\"]")
        .pair("server", "s3://first/up/", "s3://second/server/")
        .set("after", "[\"up\"]")
        .set("server_side_copy", "true")
        .pair("down_client", "s3://second/client/", "down_client")
        .set("after", "[\"client\"]")
        .pair("down_server", "s3://second/server/", "down_server")
        .set("after", "[\"server\"]")
        .run()
}

const COPIES: [(&str, &str); 3] = [
    ("first", "up/"),
    ("second", "client/"),
    ("second", "server/"),
];

/// All copies of a tree equal it, byte for byte and name for name.
fn all_copies_equal(world: &World, tree: &Tree) {
    let files = tree.files();
    for (bucket, prefix) in COPIES {
        same(&files, &world.objects(bucket, prefix));
    }
    for name in ["down_client", "down_server"] {
        same(&files, &world.tree(name).files());
    }
}

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world
}

#[test]
fn every_size_arrives_in_every_direction_and_stays() {
    for (name, defaults) in PROOFS {
        let world = world();
        let tree = world.tree("tree");
        for (name, size) in SIZES {
            tree.file(name, *size);
        }
        let ran = round_trip(&world, defaults);
        ran.exit(0).transferred(5 * SIZES.len()).all_proved();
        all_copies_equal(&world, &tree);

        let etags = world.list("first", "up/");
        for (bucket, prefix) in COPIES {
            let seen: Vec<_> = world.list(bucket, prefix).into_values().collect();
            let expected: Vec<_> = etags.values().cloned().collect();
            assert_eq!(seen, expected, "{name}: ETags below {prefix}");
            assert_eq!(world.uploads(bucket), [""; 0], "{name}");
        }
        if !defaults.is_empty() {
            for pair in ["up", "client", "down_client"] {
                let pair = ran.pair(pair);
                let proved = pair.count("verified/checksum/matched");
                assert_eq!(proved, SIZES.len() as u64, "{name}: {}", ran.told());
            }
        }
        let line = ran.pair("up").line("dir/deep/large");
        assert_eq!(
            line["parts"],
            json!({"count": 3, "size": 8 * MIB}),
            "{name}"
        );
        assert_eq!(
            line["target"]["etag"], etags["up/dir/deep/large"].etag,
            "{name}"
        );
        assert_eq!(line["verify"]["etag"]["result"], "matched", "{name}");

        round_trip(&world, defaults).exit(0).transferred(0);
        assert_eq!(
            etags,
            world.list("first", "up/"),
            "{name}: nothing was written again"
        );
    }
}

#[test]
fn etags_are_those_of_an_independent_computation() {
    use s3sync::digest::{Algorithm, digest};
    let world = world();
    let tree = world.tree("tree");
    tree.file("small", 1000).file("large", 20 * MIB + 7);
    world.job().pair("up", "tree", "s3://first/").run().exit(0);
    let md5 = |bytes: &[u8]| digest(Algorithm::Md5, bytes);
    let large = content("large", 20 * MIB + 7);
    let of_parts: Vec<u8> = large
        .chunks(8 * MIB)
        .flat_map(|part| md5(part).as_bytes().to_vec())
        .collect();
    let seen = world.list("first", "");
    let small = md5(&content("small", 1000)).hex();
    assert_eq!(seen["small"].etag, format!("\"{small}\""));
    assert_eq!(
        seen["large"].etag,
        format!("\"{}-3\"", md5(&of_parts).hex())
    );
}

/// Names that somebody's code once broke, each a file.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "with space",
        " leading",
        "trailing ",
        "plus+plus",
        "a+b c%20d",
        "per%cent",
        "%2F",
        "%25",
        "hash#",
        "what?x=1",
        "and&and=1",
        "star*",
        "[bracket]",
        "dollar$",
        "at@",
        "\"double\"",
        "'single'",
        "back\\slash",
        "left\u{200e}right",
        "wide\u{3000}",
        "\u{1f980}/\u{1f9ff}",
        "tab\tand\nline\rreturn",
        "..a/b..",
        "...",
        ".hidden",
        "\u{e9}",
        "e\u{301}",
        "a=b;c,d:e|f<g>h^i`j{k}~",
        "<xml>&amp;</xml>",
        "\u{7f}\u{1}",
        "\u{10ffff}",
        "\u{fffd}",
        // order: `/` stands between `.` and `0`
        "order/a!/x",
        "order/a-b",
        "order/a.b",
        "order/a/b",
        "order/a/b-c",
        "order/a/b.c/d",
        "order/a0",
        "order/ab",
        "order/A",
        "order/\u{e9}/x",
        "order/z",
    ]
    .map(str::to_owned)
    .to_vec();
    // with the prefix of a copy, 7 bytes, the 1024 bytes that a key may have
    names.push([&*"k".repeat(202); 5].join("/") + "kkk");
    names
}

/// Statement 36: odd keys make the round trip, both ways of copying.
#[test]
fn odd_names_stay_as_they_are_both_ways_of_copying() {
    let world = world();
    let tree = world.tree("tree");
    let names = odd_names();
    for name in &names {
        tree.write(name, name.as_bytes());
    }
    let ran = round_trip(&world, &[]);
    ran.exit(0).transferred(5 * names.len()).all_proved();
    all_copies_equal(&world, &tree);
    // with deletion to come, stability of order is stability of everything
    for _ in 0..2 {
        round_trip(&world, &[]).exit(0).transferred(0);
    }
}

/// Statement 1: content changed, same size, newer mtime → transferred.
/// Statement 2: replaced by a different-size file with an older mtime → transferred in the default
/// mode.
#[test]
fn a_change_moves_exactly_what_changed() {
    let world = world();
    let tree = world.tree("tree");
    for name in ["a", "b/c", "b/d", "e"] {
        tree.file(name, 1000);
    }
    round_trip(&world, &[]).exit(0).transferred(20);
    // a different size though older; the same size but newer; a new file
    tree.write("a", b"other").touch("a", 1);
    tree.write("b/c", &content("other", 1000)).touch_now("b/c");
    tree.file("f", 3);
    // the copies on disk are of this very second, and equal seconds are no change on the way down
    for copy in ["down_client", "down_server"] {
        world.tree(copy).touch("b/c", 1);
    }
    let ran = round_trip(&world, &[]);
    ran.exit(0).transferred(15).all_proved();
    all_copies_equal(&world, &tree);
    let reason = |key: &str| ran.pair("up").line(key)["reason"].clone();
    assert_eq!(reason("a"), "size_differs");
    assert_eq!(reason("f"), "missing_in_target");
    let reason = reason("b/c");
    assert!(reason == "newer" || reason == "etag_differs", "{reason}");
    round_trip(&world, &[]).exit(0).transferred(0);
}

/// Statement 5: times in 2076 or 1965 are settled by one run.
#[test]
fn times_before_1970_and_in_the_far_future_are_settled_by_one_run() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("past", 10).touch("past", -157_766_400);
    tree.file("future", 10).touch("future", 3_345_062_400);
    tree.file("now", 10).touch_now("now");
    tree.file("future_large", 8 * MIB + 1)
        .touch("future_large", 3_345_062_400);
    round_trip(&world, &[]).exit(0).transferred(20).all_proved();
    let kept = world
        .head("first", "up/future")
        .metadata
        .unwrap_or_default();
    assert_eq!(
        kept.get("s3sync_origin_last_modified").map(String::as_str),
        Some("2076-01-01T00:00:00+00:00")
    );
    for _ in 0..2 {
        round_trip(&world, &[]).exit(0).transferred(0);
    }
    all_copies_equal(&world, &tree);
}

/// Statement 6: down and up again, nothing changed: zero transfers.
#[test]
fn down_and_up_again_moves_nothing() {
    let world = world();
    for (key, size) in [("a", 10), ("d/b", 5000), ("d/empty", 0)] {
        world.put("first", key, &content(key, size));
    }
    let large = content("large", 17 * MIB);
    world.put_in_parts("first", "large", &large, &[6 * MIB, 6 * MIB, 5 * MIB]);
    world
        .job()
        .pair("down", "s3://first/", "tree")
        .run()
        .exit(0)
        .transferred(4)
        .all_proved();
    same(&world.objects("first", ""), &world.tree("tree").files());
    world
        .job()
        .pair("up", "tree", "s3://first/")
        .run()
        .exit(0)
        .transferred(0);
}

/// Statement 7: the same pair with another `multipart.chunksize` → zero transfers.
#[test]
fn another_part_size_is_no_change() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("large", 20 * MIB);
    round_trip(&world, &[]).exit(0).transferred(5);
    let other = [
        ("multipart.chunksize", "\"5MiB\""),
        ("multipart.threshold", "\"5MiB\""),
    ];
    round_trip(&world, &other).exit(0).transferred(0);
}

/// Statement 31: unequal part sizes → verified with the real layout, or `not_verifiable`.
#[test]
fn objects_of_other_tools_arrive_proved_whatever_their_parts() {
    let world = world();
    let mut expected = BTreeMap::new();
    let layouts: [(&str, &[usize]); 5] = [
        ("one_part", &[9 * MIB]),
        ("p5", &[5 * MIB, 5 * MIB, 3]),
        ("p16", &[16 * MIB, MIB]),
        ("p17", &[17 * MIB, 17 * MIB, 1]),
        ("odd", &[5 * MIB + 12_345, 5 * MIB + 12_345, 77]),
    ];
    for (key, sizes) in layouts {
        let bytes = content(key, sizes.iter().sum());
        world.put_in_parts("first", key, &bytes, sizes);
        expected.insert(key.to_owned(), bytes);
    }
    let whole = content("whole", 18 * MIB);
    world.put("first", "whole", &whole);
    expected.insert("whole".to_owned(), whole);
    // parts of unequal sizes: the layout cannot be known, so nothing can be proved or blamed
    let uneven = content("uneven", 16 * MIB);
    world.put_in_parts("first", "uneven", &uneven, &[6 * MIB, 5 * MIB, 5 * MIB]);
    expected.insert("uneven".to_owned(), uneven);

    let ran = world
        .job()
        .pair("down", "s3://first/", "down")
        .pair("client", "s3://first/", "s3://second/client/")
        .pair("server", "s3://first/", "s3://second/server/")
        .set("server_side_copy", "true")
        .run();
    ran.transferred(21);
    same(&expected, &world.tree("down").files());
    same(&expected, &world.objects("second", "client/"));
    same(&expected, &world.objects("second", "server/"));
    for pair in ["down", "client", "server"] {
        let pair = ran.pair(pair);
        assert_eq!(pair.count("failed"), 0, "{}", ran.told());
        assert_eq!(pair.count("verified/etag/mismatched"), 0, "{}", ran.told());
        for key in expected.keys().filter(|key| *key != "uneven") {
            let line = pair.line(key);
            assert_eq!(line["verify"]["etag"]["result"], "matched", "{line}");
        }
    }
}

/// Statement 37: `../x`, `a/../../x`, `..`, `a//b`: nothing outside the root, each reported.
#[test]
fn keys_that_no_directory_can_hold_stay_outside_and_are_reported() {
    let world = world();
    let unsafe_keys = ["..", "../x", "./c", "b/../../x", "b//c", "d/./e"];
    for key in unsafe_keys {
        world.put("first", &format!("p/{key}"), b"outside");
    }
    world.put("first", "p/fine", b"inside");
    world.put("first", "p//abs", b"inside too");
    let run = || world.job().pair("down", "s3://first/p/", "root/down").run();
    let ran = run();
    ran.exit(3).transferred(2);
    for key in unsafe_keys {
        assert_eq!(
            ran.pair("down").line(key)["reason"],
            "unsafe_key",
            "{}",
            ran.told()
        );
    }
    let inside = BTreeMap::from([
        ("down/fine".to_owned(), b"inside".to_vec()),
        ("down/abs".to_owned(), b"inside too".to_vec()),
    ]);
    same(&inside, &world.tree("root").files());
    assert!(!world.path("x").exists());
    run().exit(3).transferred(0);
}

/// Statement 38: a link that leads out of the target is never written through.
#[test]
fn a_link_out_of_the_target_is_never_written_through() {
    let world = world();
    for key in ["link/inner", "file_link", "plain"] {
        world.put("first", key, b"new");
    }
    let outside = world.tree("outside");
    outside.write("victim", b"old");
    let target = world.tree("target");
    std::os::unix::fs::symlink(outside.path(), target.join("link")).expect("a link");
    std::os::unix::fs::symlink(outside.join("victim"), target.join("file_link")).expect("a link");
    let ran = world.job().pair("down", "s3://first/", "target").run();
    assert_eq!(
        ran.pair("down").count("failed") + ran.pair("down").count("skipped/total"),
        1,
        "{}",
        ran.told()
    );
    same(
        &BTreeMap::from([("victim".to_owned(), b"old".to_vec())]),
        &outside.files(),
    );
    let target = target.files();
    assert_eq!(target["plain"], b"new");
    assert_eq!(target["file_link"], b"new", "the link itself is replaced");
}

/// Statement 39: two keys of one path: one arrives, always the same, the other is reported.
#[test]
fn of_two_keys_with_one_path_one_arrives_and_the_other_is_reported() {
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let world = world();
        for key in ["a", "a/b", "c/d", "c/d/e"] {
            world.put("first", key, key.as_bytes());
        }
        let run = || world.job().pair("down", "s3://first/", "down").run();
        let ran = run();
        ran.exit(3).transferred(2);
        let pair = ran.pair("down");
        assert_eq!(
            pair.report["counts"]["skipped"]["by"],
            json!([{"reason": "shadowed_key", "count": 2}])
        );
        run().exit(3).transferred(0);
        outcomes.push(world.tree("down").files());
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn a_prefix_without_its_slash_comes_down_in_the_order_of_the_names() {
    for (name, max_keys, crowd) in [
        ("one page", 1000, 0),
        ("small pages", 2, 30),
        ("more than a page", 1000, 1100),
    ] {
        let world = world();
        let mut expected = BTreeMap::new();
        let named = ["/z.jpg", "/-", "/m/n", "2/a", "-x", "2", "~"]
            .map(str::to_owned)
            .into_iter();
        // before the slash, behind it and beyond it, and in the directory all mixed up
        let crowd = (0..crowd).map(|n| format!("{}{n:04}", ["-", "/", "/~", "0"][n % 4]));
        for key in named.chain(crowd) {
            world.put("first", &format!("photos{key}"), key.as_bytes());
            let path = key.strip_prefix('/').unwrap_or(&key);
            expected.insert(path.to_owned(), key.clone().into_bytes());
        }
        // a file is in the way of another's directory
        expected.remove("2/a");
        // of two keys with one name the one without the slash comes first
        world.put("first", "photos/~", b"not this one");
        world.put("first", "photos//odd", b"no path");
        let run = || {
            world
                .job()
                .pair("down", "s3://first/photos", "down")
                .set("performance.max_keys", &max_keys.to_string())
                .run()
        };
        let ran = run();
        ran.exit(3).transferred(expected.len());
        let pair = ran.pair("down");
        let told = ran.told();
        assert_eq!(pair.line("//odd")["reason"], "unsafe_key", "{name}: {told}");
        assert_eq!(
            pair.report["counts"]["skipped"]["by"],
            json!([
                {"reason": "unsafe_key", "count": 1},
                {"reason": "shadowed_key", "count": 2},
            ]),
            "{name}: {told}"
        );
        same(&expected, &world.tree("down").files());
        run().exit(3).transferred(0);
        same(&expected, &world.tree("down").files());
    }
}

/// Statement 40: markers become directories, and are copied between buckets.
#[test]
fn directory_markers_become_directories_and_are_copied_between_buckets() {
    let world = world();
    world.put("first", "dir/", b"");
    world.put("first", "full/", b"content where none may be");
    world.put("first", "full/file", b"x");
    let ran = world
        .job()
        .pair("down", "s3://first/", "down")
        .pair("client", "s3://first/", "s3://second/client/")
        .pair("server", "s3://first/", "s3://second/server/")
        .set("server_side_copy", "true")
        .run();
    ran.exit(3);
    assert!(world.path("down/dir").is_dir());
    let dry = world.job().pair("down", "s3://first/", "dry");
    let dry = dry.arguments(&["--dry-run"]).run();
    dry.exit(3).transferred(1);
    assert!(!world.path("dry").exists());
    let reasons = &ran.pair("down").report["counts"]["skipped"]["by"];
    let of = |reason: &str| {
        let rows = reasons.as_array().into_iter().flatten();
        rows.filter(|row| row["reason"] == reason).count()
    };
    assert_eq!(
        (of("directory_marker"), of("incompatible_key")),
        (1, 1),
        "{reasons}"
    );
    let expected = world.objects("first", "");
    same(&expected, &world.objects("second", "client/"));
    same(&expected, &world.objects("second", "server/"));
}

/// Statement 43: a name that is not UTF-8 is reported, and the rest goes on.
/// Statement 44: a loop of directories ends.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_text_and_special_files_are_reported_and_the_rest_goes_on() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let world = world();
    let tree = world.tree("tree");
    tree.write(OsStr::from_bytes(b"caf\xe9"), b"latin-1");
    tree.file("fine", 10);
    // a loop of directories ends
    std::os::unix::fs::symlink(".", tree.join("loop")).expect("a link");
    let ran = world.job().pair("up", "tree", "s3://first/").run();
    ran.exit(3);
    assert_eq!(ran.pair("up").line("caf%E9")["reason"], "not_utf8_name");
    assert_eq!(world.objects("first", "")["fine"], content("fine", 10));
}

#[test]
fn thousands_of_small_files_make_the_round_trip() {
    let world = world();
    let tree = world.tree("tree");
    for n in 0..3000 {
        tree.file(&format!("{}/{}/file {n}", n % 17, n % 3), n % 2000);
    }
    let across = |run: crate::world::Run<'_>| {
        run.pair("up", "tree", "s3://first/up/")
            .pair("across", "s3://first/up/", "s3://second/across/")
            .set("server_side_copy", "true")
            .pair("down", "s3://second/across/", "down")
            .run()
    };
    across(world.job()).exit(0).transferred(9000).all_proved();
    same(&tree.files(), &world.tree("down").files());
    across(world.job()).exit(0).transferred(0);
}

#[test]
fn a_dry_run_decides_everything_and_sends_nothing_that_changes() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("a", 10).file("large", 9 * MIB);
    let job = || world.job().pair("up", "tree", "s3://first/");
    let before = world.faults().mutations().len();
    let dry = job().arguments(&["--dry-run"]).run();
    dry.exit(0).transferred(2);
    assert_eq!(world.faults().mutations().len(), before);
    let decided = |ran: &Ran| {
        let rows = ran.pair("up").evidence().into_iter();
        rows.map(|line| (line["key"].to_string(), line["reason"].to_string()))
            .collect::<BTreeMap<_, _>>()
    };
    let real = job().run();
    assert_eq!(decided(&dry), decided(&real));
}

#[test]
fn one_file_and_one_object_are_sources_too() {
    let world = world();
    world.tree("d").write("a.jpg", b"picture");
    let run = || {
        world
            .job()
            .pair("up", "d/a.jpg", "s3://first/pp")
            .pair("down", "s3://first/ppa.jpg", "down")
            .run()
    };
    run().exit(0).transferred(2).all_proved();
    assert_eq!(
        world.get("first", "ppa.jpg").as_deref(),
        Some(&b"picture"[..])
    );
    let expected = BTreeMap::from([("ppa.jpg".to_owned(), b"picture".to_vec())]);
    same(&expected, &world.tree("down").files());
    run().exit(0).transferred(0);
}

#[test]
fn a_target_whose_prefix_is_an_objects_key_is_still_a_prefix() {
    let world = world();
    world.put("first", "pp", b"somebody else's");
    let tree = world.tree("d");
    tree.write("a", b"one").write("b", b"two");
    let run = || world.job().pair("up", "d", "s3://first/pp").run();
    run().exit(0).transferred(2).all_proved();
    let expected = [("pp", "somebody else's"), ("ppa", "one"), ("ppb", "two")];
    let expected = expected.map(|(key, text)| (key.to_owned(), text.as_bytes().to_vec()));
    same(&BTreeMap::from(expected), &world.objects("first", ""));
    run().exit(0).transferred(0);
}
