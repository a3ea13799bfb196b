//! One case: its repeats, the infrastructure retries of each, and what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use crate::base::clock;
use crate::engine::Engine;
use crate::engine::again::Again;
use crate::engine::attempt::{Judged, milliseconds};
use crate::engine::conclude::{Tally, outcome_of};
use crate::engine::pace::LONGEST_RETRY_AFTER;
use crate::engine::request::AttemptId;
use crate::engine::side_by_side::Repeating;
use crate::engine::waiting::{Awaited, Waiting};
use crate::event::{Event, SinkError};
use crate::outcome::{Attempt, CaseOutcome};
use crate::plan::case::{Case, Resend};
use crate::verdict::Verdict;

/// What became of a case, with the attempt that explains it.
pub struct Ran {
    /// The outcome, as it was recorded.
    pub outcome: Arc<CaseOutcome>,
    /// The last attempt that did not pass, for those who tell it at once.
    pub telling: Option<Arc<Attempt>>,
}

/// A case that is being run, one repeat after the other; it keeps its slot until it is finished or dropped.
pub struct Going<'e> {
    engine: &'e Engine,
    case: &'e Case,
    _slot: OwnedSemaphorePermit,
    /// What the next repeat has waited for.
    waiting: Waiting,
    began: Instant,
    tally: Tally,
    over: bool,
}

/// What became of a case that was to begin.
pub enum Begun<'e> {
    /// It goes on.
    Going(Box<Going<'e>>),
    /// Nothing was sent, and that is recorded.
    Unsent,
    /// The run was stopped meanwhile.
    Stopped,
}

/// Whether a case may begin.
enum Entered {
    /// It may, on this slot, for which it waited so long.
    With(OwnedSemaphorePermit, Waiting),
    /// Nothing was sent, and that is recorded.
    Unsent(Ran),
    /// The run was stopped meanwhile.
    Stopped,
}

/// What a step of a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A repeat ran.
    Ran,
    /// There is none left to run.
    Over,
    /// The run was stopped meanwhile.
    Stopped,
}

impl<'e> Going<'e> {
    fn new(engine: &'e Engine, case: &'e Case, (slot, waiting): (OwnedSemaphorePermit, Waiting)) -> Self {
        let (began, tally) = (clock::now(), Tally::default());
        Self { engine, case, _slot: slot, waiting, began, tally, over: false }
    }

    /// Runs the next repeat, its retries included.
    pub async fn step(&mut self) -> Result<Step, SinkError> {
        let repeat = self.tally.seen.all();
        if self.over || !self.case.test.repeats.goes_on(self.tally.seen) {
            return Ok(Step::Over);
        }
        let ran = self.engine.repeat(self.case, repeat, self.waiting, &mut self.tally).await?;
        // The repeat before is nothing that the next one waits for.
        self.waiting = Waiting::begin();
        match ran {
            Repeated::Stands(attempt) => {
                self.over = stops_suite(&attempt);
                self.tally.add(attempt);
            }
            Repeated::Unaffordable(last, reason) => {
                self.tally.cut_short(last, reason);
                self.over = true;
            }
            Repeated::Stopped => return Ok(Step::Stopped),
        }
        Ok(Step::Ran)
    }

    /// Records what became of it.
    pub fn finish(self) -> Result<Ran, SinkError> {
        let Self { engine, case, tally, began, .. } = self;
        let duration_ms = milliseconds(clock::now().saturating_duration_since(began));
        let outcome = CaseOutcome { duration_ms, ..tally.outcome(case) };
        engine.close_case(outcome, tally.telling)
    }
}

/// What became of one repeat.
pub(super) enum Repeated {
    /// The attempt that stands for it.
    Stands(Arc<Attempt>),
    /// It, or a retry after the attempt given here, no longer fits the budget.
    Unaffordable(Option<Arc<Attempt>>, String),
    /// The run was stopped meanwhile.
    Stopped,
}

impl Engine {
    /// Runs the case at this place of the plan to its end and records it; none when the run was stopped meanwhile.
    pub async fn run_case(self: &Arc<Self>, place: usize) -> Result<Option<Ran>, SinkError> {
        let case = &self.plan.cases[place];
        match self.enter(case).await? {
            Entered::With(slot, waiting) if case.test.repeats.times.most() > 1 => {
                Repeating::new(self, place, slot).run(waiting).await
            }
            Entered::With(slot, waiting) => {
                let mut going = Going::new(self, case, (slot, waiting));
                match going.step().await? {
                    Step::Ran | Step::Over => going.finish().map(Some),
                    Step::Stopped => Ok(None),
                }
            }
            Entered::Unsent(ran) => Ok(Some(ran)),
            Entered::Stopped => Ok(None),
        }
    }

    /// Waits for a slot; the case is then run step by step.
    pub async fn begin_case<'e>(&'e self, case: &'e Case) -> Result<Begun<'e>, SinkError> {
        Ok(match self.enter(case).await? {
            Entered::With(slot, waiting) => Begun::Going(Box::new(Going::new(self, case, (slot, waiting)))),
            Entered::Unsent(_) => Begun::Unsent,
            Entered::Stopped => Begun::Stopped,
        })
    }

    /// Waits for the slot of a case that is to be sent.
    async fn enter(&self, case: &Case) -> Result<Entered, SinkError> {
        if let Some(reason) = &case.skip {
            return self.unsent(case, Verdict::Skipped, reason.to_string()).map(Entered::Unsent);
        }
        let mut waiting = Waiting::begin();
        let slot = self.pace.slot().await;
        if self.stopping().is_some() {
            return Ok(Entered::Stopped);
        }
        if let Some(cause) = self.blocked(&case.test.app) {
            return self.unsent(case, Verdict::Errored, cause.not_sent()).map(Entered::Unsent);
        }
        waiting.waited_for(Awaited::Slot);
        Ok(Entered::With(slot, waiting))
    }

    /// One repeat: tries until it was not an infrastructure failure or the retries are used up.
    pub(super) async fn repeat(
        &self,
        case: &Case,
        repeat: u32,
        mut waiting: Waiting,
        tally: &mut Tally,
    ) -> Result<Repeated, SinkError> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        let mut number = 0;
        let mut last = None;
        if let Some(found) = self.interrupted(case, repeat).await {
            tally.attempts += 1;
            let attempt = Arc::new(found.attempt);
            self.tell(&Event::AttemptFinished(attempt.clone()))?;
            self.note(case, &attempt, tally);
            return Ok(Repeated::Stands(attempt));
        }
        loop {
            let id = AttemptId { repeat, attempt: number };
            let Some(mut judged) = self.attempt(case, id, waiting).await? else {
                return Ok(Repeated::Stopped);
            };
            if let Some(reason) = unaffordable(&judged) {
                return Ok(Repeated::Unaffordable(last, reason));
            }
            tally.attempts += 1;
            let wait =
                (number < retries.count).then(|| self.wait_before_retry(case, number + 1, &judged)).flatten();
            judged.attempt.retried = wait.is_some();
            let attempt = Arc::new(judged.attempt);
            self.tell(&Event::AttemptFinished(attempt.clone()))?;
            let Some(wait) = wait else {
                self.note(case, &attempt, tally);
                return Ok(Repeated::Stands(attempt));
            };
            last = Some(attempt);
            tally.retries += 1;
            number += 1;
            waiting = Waiting::begin();
            if !self.sleep(wait).await {
                return Ok(Repeated::Stopped);
            }
            waiting.waited_for(Awaited::Retry);
        }
    }

    /// Counts what an attempt that stands brings along.
    fn note(&self, case: &Case, attempt: &Attempt, tally: &mut Tally) {
        tally.note(attempt);
        if let Some(cause) = attempt.cause.as_ref().filter(|_| attempt.verdict == Verdict::Errored) {
            self.give_up(&case.test.app, &cause.message);
        }
        if let Some(cause) = attempt.cause.as_ref().filter(|cause| cause.stops_suite) {
            self.block(&case.test.app, cause);
        }
    }

    /// The back-off before the next try; none when the last one may have run, or nothing is to be had from another.
    ///
    /// What its app asks for beyond that is waited at the gate, with all others of the app.
    fn wait_before_retry(&self, case: &Case, retry: u32, judged: &Judged) -> Option<Duration> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        if judged.attempt.verdict != Verdict::Errored || self.blocked(&case.test.app).is_some() {
            return None;
        }
        let limit = self.timeouts_of(case).total;
        match (judged.again, retries.resend) {
            (Again::Safe(Some(after)), _) if after.min(LONGEST_RETRY_AFTER) >= limit => None,
            (Again::Safe(_), Resend::Never | Resend::Allowed) | (Again::Unsafe, Resend::Allowed) => {
                Some(self.pace.back_off(retries, retry, None))
            }
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

    pub(super) fn close_case(
        &self,
        outcome: CaseOutcome,
        telling: Option<Arc<Attempt>>,
    ) -> Result<Ran, SinkError> {
        let outcome = Arc::new(outcome);
        self.tell(&Event::CaseFinished(outcome.clone()))?;
        Ok(Ran { outcome, telling })
    }
}

/// Why an attempt was not sent that no longer fits the budget; none for any other.
fn unaffordable(judged: &Judged) -> Option<String> {
    let cause = judged.attempt.cause.as_ref()?;
    (judged.attempt.verdict == Verdict::Skipped).then(|| cause.message.clone())
}

pub(super) fn stops_suite(attempt: &Attempt) -> bool {
    attempt.cause.as_ref().is_some_and(|cause| cause.stops_suite)
}
