//! The integration tests: one binary, because each one links the whole SDK.

mod bad_input;
mod directions;
mod directory;
mod engine_room;
mod explain;
mod explain_words;
mod faults;
mod interruption;
mod job_file;
mod jobs;
mod listing;
mod local_files;
mod model;
mod online;
mod other_server;
mod plan;
mod predecessor;
mod quickstart;
mod rehearsal;
mod sandbox;
mod schemas;
mod secrets;
mod shape;
mod store_contract;
mod support;
mod world;
