/*! s3sync: directories and S3 buckets, synchronized, with proof.

The modules stand in a line; each uses only those above it, which `tests/it/shape.rs` holds them
to. The blank lines keep them in that order, which is the one to read them in.
*/

pub mod object; // keys, entries, ETags, times

pub mod digest; // digests, checksums, verdicts

pub mod store; // directories, buckets, memory: list, read, write

pub mod event; // what happens, as values; statistics fold it

pub mod config; // job file, environment, flags → Job

pub mod hook; // what users have a say in: filter, preprocess, events

pub mod filter; // which objects go

pub mod plan; // two listings → what is to be done, and why

pub mod context; // what everything at work on a pair shares

pub mod examine; // is it the same? a request or a read tells

pub mod transfer; // one object: read, hash, send, prove

pub mod engine; // one pair from start to end

#[cfg(feature = "lua")]
pub mod lua; // scripts as hooks

pub mod report; // report.json, evidence, terminal, exit code

#[cfg(feature = "sandbox")]
pub mod sandbox; // an embedded S3 endpoint

pub mod job; // the executor: order of pairs, signals

#[cfg(feature = "cli")]
pub mod cli; // commands and flags
