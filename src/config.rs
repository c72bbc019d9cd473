/*! From what the user said to what the engine gets.

What was said is optional and textual; what comes out, [`Job`] with its [`Pair`]s, has a value
everywhere and cannot express an illegal combination. Nothing past this module sees the former.

The option table (`options`) describes every option once. A job file, the environment and the
flags are each read into layers by it, value by value; figment merges the layers, and remembers
for every value which layer it came from. Whatever is wrong is collected, and told all at once.
*/

mod bounded;
mod build;
mod carried;
mod checks;
mod conflicts;
mod deletion;
mod draft;
mod environment;
mod everything;
mod execution;
mod explain;
mod extent;
mod file;
mod filters;
mod flags;
mod grants;
mod layer;
mod lua;
mod merged;
mod metadata;
mod option;
mod options;
mod overlap;
mod pairs;
mod patterns;
mod problem;
mod programs;
mod reading;
mod recalled;
mod record;
mod resolve;
mod resolved;
mod said;
mod schema;
mod secrets;
mod setting;
mod settings;
mod sides;
mod stand_ins;
mod suggest;
mod tables;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod ways;

pub use carried::{wrong_acl, wrong_attributes, wrong_class, wrong_tags};
pub use deletion::{Deletion, Excluded, Guards, OnErrors};
pub use environment::Environment;
pub use execution::{Execution, OnPairFailure};
pub use explain::{Explanation, Question, TomlStyle};
pub use extent::Extent;
pub use file::Outline;
pub use filters::{Bound, Filters, Globs, Patterns, Regexes, Said};
pub use flags::FlagValues;
pub use grants::{Grant, When, permissions};
pub use lua::{Libraries, LuaSettings, OnScriptError};
pub use option::{Fits, Flag, Kind, OptionRow, Scope};
pub use options::OPTIONS;
pub use patterns::{Glob, Pattern};
pub use problem::{Problem, Problems};
pub use programs::{
    HookScope, HookTime, OnHookFailure, OnOutcome, ProgramHook, ProgramHooks, is_secret_variable,
};
pub use recalled::from_record;
pub use record::Resolved;
pub use resolved::{
    Annotations, Beside, By, Check, CheckMode, Compared, Conditional, Job, Limits, Log, Metadata,
    OfTarget, OnConflict, OnDenied, OnUndecided, OnUnverifiable, Origin, Pair, Performance, Rate,
    Report, ReportLevel, SandboxSettings, SourceSpec, Tagging, TargetSpec, Verify, Versions,
    Warnings, WrittenTags,
};
pub use schema::job_schema;
pub use settings::Settings;
pub use stand_ins::StandIn;
#[cfg(feature = "cli")]
pub(crate) use suggest::nearest;
pub use template::template;
pub use units::read_size;
pub use ways::{
    adhoc, from_environment, is_said, load_among, load_file, load_text, of_program, outline,
    read_adhoc, read_environment, read_file,
};
