//! The JSON Schema of a pair's delete plan.

use super::schema::document;
use crate::engine::{DELETE_PLAN_VERSION, DeletePlanLine};

/// The JSON Schema of each line of a delete plan.
pub fn deletions_schema() -> serde_json::Value {
    document::<DeletePlanLine>("deletions", DELETE_PLAN_VERSION)
}
