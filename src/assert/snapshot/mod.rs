//! Snapshots: approved values and their files, what a found value is compared with, and how far it may be off.
//!
//! Everything is pure but `store`, the one place that reads and writes the files. A snapshot changes only through `accept`.

mod accept;
mod approved;
mod clean;
mod compare;
mod document;
mod lines;
mod manner;
mod shelf;
mod spot;
pub(crate) mod store;
#[cfg(test)]
mod tests;

pub use self::accept::{accept, prune, reject};
pub use self::approved::{Approved, SnapshotAttempt, TakenSnapshot};
pub use self::clean::Cleaner;
pub use self::compare::{SnapshotComparison, compare_values, likeness};
pub use self::document::SnapshotDocument;
#[cfg(any(test, fuzzing))]
pub use self::document::{parse as parse_document, render as render_document};
pub use self::manner::{Compare, Redaction, SnapshotOptions};
pub use self::shelf::{ApprovedSnapshots, Pending, PendingFile, SnapshotShelf};
pub use self::spot::{FileNameUniqueness, SnapshotKeys, SnapshotPlace};
