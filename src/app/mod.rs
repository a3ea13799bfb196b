//! What both doors do before and after a run: load and plan, open the journal, start, write the reports.
//!
//! Neither prints here; what failed is reported as text and by kind.

pub(crate) mod against;
mod announce;
pub(crate) mod budget;
mod cassettes;
mod execution;
mod facts;
pub(crate) mod forecast;
pub(crate) mod init;
pub(crate) mod live_app;
mod machine;
pub(crate) mod merge;
pub(crate) mod nextest;
mod open;
mod opened;
pub(crate) mod options;
mod prepare;
pub(crate) mod probe;
pub(crate) mod reports;
mod resume;
pub(crate) mod runs;
mod session;
mod session_start;
pub(crate) mod settings;
mod shard;
mod sinks;
pub(crate) mod snapshots;

pub use announce::announce;
pub use cassettes::SavedCassette;
pub use execution::{EarlyEnd, RunOrigin, SignalUse};
pub use facts::planned;
pub use machine::check_machine;
pub use open::{check, list, open};
pub use opened::{OpenFailure, OpenedRun, PartialRun};
pub use prepare::open_partly;
pub use session::{RecordKeeping, RecordedCassettes, Session, SessionError, runtime};
