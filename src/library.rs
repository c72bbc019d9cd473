/*! What others build on: a job from wherever it is said, its run, and what it comes to.

Nothing here prints, listens for signals or changes the process: a run ends when it is done or
cancelled, and tells what happened by values and in its report.
*/

mod builder;
mod job;
mod run;
mod running;
mod state;
mod summary;

pub use builder::JobBuilder;
pub use job::Job;
pub use run::{Run, StartError, run};
pub use running::{CancelHandle, Live, Running};
pub use state::{PairState, Statistics};
pub use summary::Summary;
