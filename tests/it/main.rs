//! The integration tests: one binary, because each one links the whole SDK.

mod bad_input;
mod directions;
mod engine_room;
mod faults;
mod interruption;
mod jobs;
mod listing;
mod local_files;
mod model;
mod other_server;
mod predecessor;
mod quickstart;
mod sandbox;
mod shape;
mod store_contract;
mod support;
mod world;
