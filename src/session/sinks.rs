//! Where the facts of a run go: its journal, then whoever watches.

use crate::event::{Event, Sink, SinkError};
use crate::journal::{Journal, SharedJournal};

/// Where a run is recorded.
pub(super) enum Record {
    /// In a journal of its own.
    Own(Box<Journal>),
    /// In one that other processes write, too.
    Shared(SharedJournal),
}

/// The journal first, then whoever watches.
pub(super) struct Both {
    /// The record.
    pub journal: Record,
    /// Who watches.
    pub listener: Option<Box<dyn Sink + Send>>,
}

impl Sink for Both {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match &mut self.journal {
            Record::Own(journal) => journal.take(event)?,
            Record::Shared(journal) => journal.take(event)?,
        }
        match &mut self.listener {
            Some(listener) => listener.take(event),
            None => Ok(()),
        }
    }
}
