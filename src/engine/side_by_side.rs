//! The repeats of one case, side by side: as many as are certainly needed, each on its own slot.
//!
//! A repeat begins only if it is needed whatever the verdicts of the running ones are. So a test runs the same repeats as one by
//! one, and none is running when the test is decided.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use crate::base::clock::{self, milliseconds};
use crate::engine::Engine;
use crate::engine::case_end::CaseResult;
use crate::engine::repeat::{RepeatResult, stops_suite};
use crate::engine::tally::CaseTally;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::SinkError;

/// A case whose repeats run side by side.
pub(super) struct RepeatingCase {
    repeats: CaseRepeats,
    /// The number of repeats that have begun.
    begun: u32,
    running: JoinSet<Result<FinishedRepeat, SinkError>>,
    /// A free slot for the next repeat; the last one is kept until the case is recorded.
    slot: Option<OwnedSemaphorePermit>,
}

/// The repeats of a case that have ended, and whether more are needed.
pub(super) struct CaseRepeats {
    engine: Arc<Engine>,
    /// The place of the case in the plan.
    place: usize,
    began: Instant,
    tally: CaseTally,
    progress: CaseProgress,
}

/// A repeat that ended.
struct FinishedRepeat {
    result: RepeatResult,
    /// What it adds to the tally of the case.
    tally: CaseTally,
    slot: OwnedSemaphorePermit,
}

/// Whether a case goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseProgress {
    /// Further repeats may begin.
    GoesOn,
    /// No further repeat begins.
    Ends,
    /// The run was stopped, so that nothing is recorded of the case.
    Stopped,
}

impl RepeatingCase {
    /// A case with the slot for its first repeat.
    pub fn new(engine: &Arc<Engine>, place: usize, slot: OwnedSemaphorePermit) -> Self {
        let repeats = CaseRepeats::begin(engine, place);
        Self { repeats, begun: 0, running: JoinSet::new(), slot: Some(slot) }
    }

    /// Runs the case to its end and records it; `None` if the run was stopped meanwhile. `waits` are those of the first repeat.
    pub async fn run(mut self, mut waits: AttemptWaits) -> Result<Option<CaseResult>, SinkError> {
        let engine = self.repeats.engine.clone();
        loop {
            while self.running.len() < self.repeats.needed() {
                if let Some(slot) = self.slot.take() {
                    self.begin(slot, waits);
                    waits = AttemptWaits::begin();
                    continue;
                }
                tokio::select! {
                    biased;
                    Some(joined) = self.running.join_next() => self.add(joined)?,
                    slot = engine.pace.slot() => {
                        waits.waited_for(WaitReason::Slot);
                        self.slot = Some(slot);
                    }
                }
            }
            match self.running.join_next().await {
                Some(joined) => {
                    self.add(joined)?;
                    waits = AttemptWaits::begin();
                }
                None => break,
            }
        }
        self.repeats.finish(None)
    }

    fn begin(&mut self, slot: OwnedSemaphorePermit, waits: AttemptWaits) {
        let (engine, place, repeat) = (self.repeats.engine.clone(), self.repeats.place, self.begun);
        self.begun += 1;
        self.running.spawn(async move {
            let mut tally = CaseTally::default();
            let case = &engine.plan.cases[place];
            let result = engine.repeat(case, repeat, waits, &mut tally).await?;
            Ok(FinishedRepeat { result, tally, slot })
        });
    }

    fn add(
        &mut self,
        joined: Result<Result<FinishedRepeat, SinkError>, tokio::task::JoinError>,
    ) -> Result<(), SinkError> {
        let FinishedRepeat { result, tally, slot } =
            joined.expect("a repeat neither panics nor is aborted")?;
        self.slot = Some(slot);
        self.repeats.add(result, tally);
        Ok(())
    }
}

impl CaseRepeats {
    /// No repeat has ended.
    pub fn begin(engine: &Arc<Engine>, place: usize) -> Self {
        let (began, tally) = (clock::now(), CaseTally::default());
        Self { engine: engine.clone(), place, began, tally, progress: CaseProgress::GoesOn }
    }

    /// How many further repeats are needed whatever their verdicts are, running ones included; 0 once the case ends.
    pub fn needed(&self) -> usize {
        let repeats = &self.engine.plan.cases[self.place].test.repeats;
        match self.progress {
            CaseProgress::GoesOn => repeats.surely_needed(self.tally.seen) as usize,
            CaseProgress::Ends | CaseProgress::Stopped => 0,
        }
    }

    /// True if the run was stopped.
    pub fn is_stopped(&self) -> bool {
        self.progress == CaseProgress::Stopped
    }

    /// Counts a repeat that ended.
    pub fn add(&mut self, result: RepeatResult, tally: CaseTally) {
        self.tally.join(tally);
        let goes_on = match result {
            RepeatResult::Finished(attempt) => {
                let goes_on = !stops_suite(&attempt);
                self.tally.add(attempt);
                goes_on
            }
            RepeatResult::OverBudget { last, reason } => {
                self.tally.cut_short(last, reason);
                false
            }
            RepeatResult::Stopped => {
                self.progress = CaseProgress::Stopped;
                return;
            }
        };
        if !goes_on && self.progress == CaseProgress::GoesOn {
            self.progress = CaseProgress::Ends;
        }
    }

    /// Records the end of the case, with an attempt whose end is not recorded yet; `None` if the run was stopped.
    pub fn finish(self, unrecorded: Option<Arc<Attempt>>) -> Result<Option<CaseResult>, SinkError> {
        let Self { engine, place, began, tally, progress } = self;
        if progress == CaseProgress::Stopped {
            return Ok(None);
        }
        let duration_ms = milliseconds(clock::now().saturating_duration_since(began));
        let outcome = CaseOutcome { duration_ms, ..tally.outcome(&engine.plan.cases[place]) };
        engine.close_case(unrecorded, outcome, tally.telling).map(Some)
    }
}
