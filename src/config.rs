/*! From what the user said to what the engine gets.

What was said is optional and textual; what comes out, [`Job`] with its [`Pair`]s, has a value
everywhere and cannot express an illegal combination. Nothing past this module sees the former.
*/

mod resolved;

pub use resolved::{
    Check, Job, Limits, Log, OnUnverifiable, Origin, Pair, Performance, Report, ReportLevel,
    SandboxSettings, SourceSpec, TargetSpec, Verify,
};
