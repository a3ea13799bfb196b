//! One case: its repeats, the infrastructure retries of each, and what became of it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use crate::base::clock;
use crate::engine::Engine;
use crate::engine::attempt::{JudgedAttempt, milliseconds};
use crate::engine::request::AttemptId;
use crate::engine::side_by_side::RepeatingCase;
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

/// A case that is being run, one repeat after the other; it keeps its slot until it is finished or dropped.
pub struct RunningCase<'e> {
    engine: &'e Engine,
    case: &'e Case,
    _slot: OwnedSemaphorePermit,
    /// What the next repeat has waited for.
    waiting: AttemptWaits,
    began: Instant,
    tally: CaseTally,
    over: bool,
}

/// What became of a case that was to begin.
pub enum CaseStart<'e> {
    /// It goes on.
    Going(Box<RunningCase<'e>>),
    /// Nothing was sent, and that is recorded.
    Unsent,
    /// The run was stopped meanwhile.
    Stopped,
}

/// Whether a case may begin.
enum CaseAdmission {
    /// It may, on this slot, for which it waited so long.
    With(OwnedSemaphorePermit, AttemptWaits),
    /// Nothing was sent, and that is recorded.
    Unsent(CaseResult),
    /// The run was stopped meanwhile.
    Stopped,
}

/// What a step of a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseStep {
    /// A repeat ran.
    Ran,
    /// There is none left to run.
    Over,
    /// The run was stopped meanwhile.
    Stopped,
}

impl<'e> RunningCase<'e> {
    fn new(
        engine: &'e Engine,
        case: &'e Case,
        (slot, waiting): (OwnedSemaphorePermit, AttemptWaits),
    ) -> Self {
        let (began, tally) = (clock::now(), CaseTally::default());
        Self { engine, case, _slot: slot, waiting, began, tally, over: false }
    }

    /// Runs the next repeat, its retries included.
    pub async fn step(&mut self) -> Result<CaseStep, SinkError> {
        let repeat = self.tally.seen.all();
        if self.over || !self.case.test.repeats.goes_on(self.tally.seen) {
            return Ok(CaseStep::Over);
        }
        let ran = self.engine.repeat(self.case, repeat, self.waiting, &mut self.tally).await?;
        // The repeat before is nothing that the next one waits for.
        self.waiting = AttemptWaits::begin();
        match ran {
            RepeatResult::Stands(attempt) => {
                self.over = stops_suite(&attempt);
                self.tally.add(attempt);
            }
            RepeatResult::Unaffordable(last, reason) => {
                self.tally.cut_short(last, reason);
                self.over = true;
            }
            RepeatResult::Stopped => return Ok(CaseStep::Stopped),
        }
        Ok(CaseStep::Ran)
    }

    /// Records what became of it.
    pub fn finish(self) -> Result<CaseResult, SinkError> {
        let Self { engine, case, mut tally, began, .. } = self;
        let duration_ms = milliseconds(clock::now().saturating_duration_since(began));
        let outcome = CaseOutcome { duration_ms, ..tally.outcome(case) };
        engine.close_case_with(tally.unrecorded.take(), outcome, tally.telling)
    }
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
        match self.enter(case).await? {
            CaseAdmission::With(slot, waiting) if case.test.repeats.times.most() > 1 => {
                RepeatingCase::new(self, place, slot).run(waiting).await
            }
            CaseAdmission::With(slot, waiting) => {
                let mut going = RunningCase::new(self, case, (slot, waiting));
                going.tally.ends_with_attempt = true;
                match going.step().await? {
                    CaseStep::Ran | CaseStep::Over => going.finish().map(Some),
                    CaseStep::Stopped => Ok(None),
                }
            }
            CaseAdmission::Unsent(ran) => Ok(Some(ran)),
            CaseAdmission::Stopped => Ok(None),
        }
    }

    /// Waits for a slot; the case is then run step by step.
    pub async fn begin_case<'e>(&'e self, case: &'e Case) -> Result<CaseStart<'e>, SinkError> {
        Ok(match self.enter(case).await? {
            CaseAdmission::With(slot, waiting) => {
                CaseStart::Going(Box::new(RunningCase::new(self, case, (slot, waiting))))
            }
            CaseAdmission::Unsent(_) => CaseStart::Unsent,
            CaseAdmission::Stopped => CaseStart::Stopped,
        })
    }

    /// Waits for the slot of a case that is to be sent.
    async fn enter(&self, case: &Case) -> Result<CaseAdmission, SinkError> {
        if let Some(reason) = &case.skip {
            return self.unsent(case, Verdict::Skipped, reason.to_string()).map(CaseAdmission::Unsent);
        }
        let mut waiting = AttemptWaits::begin();
        let slot = self.pace.slot().await;
        if self.stopping().is_some() {
            return Ok(CaseAdmission::Stopped);
        }
        if let Some(cause) = self.blocked(&case.test.app) {
            return self.unsent(case, Verdict::Errored, cause.not_sent()).map(CaseAdmission::Unsent);
        }
        waiting.waited_for(WaitReason::Slot);
        Ok(CaseAdmission::With(slot, waiting))
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
    /// the case ends with it, it is left to [`Self::close_case_with`].
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
        self.close_case(CaseOutcome { reason: Some(reason), ..outcome_of(case, verdict) }, None)
    }

    pub(super) fn close_case(
        &self,
        outcome: CaseOutcome,
        telling: Option<Arc<Attempt>>,
    ) -> Result<CaseResult, SinkError> {
        self.close_case_with(None, outcome, telling)
    }

    /// Records a case, and the attempt that ends with it: nothing comes between the two, so that they are written together.
    fn close_case_with(
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
