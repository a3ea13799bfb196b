//! One case: its repeats, the infrastructure retries of each, and what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::engine::Engine;
use crate::engine::attempt::{Again, milliseconds};
use crate::engine::conclude::{Tally, outcome_of};
use crate::engine::request::AttemptId;
use crate::event::{Event, SinkError};
use crate::outcome::{Attempt, CaseOutcome};
use crate::plan::case::{Case, Resend, Retries};
use crate::verdict::Verdict;

/// What became of a case, with the attempt that explains it.
pub struct Ran {
    /// The outcome, as it was recorded.
    pub outcome: Arc<CaseOutcome>,
    /// The last attempt that did not pass, for those who tell it at once.
    pub telling: Option<Arc<Attempt>>,
}

impl Engine {
    /// Runs one case to its end and records it; none when the run was stopped meanwhile.
    pub async fn run_case(&self, case: &Case) -> Result<Option<Ran>, SinkError> {
        if let Some(reason) = &case.skip {
            return self.unsent(case, Verdict::Skipped, reason.to_string()).map(Some);
        }
        let due = clock::now();
        let _slot = self.pace.slot().await;
        if self.stopping().is_some() {
            return Ok(None);
        }
        if let Some(cause) = self.blocked(&case.test.app) {
            return self.unsent(case, Verdict::Errored, cause.not_sent()).map(Some);
        }
        let began = clock::now();
        let mut tally = Tally::default();
        while case.test.repeats.goes_on(tally.seen) {
            let repeat = tally.seen.all();
            let Some(attempt) = self.repeat(case, repeat, due, &mut tally).await? else { return Ok(None) };
            let stops = stops_suite(&attempt);
            tally.add(attempt);
            if stops {
                break;
            }
        }
        let duration_ms = milliseconds(clock::now().saturating_duration_since(began));
        let outcome = CaseOutcome { duration_ms, ..tally.outcome(case) };
        self.close_case(outcome, tally.telling).map(Some)
    }

    /// One repeat: tries until it was not an infrastructure failure or the retries are used up.
    async fn repeat(
        &self,
        case: &Case,
        repeat: u32,
        mut due: Instant,
        tally: &mut Tally,
    ) -> Result<Option<Arc<Attempt>>, SinkError> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        let mut number = 0;
        loop {
            let id = AttemptId { repeat, attempt: number };
            let Some(mut judged) = self.attempt(case, id, due).await else { return Ok(None) };
            tally.attempts += 1;
            let left = number < retries.count && judged.attempt.verdict == Verdict::Errored;
            let wait = left.then(|| self.wait_before_retry(retries, number + 1, judged.again)).flatten();
            judged.attempt.retried = wait.is_some();
            let attempt = Arc::new(judged.attempt);
            self.tell(&Event::AttemptFinished(attempt.clone()))?;
            let Some(wait) = wait else {
                self.note(case, &attempt, tally);
                return Ok(Some(attempt));
            };
            tally.retries += 1;
            number += 1;
            if !self.sleep(wait).await {
                return Ok(None);
            }
            due = clock::now();
        }
    }

    /// Counts what an attempt that stands brings along.
    fn note(&self, case: &Case, attempt: &Attempt, tally: &mut Tally) {
        tally.note(attempt);
        if let Some(cause) = attempt.cause.as_ref().filter(|cause| cause.stops_suite) {
            self.block(&case.test.app, cause);
        }
    }

    /// The back-off before the next try, or none when the last one may have run.
    fn wait_before_retry(&self, retries: &Retries, retry: u32, again: Again) -> Option<Duration> {
        match (again, retries.resend) {
            (Again::Safe(after), Resend::Never | Resend::Allowed) => {
                Some(self.pace.back_off(retries, retry, after))
            }
            (Again::Unsafe, Resend::Allowed) => Some(self.pace.back_off(retries, retry, None)),
            (Again::Unsafe, Resend::Never) | (Again::Useless, Resend::Never | Resend::Allowed) => None,
        }
    }

    /// Sleeps; false when the run was stopped meanwhile.
    async fn sleep(&self, wait: Duration) -> bool {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    /// Records a case that was not sent.
    fn unsent(&self, case: &Case, verdict: Verdict, reason: String) -> Result<Ran, SinkError> {
        self.close_case(CaseOutcome { reason: Some(reason), ..outcome_of(case, verdict) }, None)
    }

    fn close_case(&self, outcome: CaseOutcome, telling: Option<Arc<Attempt>>) -> Result<Ran, SinkError> {
        let outcome = Arc::new(outcome);
        self.tell(&Event::CaseFinished(outcome.clone()))?;
        Ok(Ran { outcome, telling })
    }
}

fn stops_suite(attempt: &Attempt) -> bool {
    attempt.cause.as_ref().is_some_and(|cause| cause.stops_suite)
}
