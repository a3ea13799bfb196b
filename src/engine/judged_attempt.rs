//! An attempt with its verdict, and the attempts that were never sent.

use crate::base::clock;
use crate::base::panics::CaughtPanic;
use crate::engine::current_run::CurrentRun;
use crate::engine::request::{AttemptId, RequestError};
use crate::engine::retry_safety::RetryDecision;
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, Cause, ObservedUse, RunFacts, WaitTimes};
use crate::record::verdict::Verdict;

/// A judged attempt, and whether another one may follow it.
pub struct JudgedAttempt {
    /// What will be recorded.
    pub attempt: Attempt,
    /// Whether the request may be sent again.
    pub retry: RetryDecision,
}

impl JudgedAttempt {
    /// An attempt that was not sent: errored, for this cause.
    pub fn unsent(run: &CurrentRun, case: &Case, id: AttemptId, cause: Cause) -> Self {
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
            sent_ms: run.offset_ms(clock::now()),
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
        Self { attempt, retry: RetryDecision::Useless }
    }

    /// An attempt whose request could not be made: errored.
    pub fn without_request(run: &CurrentRun, case: &Case, id: AttemptId, error: &RequestError) -> Self {
        let message = format!("the request could not be made: {error}");
        Self::unsent(run, case, id, Cause { message, hint: None, class: None, stops_suite: false })
    }

    /// An attempt that no longer fits its budgets: it was not sent, and nothing is recorded of it.
    pub fn over_budget(run: &CurrentRun, case: &Case, id: AttemptId, reason: String) -> Self {
        let cause = Cause { message: reason, hint: None, class: None, stops_suite: false };
        let mut judged = Self::unsent(run, case, id, cause);
        judged.attempt.verdict = Verdict::Skipped;
        judged
    }

    /// An attempt that ran into an error of flowproof or of a library: errored, and its usage is unknown. The others go on.
    pub fn panicked(run: &CurrentRun, case: &Case, id: AttemptId, panic: &CaughtPanic) -> Self {
        let cause = Cause { message: panic.to_string(), hint: None, class: None, stops_suite: false };
        let mut judged = Self::unsent(run, case, id, cause);
        judged.attempt.facts = RunFacts::default();
        judged
    }

    /// Why the attempt was not sent, if it no longer fits its budgets; `None` for any other.
    pub fn budget_refusal(&self) -> Option<String> {
        let cause = self.attempt.cause.as_ref()?;
        (self.attempt.verdict == Verdict::Skipped).then(|| cause.message.clone())
    }
}
