//! The door for other programs: load suites, run them with a listener of one's own, read a record, write a report.
//!
//! Nothing here reads the arguments or the environment of the process, handles its signals, or prints.

mod listener;
mod project;
mod record;
mod result;
mod runnable;

pub use listener::{FinishedTest, RunListener};
pub use project::{LoadError, Project, SuiteProblem};
pub use record::{RecordError, RecordedRun, TestCounts};
pub use result::RecordedTest;
pub use runnable::{RunError, RunnableSuites};
