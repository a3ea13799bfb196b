//! What one process knows of a ledger, and how it adds to it; to be used under the file's lock.

use crate::budget::amount::Amount;
use crate::budget::book::BudgetState;
use crate::budget::ledger_error::LedgerError;
use crate::budget::process_lock::ProcessLock;
use crate::budget::record::{KnownParts, LedgerEntry, LedgerRecord};
use crate::budget::store::Store;

/// What one process knows of a ledger.
#[derive(Debug)]
pub(super) struct LedgerState {
    /// The budgets, as far as entries were read.
    pub book: BudgetState,
    /// The file; `None` in memory.
    pub store: Option<Store>,
    /// The sign of life, where others share the file.
    pub seat: Option<ProcessLock>,
    /// The number of the next reservation.
    pub next: u64,
    /// The ledger's time when this process opened it.
    pub elapsed_ms: u64,
}

impl LedgerState {
    /// The number of this process: 0 where it is alone.
    pub fn number(&self) -> u64 {
        self.seat.as_ref().map_or(0, |seat| seat.number)
    }

    /// An entry of this process, its times left open.
    pub fn record(&self, entry: LedgerEntry, id: u64, suite: u64, amount: Amount) -> LedgerRecord {
        LedgerRecord { entry, seat: self.number(), id, suite, elapsed_ms: 0, wall_ms: 0, amount }
    }

    /// Reads the entries of others that were added.
    pub fn read_on(&mut self) -> Result<(), LedgerError> {
        let Self { store, book, .. } = self;
        match store {
            Some(store) => store.read_on(|record| book.take(record)),
            None => Ok(()),
        }
    }

    /// On disk first: what was not written has not begun.
    pub fn write(&mut self, records: Vec<LedgerRecord>) -> Result<(), LedgerError> {
        if let Some(store) = &mut self.store {
            store.append(&records)?;
        }
        records.iter().for_each(|record| self.book.take(record));
        Ok(())
    }

    /// Settles all that some processes had set aside at what it was.
    pub fn bury(&mut self, seats: Vec<u64>, elapsed_ms: u64) -> Result<(), LedgerError> {
        let mut records = Vec::new();
        for seat in seats {
            for id in self.book.open_of(seat) {
                let Some(open) = self.book.open(seat, id) else { continue };
                let entry = LedgerEntry::Settled(KnownParts::default());
                let (suite, amount) = (open.suite, open.amount.clone());
                records.push(LedgerRecord { entry, seat, id, suite, elapsed_ms, wall_ms: 0, amount });
            }
        }
        if records.is_empty() { Ok(()) } else { self.write(records) }
    }
}
