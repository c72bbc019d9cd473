//! Who hears of the requests of a store.

use std::fmt;
use std::time::Duration;

/// What stores tell while they work. `event` implements it; so no import points up.
pub trait Meter: Send + Sync + fmt::Debug {
    /// One request was answered, or failed without an answer (`status` is `None`).
    fn request(&self, operation: &'static str, status: Option<u16>, elapsed: Duration);
    /// A request is tried again after `wait`.
    fn retry(&self, operation: &'static str, code: &str, wait: Duration);
    /// Something the endpoint could not do, so that a guarantee is lost.
    fn lost(&self, what: &str, why: &str);
}

/// A meter that listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn request(&self, _: &'static str, _: Option<u16>, _: Duration) {}
    fn retry(&self, _: &'static str, _: &str, _: Duration) {}
    fn lost(&self, _: &str, _: &str) {}
}
