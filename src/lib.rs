/*! s3sync: directories and S3 buckets, synchronized, with proof.

The modules stand in a line; each uses only those above it.
*/

pub mod config;
pub mod digest; // digests, checksums, verdicts
pub mod event; // what happens, as values; statistics fold it
pub mod object; // keys, entries, ETags, times
pub mod store; // directories, buckets, memory: list, read, write // job file, environment, flags → Job
