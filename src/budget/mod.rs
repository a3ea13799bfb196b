//! What a run may spend: an amount is reserved before an attempt is sent, and settled with what it used.
//!
//! The entries of all processes that share a budget are in one file. A reservation is never lost: what nobody settles,
//! since its process was killed, counts as spent. Knows neither tests nor requests.

mod account;
mod amount;
mod book;
mod import;
mod inner;
mod ledger_error;
mod process_lock;
mod record;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use rust_decimal::Decimal;

use crate::base::clock;
use crate::base::lock::lock;

pub use account::{Account, Expected, KindLimit, Shortage, limits};
pub use amount::{Amount, Costs, Currency, MOST_CURRENCIES, SpendingKind, SpendingLimit, costs_of, told};
pub use book::{BudgetDecision, BudgetOwner, BudgetRequest, BudgetState};
pub use import::ImportedUsage;
use inner::LedgerState;
pub use ledger_error::LedgerError;
use process_lock::ProcessLock;
use record::{KnownParts, LedgerEntry, LedgerRecord};
use store::Store;

/// Who uses a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerSharing {
    /// One process; another may go on with it later, when time that nobody used does not count.
    Alone,
    /// Several at once.
    Several,
}

/// What an attempt used, if known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptUsage {
    /// Its tokens.
    pub tokens: Option<u64>,
    /// Its prices.
    pub cost: Option<Costs>,
    /// What it used at least.
    pub at_least: Amount,
    /// True where it ran, so that the next one may be expected to use as much.
    pub ran: bool,
}

/// An amount that is set aside for one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Reservation {
    /// Its number within the process.
    pub id: u64,
    /// The suite, by a hash of its name.
    pub suite: u64,
    /// How much.
    pub amount: Amount,
}

/// What became of an attempt that asked.
#[derive(Debug, Clone, PartialEq)]
pub enum ReservationAnswer {
    /// It may begin.
    Reserved(Reservation),
    /// It may fit once others have ended.
    Wait,
    /// It does not fit any more.
    Refused(BudgetOwner, Shortage),
}

/// The ledger of one process.
#[derive(Debug)]
pub struct Ledger {
    inner: Mutex<LedgerState>,
    opened: Instant,
    seats: Option<PathBuf>,
}

/// What a suite's entries are found by.
pub fn suite_key(name: &str) -> u64 {
    let mut key = [0; 8];
    key.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(key)
}

impl Ledger {
    /// A ledger that nobody shares and that is kept nowhere.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        let inner =
            LedgerState { book: BudgetState::default(), store: None, seat: None, next: 0, elapsed_ms: 0 };
        Self { inner: Mutex::new(inner), opened: clock::now(), seats: None }
    }

    /// Opens the ledger of a file, and begins one where there is none.
    ///
    /// What a process that was killed had set aside counts as spent from now on.
    pub fn open(path: &Path, sharing: LedgerSharing) -> Result<Self, LedgerError> {
        let store = Store::open(path)?;
        let mut inner = LedgerState {
            book: BudgetState::default(),
            store: Some(store),
            seat: None,
            next: 0,
            elapsed_ms: 0,
        };
        let opened = clock::now();
        let seats = match sharing {
            LedgerSharing::Alone => {
                inner.store.as_ref().map_or(Ok(()), Store::take_alone)?;
                None
            }
            LedgerSharing::Several => {
                let folder = seats_of(path);
                inner.seat = Some(ProcessLock::take(&folder)?);
                Some(folder)
            }
        };
        let ledger = Self { inner: Mutex::new(inner), opened, seats };
        ledger.begin(sharing)?;
        Ok(ledger)
    }

    /// Reads what is there, and lets the time of the budgets run.
    fn begin(&self, sharing: LedgerSharing) -> Result<(), LedgerError> {
        let wall_ms = u64::try_from(clock::wall().as_millisecond()).unwrap_or_default();
        self.under_lock(|inner| {
            let before = inner.book.elapsed_ms;
            match (sharing, inner.book.began) {
                (LedgerSharing::Several, Some(began)) => {
                    // A clock that stepped back is no earlier time than the last entry's.
                    let since = wall_ms.saturating_sub(began.wall_ms);
                    inner.elapsed_ms = before.max(began.elapsed_ms.saturating_add(since));
                }
                (LedgerSharing::Alone, _) | (LedgerSharing::Several, None) => {
                    inner.elapsed_ms = before;
                    let own = inner.record(LedgerEntry::Began, 0, 0, Amount::default());
                    inner.write(vec![LedgerRecord { wall_ms, elapsed_ms: before, ..own }])?;
                }
            }
            match sharing {
                LedgerSharing::Alone => {
                    let dead = inner.book.seats().into_iter().collect();
                    inner.bury(dead, before)
                }
                LedgerSharing::Several => {
                    let elapsed_ms = self.elapsed(inner);
                    self.bury_dead(inner, elapsed_ms).map(drop)
                }
            }
        })
    }

    /// Sets aside what an attempt is expected to use, if it fits.
    pub fn reserve(&self, ask: &BudgetRequest<'_>) -> Result<ReservationAnswer, LedgerError> {
        self.under_lock(|inner| {
            let elapsed_ms = self.elapsed(inner);
            let mut decision = inner.book.decide(ask, elapsed_ms);
            if decision == BudgetDecision::Wait && self.bury_dead(inner, elapsed_ms)? {
                decision = inner.book.decide(ask, elapsed_ms);
            }
            Ok(match decision {
                BudgetDecision::Wait => ReservationAnswer::Wait,
                BudgetDecision::Refuse(whose, shortage) => ReservationAnswer::Refused(whose, shortage),
                BudgetDecision::Begin(amount, company) => {
                    let id = inner.next;
                    inner.next += 1;
                    let record = inner.record(LedgerEntry::Reserved(company), id, ask.suite, amount.clone());
                    inner.write(vec![LedgerRecord { elapsed_ms, ..record }])?;
                    ReservationAnswer::Reserved(Reservation { id, suite: ask.suite, amount })
                }
            })
        })
    }

    /// Counts what an attempt used; what nobody knows is counted as it was set aside, never as nothing.
    pub fn settle(&self, reservation: &Reservation, used: &AttemptUsage) -> Result<(), LedgerError> {
        let reserved = &reservation.amount;
        let mut amount = Amount {
            tokens: used.tokens.unwrap_or_else(|| reserved.tokens.max(used.at_least.tokens)),
            cost: Costs::new(),
        };
        for (currency, set_aside) in &reserved.cost {
            let price = match &used.cost {
                Some(cost) => cost.get(currency).copied().unwrap_or_default(),
                None => (*set_aside).max(used.at_least.in_currency(*currency)),
            };
            amount.cost.insert(*currency, price.max(Decimal::ZERO));
        }
        let known = KnownParts { tokens: used.tokens.is_some(), cost: used.cost.is_some(), ran: used.ran };
        self.under_lock(|inner| {
            let elapsed_ms = self.elapsed(inner);
            let record = inner.record(LedgerEntry::Settled(known), reservation.id, reservation.suite, amount);
            inner.write(vec![LedgerRecord { elapsed_ms, ..record }])
        })
    }

    /// Looks at the budgets as they are now, those of all processes that share them.
    pub fn look<T>(&self, look: impl FnOnce(&BudgetState, u64) -> T) -> Result<T, LedgerError> {
        self.under_lock(|inner| {
            let elapsed_ms = self.elapsed(inner);
            Ok(look(&inner.book, elapsed_ms))
        })
    }

    fn elapsed(&self, inner: &LedgerState) -> u64 {
        let here = clock::now().saturating_duration_since(self.opened).as_millis();
        let own = inner.elapsed_ms.saturating_add(u64::try_from(here).unwrap_or(u64::MAX));
        own.max(inner.book.elapsed_ms)
    }

    /// Settles what dead processes had set aside; false where there is none.
    fn bury_dead(&self, inner: &mut LedgerState, elapsed_ms: u64) -> Result<bool, LedgerError> {
        let Some(folder) = &self.seats else { return Ok(false) };
        let own = inner.number();
        let others = inner.book.seats().into_iter().filter(|seat| *seat != own);
        let dead: Vec<u64> = others.filter(|seat| process_lock::is_free(folder, *seat)).collect();
        let any = !dead.is_empty();
        inner.bury(dead, elapsed_ms)?;
        Ok(any)
    }

    /// Does something when all entries were read, and before anyone adds another.
    fn under_lock<T>(
        &self,
        work: impl FnOnce(&mut LedgerState) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut inner: MutexGuard<'_, LedgerState> = lock(&self.inner);
        if self.seats.is_some()
            && let Some(store) = &inner.store
        {
            store.lock()?;
        }
        let done = inner.read_on().and_then(|()| work(&mut inner));
        if self.seats.is_some()
            && let Some(store) = &inner.store
        {
            store.unlock()?;
        }
        done
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let inner = lock(&self.inner);
        if let Some(seat) = &inner.seat
            && inner.book.open_of(seat.number).is_empty()
        {
            seat.leave();
        }
    }
}

/// The folder of the seats, beside the ledger.
fn seats_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".seats");
    path.with_file_name(name)
}
