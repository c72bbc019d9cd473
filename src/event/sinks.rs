//! Who listens to events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Event;
use crate::store::Meter;

/// Somebody who listens to a pair's events. Called from many tasks; must be quick and not block.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Takes one event.
    fn event(&self, event: &Event);

    /// Whether it needs the key of every unchanged object. Where no sink does, the engine counts
    /// them by [`Event::UnchangedMany`] and need not make a million events.
    fn wants_unchanged(&self) -> bool {
        false
    }

    /// Whether it needs the steps on the way of each object: where no sink does, they are not told.
    fn wants_steps(&self) -> bool {
        false
    }

    /// Whether it needs the key of every object that a filter keeps out. Where no sink does, the
    /// engine counts them by [`Event::FilteredMany`].
    fn wants_filtered(&self) -> bool {
        false
    }
}

/// The events of one pair on their way to all its sinks.
#[derive(Debug, Clone, Default)]
pub struct Sinks(Arc<[Arc<dyn Sink>]>);

impl Sinks {
    /// Sends every event to each of these, in this order.
    pub fn new(sinks: Vec<Arc<dyn Sink>>) -> Self {
        Self(sinks.into())
    }

    /// The same, and one more behind them.
    #[must_use]
    pub fn and(&self, sink: Arc<dyn Sink>) -> Self {
        Self(self.0.iter().cloned().chain([sink]).collect())
    }

    /// Sends one event.
    pub fn emit(&self, event: &Event) {
        for sink in &*self.0 {
            sink.event(event);
        }
    }

    /// Whether any sink needs the key of every unchanged object.
    pub fn wants_unchanged(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_unchanged())
    }

    /// Whether any sink needs the steps on the way of each object.
    pub fn wants_steps(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_steps())
    }

    /// Whether any sink needs the key of every object that a filter keeps out.
    pub fn wants_filtered(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_filtered())
    }
}

impl Meter for Sinks {
    fn request(&self, operation: &'static str, status: Option<u16>, elapsed: Duration) {
        self.emit(&Event::Request {
            operation,
            status,
            elapsed,
        });
    }

    fn retry(&self, operation: &'static str, code: &str, wait: Duration) {
        self.emit(&Event::Retried {
            operation,
            code: code.into(),
            wait,
        });
    }

    fn lost(&self, what: &str, why: &str) {
        self.emit(&Event::GuaranteeLost {
            what: what.to_owned(),
            why: why.to_owned(),
        });
    }
}
