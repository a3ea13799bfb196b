//! The budgets of a run: an amount is set aside before an attempt is sent, and settled after it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::base::lock::lock;
use crate::budget::{
    AttemptUsage, BudgetOwner, BudgetRequest, Expected, Ledger, LedgerError, LedgerSharing, Reservation,
    ReservationAnswer, Shortage, SpendingKind, SpendingLimit, costs_of, suite_key, told,
};
use crate::dify::client::StopSignal;
use crate::engine::usage::{BudgetLimits, EndedAttempt, nothing_used, used};
use crate::plan::case::{Case, SuiteHead};
use crate::record::attempt::Cause;

/// How the reason begins for which a test is skipped that no longer fits its budgets.
pub const SKIPPED: &str = "budget: ";
/// The first wait for attempts of other processes, whose ends are not announced; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait for attempts of other processes.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The budgets of a run.
pub struct RunBudgets {
    ledger: Ledger,
    sharing: LedgerSharing,
    run_limit: SpendingLimit,
    /// The usage of each case in earlier runs.
    history: HashMap<u32, Expected>,
    /// Attempts get their reservations in order, so that small ones do not overtake a large one forever.
    queue: Semaphore,
    /// Notified when an attempt is settled.
    settled: Notify,
    /// The first error of an entry that no attempt waits for.
    failure: Mutex<Option<LedgerError>>,
}

/// What is set aside for an attempt; settled when dropped, unless it is settled before.
pub struct AttemptReservation {
    budgets: Arc<RunBudgets>,
    reservation: Reservation,
    stage: AttemptStage,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptStage {
    /// Nothing was sent, and so nothing was used.
    Reserved,
    /// It was sent.
    Sent,
    /// It was settled.
    Settled,
}

/// What the budgets decide about an attempt.
pub enum BudgetOutcome {
    /// It may be sent; `None` if nothing limits it.
    Granted(Option<AttemptReservation>),
    /// It no longer fits, for this reason.
    Refused(String),
    /// The run was stopped meanwhile.
    Stopped,
    /// The ledger cannot be used.
    Failed(Cause),
}

impl RunBudgets {
    /// Opens the ledger of a run's budgets; `history` is what each case is expected to use.
    pub fn open(
        path: &Path,
        sharing: LedgerSharing,
        run_limit: SpendingLimit,
        history: HashMap<u32, Expected>,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            ledger: Ledger::open(path, sharing)?,
            sharing,
            run_limit,
            history,
            queue: Semaphore::new(1),
            settled: Notify::new(),
            failure: Mutex::default(),
        })
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Sets aside what an attempt is expected to use; waits while it may fit once others have ended.
    pub async fn reserve(self: &Arc<Self>, case: &Case, stop: &mut StopSignal) -> BudgetOutcome {
        if self.run_limit.is_empty() && case.test.suite.budget.allowance.is_empty() {
            return BudgetOutcome::Granted(None);
        }
        let _turn = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return BudgetOutcome::Stopped,
            turn = self.queue.acquire() => turn,
        };
        let mut wait = FIRST_WAIT;
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // Listens from here on, so that an attempt that ends after the look below is not missed.
            settled.as_mut().enable();
            match self.try_reserve(case).await {
                Ok(BudgetAnswer::Granted(reservation)) => return BudgetOutcome::Granted(Some(reservation)),
                Ok(BudgetAnswer::Refused(reason)) => return BudgetOutcome::Refused(reason),
                Ok(BudgetAnswer::Wait) => {}
                Err(error) => return BudgetOutcome::Failed(ledger_failure(&error)),
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(Option::is_some) => return BudgetOutcome::Stopped,
                () = settled => {}
                () = tokio::time::sleep(wait) => wait = wait.saturating_mul(2).min(LONGEST_WAIT),
            }
        }
    }

    /// Tries once; waits for no other attempt, only for processes that write their entries.
    async fn try_reserve(self: &Arc<Self>, case: &Case) -> Result<BudgetAnswer, LedgerError> {
        let suite = case.test.suite.clone();
        let ordinal = case.ordinal;
        let budgets = self.clone();
        match self.sharing {
            LedgerSharing::Alone => budgets.try_reserve_now(&suite, ordinal),
            LedgerSharing::Several => {
                let answer =
                    tokio::task::spawn_blocking(move || budgets.try_reserve_now(&suite, ordinal)).await;
                answer.expect("asking a ledger neither panics nor is aborted")
            }
        }
    }

    fn try_reserve_now(
        self: Arc<Self>,
        suite: &SuiteHead,
        ordinal: u32,
    ) -> Result<BudgetAnswer, LedgerError> {
        let cap = &suite.budget.cap;
        let capped = Expected {
            tokens: cap.tokens,
            cost: cap.cost.as_ref().map(std::slice::from_ref).map(costs_of).unwrap_or_default(),
        };
        let expected = match self.history.get(&ordinal) {
            Some(history) => capped.or(history.tokens, &history.cost),
            None => capped,
        };
        let request = BudgetRequest {
            suite: suite_key(&suite.name),
            expected: &expected,
            of_run: &self.run_limit,
            of_suite: &suite.budget.allowance,
        };
        Ok(match self.ledger.reserve(&request)? {
            ReservationAnswer::Reserved(reservation) => BudgetAnswer::Granted(AttemptReservation {
                budgets: self.clone(),
                reservation,
                stage: AttemptStage::Reserved,
            }),
            ReservationAnswer::Wait => BudgetAnswer::Wait,
            ReservationAnswer::Refused(owner, shortage) => {
                BudgetAnswer::Refused(refusal(owner, &suite.name, &shortage))
            }
        })
    }

    /// Which usage of a suite's attempts must be known.
    fn limits(&self, suite: &SuiteHead) -> BudgetLimits {
        let of_suite = &suite.budget.allowance;
        let currencies = self.run_limit.cost.keys().chain(of_suite.cost.keys()).copied();
        BudgetLimits {
            tokens: self.run_limit.tokens.is_some() || of_suite.tokens.is_some(),
            currencies: currencies.collect(),
        }
    }

    fn settle(&self, reservation: &Reservation, used: &AttemptUsage) {
        if let Err(error) = self.ledger.settle(reservation, used) {
            // What is not settled stays set aside: it is never lost, only reported late.
            lock(&self.failure).get_or_insert(error);
        }
        self.settled.notify_waiters();
    }

    /// The first entry that could not be written, if any.
    pub fn failure(&self) -> Option<String> {
        lock(&self.failure).as_ref().map(ToString::to_string)
    }
}

/// The answer of the ledger to one attempt.
enum BudgetAnswer {
    Granted(AttemptReservation),
    /// It may fit once others have ended.
    Wait,
    Refused(String),
}

impl AttemptReservation {
    /// From now on the attempt may use something, however it ends.
    pub fn mark_sent(&mut self) {
        self.stage = AttemptStage::Sent;
    }

    /// Counts what the attempt used.
    pub async fn settle(mut self, suite: &SuiteHead, ended: &EndedAttempt<'_>) {
        let used = used(ended, &self.budgets.limits(suite));
        match self.budgets.sharing {
            LedgerSharing::Alone => self.settle_as(&used),
            LedgerSharing::Several => {
                let settled = tokio::task::spawn_blocking(move || self.settle_as(&used)).await;
                settled.expect("settling neither panics nor is aborted");
            }
        }
    }

    fn settle_as(&mut self, used: &AttemptUsage) {
        self.stage = AttemptStage::Settled;
        self.budgets.settle(&self.reservation, used);
    }
}

impl Drop for AttemptReservation {
    fn drop(&mut self) {
        match self.stage {
            AttemptStage::Reserved => self.budgets.settle(&self.reservation, &nothing_used()),
            AttemptStage::Sent => self.budgets.settle(&self.reservation, &AttemptUsage::default()),
            AttemptStage::Settled => {}
        }
    }
}

/// The cause of an attempt that is not sent since the ledger cannot be used.
fn ledger_failure(error: &LedgerError) -> Cause {
    Cause {
        message: format!("nothing was sent: {error}"),
        hint: Some("without its ledger it is unknown what the budget still allows".to_owned()),
        class: None,
        stops_suite: true,
    }
}

/// Why an attempt does not fit: `the 400,000 tokens of the run are used up`.
fn refusal(owner: BudgetOwner, suite: &str, shortage: &Shortage) -> String {
    let Shortage { kind, limit, left, needed, unknown } = *shortage;
    let whole = match owner {
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
            "{text} (the usage of 1 attempt is unknown: all that was set aside for it counts; `budget.per_test` bounds that)"
        ),
        count => format!(
            "{text} (the usage of {count} attempts is unknown: all that was set aside for them counts; `budget.per_test` bounds that)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_refusal_names_what_is_needed_what_is_left_and_of_which_budget() {
        let shortage = |left: i64, needed: Option<i64>, unknown| Shortage {
            kind: SpendingKind::Tokens,
            limit: Decimal::from(1_000),
            left: left.into(),
            needed: needed.map(Decimal::from),
            unknown,
        };
        let text = |owner, shortage: &Shortage| refusal(owner, "triage", shortage);
        assert_eq!(
            text(BudgetOwner::Run, &shortage(0, Some(5), 0)),
            "budget: the 1,000 tokens of the run are used up"
        );
        assert_eq!(
            text(BudgetOwner::Suite, &shortage(100, Some(150), 0)),
            "budget: an attempt may use 150 tokens, and of the 1,000 tokens of the suite triage only 100 tokens are left"
        );
        assert_eq!(
            text(BudgetOwner::Run, &shortage(1_000, Some(1_500), 0)),
            "budget: an attempt may use 1,500 tokens, more than the 1,000 tokens of the run"
        );
        assert!(text(BudgetOwner::Run, &shortage(0, None, 1)).contains("the usage of 1 attempt is unknown"));
        let time = Shortage { kind: SpendingKind::Time, limit: Decimal::from(90), ..shortage(0, None, 0) };
        assert_eq!(text(BudgetOwner::Run, &time), "budget: the 1m 30s of the run are over");
    }
}
