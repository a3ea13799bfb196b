//! The repeats of one case, side by side: as many as are surely needed, each on a slot of its own.
//!
//! A repeat begins only if it is needed whatever those at work come to. So no repeat runs that the same test would not have
//! run one by one, and none is at work when the test is decided.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use crate::base::clock;
use crate::engine::Engine;
use crate::engine::attempt::milliseconds;
use crate::engine::case::{CaseResult, RepeatResult, stops_suite};
use crate::engine::tally::CaseTally;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::record::attempt::CaseOutcome;
use crate::record::event::SinkError;

/// A case whose repeats run side by side.
pub(super) struct RepeatingCase {
    engine: Arc<Engine>,
    /// The place of the case in the plan.
    place: usize,
    began: Instant,
    tally: CaseTally,
    /// Repeats that were begun.
    begun: u32,
    at_work: JoinSet<Result<FinishedRepeat, SinkError>>,
    /// A slot that is free for the next repeat, and kept until the case is recorded.
    slot: Option<OwnedSemaphorePermit>,
    over: CaseProgress,
}

/// A repeat that ended.
struct FinishedRepeat {
    repeated: RepeatResult,
    /// What it adds.
    tally: CaseTally,
    slot: OwnedSemaphorePermit,
}

/// Whether a case goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseProgress {
    /// It does.
    No,
    /// No further repeat is begun.
    Yes,
    /// The run was stopped, so that nothing is recorded of it.
    Stopped,
}

impl RepeatingCase {
    /// Begins with a slot; the first repeat waited for it.
    pub fn new(engine: &Arc<Engine>, place: usize, slot: OwnedSemaphorePermit) -> Self {
        Self {
            engine: engine.clone(),
            place,
            began: clock::now(),
            tally: CaseTally::default(),
            begun: 0,
            at_work: JoinSet::new(),
            slot: Some(slot),
            over: CaseProgress::No,
        }
    }

    /// Runs the case to its end and records it; none when the run was stopped meanwhile.
    pub async fn run(mut self, mut waiting: AttemptWaits) -> Result<Option<CaseResult>, SinkError> {
        let engine = self.engine.clone();
        loop {
            while self.is_one_more_needed() {
                if let Some(slot) = self.slot.take() {
                    self.begin(slot, waiting);
                    waiting = AttemptWaits::begin();
                    continue;
                }
                tokio::select! {
                    biased;
                    Some(joined) = self.at_work.join_next() => self.take(joined)?,
                    slot = engine.pace.slot() => {
                        waiting.waited_for(WaitReason::Slot);
                        self.slot = Some(slot);
                    }
                }
            }
            match self.at_work.join_next().await {
                Some(joined) => {
                    self.take(joined)?;
                    waiting = AttemptWaits::begin();
                }
                None => break,
            }
        }
        if self.over == CaseProgress::Stopped {
            return Ok(None);
        }
        let case = &engine.plan.cases[self.place];
        let duration_ms = milliseconds(clock::now().saturating_duration_since(self.began));
        let outcome = CaseOutcome { duration_ms, ..self.tally.outcome(case) };
        engine.close_case(outcome, self.tally.telling).map(Some)
    }

    /// True where a further repeat is needed whatever those at work come to.
    fn is_one_more_needed(&self) -> bool {
        let at_work = self.begun - self.tally.seen.all();
        let repeats = &self.engine.plan.cases[self.place].test.repeats;
        self.over == CaseProgress::No && at_work < repeats.surely_needed(self.tally.seen)
    }

    fn begin(&mut self, slot: OwnedSemaphorePermit, waiting: AttemptWaits) {
        let (engine, place, repeat) = (self.engine.clone(), self.place, self.begun);
        self.begun += 1;
        self.at_work.spawn(async move {
            let mut tally = CaseTally::default();
            let case = &engine.plan.cases[place];
            let repeated = engine.repeat(case, repeat, waiting, &mut tally).await?;
            Ok(FinishedRepeat { repeated, tally, slot })
        });
    }

    fn take(
        &mut self,
        joined: Result<Result<FinishedRepeat, SinkError>, tokio::task::JoinError>,
    ) -> Result<(), SinkError> {
        let FinishedRepeat { repeated, tally, slot } =
            joined.expect("a repeat neither panics nor is aborted")?;
        self.slot = Some(slot);
        self.tally.join(tally);
        match repeated {
            RepeatResult::Stands(attempt) => {
                if stops_suite(&attempt) && self.over == CaseProgress::No {
                    self.over = CaseProgress::Yes;
                }
                self.tally.add(attempt);
            }
            RepeatResult::Unaffordable(last, reason) => {
                self.tally.cut_short(last, reason);
                if self.over == CaseProgress::No {
                    self.over = CaseProgress::Yes;
                }
            }
            RepeatResult::Stopped => self.over = CaseProgress::Stopped,
        }
        Ok(())
    }
}
