/*! Scripts that decide what goes: the predecessor's own, those that would hurt the run, and what is
said of them before and after it.
*/

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::support::{case, skipped};
use crate::world::{Run, World};

const SCRIPT: &str = "lua.filter_script";

/// A tree of five files, two of them below `dir21/`.
fn world() -> World {
    let world = World::new();
    world.bucket("target");
    let tree = world.tree("tree");
    for name in ["data1", "dir1/data1", "dir21/6byte.dat", "dir21/data2", "z"] {
        tree.file(name, 10);
    }
    world
}

/// One of the predecessor's own scripts.
fn predecessors(name: &str) -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/predecessor/scripts"
    ))
    .join(format!("{name}.lua"))
}

/// A script of this text.
fn script(world: &World, text: &str) -> PathBuf {
    let path = world.path("s.lua");
    fs::write(&path, text).expect("a script");
    path
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// A pair with this script, and behind it one without.
fn two_pairs<'w>(world: &'w World, path: &Path, options: &[(&str, &str)]) -> Run<'w> {
    let mut run = world.job().pair("scripted", "tree", "s3://target/one/");
    run = run.set(SCRIPT, &quoted(path));
    for (option, value) in options {
        run = run.set(option, value);
    }
    run.pair("other", "tree", "s3://target/two/")
}

#[test]
fn the_predecessors_scripts_have_the_effect_they_had() {
    let os = ("lua.allow_os_library", "true");
    let object = ("lua.on_error", "'fail_object'");
    for (name, options, exit, transferred, filtered, says) in [
        ("filter_callback", &[][..], 0, 2, 3, ""),
        (
            "filter_callback_example",
            &[],
            0,
            5,
            0,
            "is_delete_marker:\tfalse",
        ),
        ("filter_callback_with_os_lib", &[os], 0, 2, 3, ""),
        ("filter_callback_with_io_lib", &[os], 0, 2, 3, "root"),
        (
            "filter_callback_with_os_lib",
            &[],
            1,
            0,
            0,
            "filter_callback_with_os_lib.lua:2: attempt to index a nil value (global 'os')",
        ),
        ("filter_callback_with_io_lib", &[], 1, 0, 0, "(global 'io')"),
        (
            "filter_callback_error",
            &[],
            1,
            0,
            0,
            "filter_callback_error.lua:3: This is a test error from filter callback",
        ),
        (
            "filter_callback_error",
            &[object],
            1,
            0,
            0,
            "This is a test error",
        ),
    ] {
        case(format_args!("{name} {options:?}"));
        let world = world();
        let ran = two_pairs(&world, &predecessors(name), options)
            .arguments(&["-v"])
            .run();
        ran.exit(exit).says(says);
        let pair = ran.pair("scripted");
        assert_eq!(
            pair.number("/counts/transferred/total"),
            transferred,
            "{}",
            ran.told()
        );
        assert_eq!(
            pair.number("/counts/filtered/total"),
            filtered,
            "{}",
            ran.told()
        );
        assert_eq!(ran.pair("other").number("/counts/transferred/total"), 5);
        if options.contains(&object) {
            assert_eq!(pair.number("/counts/failed"), 5, "{}", ran.told());
        }
    }
}

#[test]
fn a_script_that_does_not_load_starts_nothing() {
    let time = ("lua.callback_timeout", "'200ms'");
    let invalid = fs::read_to_string(predecessors("invalid_script")).expect("a script");
    let without = fs::read_to_string(predecessors("no_entrypoint")).expect("a script");
    for (name, text, says) in [
        ("grammar", &*invalid, "s.lua:3: 'end' expected"),
        (
            "no function",
            &without,
            "s.lua: it has no function `filter`",
        ),
        (
            "an error at the top",
            "\nerror('not today')",
            "s.lua:2: not today",
        ),
        (
            "a loop at the top",
            "while true do end",
            "s.lua:1: it took longer than 200ms (lua.callback_timeout)",
        ),
        (
            "all memory at the top",
            "local t = {} for i = 1, 1e9 do t[i] = i end",
            "s.lua: not enough memory (lua.vm_memory_limit)",
        ),
        (
            "a C module at the top",
            "require('cjson')",
            "module 'cjson' not found",
        ),
    ] {
        case(format_args!("{name}"));
        let world = world();
        let path = script(&world, text);
        let options: &[_] = if name.starts_with("all") {
            &[]
        } else {
            &[time]
        };
        let job = two_pairs(&world, &path, options);
        let ran = job.clone().run();
        ran.exit(2)
            .says(says)
            .says("`lua.filter_script` of the pair `scripted`")
            .says("job.toml:");
        assert!(ran.report.is_null(), "{name}: nothing starts");
        let ran = job.called("validate").run();
        ran.exit(2).says(says);
    }
}

#[test]
fn what_a_script_says_while_it_loads_is_heard() {
    let world = world();
    let path = script(
        &world,
        "log.warn('said while loading')\nfunction filter(o) for n = 1, 2000 do log.warn('line ' .. n) end end",
    );
    let ran = two_pairs(&world, &path, &[]).run();
    ran.exit(0)
        .says("said while loading")
        .says("line 1000")
        .says("cut after 1000 lines of one call");
    assert!(!ran.told().contains("line 1001"), "{}", ran.told());
}

/// Statement 57: a Lua script that errors, loops forever or allocates without bound → its limit,
/// its policy, other pairs go on.
#[test]
fn a_script_that_would_hurt_the_run_hurts_its_pair_alone() {
    let backtracks = "function filter(o) return (('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60) .. 'b') end";
    for (name, text, says) in [
        (
            "a loop",
            "function filter(o)\n while true do end\nend",
            "s.lua:2: it took longer than 200ms",
        ),
        (
            "a loop that catches",
            "function filter(o) while true do pcall(function() while true do end end) end end",
            "it took longer than 200ms",
        ),
        (
            "a loop in C",
            backtracks,
            "s.lua: it took longer than 200ms",
        ),
        (
            "ten gibibytes",
            "function filter(o) return ('x'):rep(10 << 30) end",
            "s.lua:1: resulting string too large",
        ),
        (
            "all memory",
            "function filter(o) return ('x'):rep(1 << 30) end",
            "s.lua: not enough memory (lua.vm_memory_limit)",
        ),
        (
            "a command",
            "function filter(o) os.execute('touch /tmp/never') end",
            "s.lua:1: attempt to index a nil value (global 'os')",
        ),
        (
            "a C module",
            "function filter(o) return require('cjson') end",
            "s.lua:1: module 'cjson' not found",
        ),
        (
            "an error",
            "function filter(o) error({}) end",
            "s.lua:1: table: 0x",
        ),
    ] {
        for policy in ["fail_pair", "fail_object"] {
            case(format_args!("{name}, {policy}"));
            let world = world();
            let path = script(&world, text);
            let on_error = format!("'{policy}'");
            let options = [
                ("lua.on_error", &*on_error),
                ("lua.callback_timeout", "'200ms'"),
            ];
            let ran = two_pairs(&world, &path, &options).run();
            ran.exit(1).says(says);
            let (pair, other) = (ran.pair("scripted"), ran.pair("other"));
            assert_eq!(
                pair.number("/counts/transferred/total"),
                0,
                "{}",
                ran.told()
            );
            assert_eq!(
                other.number("/counts/transferred/total"),
                5,
                "{}",
                ran.told()
            );
        }
    }
}

/// Statement 57: its policy may be to fail the object alone.
#[test]
fn one_object_fails_and_the_others_are_decided() {
    for (name, wrong) in [
        ("an error", "error('no')"),
        (
            "a call that does not end",
            "return (('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60) .. 'b')",
        ),
    ] {
        case(format_args!("{name}"));
        let world = world();
        let text = format!(
            "function filter(o) if o.key == 'dir1/data1' then {wrong} end return o.key ~= 'z' end"
        );
        let path = script(&world, &text);
        let options = [
            ("lua.on_error", "'fail_object'"),
            ("lua.callback_timeout", "'1s'"),
        ];
        let ran = two_pairs(&world, &path, &options).run();
        ran.exit(1);
        let pair = ran.pair("scripted");
        for (count, expected) in [
            ("transferred/total", 3),
            ("filtered/total", 1),
            ("failed", 1),
        ] {
            assert_eq!(
                pair.number(&format!("/counts/{count}")),
                expected,
                "{count}: {}",
                ran.told()
            );
        }
    }
}

#[test]
fn a_script_sees_what_the_listing_tells() {
    let world = World::new();
    world.bucket("source");
    world.put("source", "a.txt", b"hello");
    let text = "function filter(o)
  local names = {}
  for name in pairs(o) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do log.warn(name .. ' = ' .. tostring(o[name])) end
  return true
end";
    let path = script(&world, text);
    let job = world
        .job()
        .pair("down", "s3://source/", "one")
        .set(SCRIPT, &quoted(&path));
    let ran = job.run();
    ran.exit(0).transferred(1);
    for says in [
        "key = a.txt",
        "size = 5",
        "e_tag = \"5d41402abc4b2a76b9719d911017c592\"",
        "checksum_type = FULL_OBJECT",
        "checksum_algorithm = CRC",
        "is_latest = false",
        "is_delete_marker = false",
        "pair = down",
        "run_id = 0",
        "last_modified = 20",
    ] {
        ran.says(says);
    }
}

#[test]
fn several_interpreters_decide_as_one() {
    let world = World::new();
    world.bucket("target");
    let tree = world.tree("tree");
    for number in 0..300 {
        tree.file(&format!("{number:03}"), 1);
    }
    let path = script(
        &world,
        "function filter(o) return tonumber(o.key) % 3 == 0 end",
    );
    let job = world.job().pair("scripted", "tree", "s3://target/one/");
    let ran = job.set(SCRIPT, &quoted(&path)).set("lua.vms", "4").run();
    ran.exit(0).transferred(100);
    let evidence = ran.pair("scripted").evidence();
    let sent = evidence.iter().filter(|line| line["action"] == "transfer");
    let is_right = |key: &str| key.parse::<u32>().is_ok_and(|it| it % 3 == 0);
    assert!(
        sent.clone()
            .all(|line| line["key"].as_str().is_some_and(is_right)),
        "{}",
        ran.told()
    );
}

#[test]
fn the_report_names_the_script_by_its_content() {
    let world = world();
    let path = script(&world, "function filter() return true end");
    let ran = two_pairs(&world, &path, &[]).run();
    ran.exit(0);
    let bytes = fs::read(&path).expect("the script");
    let script = serde_json::json!({
        "kind": "filter",
        "path": path.display().to_string(),
        "sha256": hex::encode(Sha256::digest(bytes)),
    });
    let scripts = |at: usize| &ran.report["pairs"][at]["scripts"];
    assert_eq!(scripts(0), &serde_json::json!([script]));
    assert_eq!(scripts(1), &serde_json::json!([]));
}

/// The smallest C module: it gives a number back.
const MODULE: &str = r"
typedef struct lua_State lua_State;
void lua_pushinteger(lua_State *, long long);
void lua_pushcclosure(lua_State *, int (*)(lua_State *), int);
const char *luaL_checklstring(lua_State *, int, unsigned long *);
static int length(lua_State *lua) {
  unsigned long length;
  luaL_checklstring(lua, 1, &length);
  lua_pushinteger(lua, (long long)length);
  return 1;
}
int luaopen_measure(lua_State *lua) { lua_pushcclosure(lua, length, 0); return 1; }
";

#[test]
fn c_modules_load_where_they_are_allowed() {
    let world = world();
    fs::write(world.path("measure.c"), MODULE).expect("a file");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "measure.so", "measure.c"])
        .current_dir(world.path(""))
        .status();
    assert!(compiled.expect("a C compiler").success());
    let directory = world.path("");
    let text = format!(
        "package.cpath = '{}/?.so'\nlocal length = require('measure')\nfunction filter(o) return length(o.key) > 5 end",
        directory.display()
    );
    let path = script(&world, &text);
    let ran = two_pairs(&world, &path, &[("lua.allow_unsafe_vm", "true")]).run();
    ran.exit(0);
    assert_eq!(
        ran.pair("scripted").number("/counts/transferred/total"),
        3,
        "{}",
        ran.told()
    );
    let ran = two_pairs(&world, &path, &[]).run();
    ran.exit(2).says("s.lua:2: module 'measure' not found");
    let options = [
        ("lua.allow_unsafe_vm", "true"),
        ("lua.allow_os_library", "true"),
    ];
    two_pairs(&world, &path, &options)
        .run()
        .exit(2)
        .says("the second includes the first");
}

#[test]
fn debians_cjson_loads() {
    let test = "debians_cjson_loads";
    let found = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|arch| PathBuf::from(format!("/usr/lib/{arch}/lua/5.4/cjson.so")))
        .into_iter()
        .find(|path| path.exists());
    let Some(module) = found else {
        return skipped(test, "lua-cjson is not installed");
    };
    let world = world();
    let text = format!(
        "package.cpath = '{}/?.so'\nlocal cjson = require('cjson')\nfunction filter(o) return cjson.decode(cjson.encode(o)).size == 10 end",
        module.parent().expect("a directory").display()
    );
    let path = script(&world, &text);
    let ran = two_pairs(&world, &path, &[("lua.allow_unsafe_vm", "true")]).run();
    ran.exit(0).transferred(10);
}

#[test]
fn lua_check_tries_a_script_without_a_job() {
    let world = World::new();
    for (name, text, arguments, exit, says) in [
        (
            "samples",
            "function filter(o) return o.size > 1024 end",
            &[][..],
            0,
            &[
                "s.lua: filter, sha256 ",
                "readme.txt                 stays out",
                "the beach.jpg  goes",
            ][..],
        ),
        (
            "a sample",
            "function filter(o) return o.size == 7 end",
            &["--key", "k", "--size", "7"],
            0,
            &["k  goes"],
        ),
        (
            "what it prints",
            "function filter(o) print(o.pair) end",
            &["--key", "k"],
            0,
            &["k  stays out", "sample"],
        ),
        (
            "an error",
            "function filter(o)\n error('no') end",
            &["--key", "k"],
            1,
            &["k  error: s.lua:2: no"],
        ),
        (
            "a limit",
            "function filter(o) while true do end end",
            &["--key", "k", "--lua-callback-timeout-milliseconds", "100"],
            1,
            &["s.lua:1: it took longer than 100ms"],
        ),
        (
            "metadata",
            "function preprocess_callback(s, u) u.metadata.b = '2' return true, u end",
            &["--key", "k", "--metadata", "a=1"],
            0,
            &["k  goes with metadata {\"a\": \"1\", \"b\": \"2\"}"],
        ),
        (
            "what no object can carry",
            "function preprocess_callback(s, u) u.storage_class = 'COLD' return true, u end",
            &["--key", "k"],
            1,
            &["k  error: s.lua: `COLD` is no storage class; it may be STANDARD, "],
        ),
        (
            "a field that does not exist",
            "function preprocess_callback(s, u) u.cache_contrl = 'x' return true, u end",
            &["--key", "k"],
            0,
            &["k  goes as it is; `cache_contrl` is no field of the upload and changes nothing"],
        ),
        (
            "no table",
            "function preprocess_callback(s, u) return true end",
            &["--key", "k"],
            1,
            &["s.lua: it returned true and a nil, not the table of the upload"],
        ),
        (
            "nothing returned",
            "function filter(o) end",
            &["--key", "k", "--size", "4MiB"],
            0,
            &["k  stays out: it returned nothing, which counts as false"],
        ),
        (
            "events of every kind",
            "function on_event(e) print(e.name, e.key, e.byte_written, e.stats_error) end",
            &["--key", "k"],
            0,
            &[
                "s.lua: on_event, sha256 ",
                "PIPELINE_START",
                "SYNC_WRITE\tk\t1024\tnil",
                "SYNC_ANNOTATION_DELETED  k        heard",
                "STATS_REPORT\tnil\tnil\t0",
            ],
        ),
        (
            "an event",
            "function on_event(e) print(e.message .. 1) end",
            &["--key", "a", "--key", "b", "--event", "SYNC_START"],
            1,
            &[
                "SYNC_START  a  error: s.lua:1: attempt to concatenate a nil value (field 'message')",
                "SYNC_START  b  error: s.lua:1:",
            ],
        ),
        (
            "no such library",
            "function filter() return os.time() > 0 end",
            &["--key", "k"],
            1,
            &["(global 'os'); lua.allow_os_library gives it os and io"],
        ),
        (
            "no such module",
            "require('nowhere')",
            &[],
            2,
            &["module 'nowhere' not found; one written in C needs lua.allow_unsafe_vm"],
        ),
        (
            "a wrong name",
            "function filtr() end",
            &[],
            2,
            &["`on_event`, but `filtr`"],
        ),
        ("grammar", "function filter(", &[], 2, &["error: s.lua:1:"]),
        (
            "no function",
            "x = 1",
            &[],
            2,
            &["s.lua: it has none of the functions `filter`"],
        ),
        (
            "another kind",
            "function filter() end",
            &["--kind", "preprocess"],
            2,
            &["s.lua: it has no function `preprocess_callback`"],
        ),
        (
            "a library",
            "function filter() return os.time() > 0 end",
            &["--key", "k", "--allow-lua-os-library"],
            0,
            &["k  goes"],
        ),
        (
            "two libraries",
            "function filter() end",
            &["--allow-lua-os-library", "--allow-lua-unsafe-vm"],
            2,
            &["the second includes the first"],
        ),
        (
            "half a pair",
            "function filter() end",
            &["--metadata", "a"],
            2,
            &["`--metadata a` has no `=`"],
        ),
    ] {
        case(format_args!("{name}"));
        let path = script(&world, text).display().to_string();
        let ran = world
            .command(&["lua", "check", &path])
            .arguments(arguments)
            .run();
        ran.exit(exit);
        for says in says {
            ran.says(says);
        }
    }
    world
        .command(&["lua", "check", "nowhere.lua"])
        .run()
        .exit(2)
        .says("cannot read the script `nowhere.lua`");
}

/// Of a key that only the target has, a check need not know more than that it could not tell.
#[test]
fn a_filter_that_fails_on_what_only_the_target_has_fails_that_key_alone() {
    let world = world();
    for key in ["one/extra1", "one/extra2", "one/extra3"] {
        world.put("target", key, b"1");
    }
    let text = "function filter(o) if o.key == 'extra2' then error('no') end return true end";
    let path = script(&world, text);
    let check = |policy: &str| {
        let run = world.job().pair("scripted", "tree", "s3://target/one/");
        let run = run.set(SCRIPT, &quoted(&path));
        run.set("lua.on_error", policy).called("check").run()
    };
    let ran = check("'fail_object'");
    ran.exit(3).says("filter `extra2`").says("s.lua:1: no");
    let extra = ran.pair("scripted").count("compared/only_in_target");
    assert_eq!(extra, 2, "{}", ran.told());
    check("'fail_pair'").exit(1);
}
