//! All budgets of a ledger, folded from its entries; decides what may begin. Pure.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;

use crate::budget::account::{Account, BudgetRoom, Expected, KindLimit, SettledUsage, Shortage, limits};
use crate::budget::amount::{Amount, Costs, SpendingKind, SpendingLimit};
use crate::budget::record::{Exclusivity, KnownParts, LedgerEntry, LedgerRecord};

/// What an attempt asks for.
#[derive(Debug, Clone)]
pub struct BudgetRequest<'a> {
    /// Its suite, by a hash of its name.
    pub suite: u64,
    /// What it is expected to use.
    pub expected: &'a Expected,
    /// The budget of the whole run.
    pub of_run: &'a SpendingLimit,
    /// The budget of its suite.
    pub of_suite: &'a SpendingLimit,
}

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOwner {
    /// That of the whole run.
    Run,
    /// That of the attempt's suite.
    Suite,
}

/// What becomes of an attempt that asks.
#[derive(Debug, Clone, PartialEq)]
pub enum BudgetDecision {
    /// It may begin; so much is to be set aside.
    Begin(Amount, Exclusivity),
    /// It may fit once others have ended.
    Wait,
    /// It does not fit any more.
    Refuse(BudgetOwner, Shortage),
}

/// A reservation that was not settled yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenReservation {
    /// The suite it was made for.
    pub suite: u64,
    /// What was set aside.
    pub amount: Amount,
    /// Whether it is alone.
    pub company: Exclusivity,
}

/// The state of a ledger.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BudgetState {
    run: Account,
    suites: HashMap<u64, Account>,
    open: HashMap<(u64, u64), OpenReservation>,
    /// The ledger's time when the last entry was written, and the latest that any was.
    pub elapsed_ms: u64,
    /// When its time last began.
    pub began: Option<BudgetStart>,
}

/// When the time of a ledger began to run, or went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetStart {
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// The ledger's time that had passed before.
    pub elapsed_ms: u64,
}

impl BudgetState {
    /// Takes an entry as it was written.
    pub fn take(&mut self, record: &LedgerRecord) {
        self.elapsed_ms = self.elapsed_ms.max(record.elapsed_ms);
        match record.entry {
            LedgerEntry::Began => {
                self.began = Some(BudgetStart { wall_ms: record.wall_ms, elapsed_ms: self.elapsed_ms });
                self.run.began_ms.get_or_insert(0);
            }
            LedgerEntry::Reserved(company) => self.reserve(record, company),
            LedgerEntry::Settled(known) => self.settle(record, known),
        }
    }

    fn reserve(&mut self, record: &LedgerRecord, company: Exclusivity) {
        let LedgerRecord { suite, amount, elapsed_ms, .. } = record;
        self.run.reserve(amount, company, *elapsed_ms);
        self.suites.entry(*suite).or_default().reserve(amount, company, *elapsed_ms);
        let open = OpenReservation { suite: *suite, amount: amount.clone(), company };
        self.open.insert((record.seat, record.id), open);
    }

    /// Settles what is open. What was settled before, for a process that was taken for dead, is not counted twice.
    fn settle(&mut self, record: &LedgerRecord, known: KnownParts) {
        let Some(open) = self.open.remove(&(record.seat, record.id)) else { return };
        let used = SettledUsage { amount: &record.amount, known };
        self.run.settle(&open.amount, open.company, used);
        self.suites.entry(open.suite).or_default().settle(&open.amount, open.company, used);
    }

    /// Whether an attempt may begin, at this time of the ledger.
    pub fn decide(&self, ask: &BudgetRequest<'_>, elapsed_ms: u64) -> BudgetDecision {
        let none = Account::default();
        let suite = self.suites.get(&ask.suite).unwrap_or(&none);
        let expected = ask.expected.or(suite.largest.tokens, &suite.largest.cost);
        let rooms = [
            (BudgetOwner::Run, self.run.room(ask.of_run, &expected, elapsed_ms)),
            (BudgetOwner::Suite, suite.room(ask.of_suite, &expected, elapsed_ms)),
        ];
        let mut company = Exclusivity::Others;
        let mut later = false;
        for (whose, room) in rooms {
            match room {
                BudgetRoom::Never(shortage) => return BudgetDecision::Refuse(whose, shortage),
                BudgetRoom::Later => later = true,
                BudgetRoom::Fits(Exclusivity::Alone) => company = Exclusivity::Alone,
                BudgetRoom::Fits(Exclusivity::Others) => {}
            }
        }
        match later {
            true => BudgetDecision::Wait,
            false => BudgetDecision::Begin(self.amount(ask, &expected, suite), company),
        }
    }

    /// What is set aside: what is expected, and where nobody knows all that is left.
    fn amount(&self, ask: &BudgetRequest<'_>, expected: &Expected, suite: &Account) -> Amount {
        let (mut tokens, mut cost) = (None::<Decimal>, Costs::new());
        for (account, allowance) in [(&self.run, ask.of_run), (suite, ask.of_suite)] {
            for KindLimit { kind, limit } in limits(allowance) {
                let needed = expected.of(kind).unwrap_or_else(|| account.left(kind, limit));
                match kind {
                    SpendingKind::Tokens => tokens = Some(tokens.map_or(needed, |other| other.min(needed))),
                    SpendingKind::Cost(currency) => {
                        let least = cost.entry(currency).or_insert(needed);
                        *least = needed.min(*least);
                    }
                    SpendingKind::Time => {}
                }
            }
        }
        Amount { tokens: tokens.map_or(0, |tokens| u64::try_from(tokens).unwrap_or(u64::MAX)), cost }
    }

    /// A reservation that was not settled yet.
    pub fn open(&self, seat: u64, id: u64) -> Option<&OpenReservation> {
        self.open.get(&(seat, id))
    }

    /// The processes with reservations that were not settled yet.
    pub fn seats(&self) -> BTreeSet<u64> {
        self.open.keys().map(|(seat, _)| *seat).collect()
    }

    /// The reservations of a process that were not settled yet.
    pub fn open_of(&self, seat: u64) -> Vec<u64> {
        self.open.keys().filter(|(owner, _)| *owner == seat).map(|(_, id)| *id).collect()
    }

    /// The budget of the whole run.
    pub fn run(&self) -> &Account {
        &self.run
    }

    /// The budget of a suite; `None` before it was drawn on.
    pub fn suite(&self, suite: u64) -> Option<&Account> {
        self.suites.get(&suite)
    }
}
