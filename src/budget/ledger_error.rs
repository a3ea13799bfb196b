//! Why a ledger cannot be used.

use std::path::PathBuf;

/// Why a ledger cannot be used: nothing may be sent then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Its file cannot be read or written.
    #[error("the ledger of the budget, {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// An entry is none.
    #[error(
        "the ledger of the budget, {path}, is damaged at entry {entry}: what was spent is not known; delete it to begin a new budget"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which entry, from 0.
        entry: u64,
    },
    /// A run that has it for itself still goes on.
    #[error(
        "the ledger of the budget, {path}, is in use: that run still goes on; wait for its end, or stop it"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
}
