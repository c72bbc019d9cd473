//! The integration tests: one binary, because each one links the whole SDK.

mod local_files;
mod shape;
mod store_contract;
mod support;
