/*! What event scripts and hooks hear, held against what s3sync 1.62.4 tells.

The expected lines are those the same script wrote under 1.62.4 against the same sandbox, but for
what its release notes would name: `SYNC_COMPLETE` comes before what is verified in every direction
(there after it when downloading), each attempt begins with a `SYNC_START` of its own, and an
archived, unreadable or failed object says more of its source.
*/

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use s3sync::event::{Event, Sink as _, Tally, Warned};
use s3sync::hook::{Announcer, Ended, EventHook, EventKind, HookError, HookEvent, event_fn};
use s3sync::sandbox::{Action, Rule, When};
use s3sync::{Hooks, Job};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::engine_room;
use crate::support::case;
use crate::world::{Headers, Ran, Run, World, content};

const MIB: usize = 1 << 20;

/// Writes one line for each event: its name and its fields, in the order of 1.x's documentation.
/// Times, versions and ids change from run to run: of them only the names.
const SCRIPT: &str = r#"
local names = {
  "PIPELINE_START", "PIPELINE_END", "SYNC_START", "SYNC_COMPLETE", "SYNC_DELETE",
  "SYNC_ETAG_VERIFIED", "SYNC_CHECKSUM_VERIFIED", "SYNC_ETAG_MISMATCH", "SYNC_CHECKSUM_MISMATCH",
  "SYNC_WARNING", "PIPELINE_ERROR", "SYNC_CANCEL", "SYNC_WRITE", "SYNC_FILTERED", "STATS_REPORT",
  "SYNC_ANNOTATION_ETAG_VERIFIED", "SYNC_ANNOTATION_ETAG_MISMATCH", "SYNC_ANNOTATION_DELETED",
}
local fields = {
  "key", "source_size", "target_size", "checksum_algorithm", "source_checksum", "target_checksum",
  "source_etag", "target_etag", "source_content_type", "source_user_defined_metadata",
  "source_tagging", "annotation_name", "byte_written", "part_number", "message",
  "stats_transferred_byte", "stats_transferred_object", "stats_etag_verified",
  "stats_etag_mismatch", "stats_checksum_verified", "stats_checksum_mismatch", "stats_deleted",
  "stats_skipped", "stats_error", "stats_warning",
}
local varying = {
  "source_version_id", "target_version_id", "source_last_modified", "target_last_modified",
  "upload_id",
}
function on_event(event)
  local name
  for place, known in ipairs(names) do
    if event.event_type == 1 << place then name = known end
  end
  assert(name == event.name, event.name)
  assert(event.pair == "pair" and #event.run_id > 10)
  local line = name
  if event.dry_run then line = line .. " dry_run" end
  for _, field in ipairs(fields) do
    if event[field] ~= nil then line = line .. " " .. field .. "=" .. tostring(event[field]) end
  end
  for _, field in ipairs(varying) do
    if event[field] ~= nil then line = line .. " " .. field end
  end
  -- whatever becomes of quotes on the way to the terminal
  log.warn("<<" .. (event.relative_key or "") .. "|" .. line:gsub('"', "'") .. ">>")
end
"#;

/// What a script wrote: the lines of each object, and those of the pair under the empty key.
fn heard(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for said in [&ran.stdout, &ran.stderr] {
        for piece in said.split("<<").skip(1) {
            let (line, _) = piece.split_once(">>").expect("a whole line");
            let (key, line) = line.split_once('|').expect("a key");
            heard
                .entry(key.to_owned())
                .or_default()
                .push(line.to_owned());
        }
    }
    heard
}

/// Asserts what was heard of one object; parts in whatever order they were written.
#[track_caller]
fn heard_of(ran: &Ran, key: &str, expected: &[&str]) {
    let mut lines = heard(ran).remove(key).unwrap_or_default();
    let mut parts: Vec<_> = (lines.iter())
        .filter(|line| line.contains("part_number"))
        .cloned()
        .collect();
    parts.sort_by_key(|line| line.split("part_number=").nth(1).map(str::to_owned));
    let mut parts = parts.into_iter();
    for line in &mut lines {
        if line.contains("part_number") {
            *line = parts.next().expect("as many");
        }
    }
    assert_eq!(lines, expected, "{key} of {}", ran.told());
}

/// A pair with the script.
fn pair<'w>(world: &'w World, run: Run<'w>, source: &str, target: &str) -> Run<'w> {
    std::fs::write(world.path("events.lua"), SCRIPT).expect("a script");
    run.pair("pair", source, target)
        .set("lua.event_script", "\"events.lua\"")
        .arguments(&["-v"])
}

/// A small file, and a large one of three parts, at both places.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.write("small", b"hello")
        .file("large", 11 * MIB)
        .touch("small", 1_700_000_000)
        .touch("large", 1_700_000_000);
    world.put("first", "from/small", b"hello");
    let sizes = [5 * MIB, 5 * MIB, MIB];
    world.put_in_parts("first", "from/large", &content("large", 11 * MIB), &sizes);
    world
}

#[test]
fn every_way_of_writing_tells_each_step() {
    const SMALL: &str = "5d41402abc4b2a76b9719d911017c592";
    let world = world();
    let large = world.head("first", "from/large");
    let large = large.e_tag().expect("an ETag").trim_matches('"').to_owned();
    for (way, source, target, inside) in [
        ("up", "tree", "s3://second/up/", "up/"),
        (
            "across",
            "s3://first/from/",
            "s3://second/across/",
            "across/",
        ),
        ("copy", "s3://first/from/", "s3://second/copy/", "copy/"),
        ("down", "s3://first/from/", "down", ""),
    ] {
        case(format_args!("{way}"));
        let mut run = pair(&world, world.job_in_small_parts(), source, target);
        if way == "copy" {
            run = run.set("server_side_copy", "true");
        }
        let ran = run.run();
        ran.exit(0);
        let own_etag = |etag: &str| match way {
            "up" => String::new(),
            _ => format!(" source_etag='{etag}'"),
        };
        let (size, etag) = ("source_size=5 target_size=5", own_etag(SMALL));
        heard_of(
            &ran,
            "small",
            &[
                "SYNC_START key=small",
                &format!("SYNC_WRITE key={inside}small source_size=5 byte_written=5"),
                &format!("SYNC_COMPLETE key={inside}small {size}{etag} source_last_modified"),
                &format!(
                    "SYNC_ETAG_VERIFIED key={inside}small {size} source_etag='{SMALL}' target_etag='{SMALL}' source_last_modified"
                ),
            ],
        );
        let id = if way == "down" { "" } else { " upload_id" };
        let part = |number: u64, bytes: usize| {
            format!(
                "SYNC_WRITE key={inside}large source_size=11534336 byte_written={bytes} part_number={number}{id}"
            )
        };
        let (size, etag) = (
            "source_size=11534336 target_size=11534336",
            own_etag(&large),
        );
        heard_of(
            &ran,
            "large",
            &[
                "SYNC_START key=large",
                &part(1, 5 * MIB),
                &part(2, 5 * MIB),
                &part(3, MIB),
                &format!("SYNC_COMPLETE key={inside}large {size}{etag} source_last_modified"),
                &format!(
                    "SYNC_ETAG_VERIFIED key={inside}large {size} source_etag='{large}' target_etag='{large}' source_last_modified"
                ),
            ],
        );
        heard_of(
            &ran,
            "",
            &[
                "PIPELINE_START",
                "PIPELINE_END",
                "STATS_REPORT stats_transferred_byte=11534341 stats_transferred_object=2 stats_etag_verified=2 stats_etag_mismatch=0 stats_checksum_verified=0 stats_checksum_mismatch=0 stats_deleted=0 stats_skipped=0 stats_error=0 stats_warning=0",
            ],
        );
    }
}

#[test]
fn what_stays_where_it_is_says_why() {
    let world = world();
    world
        .tree("tree")
        .write("left.csv", b"out")
        .touch("left.csv", 1_700_000_000);
    let run = || {
        pair(
            &world,
            world.job_in_small_parts(),
            "tree",
            "s3://second/up/",
        )
    };
    let filtered = || run().set("filter.exclude_regex", "[\"csv$\"]");
    let dry = filtered().arguments(&["--dry-run"]).run();
    heard_of(
        dry.exit(0),
        "small",
        &[
            "SYNC_START dry_run key=small",
            "SYNC_COMPLETE dry_run key=small source_size=5 target_size=5 source_last_modified",
        ],
    );
    assert_eq!(world.list("second", "").len(), 0);
    filtered().run().exit(0);
    let ran = filtered().run();
    ran.exit(0);
    heard_of(
        &ran,
        "left.csv",
        &[
            "SYNC_FILTERED key=left.csv source_size=3 message=Filtered by --filter-exclude-regex source_last_modified",
        ],
    );
    heard_of(
        &ran,
        "small",
        &[
            "SYNC_FILTERED key=small source_size=5 target_size=5 target_etag=5d41402abc4b2a76b9719d911017c592 message=Filtered by last modified time or size or etag(not modified) source_last_modified target_last_modified",
        ],
    );
    assert_eq!(
        world.faults().calls("HeadObject"),
        0,
        "nothing is asked for events"
    );
    world.tree("tree").file("cache/unseen", 1);
    let globs = "[\"*.csv\", \"cache/**\"]";
    let ran = run().set("filter.exclude", globs).run();
    // nobody looks into a directory of which all stays out: it is told for what is there
    heard_of(
        &ran,
        "cache/",
        &["SYNC_FILTERED key=cache/ message=Filtered by filter.exclude"],
    );
    let lines = &heard(&ran)["left.csv"];
    assert!(
        lines[0].contains("message=Filtered by filter.exclude source"),
        "{lines:?}"
    );
    let ran = run().called("check").run();
    heard_of(
        ran.exit(3),
        "left.csv",
        &[
            "SYNC_WARNING dry_run key=left.csv source_size=3 message=not in the target source_last_modified",
        ],
    );
}

#[test]
fn the_scripts_of_1x_run_as_they_are() {
    let scripts = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/predecessor/scripts"
    );
    let world = world();
    for (script, figures) in [
        ("event_callback.lua", "UNKNOWN_EVENT"),
        ("event_callback_example.lua", "stats_transferred_object:\t2"),
    ] {
        case(format_args!("{script}"));
        let path = format!("\"{scripts}/{script}\"");
        let ran = world
            .job_in_small_parts()
            .pair("pair", "tree", &format!("s3://second/{script}/"))
            .set("lua.event_script", &path)
            .arguments(&["-v"])
            .run();
        ran.exit(0).transferred(2);
        for words in ["PIPELINE_START", "SYNC_WRITE", "SYNC_ETAG_VERIFIED"] {
            ran.says(words);
        }
        // what becomes of a tab on the way to the terminal
        let said = format!("{}{}", ran.stdout, ran.stderr).replace("\\t", "\t");
        assert!(said.contains(figures), "{}", ran.told());
    }
    let skip = format!("\"{scripts}/preprocess_callback_skip.lua\"");
    let job = world.job();
    let ran = pair(&world, job, "tree", "s3://second/skipped/")
        .set("lua.preprocess_script", &skip)
        .run();
    heard_of(
        ran.exit(0).transferred(0),
        "small",
        &[
            "SYNC_START key=small",
            "SYNC_CANCEL key=small source_size=5 source_last_modified",
        ],
    );
}

#[test]
fn what_a_filter_looked_at_is_told() {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let headers = Headers {
        content_type: Some("text/x-b"),
        user: &[("k", "v"), ("a", "b")],
        ..Headers::NONE
    };
    world.put_with("first", "b", b"bb", &headers);
    world.tag("first", "b", &[("t1", "x"), ("a", "b")]);
    for (filter, flag, field) in [
        (
            "content_type",
            "content-type",
            "source_content_type=text/x-b",
        ),
        (
            "metadata",
            "metadata",
            "source_user_defined_metadata=a=b,k=v",
        ),
        ("tag", "tag", "source_tagging=a=b&t1=x"),
    ] {
        case(format_args!("{filter}"));
        let ran = pair(&world, world.job(), "s3://first/", "s3://second/")
            .set(&format!("filter.exclude_{filter}_regex"), "[\".\"]")
            .run();
        let lines = heard(ran.exit(0)).remove("b").unwrap_or_default();
        let message = format!("message=Filtered by --filter-exclude-{flag}-regex");
        assert!(
            lines[0].contains(&message) && lines[0].contains(field),
            "{lines:?}"
        );
    }
}

#[test]
fn damage_is_told_although_it_is_repaired() {
    for (struck, code, last) in [
        (When::First(1), 0, "SYNC_ETAG_VERIFIED"),
        (When::Always, 1, "SYNC_WARNING"),
    ] {
        case(format_args!("{struck:?}"));
        let world = world();
        let rule = Rule::new(Action::WrongETag).operation("PutObject");
        world.faults().add(rule.when(struck));
        let job = world.job();
        let ran = pair(&world, job, "tree", "s3://second/")
            .set("filter.include_regex", "[\"small\"]")
            .run();
        ran.exit(code);
        let lines = &heard(&ran)["small"];
        let kinds: Vec<_> = lines.iter().map(|line| line.split(' ').next()).collect();
        let mismatch = lines
            .iter()
            .find(|line| line.starts_with("SYNC_ETAG_MISMATCH"));
        let mismatch = mismatch.unwrap_or_else(|| panic!("no mismatch: {lines:?}"));
        assert!(
            mismatch.contains("source_etag='5d41402abc4b2a76b9719d911017c592' target_etag='"),
            "{mismatch}"
        );
        let first = [
            Some("SYNC_START"),
            Some("SYNC_WRITE"),
            Some("SYNC_ETAG_MISMATCH"),
        ];
        assert_eq!(
            kinds[..4],
            [&first[..], &[Some("SYNC_START")]].concat(),
            "{lines:?}"
        );
        assert_eq!(kinds.last(), Some(&Some(last)), "{lines:?}");
        let ends = &heard(&ran)[""];
        let told = ends
            .iter()
            .any(|line| line.starts_with("PIPELINE_ERROR message=1 object failed"));
        assert_eq!(told, code == 1, "{ends:?}");
        let stats = format!("stats_etag_mismatch={code}");
        assert!(
            ends.last().is_some_and(|line| line.contains(&stats)),
            "{ends:?}"
        );
    }
}

#[test]
fn versions_markers_and_annotations_are_told() {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    world.put("first", "a", b"one");
    world.remove("first", "a");
    let job = world.job();
    let ran = pair(&world, job, "s3://first/", "s3://second/to/")
        .set("versioning.enabled", "true")
        .run();
    ran.exit(0);
    let lines = &heard(&ran)["a"];
    assert_eq!(
        lines.last().map(String::as_str),
        Some("SYNC_DELETE key=a source_version_id target_version_id"),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with("SYNC_WRITE key=to/a source_size=3 byte_written=3 source_version_id"),
        "{lines:?}"
    );
    world.put("first", "b", b"two");
    world.annotate("first", "b", "note", b"text");
    let run = || {
        pair(&world, world.job(), "s3://first/", "s3://second/beside/")
            .set("annotations.sync_latest", "true")
    };
    let ran = run().run();
    ran.exit(0);
    let lines = heard(&ran).remove("b").unwrap_or_default();
    let noted: Vec<_> = (lines.iter())
        .filter(|line| line.contains("annotation_name=note"))
        .collect();
    assert_eq!(noted.len(), 2, "{lines:?}");
    assert!(
        noted[0].starts_with("SYNC_WRITE key=beside/b source_size=4 target_size=4"),
        "{noted:?}"
    );
    assert!(
        noted[1].starts_with("SYNC_ANNOTATION_ETAG_VERIFIED key=beside/b target_size=4"),
        "{noted:?}"
    );
    world.unannotate("first", "b", "note");
    let ran = run().run();
    let lines = heard(ran.exit(0)).remove("b").unwrap_or_default();
    let deleted = "SYNC_ANNOTATION_DELETED key=beside/b annotation_name=note";
    assert!(
        lines.iter().any(|line| line.starts_with(deleted)),
        "{lines:?}"
    );
}

#[test]
fn a_pair_that_fails_still_has_its_end() {
    let world = world();
    let job = world.job();
    let ran = pair(&world, job, "tree", "s3://nowhere/").run();
    let lines = heard(ran.exit(1)).remove("").unwrap_or_default();
    let kinds: Vec<_> = (lines.iter())
        .filter_map(|line| line.split(' ').next())
        .collect();
    let expected = [
        "PIPELINE_START",
        "PIPELINE_ERROR",
        "PIPELINE_END",
        "STATS_REPORT",
    ];
    assert_eq!(kinds, expected, "{lines:?}");
    assert!(lines[1].contains("there is no such bucket"), "{lines:?}");
    assert!(lines[3].contains("stats_error=1"), "{lines:?}");
}

#[test]
fn a_script_that_fails_warns_once_with_its_count() {
    let world = world();
    for (script, warning) in [
        (
            "function on_event(event)\n  if event.key then error('no ' .. event.key) end\nend",
            Some("the event script `own.lua` failed 10 times, first: own.lua:2: no "),
        ),
        (
            "x = 1",
            Some("it has no function `on_event`, and hears nothing"),
        ),
        ("function on_event(event) return 'whatever', 1 end", None),
        (
            "function on_event(event)\n  while event.name == 'SYNC_COMPLETE' do end\nend",
            Some("it took longer than"),
        ),
    ] {
        case(format_args!("{script}"));
        std::fs::write(world.path("own.lua"), script).expect("a script");
        let ran = world
            .job()
            .pair(
                "pair",
                "s3://first/from/",
                &format!("s3://second/{}/", script.len()),
            )
            .set("lua.event_script", "\"own.lua\"")
            .set("lua.callback_timeout", "\"1s\"")
            .set("server_side_copy", "true")
            .set("verify.multipart", "true")
            .run();
        ran.exit(if warning.is_some() { 3 } else { 0 })
            .transferred(2);
        let samples = &ran.pair("pair").report["warnings_sample"];
        let warnings = samples.as_array().map_or(0, Vec::len);
        assert_eq!(warnings, usize::from(warning.is_some()), "{}", ran.told());
        if let Some(warning) = warning {
            let said = samples[0]["message"].as_str().unwrap_or_default();
            assert!(said.contains(warning), "{said}");
        }
    }
    let strict = pair(
        &world,
        world.job(),
        "s3://first/from/",
        "s3://second/strict/",
    );
    std::fs::write(world.path("events.lua"), "x = 1").expect("a script");
    strict
        .set("warnings.as_error", "true")
        .run()
        .exit(1)
        .transferred(2);
}

#[test]
fn a_script_that_does_not_end_hears_the_rest_until_it_is_given_up() {
    // once in C, where only its interpreter can be given up
    let once = "(('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60) .. 'b')";
    for (name, text, heard, warning) in [
        (
            "once",
            format!(
                "if event.relative_key == '3' and event.name == 'SYNC_COMPLETE' then {once} end"
            ),
            None,
            "failed 1 time, first: own.lua: it took longer than",
        ),
        (
            "always",
            "while event.relative_key do end".to_owned(),
            Some("were not told to it"),
            "failed 3 times, first: own.lua:",
        ),
    ] {
        case(format_args!("{name}"));
        let world = World::new();
        world.bucket("target");
        for key in 0..20 {
            world.tree("tree").file(&key.to_string(), 10);
        }
        let log = world.path("heard");
        let script = format!(
            "function on_event(event)\n {text}\n local file = io.open('{}', 'a') file:write(event.name, '\\n') file:close() end",
            log.display()
        );
        std::fs::write(world.path("own.lua"), script).expect("a script");
        let ran = (world.job().pair("pair", "tree", "s3://target/"))
            .set("lua.event_script", "\"own.lua\"")
            .set("lua.allow_os_library", "true")
            .set("lua.callback_timeout", "\"1s\"")
            .run();
        ran.exit(3).transferred(20);
        let samples = &ran.pair("pair").report["warnings_sample"];
        assert_eq!(samples.as_array().map_or(0, Vec::len), 1, "{}", ran.told());
        let said = samples[0]["message"].as_str().unwrap_or_default();
        assert!(said.contains(warning), "{said}");
        let lines = std::fs::read_to_string(&log).unwrap_or_default();
        match heard {
            // 20 times begun, written, complete and verified, three of the pair, and not one
            None => assert_eq!(lines.lines().count(), 20 * 4 + 3 - 1, "{lines}"),
            Some(given_up) => assert!(said.contains(given_up), "{said}"),
        }
    }
}

/// Hears what happens, as slowly as it is let.
#[derive(Debug)]
struct Listener {
    heard: Mutex<Vec<(EventKind, Option<String>)>>,
    /// As many events as it may hear.
    may: Semaphore,
    panics: bool,
}

impl Listener {
    fn new(may: usize) -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::default(),
            may: Semaphore::new(may),
            panics: false,
        })
    }

    fn heard(&self) -> Vec<(EventKind, Option<String>)> {
        self.heard.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl EventHook for Listener {
    fn name(&self) -> String {
        "the listener".to_owned()
    }

    async fn on_event(&self, event: &HookEvent) -> Result<(), HookError> {
        assert!(!self.panics, "as it was told to");
        self.may.acquire().await.expect("never closed").forget();
        let mut heard = self.heard.lock().expect("no panic");
        heard.push((event.kind, event.key.clone()));
        Ok(())
    }
}

fn start(hooks: &[Arc<dyn EventHook>], stop: &CancellationToken) -> Arc<Announcer> {
    let pair = engine_room::pair();
    Announcer::start(hooks, &pair, ("run", false), Warned::default(), stop).expect("hooks")
}

fn ended(tally: &Tally) -> Ended<'_> {
    Ended { tally, error: None }
}

fn warning(number: usize) -> Event {
    let message = number.to_string();
    Event::Warning { message }
}

#[tokio::test]
async fn a_slow_hook_holds_back_what_makes_events_and_loses_none() {
    let listener = Listener::new(0);
    let stop = CancellationToken::new();
    let announcer = start(&[Arc::clone(&listener) as Arc<dyn EventHook>], &stop);
    let backlog = announcer.backlog();
    let mut made = 0;
    while futures::FutureExt::now_or_never(backlog.room()).is_some() {
        announcer.event(&warning(made));
        made += 1;
        assert!(made < 20_000, "nobody is held back");
    }
    assert!(made > 9_000, "held back after {made}");
    listener.may.add_permits(10_000);
    // it goes on once there is room again
    backlog.room().await;
    listener.may.add_permits(10_000);
    let warnings = announcer
        .end(ended(&Tally::default()), Duration::ZERO)
        .await;
    assert_eq!(warnings, [""; 0]);
    // its beginning, all of them, its end and its figures
    let heard = listener.heard();
    assert_eq!(heard.len(), made + 3);
    assert_eq!(heard[0].0, EventKind::PipelineStart);
    assert_eq!(heard[made + 2].0, EventKind::StatsReport);
}

#[tokio::test]
async fn a_stopped_run_tells_how_much_was_not_heard() {
    let listener = Listener::new(0);
    let stop = CancellationToken::new();
    let announcer = start(&[listener], &stop);
    for number in 0..10_001 {
        announcer.event(&warning(number));
    }
    stop.cancel();
    // nobody waits for it any more
    announcer.backlog().room().await;
    let grace = Duration::from_millis(1);
    let warnings = announcer.end(ended(&Tally::default()), grace).await;
    assert_eq!(
        warnings,
        ["the run was stopped, and 10004 events were not told to its event hooks"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_hears_what_a_script_would() {
    let world = tempfile::tempdir().expect("a directory");
    let tree = world.path().join("tree");
    std::fs::create_dir(&tree).expect("a directory");
    std::fs::write(tree.join("a"), "hello").expect("a file");
    let job = Job::pair(tree.display().to_string(), "s3://bucket/to/")
        .set(
            "report.dir",
            world.path().join("reports").display().to_string(),
        )
        .set("sandbox.dir", world.path().join("s3").display().to_string())
        .build()
        .expect("a job");
    let heard: Arc<Mutex<Vec<HookEvent>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let hooks = Hooks::new()
        .event(event_fn("listener", move |event| {
            hears.lock().expect("no panic").push(event.clone());
            Ok(())
        }))
        .event(event_fn("failing", |_| Err(HookError::new("not today"))));
    let run = s3sync::Run::new(job).hooks(hooks);
    let summary = run.start().expect("it starts").finished().await;
    let heard = heard.lock().expect("no panic");
    let kinds: Vec<_> = heard.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::PipelineStart,
        EventKind::SyncStart,
        EventKind::SyncWrite,
        EventKind::SyncComplete,
        EventKind::SyncETagVerified,
        EventKind::PipelineEnd,
        EventKind::StatsReport,
    ];
    assert_eq!(kinds, expected, "{heard:?}");
    let complete = &heard[3];
    assert_eq!(complete.key.as_deref(), Some("a"));
    assert_eq!(complete.target_key.as_deref(), Some("to/a"));
    assert_eq!(complete.target.size, Some(5));
    let stats = heard[6].stats.as_ref().expect("figures");
    assert_eq!((stats.transferred, stats.transferred_bytes), (1, 5));
    // one that fails is a warning
    assert_eq!(summary.pairs[0].statistics.warnings, 1, "{summary:?}");
}

#[tokio::test]
async fn a_panic_over_one_event_loses_no_other() {
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let picky = event_fn("picky", move |event| {
        *counted.lock().expect("no panic holds it") += 1;
        assert_ne!(event.message.as_deref(), Some("1"), "as it was told to");
        Ok(())
    });
    let announcer = start(&[Arc::new(picky)], &CancellationToken::new());
    for number in 0..5 {
        announcer.event(&warning(number));
    }
    let warnings = announcer
        .end(ended(&Tally::default()), Duration::ZERO)
        .await;
    // its beginning, five, its end and its figures
    assert_eq!(*calls.lock().expect("no panic"), 8);
    assert_eq!(warnings, ["picky failed 1 time, first: it panicked"]);
}

#[tokio::test]
async fn a_hook_that_panics_keeps_nobody_from_hearing() {
    let panics = Arc::new(Listener {
        panics: true,
        ..Arc::into_inner(Listener::new(0)).expect("the only one")
    });
    let listener = Listener::new(1000);
    let announcer = start(&[panics, listener.clone()], &CancellationToken::new());
    announcer.event(&warning(1));
    let warnings = announcer
        .end(ended(&Tally::default()), Duration::ZERO)
        .await;
    assert_eq!(listener.heard().len(), 4);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("the listener failed"),
        "{warnings:?}"
    );
}
