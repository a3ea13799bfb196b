//! Attempts that nothing was sent for: what could not be made, or no longer fits a budget.

use crate::base::clock;
use crate::base::panics::CaughtPanic;
use crate::dify::client::StopSignal;
use crate::engine::Engine;
use crate::engine::attempt::{JudgedAttempt, milliseconds};
use crate::engine::budget::{AttemptReservation, BudgetOutcome};
use crate::engine::cassettes::AnswerRoute;
use crate::engine::request::{AttemptId, RequestError};
use crate::engine::retry_safety::RetryDecision;
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, Cause, ObservedUse, RunFacts, WaitTimes};
use crate::record::verdict::Verdict;

impl Engine {
    /// An attempt whose request could not be made: errored, with the reason.
    pub(super) fn unsendable(&self, case: &Case, id: AttemptId, error: &RequestError) -> JudgedAttempt {
        let message = format!("the request could not be made: {error}");
        self.unsent_attempt(case, id, Cause { message, hint: None, class: None, stops_suite: false })
    }

    /// What is set aside for an attempt that will be sent; else what becomes of it, none when the run was stopped.
    pub(super) async fn hold(
        &self,
        case: &Case,
        id: AttemptId,
        route: &AnswerRoute,
        stop: &mut StopSignal,
    ) -> Result<Option<AttemptReservation>, Option<JudgedAttempt>> {
        if !route.is_live() {
            return Ok(None);
        }
        match self.afford(case, stop).await {
            BudgetOutcome::Yes(hold) => Ok(hold),
            BudgetOutcome::No(reason) => Err(Some(self.unaffordable(case, id, reason))),
            BudgetOutcome::Broken(cause) => Err(Some(self.unsent_attempt(case, id, cause))),
            BudgetOutcome::Stopped => Err(None),
        }
    }

    /// An attempt that met an error of ours or of a library: errored, so that the others go on. What it used is not known.
    pub(super) fn unjudged(&self, case: &Case, id: AttemptId, panic: &CaughtPanic) -> JudgedAttempt {
        let cause = Cause { message: panic.to_string(), hint: None, class: None, stops_suite: false };
        let mut judged = self.unsent_attempt(case, id, cause);
        judged.attempt.facts = RunFacts::default();
        judged
    }

    /// An attempt that no longer fits its budgets: nothing was sent, and nothing is recorded of it.
    pub(super) fn unaffordable(&self, case: &Case, id: AttemptId, reason: String) -> JudgedAttempt {
        let cause = Cause { message: reason, hint: None, class: None, stops_suite: false };
        let mut judged = self.unsent_attempt(case, id, cause);
        judged.attempt.verdict = Verdict::Skipped;
        judged
    }

    /// An attempt that nothing was sent for: errored.
    pub(super) fn unsent_attempt(&self, case: &Case, id: AttemptId, cause: Cause) -> JudgedAttempt {
        let attempt = Attempt {
            case: case.ordinal,
            key: case.key,
            repeat: id.repeat,
            attempt: id.attempt,
            verdict: Verdict::Errored,
            cause: Some(cause),
            findings: Vec::new(),
            facts: RunFacts {
                seen: Some(ObservedUse { nothing: true, ..ObservedUse::default() }),
                ..RunFacts::default()
            },
            mode: case.test.mode,
            sent_ms: milliseconds(clock::now().saturating_duration_since(self.started)),
            waited_ms: 0.0,
            waits: WaitTimes::default(),
            intended_ms: None,
            retried: false,
            replayed: false,
            curl: String::new(),
            outputs: None,
            contract: Vec::new(),
            judges: Vec::new(),
        };
        JudgedAttempt { attempt, again: RetryDecision::Useless }
    }
}
