//! A script that hears what happens.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use mlua::{Lua, Table};

use super::Script;
use super::vm::{Interpreter, Vm};
use crate::hook::{EventHook, EventKind, EventStats, Fails, HookError, HookEvent};

/// The script's function.
const FUNCTION: &str = "on_event";

/// Tells a script.
#[derive(Debug)]
pub(super) struct LuaEvents {
    vm: Vm,
    name: String,
    /// Whether it was told that the script has no function: once is enough.
    told_missing: Arc<AtomicBool>,
    /// Whether it was given up.
    is_over: AtomicBool,
    /// How many events it was not told after that.
    unheard: AtomicU64,
}

impl LuaEvents {
    pub(super) fn new(vm: Vm, script: &Script) -> Self {
        Self {
            vm,
            name: format!("the event script `{}`", script.name()),
            told_missing: Arc::default(),
            is_over: AtomicBool::new(false),
            unheard: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl EventHook for LuaEvents {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn on_event(&self, event: &HookEvent) -> Result<(), HookError> {
        let errors = self.on_events(vec![event.clone()].into()).await;
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// Where a call does not end, the events after it are told all the same, until the script is
    /// given up.
    async fn on_events(&self, events: Arc<[HookEvent]>) -> Vec<HookError> {
        let mut errors = Vec::new();
        let mut heard = 0;
        while heard < events.len() && !self.is_over.load(Ordering::Relaxed) {
            let (answer, answered) = mpsc::channel();
            let (batch, told_missing) = (Arc::clone(&events), Arc::clone(&self.told_missing));
            let done = self.vm.run(move |interpreter| {
                for given in tell_all(interpreter, &batch[heard..], &told_missing) {
                    if answer.send(given).is_err() || interpreter.given_up().is_some() {
                        return;
                    }
                }
            });
            let done = done.await;
            for given in answered.try_iter() {
                heard += 1;
                errors.extend(given.err());
            }
            if let Err(error) = done {
                heard += usize::from(error.fails == Fails::Object);
                errors.push(error);
            }
            let is_over = |error: &HookError| error.fails == Fails::Pair;
            if errors.last().is_some_and(is_over) {
                self.is_over.store(true, Ordering::Relaxed);
            }
        }
        let unheard = events.len().saturating_sub(heard) as u64;
        self.unheard.fetch_add(unheard, Ordering::Relaxed);
        errors
    }

    fn unheard(&self) -> u64 {
        self.unheard.load(Ordering::Relaxed)
    }
}

/// What comes of telling some events, one after the other.
fn tell_all<'a>(
    interpreter: &'a Interpreter,
    events: &'a [HookEvent],
    told_missing: &'a AtomicBool,
) -> impl Iterator<Item = Result<(), HookError>> + 'a {
    let function = interpreter.function(FUNCTION);
    events.iter().map(move |event| match &function {
        Ok(function) => {
            interpreter.call(|| function.call::<()>(table_of(&interpreter.lua, event)?))
        }
        Err(error) if !told_missing.swap(true, Ordering::Relaxed) => Err(HookError {
            message: format!("{}, and hears nothing", error.message),
            ..error.clone()
        }),
        Err(_) => Ok(()),
    })
}

/// What a script makes of an event that did not happen, in words.
pub(super) fn try_on(interpreter: &Interpreter, event: &HookEvent) -> Result<String, HookError> {
    let function = interpreter.function(FUNCTION)?;
    interpreter.call(|| function.call::<()>(table_of(&interpreter.lua, event)?))?;
    Ok("heard".to_owned())
}

/// The table s3sync 1.x gives its scripts, and `name`, `pair`, `run_id` and `relative_key`.
fn table_of(lua: &Lua, event: &HookEvent) -> mlua::Result<Table> {
    let quoted = is_quoted(event.kind);
    let etag = |etag: &Option<String>| {
        (etag.as_deref()).map(|etag| {
            if quoted {
                format!("\"{etag}\"")
            } else {
                etag.to_owned()
            }
        })
    };
    let table = Fields(lua.create_table_with_capacity(0, 24)?);
    table.set("event_type", Some(event.kind.bit()))?;
    table.set("name", Some(event.kind.as_str()))?;
    table.set("pair", Some(&*event.pair))?;
    table.set("run_id", Some(&*event.run_id))?;
    table.set("dry_run", Some(event.dry_run))?;
    table.set(
        "key",
        event
            .target_key
            .as_ref()
            .or(event.key.as_ref())
            .map(String::as_str),
    )?;
    table.set("relative_key", event.key.as_deref())?;
    let (source, target) = (&event.source, &event.target);
    table.set("source_version_id", source.version.as_deref())?;
    table.set("target_version_id", target.version.as_deref())?;
    table.set(
        "source_last_modified",
        source.modified.map(|time| time.rfc3339()),
    )?;
    table.set(
        "target_last_modified",
        target.modified.map(|time| time.rfc3339()),
    )?;
    table.set("source_size", source.size)?;
    table.set("target_size", target.size)?;
    let algorithm = event.checksum_algorithm.map(|algorithm| algorithm.as_str());
    table.set("checksum_algorithm", algorithm)?;
    table.set("source_checksum", source.checksum.as_deref())?;
    table.set("target_checksum", target.checksum.as_deref())?;
    table.set("source_etag", etag(&source.etag))?;
    table.set("target_etag", etag(&target.etag))?;
    table.set("source_content_type", event.source_content_type.as_deref())?;
    let metadata = event.source_user_metadata.as_deref();
    table.set("source_user_defined_metadata", metadata)?;
    table.set("source_tagging", event.source_tagging.as_deref())?;
    table.set("annotation_name", event.annotation.as_deref())?;
    if let Some(written) = &event.written {
        table.set("byte_written", Some(written.bytes))?;
        table.set("upload_id", written.upload_id.as_deref())?;
        table.set("part_number", written.part_number.map(u16::from))?;
    }
    table.set("message", event.message.as_deref())?;
    if let Some(stats) = &event.stats {
        table.set_stats(stats)?;
    }
    Ok(table.0)
}

/// Whether 1.x has the quotes of S3's headers around the ETags of such an event.
fn is_quoted(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::SyncComplete
            | EventKind::SyncETagVerified
            | EventKind::SyncChecksumVerified
            | EventKind::SyncETagMismatch
            | EventKind::SyncChecksumMismatch
            | EventKind::SyncAnnotationETagVerified
            | EventKind::SyncAnnotationETagMismatch
    )
}

/// A table in the making. What is `None` is `nil`, as what was never set.
struct Fields(Table);

impl Fields {
    fn set(&self, name: &str, value: Option<impl mlua::IntoLua>) -> mlua::Result<()> {
        match value {
            Some(value) => self.0.raw_set(name, value),
            None => Ok(()),
        }
    }

    fn set_stats(&self, stats: &EventStats) -> mlua::Result<()> {
        for (name, figure) in [
            ("stats_transferred_byte", stats.transferred_bytes),
            ("stats_transferred_byte_per_sec", stats.bytes_per_second),
            ("stats_transferred_object", stats.transferred),
            ("stats_transferred_object_per_sec", stats.objects_per_second),
            ("stats_etag_verified", stats.etag_verified),
            ("stats_etag_mismatch", stats.etag_mismatch),
            ("stats_checksum_verified", stats.checksum_verified),
            ("stats_checksum_mismatch", stats.checksum_mismatch),
            ("stats_deleted", stats.deleted),
            ("stats_skipped", stats.skipped),
            ("stats_error", stats.errors),
            ("stats_warning", stats.warnings),
        ] {
            self.set(name, Some(figure))?;
        }
        self.set("stats_duration_sec", Some(stats.duration.as_secs_f64()))
    }
}
