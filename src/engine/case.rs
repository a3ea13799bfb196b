//! One case: its repeats, the infrastructure retries of each, and what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::engine::Engine;
use crate::engine::attempt::{Again, milliseconds};
use crate::engine::request::AttemptId;
use crate::event::{Event, SinkError};
use crate::outcome::{Attempt, CaseOutcome};
use crate::plan::case::{Case, Resend, Retries};
use crate::verdict::{Severity, Truth, Verdict, join_repeats};

/// What the attempts of a case add up to.
#[derive(Default)]
struct Tally {
    verdicts: Vec<Verdict>,
    attempts: u32,
    retries: u32,
    warnings: u32,
    recovered: u32,
    telling: Option<Arc<Attempt>>,
}

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
        for repeat in 0..case.test.repeat {
            let Some(attempt) = self.repeat(case, repeat, due, &mut tally).await? else { return Ok(None) };
            tally.verdicts.push(attempt.verdict);
            let stops = stops_suite(&attempt);
            if attempt.verdict != Verdict::Passed {
                tally.telling = Some(attempt);
            }
            if stops {
                break;
            }
        }
        let mut outcome =
            outcome_of(case, join_repeats(&tally.verdicts, case.test.repeat, case.test.pass_rate));
        if outcome.verdict == Verdict::Passed && tally.retries > 0 {
            outcome.verdict = Verdict::Flaky;
        }
        outcome.reason = reason_of(outcome.verdict, &tally);
        outcome.attempts = tally.attempts;
        outcome.warnings = tally.warnings;
        outcome.recovered = tally.recovered;
        outcome.duration_ms = milliseconds(clock::now().saturating_duration_since(began));
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
        tally.warnings += warnings(attempt);
        tally.recovered += u32::from(attempt.facts.recovered.is_some());
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
    pub(super) async fn sleep(&self, wait: Duration) -> bool {
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

/// An outcome without attempts.
fn outcome_of(case: &Case, verdict: Verdict) -> CaseOutcome {
    CaseOutcome {
        case: case.ordinal,
        name: case.name.to_string(),
        suite: case.test.suite.name.to_string(),
        place: (*case.test.place).clone(),
        tags: case.test.tags.iter().map(ToString::to_string).collect(),
        verdict,
        reason: None,
        attempts: 0,
        recovered: 0,
        duration_ms: 0.0,
        warnings: 0,
    }
}

fn stops_suite(attempt: &Attempt) -> bool {
    attempt.cause.as_ref().is_some_and(|cause| cause.stops_suite)
}

/// Why a test is flaky, or which share of its repeats passed.
fn reason_of(verdict: Verdict, tally: &Tally) -> Option<String> {
    let passed = tally.verdicts.iter().filter(|verdict| **verdict == Verdict::Passed).count();
    let repeats = tally.verdicts.len();
    match verdict {
        Verdict::Flaky if passed < repeats => Some(format!("{passed} of {repeats} repeats passed")),
        Verdict::Flaky => Some(format!("passed after {} infrastructure retries", tally.retries)),
        Verdict::Failed | Verdict::Errored if repeats > 1 => {
            Some(format!("{passed} of {repeats} repeats passed"))
        }
        Verdict::Failed | Verdict::Errored | Verdict::Passed | Verdict::Inconclusive | Verdict::Skipped => {
            None
        }
    }
}

/// Findings of severity warn that do not hold.
fn warnings(attempt: &Attempt) -> u32 {
    let unmet = attempt
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warn && finding.truth != Truth::Held);
    u32::try_from(unmet.count()).unwrap_or(u32::MAX)
}
