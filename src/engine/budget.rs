//! What attempts may use: set aside before one is sent, settled behind it, and the cap of a single one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::base::lock::lock;
use crate::budget::{
    AttemptUsage, BudgetOwner, BudgetRequest, Expected, Ledger, LedgerError, LedgerSharing, Reservation,
    ReservationAnswer, Shortage, SpendingKind, SpendingLimit, suite_key, told,
};
use crate::dify::client::StopSignal;
use crate::engine::Engine;
use crate::engine::usage::{BudgetLimits, EndedAttempt, nothing, used};
use crate::plan::case::{Case, SuiteHead};
use crate::record::attempt::Cause;

/// How the reason of a test begins that no longer fits.
pub const SKIPPED: &str = "budget: ";
/// The first and the longest wait for others to end, where nobody tells that they did.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The budgets of a run.
pub struct RunBudgets {
    ledger: Ledger,
    sharing: LedgerSharing,
    of_run: SpendingLimit,
    /// What earlier runs say of each case of the plan.
    history: HashMap<u32, Expected>,
    /// Who waits is served in order: small attempts do not overtake a large one for ever.
    door: Semaphore,
    changed: Notify,
    /// The first thing that went wrong where nobody could be told.
    failure: Mutex<Option<LedgerError>>,
}

impl RunBudgets {
    /// How long the whole run may take, where that is limited.
    pub fn time(&self) -> Option<Duration> {
        self.of_run.time
    }
}

/// What is set aside for an attempt; settled when dropped, if nobody did before.
pub struct AttemptReservation {
    purse: Arc<RunBudgets>,
    reservation: Reservation,
    sent: AttemptStage,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptStage {
    /// Nothing was sent: nothing was used.
    No,
    /// It was sent.
    Yes,
    /// It was settled.
    Settled,
}

/// What becomes of an attempt that asks its budgets.
pub enum BudgetOutcome {
    /// It may be sent; none where nothing limits it.
    Yes(Option<AttemptReservation>),
    /// It does not fit any more: why.
    No(String),
    /// The run was stopped meanwhile.
    Stopped,
    /// The budget cannot be asked.
    Broken(Cause),
}

impl RunBudgets {
    /// Opens the ledger of a run's budgets; `history` tells what each case is expected to use.
    pub fn open(
        path: &Path,
        sharing: LedgerSharing,
        of_run: SpendingLimit,
        history: HashMap<u32, Expected>,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            ledger: Ledger::open(path, sharing)?,
            sharing,
            of_run,
            history,
            door: Semaphore::new(1),
            changed: Notify::new(),
            failure: Mutex::default(),
        })
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Asks once; waits for no other attempt, only for processes that write their entries.
    async fn ask(self: &Arc<Self>, case: &Case) -> Result<BudgetAnswer, LedgerError> {
        let suite = case.test.suite.clone();
        let ordinal = case.ordinal;
        let purse = self.clone();
        match self.sharing {
            LedgerSharing::Alone => purse.ask_now(&suite, ordinal),
            LedgerSharing::Several => {
                let asked = tokio::task::spawn_blocking(move || purse.ask_now(&suite, ordinal)).await;
                asked.expect("asking a ledger neither panics nor is aborted")
            }
        }
    }

    fn ask_now(self: Arc<Self>, suite: &SuiteHead, ordinal: u32) -> Result<BudgetAnswer, LedgerError> {
        let cap = &suite.budget.cap;
        let capped = Expected {
            tokens: cap.tokens,
            cost: cap
                .cost
                .as_ref()
                .map(std::slice::from_ref)
                .map(crate::budget::costs_of)
                .unwrap_or_default(),
        };
        let expected = match self.history.get(&ordinal) {
            Some(history) => capped.or(history.tokens, &history.cost),
            None => capped,
        };
        let ask = BudgetRequest {
            suite: suite_key(&suite.name),
            expected: &expected,
            of_run: &self.of_run,
            of_suite: &suite.budget.allowance,
        };
        Ok(match self.ledger.reserve(&ask)? {
            ReservationAnswer::Reserved(reservation) => BudgetAnswer::Holds(AttemptReservation {
                purse: self.clone(),
                reservation,
                sent: AttemptStage::No,
            }),
            ReservationAnswer::Wait => BudgetAnswer::Waits,
            ReservationAnswer::Refused(whose, shortage) => {
                BudgetAnswer::Refused(refusal(whose, &suite.name, &shortage))
            }
        })
    }

    /// Whether what is not told in these currencies is limited.
    fn limits(&self, suite: &SuiteHead) -> BudgetLimits {
        let of_suite = &suite.budget.allowance;
        let currencies = self.of_run.cost.keys().chain(of_suite.cost.keys()).copied();
        BudgetLimits {
            tokens: self.of_run.tokens.is_some() || of_suite.tokens.is_some(),
            currencies: currencies.collect(),
        }
    }

    fn settle(&self, reservation: &Reservation, used: &AttemptUsage) {
        if let Err(error) = self.ledger.settle(reservation, used) {
            // What is not settled stays set aside: it is never lost, only told late.
            lock(&self.failure).get_or_insert(error);
        }
        self.changed.notify_waiters();
    }

    /// The first entry that could not be written, if any.
    pub fn failure(&self) -> Option<String> {
        lock(&self.failure).as_ref().map(ToString::to_string)
    }
}

enum BudgetAnswer {
    Holds(AttemptReservation),
    Waits,
    Refused(String),
}

impl AttemptReservation {
    /// From now on something may be used, whatever comes.
    pub fn send(&mut self) {
        self.sent = AttemptStage::Yes;
    }

    /// Counts what the attempt used.
    pub async fn settle(mut self, suite: &SuiteHead, ended: &EndedAttempt<'_>) {
        let used = used(ended, &self.purse.limits(suite));
        match self.purse.sharing {
            LedgerSharing::Alone => self.settle_as(&used),
            LedgerSharing::Several => {
                let settled = tokio::task::spawn_blocking(move || self.settle_as(&used)).await;
                settled.expect("settling neither panics nor is aborted");
            }
        }
    }

    fn settle_as(&mut self, used: &AttemptUsage) {
        self.sent = AttemptStage::Settled;
        self.purse.settle(&self.reservation, used);
    }
}

impl Drop for AttemptReservation {
    fn drop(&mut self) {
        match self.sent {
            AttemptStage::No => self.purse.settle(&self.reservation, &nothing()),
            AttemptStage::Yes => self.purse.settle(&self.reservation, &AttemptUsage::default()),
            AttemptStage::Settled => {}
        }
    }
}

impl Engine {
    /// Sets aside what an attempt is expected to use; waits while it may fit once others have ended.
    pub(super) async fn afford(&self, case: &Case, stop: &mut StopSignal) -> BudgetOutcome {
        let Some(purse) = &self.purse else { return BudgetOutcome::Yes(None) };
        if purse.of_run.is_empty() && case.test.suite.budget.allowance.is_empty() {
            return BudgetOutcome::Yes(None);
        }
        let _turn = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return BudgetOutcome::Stopped,
            turn = purse.door.acquire() => turn,
        };
        let (mut wait, longest) = WAITS;
        loop {
            let changed = purse.changed.notified();
            tokio::pin!(changed);
            // Listens from here on: who ends after the look below is not missed.
            changed.as_mut().enable();
            match purse.ask(case).await {
                Ok(BudgetAnswer::Holds(hold)) => return BudgetOutcome::Yes(Some(hold)),
                Ok(BudgetAnswer::Refused(reason)) => return BudgetOutcome::No(reason),
                Ok(BudgetAnswer::Waits) => {}
                Err(error) => return BudgetOutcome::Broken(broken(&error)),
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(Option::is_some) => return BudgetOutcome::Stopped,
                () = changed => {}
                () = tokio::time::sleep(wait) => wait = wait.saturating_mul(2).min(longest),
            }
        }
    }
}

/// What is said where the ledger cannot be used: nothing is sent without it.
fn broken(error: &LedgerError) -> Cause {
    Cause {
        message: format!("nothing was sent: {error}"),
        hint: Some("without its ledger nobody knows what the budget still allows".to_owned()),
        class: None,
        stops_suite: true,
    }
}

/// Why an attempt does not fit: `the 400,000 tokens of the run are used up`.
fn refusal(whose: BudgetOwner, suite: &str, shortage: &Shortage) -> String {
    let Shortage { kind, limit, left, needed, unknown } = *shortage;
    let whole = match whose {
        BudgetOwner::Run => format!("the {} of the run", told(kind, limit)),
        BudgetOwner::Suite => format!("the {} of the suite {suite}", told(kind, limit)),
    };
    let uses = |needed| format!("{SKIPPED}an attempt may use {}", told(kind, needed));
    let text = match (kind, needed) {
        (SpendingKind::Time, _) => format!("{SKIPPED}{whole} are over"),
        (_, Some(needed)) if left == limit => format!("{}, more than {whole}", uses(needed)),
        (_, Some(needed)) if !left.is_zero() => {
            format!("{}, and of {whole} only {} are left", uses(needed), told(kind, left))
        }
        (_, Some(_) | None) => format!("{SKIPPED}{whole} are used up"),
    };
    match unknown {
        0 => text,
        1 => format!(
            "{text} (what 1 attempt used nobody knows: all that was set aside for it counts; `budget.per_test` bounds that)"
        ),
        count => format!(
            "{text} (what {count} attempts used nobody knows: all that was set aside for them counts; `budget.per_test` bounds that)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_refusal_tells_what_is_needed_what_is_left_and_of_what() {
        let shortage = |left: i64, needed: Option<i64>, unknown| Shortage {
            kind: SpendingKind::Tokens,
            limit: Decimal::from(1_000),
            left: left.into(),
            needed: needed.map(Decimal::from),
            unknown,
        };
        let said = |whose, shortage: &Shortage| refusal(whose, "triage", shortage);
        assert_eq!(
            said(BudgetOwner::Run, &shortage(0, Some(5), 0)),
            "budget: the 1,000 tokens of the run are used up"
        );
        assert_eq!(
            said(BudgetOwner::Suite, &shortage(100, Some(150), 0)),
            "budget: an attempt may use 150 tokens, and of the 1,000 tokens of the suite triage only 100 tokens are left"
        );
        assert_eq!(
            said(BudgetOwner::Run, &shortage(1_000, Some(1_500), 0)),
            "budget: an attempt may use 1,500 tokens, more than the 1,000 tokens of the run"
        );
        assert!(said(BudgetOwner::Run, &shortage(0, None, 1)).contains("what 1 attempt used nobody knows"));
        let time = Shortage { kind: SpendingKind::Time, limit: Decimal::from(90), ..shortage(0, None, 0) };
        assert_eq!(said(BudgetOwner::Run, &time), "budget: the 1m 30s of the run are over");
    }
}
