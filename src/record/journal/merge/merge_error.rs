//! Why runs cannot be joined.

use crate::record::journal::JournalError;

/// Why runs cannot be joined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// A journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// They are not of one plan, or not of one target.
    #[error("the runs {one} and {other} cannot be merged: {reason}")]
    Different {
        /// A run.
        one: String,
        /// Another.
        other: String,
        /// What differs.
        reason: String,
    },
    /// A run does not say enough of itself.
    #[error("the run {run} cannot be merged: {reason}")]
    Unfit {
        /// The run.
        run: String,
        /// Why.
        reason: String,
    },
}
