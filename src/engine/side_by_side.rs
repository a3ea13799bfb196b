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
use crate::engine::case::{Ran, Repeated, stops_suite};
use crate::engine::conclude::Tally;
use crate::engine::waiting::{Awaited, Waiting};
use crate::event::SinkError;
use crate::outcome::CaseOutcome;

/// A case whose repeats run side by side.
pub(super) struct Repeating {
    engine: Arc<Engine>,
    /// The place of the case in the plan.
    place: usize,
    began: Instant,
    tally: Tally,
    /// Repeats that were begun.
    begun: u32,
    at_work: JoinSet<Result<Done, SinkError>>,
    /// A slot that is free for the next repeat, and kept until the case is recorded.
    slot: Option<OwnedSemaphorePermit>,
    over: Over,
}

/// A repeat that ended.
struct Done {
    repeated: Repeated,
    /// What it adds.
    tally: Tally,
    slot: OwnedSemaphorePermit,
}

/// Whether a case goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// It does.
    No,
    /// No further repeat is begun.
    Yes,
    /// The run was stopped, so that nothing is recorded of it.
    Stopped,
}

impl Repeating {
    /// Begins with a slot; the first repeat waited for it.
    pub fn new(engine: &Arc<Engine>, place: usize, slot: OwnedSemaphorePermit) -> Self {
        Self {
            engine: engine.clone(),
            place,
            began: clock::now(),
            tally: Tally::default(),
            begun: 0,
            at_work: JoinSet::new(),
            slot: Some(slot),
            over: Over::No,
        }
    }

    /// Runs the case to its end and records it; none when the run was stopped meanwhile.
    pub async fn run(mut self, mut waiting: Waiting) -> Result<Option<Ran>, SinkError> {
        let engine = self.engine.clone();
        loop {
            while self.is_one_more_needed() {
                if let Some(slot) = self.slot.take() {
                    self.begin(slot, waiting);
                    waiting = Waiting::begin();
                    continue;
                }
                tokio::select! {
                    biased;
                    Some(joined) = self.at_work.join_next() => self.take(joined)?,
                    slot = engine.pace.slot() => {
                        waiting.waited_for(Awaited::Slot);
                        self.slot = Some(slot);
                    }
                }
            }
            match self.at_work.join_next().await {
                Some(joined) => {
                    self.take(joined)?;
                    waiting = Waiting::begin();
                }
                None => break,
            }
        }
        if self.over == Over::Stopped {
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
        self.over == Over::No && at_work < repeats.surely_needed(self.tally.seen)
    }

    fn begin(&mut self, slot: OwnedSemaphorePermit, waiting: Waiting) {
        let (engine, place, repeat) = (self.engine.clone(), self.place, self.begun);
        self.begun += 1;
        self.at_work.spawn(async move {
            let mut tally = Tally::default();
            let case = &engine.plan.cases[place];
            let repeated = engine.repeat(case, repeat, waiting, &mut tally).await?;
            Ok(Done { repeated, tally, slot })
        });
    }

    fn take(
        &mut self,
        joined: Result<Result<Done, SinkError>, tokio::task::JoinError>,
    ) -> Result<(), SinkError> {
        let Done { repeated, tally, slot } = joined.expect("a repeat neither panics nor is aborted")?;
        self.slot = Some(slot);
        self.tally.join(tally);
        match repeated {
            Repeated::Stands(attempt) => {
                if stops_suite(&attempt) && self.over == Over::No {
                    self.over = Over::Yes;
                }
                self.tally.add(attempt);
            }
            Repeated::Unaffordable(last, reason) => {
                self.tally.cut_short(last, reason);
                if self.over == Over::No {
                    self.over = Over::Yes;
                }
            }
            Repeated::Stopped => self.over = Over::Stopped,
        }
        Ok(())
    }
}
