//! What a document of a run is. A new one is a file with an implementation of [`Document`] and its row in `formats`.

use std::any::Any;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::record::journal::{CaseRecord, JournalError, RunRecord};

/// A kind of document, a pure function of the folded record.
pub(crate) trait Document: Sync {
    /// Its word under `reports.formats`.
    fn word(&self) -> &'static str;

    /// Its name in a folder of reports; a file of the same ending is this document for `-o` too.
    fn file_name(&self) -> &'static str;

    /// When it is written into a folder of reports.
    fn selection(&self) -> DocumentSelection;

    /// What a file of it begins with; a folder of earlier reports is recognized by that.
    fn signature(&self) -> &'static str {
        "flowproof"
    }

    /// Its ending as a message lists it.
    fn shown_ending(&self) -> Option<String> {
        let (_, ending) = self.file_name().rsplit_once('.')?;
        Some(format!(".{ending}"))
    }

    /// Begins it with what is known of the run as a whole.
    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure>;

    /// An empty batch of cases; `None` where the whole document is written when it begins.
    fn batch(&self, record: &RunRecord) -> Option<Box<dyn CaseBatch>>;
}

/// A document by which others are named and compared: its row of the table.
pub(crate) type ReportFormat = &'static dyn Document;

impl fmt::Debug for dyn Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl PartialEq for dyn Document {
    fn eq(&self, other: &Self) -> bool {
        self.word() == other.word()
    }
}

/// When a document is written into a folder of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentSelection {
    /// In every folder; a project does not name it.
    Always,
    /// If the project names it, or names none.
    Usual,
    /// If the project names it.
    Named,
}

/// A document that is being written.
pub(crate) trait OpenDocument: Send {
    /// Adds consecutive cases, in the order of the documents.
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()>;

    /// Ends it.
    fn finish(self: Box<Self>) -> io::Result<WrittenDocument>;
}

/// What a document left on disk.
#[derive(Debug)]
pub(crate) enum WrittenDocument {
    /// The file at its place.
    File,
    /// These files, in the folder at its place.
    Folder(Vec<PathBuf>),
}

/// Consecutive cases, rendered for one document on any core; the document only joins batches in order.
pub(crate) trait CaseBatch: Any + Send + Sync {
    /// Adds a case, with its attempts as they are in the journal.
    fn push(&mut self, case: &CaseRecord, attempts: &[u8]);
}

/// A batch as the document that made it knows it.
pub(super) fn batch_of<B: CaseBatch>(batch: &dyn CaseBatch) -> &B {
    let batch: &dyn Any = batch;
    batch.downcast_ref().expect("a document gets only batches that it made")
}

/// Where a document is written.
#[derive(Debug)]
pub(crate) struct DocumentPlace<'p> {
    /// The file or the folder.
    pub path: &'p Path,
    /// The file, where it is open already.
    pub file: Option<File>,
}

impl DocumentPlace<'_> {
    /// The file to write, created where it is not open already.
    pub fn file(self) -> io::Result<BufWriter<File>> {
        let file = self.file.map_or_else(|| File::create(self.path), Ok)?;
        Ok(BufWriter::with_capacity(64 * 1024, file))
    }
}

/// Why a document cannot be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentFailure {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// The run cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
