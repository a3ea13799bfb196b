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
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::SinkError;

/// A case whose repeats run side by side.
pub(super) struct RepeatingCase {
    repeats: CaseRepeats,
    /// Repeats that were begun.
    begun: u32,
    at_work: JoinSet<Result<FinishedRepeat, SinkError>>,
    /// A slot that is free for the next repeat, and kept until the case is recorded.
    slot: Option<OwnedSemaphorePermit>,
}

/// What the repeats of a case have come to so far.
pub(super) struct CaseRepeats {
    engine: Arc<Engine>,
    /// The place of the case in the plan.
    place: usize,
    began: Instant,
    tally: CaseTally,
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
        let repeats = CaseRepeats::begin(engine, place);
        Self { repeats, begun: 0, at_work: JoinSet::new(), slot: Some(slot) }
    }

    /// Runs the case to its end and records it; none when the run was stopped meanwhile.
    pub async fn run(mut self, mut waiting: AttemptWaits) -> Result<Option<CaseResult>, SinkError> {
        let engine = self.repeats.engine.clone();
        loop {
            while self.at_work.len() < self.repeats.needed() {
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
        self.repeats.finish(None)
    }

    fn begin(&mut self, slot: OwnedSemaphorePermit, waiting: AttemptWaits) {
        let (engine, place, repeat) = (self.repeats.engine.clone(), self.repeats.place, self.begun);
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
        self.repeats.take(repeated, tally);
        Ok(())
    }
}

impl CaseRepeats {
    /// Nothing ran yet.
    pub fn begin(engine: &Arc<Engine>, place: usize) -> Self {
        let (began, tally) = (clock::now(), CaseTally::default());
        Self { engine: engine.clone(), place, began, tally, over: CaseProgress::No }
    }

    /// How many further repeats are needed whatever those at work come to, those included; none where it is over.
    pub fn needed(&self) -> usize {
        let repeats = &self.engine.plan.cases[self.place].test.repeats;
        match self.over {
            CaseProgress::No => repeats.surely_needed(self.tally.seen) as usize,
            CaseProgress::Yes | CaseProgress::Stopped => 0,
        }
    }

    /// True when the run was stopped.
    pub fn is_stopped(&self) -> bool {
        self.over == CaseProgress::Stopped
    }

    /// Counts a repeat that ended, and what it brought along.
    pub fn take(&mut self, repeated: RepeatResult, tally: CaseTally) {
        self.tally.join(tally);
        let goes_on = match repeated {
            RepeatResult::Stands(attempt) => {
                let goes_on = !stops_suite(&attempt);
                self.tally.add(attempt);
                goes_on
            }
            RepeatResult::Unaffordable(last, reason) => {
                self.tally.cut_short(last, reason);
                false
            }
            RepeatResult::Stopped => {
                self.over = CaseProgress::Stopped;
                return;
            }
        };
        if !goes_on && self.over == CaseProgress::No {
            self.over = CaseProgress::Yes;
        }
    }

    /// Records what became of the case, with an attempt whose end was not recorded yet; none when the run was stopped.
    pub fn finish(self, unrecorded: Option<Arc<Attempt>>) -> Result<Option<CaseResult>, SinkError> {
        let Self { engine, place, began, tally, over } = self;
        if over == CaseProgress::Stopped {
            return Ok(None);
        }
        let duration_ms = milliseconds(clock::now().saturating_duration_since(began));
        let outcome = CaseOutcome { duration_ms, ..tally.outcome(&engine.plan.cases[place]) };
        engine.close_case(unrecorded, outcome, tally.telling).map(Some)
    }
}
