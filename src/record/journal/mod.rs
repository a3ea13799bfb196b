//! The stored record of a run: one JSON line a fact, appended while it runs, folded into a `RunRecord`.
//!
//! The line is `crate::record::event::Event` as serde writes it; the first line is `run_started` and names the schema.
//! Nothing is ever rewritten: what has finished is on disk before the next case starts on its slot.
//!
//! A case is known by its `key`, the hash of its full name, whatever process wrote the line; by its `print` one sees
//! whether the test was still the same. So a run can be continued in its own journal (`run_continued`), lines of other
//! runs of the same plan can be appended, and several processes can write whole lines side by side: the fold
//! (`fold`) decides which lines count. Schema 1 knew neither `key` nor `print`: such a journal is read, but not continued.

use std::path::{Path, PathBuf};

use crate::base::files::Fence;

mod append;
mod at_work;
mod cases;
mod depth;
mod ends;
mod export;
mod file;
mod fold;
mod held;
mod index;
mod interrupted;
mod latest;
mod line;
mod lines;
mod live;
mod mask;
pub(crate) mod merge;
mod read;
mod records;
mod roster;
#[cfg(test)]
pub(crate) mod sample;
mod shared;
mod spent;
mod split;
#[cfg(test)]
mod tests;
mod totals;
mod watched;

pub(crate) use append::{Journal, ReopenError, ReopenedJournal};
pub(crate) use at_work::LeftRuns;
pub(crate) use export::{export, hold};
pub(crate) use file::{read, read_start};
pub(crate) use latest::{forget_latest, latest, newest_second, next_id, point_to};
pub(crate) use live::EndedRun;
pub(crate) use read::{CaseReader, DamagedLine, RecordLoss, RunRecord};
pub(crate) use records::CaseRecord;
pub(crate) use roster::Roster;
pub(crate) use shared::SharedJournal;
pub(crate) use split::mended;
pub(crate) use totals::{SavedRepeats, SuiteTotals, Totals};
pub(crate) use watched::AttemptNotes;

/// The version of the journal's schema that this flowproof writes, and the newest it reads.
pub(crate) const SCHEMA: u32 = 2;

/// The journal of a run, inside the folder of reports: `<reports>/runs/<run>/journal.jsonl`.
pub(crate) fn path_of(reports: &Path, run: &str) -> PathBuf {
    reports.join("runs").join(run).join("journal.jsonl")
}

/// Holds a journal, links followed: the folder of the reports that it lies in; nothing holds one that lies elsewhere.
pub(crate) fn fence_of(journal: &Path) -> Fence {
    let runs = journal.parent().and_then(Path::parent);
    let runs = runs.filter(|runs| runs.file_name().is_some_and(|name| name == "runs"));
    runs.and_then(Path::parent).map_or_else(Fence::anywhere, Fence::around)
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// The file cannot be opened or read.
    #[error("read {path}: {source}")]
    Io {
        /// The journal.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A copy of it cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A later flowproof wrote it.
    #[error(
        "{path} was written by a newer flowproof (journal schema {found}, this one reads up to {SCHEMA}): update flowproof to read it"
    )]
    Newer {
        /// The journal.
        path: PathBuf,
        /// The schema it names.
        found: u32,
    },
    /// It holds nothing.
    #[error(
        "{path} holds nothing: that run ended before it had begun, and nothing was sent; start a new run, or name another one \
         (`previous` is the one before, `flowproof runs list` shows all)"
    )]
    Empty {
        /// The journal.
        path: PathBuf,
    },
    /// Its first line is not that of a journal.
    #[error("{path} is not a journal of flowproof: its first line {reason}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with the line.
        reason: String,
    },
    /// Its first line is that of a journal, and damaged: nobody knows which run it is.
    #[error(
        "{path} is a journal whose first line is damaged: {reason}; fetch it anew, or move it away to go on without its results"
    )]
    Beginning {
        /// The journal.
        path: PathBuf,
        /// What is wrong with the line.
        reason: String,
    },
    /// A line that the fold took cannot be read as a whole, or the file changed meanwhile.
    #[error("{path}: the record at byte {offset} cannot be read: {reason}")]
    Unreadable {
        /// The journal.
        path: PathBuf,
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}
