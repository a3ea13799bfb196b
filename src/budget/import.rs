//! Imports usage recorded by earlier parts of the run that this budget does not contain yet: it may be on another machine, or there
//! may have been none.

use rust_decimal::Decimal;

use crate::budget::Ledger;
use crate::budget::account::Account;
use crate::budget::amount::{Amount, Costs};
use crate::budget::ledger_error::LedgerError;
use crate::budget::record::{Exclusivity, KnownParts, LedgerEntry, LedgerRecord};

/// What the attempts of a suite used, as another record reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportedUsage {
    /// What is known.
    pub amount: Amount,
    /// Attempts that ran, and of which nobody knows what they used.
    pub unknown: u32,
    /// The most tokens that an attempt used: as much counts for one of which nobody knows.
    pub largest: u64,
}

impl Ledger {
    /// Counts what it lacks of what each suite used, and the time that was gone where none had passed here.
    ///
    /// What is here already is not counted twice.
    pub fn carry(&self, past: &[(u64, ImportedUsage)], elapsed_ms: u64) -> Result<(), LedgerError> {
        self.under_lock(|inner| {
            if inner.book.elapsed_ms == 0 {
                inner.elapsed_ms = elapsed_ms;
            }
            let mut records = Vec::new();
            for (suite, past) in past {
                let account = inner.book.suite(*suite).cloned().unwrap_or_default();
                for LackingUsage { amount, known } in past.lacking(&account) {
                    let id = inner.next;
                    inner.next += 1;
                    let begun =
                        inner.record(LedgerEntry::Reserved(Exclusivity::Others), id, *suite, amount.clone());
                    let ended = inner.record(LedgerEntry::Settled(known), id, *suite, amount);
                    records.extend([begun, LedgerRecord { elapsed_ms: inner.elapsed_ms, ..ended }]);
                }
            }
            if records.is_empty() { Ok(()) } else { inner.write(records) }
        })
    }
}

/// An amount that an account was not reported.
struct LackingUsage {
    amount: Amount,
    known: KnownParts,
}

impl ImportedUsage {
    /// What an account does not contain yet, in two amounts: the largest attempt, from which it learns what one may use, and the rest.
    fn lacking(&self, account: &Account) -> Vec<LackingUsage> {
        let unknown = u64::from(self.unknown.saturating_sub(account.unknown_tokens));
        let all = self.amount.tokens.saturating_add(unknown.saturating_mul(self.largest));
        let tokens = all.saturating_sub(account.spent.tokens);
        let largest = self.largest.min(tokens);
        let cost = self.amount.cost.iter();
        let cost: Costs = cost
            .map(|(currency, price)| (*currency, *price - account.spent.in_currency(*currency)))
            .filter(|(_, price)| *price > Decimal::ZERO)
            .collect();
        let known = KnownParts { tokens: true, cost: true, ran: true };
        let first = LackingUsage { amount: Amount { tokens: largest, cost: Costs::new() }, known };
        let rest = LackingUsage {
            amount: Amount { tokens: tokens - largest, cost },
            known: KnownParts { tokens: unknown == 0, ran: false, ..known },
        };
        [first, rest].into_iter().filter(|lacking| lacking.amount != Amount::default()).collect()
    }
}
