//! A script that changes what an object carries, or leaves it out.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mlua::{FromLua, Lua, Table, Value};

use super::told::one_line;
use super::vm::{Interpreter, Vm, told};
use super::{Sample, Script};
use crate::config::{LuaSettings, OnScriptError};
use crate::digest::Algorithm;
use crate::event::SkipReason;
use crate::hook::{HookError, PreprocessHook, Preprocessed, SourceObject, UploadMetadata};
use crate::object::{Attributes, ETag, StorageClass, Tags, Timestamp, tagging, tags_of};
use crate::store::Details;
use crate::transfer::wrong_change;

/// The script's function.
const FUNCTION: &str = "preprocess_callback";

/// What `upload_metadata` may have.
const FIELDS: [&str; 12] = [
    "acl",
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "expires_string",
    "metadata",
    "request_payer",
    "storage_class",
    "tagging",
    "website_redirect_location",
];

/// What S3 knows a requester who pays by.
const REQUESTER: &str = "requester";

/// Asks a script.
#[derive(Debug)]
pub(super) struct LuaPreprocess {
    vm: Vm,
    name: String,
    on_error: OnScriptError,
}

impl LuaPreprocess {
    pub(super) fn new(vm: Vm, script: &Script, settings: &LuaSettings) -> Self {
        Self {
            vm,
            name: script.name(),
            on_error: settings.on_error,
        }
    }

    fn failed(&self, error: HookError) -> HookError {
        match self.on_error {
            OnScriptError::FailPair => error.for_the_pair(),
            OnScriptError::FailObject => error,
        }
    }
}

#[async_trait]
impl PreprocessHook for LuaPreprocess {
    async fn preprocess(
        &self,
        source: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        let (source, before) = (source.clone(), std::mem::take(upload));
        let name = self.name.clone();
        let ask = move |interpreter: &Interpreter| ask(interpreter, &name, &source, &before);
        let answer = self.vm.run(ask).await.flatten();
        let (preprocessed, after) = answer.map_err(|error| self.failed(error))?;
        *upload = after;
        Ok(preprocessed)
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn refused(&self, why: &str) -> HookError {
        self.failed(HookError::new(format!("{}: {}", self.name, one_line(why))).of_script())
    }

    fn skips_as(&self) -> SkipReason {
        SkipReason::LuaCancelled
    }
}

fn ask(
    interpreter: &Interpreter,
    name: &str,
    source: &SourceObject,
    upload: &UploadMetadata,
) -> Result<(Preprocessed, UploadMetadata), HookError> {
    let Some(table) = changed(interpreter, name, source, upload)? else {
        return Ok((Preprocessed::Skip, UploadMetadata::default()));
    };
    let lua = &interpreter.lua;
    let upload = Changed { lua, table }.upload();
    let upload = upload
        .map_err(|wrong| HookError::new(format!("{name}: {}", one_line(&wrong))).of_script())?;
    Ok((Preprocessed::Proceed, upload))
}

/// The table that a script gives back; `None` where it leaves the object out.
fn changed(
    interpreter: &Interpreter,
    name: &str,
    source: &SourceObject,
    upload: &UploadMetadata,
) -> Result<Option<Table>, HookError> {
    let function = interpreter.function(FUNCTION)?;
    let (proceeds, given) = interpreter.call(|| {
        let tables = (
            source_table(interpreter, source)?,
            upload_table(&interpreter.lua, upload)?,
        );
        function.call::<(bool, Value)>(tables)
    })?;
    match given {
        _ if !proceeds => Ok(None),
        Value::Table(table) => Ok(Some(table)),
        other => {
            let message = format!(
                "{name}: it returned true and a {}, not the table of the upload: `return true, upload`",
                other.type_name()
            );
            Err(HookError::new(message).of_script())
        }
    }
}

/// What a script makes of a sample, in words: what it changed, or that it is skipped.
pub(super) fn try_on(interpreter: &Interpreter, sample: &Sample) -> Result<String, HookError> {
    let entry = &sample.candidate.entry;
    let metadata: BTreeMap<String, String> = sample.metadata.iter().cloned().collect();
    let before = UploadMetadata {
        metadata: metadata.clone(),
        ..UploadMetadata::default()
    };
    let source = SourceObject {
        pair: "sample".into(),
        key: entry.key.clone(),
        target_key: entry.key.as_str().to_owned(),
        size: entry.size,
        last_modified: entry.modified,
        e_tag: entry.etag.clone(),
        version_id: entry.version.clone(),
        checksums: Vec::new(),
        attributes: Attributes {
            user: metadata,
            ..Attributes::default()
        },
        storage_class: entry.storage_class.clone(),
        tag_count: None,
        details: Details::default(),
    };
    let name = interpreter.name();
    let Some(table) = changed(interpreter, name, &source, &before)? else {
        return Ok("is skipped".to_owned());
    };
    let strays = strays(&table).map_err(|error| interpreter.told(&error))?;
    let lua = &interpreter.lua;
    let upload = Changed { lua, table }.upload();
    let upload = upload.and_then(|after| match wrong_change(&before, &after) {
        Some(wrong) => Err(wrong),
        None => Ok(after),
    });
    let after = upload
        .map_err(|wrong| HookError::new(format!("{name}: {}", one_line(&wrong))).of_script())?;
    let words = if after == before {
        "goes as it is".to_owned()
    } else {
        format!("goes with {}", in_words(&after))
    };
    if strays.is_empty() {
        return Ok(words);
    }
    let strays = strays.join("`, `");
    Ok(format!(
        "{words}; `{strays}` is no field of the upload and changes nothing"
    ))
}

/// Names in a script's table that mean nothing.
fn strays(table: &Table) -> mlua::Result<Vec<String>> {
    let mut strays = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let name = pair?.0.to_string()?;
        if !FIELDS.contains(&name.as_str()) {
            strays.push(name);
        }
    }
    strays.sort();
    Ok(strays)
}

/// What an object is written with, as far as there is anything.
fn in_words(upload: &UploadMetadata) -> String {
    let text = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {value:?}"));
    let pairs = |name: &str, pairs: &BTreeMap<String, String>| {
        (!pairs.is_empty()).then(|| format!("{name} {pairs:?}"))
    };
    let said = [
        text("acl", upload.acl.as_deref()),
        text("cache_control", upload.cache_control.as_deref()),
        text("content_disposition", upload.content_disposition.as_deref()),
        text("content_encoding", upload.content_encoding.as_deref()),
        text("content_language", upload.content_language.as_deref()),
        text("content_type", upload.content_type.as_deref()),
        upload.expires.map(|time| format!("expires {time}")),
        pairs("metadata", &upload.metadata),
        upload.request_payer.then(|| "request_payer".to_owned()),
        text(
            "storage_class",
            upload.storage_class.as_ref().map(StorageClass::as_str),
        ),
        text("tagging", tagging(&upload.tagging).as_deref()),
        text(
            "website_redirect_location",
            upload.website_redirect_location.as_deref(),
        ),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    if said.is_empty() {
        return "nothing".to_owned();
    }
    said.join(", ")
}

/// `source_object`: the predecessor's fields, and `size`, `pair`, `run_id` and
/// `relative_key`.
fn source_table(interpreter: &Interpreter, source: &SourceObject) -> mlua::Result<Table> {
    let lua = &interpreter.lua;
    let table = lua.create_table()?;
    let text = |name: &str, text: Option<&str>| match text {
        Some(text) => table.raw_set(name, text),
        None => Ok(()),
    };
    table.raw_set("key", source.target_key.as_str())?;
    table.raw_set("relative_key", source.key.as_str())?;
    table.raw_set("pair", &*source.pair)?;
    table.raw_set("run_id", interpreter.run_id()?)?;
    table.raw_set("size", source.size)?;
    table.raw_set("content_length", source.size)?;
    table.raw_set("last_modified", source.last_modified.rfc3339_micros())?;
    let e_tag = source.e_tag.as_ref().map(ETag::quoted);
    text("e_tag", e_tag.as_deref())?;
    text("version_id", source.version_id.as_deref())?;
    let class = source.storage_class.as_ref();
    text("storage_class", class.map(StorageClass::as_str))?;
    table.raw_set("tag_count", source.tag_count)?;
    for checksum in &source.checksums {
        table.raw_set(checksum_name(checksum.algorithm()), checksum.to_string())?;
    }

    let attributes = &source.attributes;
    text("cache_control", attributes.cache_control.as_deref())?;
    let disposition = attributes.content_disposition.as_deref();
    text("content_disposition", disposition)?;
    text("content_encoding", attributes.content_encoding.as_deref())?;
    text("content_language", attributes.content_language.as_deref())?;
    text("content_type", attributes.content_type.as_deref())?;
    text("expires_string", attributes.expires.as_deref())?;
    let redirect = attributes.website_redirect.as_deref();
    text("website_redirect_location", redirect)?;
    table.raw_set("metadata", texts(lua, &attributes.user)?)?;

    let details = &source.details;
    text("accept_ranges", details.accept_ranges.as_deref())?;
    table.raw_set("bucket_key_enabled", details.bucket_key_enabled)?;
    text("checksum_type", details.checksum_type.as_deref())?;
    text("content_range", details.content_range.as_deref())?;
    table.raw_set("missing_meta", details.missing_meta)?;
    let hold = details.object_lock_legal_hold_status.as_deref();
    text("object_lock_legal_hold_status", hold)?;
    text("object_lock_mode", details.object_lock_mode.as_deref())?;
    let until = details.object_lock_retain_until_date;
    let until = until.map(Timestamp::rfc3339_micros);
    text("object_lock_retain_until_date", until.as_deref())?;
    table.raw_set("parts_count", details.parts_count)?;
    text("replication_status", details.replication_status.as_deref())?;
    text("request_charged", details.request_charged.as_deref())?;
    text("restore", details.restore.as_deref())?;
    let encryption = details.server_side_encryption.as_deref();
    text("server_side_encryption", encryption)?;
    let algorithm = details.sse_customer_algorithm.as_deref();
    text("sse_customer_algorithm", algorithm)?;
    text(
        "sse_customer_key_md5",
        details.sse_customer_key_md5.as_deref(),
    )?;
    text("ssekms_key_id", details.ssekms_key_id.as_deref())?;
    Ok(table)
}

fn checksum_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "checksum_md5",
        Algorithm::Sha1 => "checksum_sha1",
        Algorithm::Sha256 => "checksum_sha256",
        Algorithm::Sha512 => "checksum_sha512",
        Algorithm::Crc32 => "checksum_crc32",
        Algorithm::Crc32c => "checksum_crc32_c",
        Algorithm::Crc64Nvme => "checksum_crc64_nvme",
        Algorithm::XxHash64 => "checksum_xxhash64",
        Algorithm::XxHash3 => "checksum_xxhash3",
        Algorithm::XxHash128 => "checksum_xxhash128",
    }
}

/// `upload_metadata`, as the predecessor has it.
fn upload_table(lua: &Lua, upload: &UploadMetadata) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let text = |name: &str, text: Option<&str>| match text {
        Some(text) => table.raw_set(name, text),
        None => Ok(()),
    };
    text("acl", upload.acl.as_deref())?;
    text("cache_control", upload.cache_control.as_deref())?;
    text("content_disposition", upload.content_disposition.as_deref())?;
    text("content_encoding", upload.content_encoding.as_deref())?;
    text("content_language", upload.content_language.as_deref())?;
    text("content_type", upload.content_type.as_deref())?;
    let expires = upload.expires.map(Timestamp::rfc3339_micros);
    text("expires_string", expires.as_deref())?;
    table.raw_set("metadata", texts(lua, &upload.metadata)?)?;
    text("request_payer", upload.request_payer.then_some(REQUESTER))?;
    let class = upload.storage_class.as_ref();
    text("storage_class", class.map(StorageClass::as_str))?;
    text("tagging", tagging(&upload.tagging).as_deref())?;
    let redirect = upload.website_redirect_location.as_deref();
    text("website_redirect_location", redirect)?;
    Ok(table)
}

fn texts(lua: &Lua, texts: &BTreeMap<String, String>) -> mlua::Result<Table> {
    lua.create_table_from(
        texts
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    )
}

/// The table that a script gave back.
struct Changed<'a> {
    lua: &'a Lua,
    table: Table,
}

impl Changed<'_> {
    /// What it says; the error is in words.
    fn upload(&self) -> Result<UploadMetadata, String> {
        Ok(UploadMetadata {
            acl: self.text("acl")?,
            cache_control: self.text("cache_control")?,
            content_disposition: self.text("content_disposition")?,
            content_encoding: self.text("content_encoding")?,
            content_language: self.text("content_language")?,
            content_type: self.text("content_type")?,
            expires: self.expires()?,
            metadata: self.metadata()?,
            request_payer: self.request_payer()?,
            storage_class: self.text("storage_class")?.map(|it| StorageClass::new(&it)),
            tagging: match self.text("tagging")? {
                Some(text) => tags_of(&text).map_err(|wrong| format!("tagging: {wrong}"))?,
                None => Tags::new(),
            },
            website_redirect_location: self.text("website_redirect_location")?,
        })
    }

    fn get(&self, name: &str) -> Result<Value, String> {
        let value = self.table.get(name);
        value.map_err(|error| format!("{name}: {}", told(&error)))
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let value = self.get(name)?;
        let kind = value.type_name();
        Option::<String>::from_lua(value, self.lua)
            .map_err(|_| format!("{name} must be a string of UTF-8 or nil, and is a {kind}"))
    }

    fn expires(&self) -> Result<Option<Timestamp>, String> {
        let text = self.text("expires_string")?;
        let time = text.as_deref().map(Timestamp::parse).transpose();
        time.map_err(|wrong| format!("expires_string: {wrong}"))
    }

    fn request_payer(&self) -> Result<bool, String> {
        match self.text("request_payer")?.as_deref() {
            None => Ok(false),
            Some(REQUESTER) => Ok(true),
            Some(other) => Err(format!(
                "request_payer must be \"{REQUESTER}\" or nil, and is `{other}`"
            )),
        }
    }

    fn metadata(&self) -> Result<BTreeMap<String, String>, String> {
        let table = match self.get("metadata")? {
            Value::Nil => return Ok(BTreeMap::new()),
            Value::Table(table) => table,
            other => {
                return Err(format!(
                    "metadata must be a table or nil, and is a {}",
                    other.type_name()
                ));
            }
        };
        let pairs = table.pairs::<String, String>();
        pairs
            .collect::<mlua::Result<_>>()
            .map_err(|error| format!("metadata: {}", told(&error)))
    }
}
