//! The cassettes of a run: read into its plan before it, written after it.

mod files;
mod load;
mod save;
mod suites;

pub(super) use load::why_not_recorded;
pub use save::SavedCassette;
pub(super) use save::{lost_text, save};
pub(super) use suites::{CassetteSuites, suites};
