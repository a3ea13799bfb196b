//! Where the facts of a run go: its journal, then whoever watches.

use crate::record::event::{Event, Sink, SinkError};
use crate::record::journal::{Journal, SharedJournal};

/// Where a run is recorded.
pub(super) enum RunSink {
    /// In a journal of its own.
    Own(Box<Journal>),
    /// In one that other processes write, too.
    Shared(SharedJournal),
}

/// The journal first, then whoever watches.
pub(super) struct JournalAndWatcher {
    /// The record.
    pub journal: RunSink,
    /// Who watches.
    pub listener: Option<Box<dyn Sink + Send>>,
}

impl Sink for JournalAndWatcher {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match &mut self.journal {
            RunSink::Own(journal) => journal.take(event)?,
            RunSink::Shared(journal) => journal.take(event)?,
        }
        match &mut self.listener {
            Some(listener) => listener.take(event),
            None => Ok(()),
        }
    }
}
