//! One case: its repeats, the infrastructure retries of each, and what became of it.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::attempt::JudgedAttempt;
use crate::engine::request::AttemptId;
use crate::engine::side_by_side::{CaseRepeats, RepeatingCase};
use crate::engine::tally::{CaseTally, outcome_of};
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::{Event, SinkError};
use crate::record::verdict::Verdict;

/// What became of a case, with the attempt that explains it.
pub struct CaseResult {
    /// The outcome, as it was recorded.
    pub outcome: Arc<CaseOutcome>,
    /// The last attempt that did not pass, for those who tell it at once.
    pub telling: Option<Arc<Attempt>>,
}

/// Whether a case begins.
pub(super) enum CaseAdmission {
    /// It does.
    Begins,
    /// Nothing was sent, and that is recorded.
    Unsent(CaseResult),
    /// The run was stopped meanwhile.
    Stopped,
}

/// What became of one repeat.
pub(super) enum RepeatResult {
    /// The attempt that stands for it.
    Stands(Arc<Attempt>),
    /// It, or a retry after the attempt given here, no longer fits the budget.
    Unaffordable(Option<Arc<Attempt>>, String),
    /// The run was stopped meanwhile.
    Stopped,
}

impl Engine {
    /// Runs the case at this place of the plan to its end and records it; none when the run was stopped meanwhile.
    pub async fn run_case(self: &Arc<Self>, place: usize) -> Result<Option<CaseResult>, SinkError> {
        let case = &self.plan.cases[place];
        if let Some(skipped) = self.skip(case)? {
            return Ok(Some(skipped));
        }
        let mut waiting = AttemptWaits::begin();
        let slot = self.pace.slot().await;
        match self.admit(case)? {
            CaseAdmission::Begins => {}
            CaseAdmission::Unsent(ran) => return Ok(Some(ran)),
            CaseAdmission::Stopped => return Ok(None),
        }
        waiting.waited_for(WaitReason::Slot);
        if case.test.repeats.times.most() > 1 {
            RepeatingCase::new(self, place, slot).run(waiting).await
        } else {
            self.run_once(place, waiting).await
        }
    }

    /// Runs a case of one repeat, whose end is recorded with that of its attempt.
    async fn run_once(
        self: &Arc<Self>,
        place: usize,
        waiting: AttemptWaits,
    ) -> Result<Option<CaseResult>, SinkError> {
        let mut repeats = CaseRepeats::begin(self, place);
        let mut tally = CaseTally::of_single_attempt();
        let repeated = self.repeat(&self.plan.cases[place], 0, waiting, &mut tally).await?;
        let unrecorded = tally.unrecorded.take();
        repeats.take(repeated, tally);
        repeats.finish(unrecorded)
    }

    /// Records a case that is skipped; none for any other.
    pub(super) fn skip(&self, case: &Case) -> Result<Option<CaseResult>, SinkError> {
        let unsent = |reason: &Arc<str>| self.unsent(case, Verdict::Skipped, reason.to_string());
        case.skip.as_ref().map(unsent).transpose()
    }

    /// Whether a case begins that is not skipped and has its slot.
    pub(super) fn admit(&self, case: &Case) -> Result<CaseAdmission, SinkError> {
        if self.stopping().is_some() {
            return Ok(CaseAdmission::Stopped);
        }
        match self.blocked(&case.test.app) {
            Some(cause) => self.unsent(case, Verdict::Errored, cause.not_sent()).map(CaseAdmission::Unsent),
            None => Ok(CaseAdmission::Begins),
        }
    }

    /// One repeat: tries until it was not an infrastructure failure or the retries are used up.
    pub(super) async fn repeat(
        &self,
        case: &Case,
        repeat: u32,
        mut waiting: AttemptWaits,
        tally: &mut CaseTally,
    ) -> Result<RepeatResult, SinkError> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        let mut number = 0;
        let mut last = None;
        if let Some(found) = self.interrupted(case, repeat).await {
            tally.attempts += 1;
            let attempt = Arc::new(found.attempt);
            self.record_standing(&attempt, tally)?;
            self.note(case, &attempt, tally);
            return Ok(RepeatResult::Stands(attempt));
        }
        loop {
            let id = AttemptId { repeat, attempt: number };
            let Some(mut judged) = self.attempt(case, id, waiting).await? else {
                return Ok(RepeatResult::Stopped);
            };
            if let Some(reason) = unaffordable(&judged) {
                return Ok(RepeatResult::Unaffordable(last, reason));
            }
            tally.attempts += 1;
            let wait =
                (number < retries.count).then(|| self.wait_before_retry(case, number + 1, &judged)).flatten();
            judged.attempt.retried = wait.is_some();
            let attempt = Arc::new(judged.attempt);
            let Some(wait) = wait else {
                self.record_standing(&attempt, tally)?;
                self.note(case, &attempt, tally);
                return Ok(RepeatResult::Stands(attempt));
            };
            self.tell(&Event::AttemptFinished(attempt.clone()))?;
            last = Some(attempt);
            tally.retries += 1;
            number += 1;
            waiting = AttemptWaits::begin();
            if !self.sleep(wait).await {
                return Ok(RepeatResult::Stopped);
            }
            waiting.waited_for(WaitReason::Retry);
        }
    }

    /// Records the end of an attempt that stands.
    ///
    /// A kill between it and the end of its case would have the test sent again, although its only attempt had ended: where
    /// the case ends with it, it is left to [`Self::close_case`].
    fn record_standing(&self, attempt: &Arc<Attempt>, tally: &mut CaseTally) -> Result<(), SinkError> {
        if tally.ends_with_attempt {
            tally.unrecorded = Some(attempt.clone());
            return Ok(());
        }
        self.tell(&Event::AttemptFinished(attempt.clone()))
    }

    /// Counts what an attempt that stands brings along.
    fn note(&self, case: &Case, attempt: &Attempt, tally: &mut CaseTally) {
        tally.note(attempt);
        if let Some(cause) = attempt.cause.as_ref().filter(|_| attempt.verdict == Verdict::Errored) {
            self.give_up(&case.test.app, &cause.message);
        }
        if let Some(cause) = attempt.cause.as_ref().filter(|cause| cause.stops_suite) {
            self.block(&case.test.app, cause);
        }
    }

    /// Records a case that was not sent.
    fn unsent(&self, case: &Case, verdict: Verdict, reason: String) -> Result<CaseResult, SinkError> {
        self.close_case(None, CaseOutcome { reason: Some(reason), ..outcome_of(case, verdict) }, None)
    }

    /// Records a case, and the attempt that ends with it: nothing comes between the two, so that they are written together.
    pub(super) fn close_case(
        &self,
        unrecorded: Option<Arc<Attempt>>,
        outcome: CaseOutcome,
        telling: Option<Arc<Attempt>>,
    ) -> Result<CaseResult, SinkError> {
        let outcome = Arc::new(outcome);
        let ends = unrecorded.map(Event::AttemptFinished).into_iter();
        self.tell_together(ends.chain([Event::CaseFinished(outcome.clone())]))?;
        Ok(CaseResult { outcome, telling })
    }
}

/// Why an attempt was not sent that no longer fits the budget; none for any other.
fn unaffordable(judged: &JudgedAttempt) -> Option<String> {
    let cause = judged.attempt.cause.as_ref()?;
    (judged.attempt.verdict == Verdict::Skipped).then(|| cause.message.clone())
}

pub(super) fn stops_suite(attempt: &Attempt) -> bool {
    attempt.cause.as_ref().is_some_and(|cause| cause.stops_suite)
}
