//! Objects that the chosen size would cut into more parts than S3 takes.

use std::fs;
use std::sync::Arc;

use s3sync::engine::run_between;
use s3sync::event::Event;
use s3sync::object::Timestamp;
use s3sync::plan::Direction;
use s3sync::sandbox::{Action, Rule};
use s3sync::store::memory::MemoryStore;
use serde_json::Value;

use crate::engine_room::{Told, context, ends, pair};
use crate::support::{case, key};
use crate::world::{Wire, World, content};

const MIB: usize = 1 << 20;

/// Statement 50: more than 10,000 parts at the chosen size → the part size grows.
#[tokio::test]
async fn parts_grow_to_whole_mebibytes_and_the_object_is_proved() {
    for (name, size, chunksize, expected) in [
        ("10,000 parts", 10_000 * 1024, 1024, (10_000, 1024)),
        ("one byte more", 10_000 * 1024 + 1, 1024, (10, MIB as u64)),
        ("far more", 20 * MIB + 1, 1024, (21, MIB as u64)),
    ] {
        case(format_args!("{name}"));
        let (source, target) = (MemoryStore::new(), MemoryStore::new());
        let bytes = content(name, size);
        source.insert(&key("large"), bytes.clone(), Timestamp::now());
        let mut pair = pair();
        pair.multipart_chunksize = chunksize;
        let told = Arc::new(Told::default());
        run_between(
            ends(&source, &target, Direction::LocalToS3),
            &pair,
            &context(&told),
        )
        .await
        .expect("a run");
        let parts = told.events().into_iter().find_map(|event| match event {
            Event::Transferred { conduct, .. } => conduct.parts,
            _ => None,
        });
        let (count, size) = expected;
        assert_eq!(parts, Some((count, Some(size))), "{name}");
        assert_eq!(told.verified(), 1, "{name}");
        let arrived = target.get(&key("large")).expect("the object");
        assert_eq!(arrived.parts.len(), usize::from(count), "{name}");
        assert!(arrived.bytes == bytes, "{name}");
    }
}

/// Statement 50: more than 10,000 parts at the chosen size → the report says so.
#[test]
fn parts_that_grow_are_sent_as_large_as_the_report_says() {
    let mut world = World::new();
    world.bucket("second");
    let wire = Wire::between(&mut world);
    let tree = world.tree("tree");
    // a hole: nothing of it is on the disk
    let size = 10_000 * 5 * MIB as u64 + 1;
    let file = fs::File::create(tree.join("large")).expect("a file");
    file.set_len(size).expect("a sparse file");
    // one part is enough to see how long they are
    let refused = Rule::new(Action::Refuse {
        status: 400,
        code: "InvalidArgument".to_owned(),
        retry_after: None,
    });
    world.faults().add(refused.operation("UploadPart"));
    let job = world.job_in_small_parts();
    let ran = job.pair("pair", "tree", "s3://second/").run();
    ran.exit(1);
    let heads = wire.heads();
    let parts: Vec<_> = heads
        .iter()
        .filter(|head| head.starts_with("PUT"))
        .collect();
    assert!(!parts.is_empty(), "{}", ran.told());
    let told = format!("content-length: {}", 6 * MIB);
    assert!(parts.iter().all(|head| head.contains(&told)), "{parts:?}");
    let log = world.path("reports/job/latest/log.ndjson");
    let log = fs::read_to_string(log).expect("the log");
    let lines = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let said = lines
        .filter(|line: &Value| line.to_string().contains("10,000"))
        .count();
    assert_eq!(said, 1, "{log}");
    let said = log.contains("\"part_size\":6291456");
    assert!(said, "{log}");
    assert_eq!(world.uploads("second"), [""; 0]);
}
