//! Two plans of the same cases, run next to each other: repeat by repeat in the order A B B A, so that the time of day and the
//! load of the provider hit both sides alike.
//!
//! A lane is a place at both targets. The two sides of a repeat take turns in one; repeats beside each other have lanes of
//! their own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::engine::case::CaseAdmission;
use crate::engine::repeat::RepeatResult;
use crate::engine::side_by_side::CaseRepeats;
use crate::engine::tally::CaseTally;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::Plan;
use crate::record::event::{RunEnd, SinkError};

/// Which side begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SideOrder {
    /// The first.
    Ab,
    /// The second.
    Ba,
}

impl SideOrder {
    fn turned(self) -> Self {
        match self {
            Self::Ab => Self::Ba,
            Self::Ba => Self::Ab,
        }
    }
}

/// The places of a case in both plans, and which side begins; `None` where a plan lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CasePair {
    a: Option<usize>,
    b: Option<usize>,
    order: SideOrder,
}

/// What both sides share while they run.
struct PairedProgress {
    a: Arc<Engine>,
    b: Arc<Engine>,
    /// As many as the target with the fewer slots has, so that who has a lane need not wait for a slot.
    lanes: Arc<Semaphore>,
    pairs: Vec<CasePair>,
    next: AtomicUsize,
}

/// A case of both plans whose repeats run side by side.
struct PairedCase {
    pair: CasePair,
    a: Option<CaseRepeats>,
    b: Option<CaseRepeats>,
    /// Repeats that were begun.
    begun: u32,
    at_work: JoinSet<Result<FinishedPair, SinkError>>,
    /// A lane that is free for the next repeat, and kept until the case is recorded.
    lane: Option<OwnedSemaphorePermit>,
}

/// A repeat that ended on both sides, as far as they took part.
struct FinishedPair {
    a: Option<EndedSide>,
    b: Option<EndedSide>,
    lane: OwnedSemaphorePermit,
}

/// What a repeat came to on one side, and what it adds.
struct EndedSide {
    repeated: RepeatResult,
    tally: CaseTally,
}

/// Runs both plans to their end, as many repeats at once as the slower target takes.
pub async fn run_both(a: &Arc<Engine>, b: &Arc<Engine>, seed: u64) -> Result<(RunEnd, RunEnd), SinkError> {
    let pairs = pairs(&a.plan, &b.plan, seed);
    let lanes = a.plan.target.concurrency.min(b.plan.target.concurrency).max(1);
    let at_once = lanes.min(pairs.len());
    let lanes = Arc::new(Semaphore::new(lanes));
    let both =
        Arc::new(PairedProgress { a: a.clone(), b: b.clone(), lanes, pairs, next: AtomicUsize::new(0) });
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        workers.spawn(work(both.clone()));
    }
    let mut broken = None;
    while let Some(joined) = workers.join_next().await {
        if let Err(error) = joined.expect("a worker neither panics nor is aborted") {
            a.stop("the journal cannot be written");
            b.stop("the journal cannot be written");
            broken.get_or_insert(error);
        }
    }
    match broken {
        Some(error) => Err(error),
        None => Ok((a.end(None, None)?, b.end(None, None)?)),
    }
}

/// Each case once, in the order of the first plan; a fair coin says which side begins.
fn pairs(a: &Plan, b: &Plan, seed: u64) -> Vec<CasePair> {
    let mut coin = fastrand::Rng::with_seed(seed);
    let mut of_b: HashMap<&str, usize> =
        b.cases.iter().enumerate().map(|(place, case)| (&*case.name, place)).collect();
    let mut pairs = Vec::with_capacity(a.cases.len());
    for (place, case) in a.cases.iter().enumerate() {
        let order = if coin.bool() { SideOrder::Ab } else { SideOrder::Ba };
        pairs.push(CasePair { a: Some(place), b: of_b.remove(&*case.name), order });
    }
    let mut rest: Vec<usize> = of_b.into_values().collect();
    rest.sort_unstable();
    pairs.extend(rest.into_iter().map(|place| CasePair { a: None, b: Some(place), order: SideOrder::Ba }));
    pairs
}

/// Takes the next case until there is none or a side is stopped.
async fn work(both: Arc<PairedProgress>) -> Result<(), SinkError> {
    loop {
        if both.is_stopping() {
            return Ok(());
        }
        let index = both.next.fetch_add(1, Ordering::Relaxed);
        let Some(pair) = both.pairs.get(index) else { return Ok(()) };
        let mut waiting = AttemptWaits::begin();
        let lane = both.lane().await;
        waiting.waited_for(WaitReason::Slot);
        let (a, b) = (begin(&both.a, pair.a)?, begin(&both.b, pair.b)?);
        let at_work = JoinSet::new();
        let case = PairedCase { pair: *pair, a, b, begun: 0, at_work, lane: Some(lane) };
        case.run(&both, waiting).await?;
    }
}

/// Begins a case on one side; `None` where there is nothing to send.
fn begin(engine: &Arc<Engine>, place: Option<usize>) -> Result<Option<CaseRepeats>, SinkError> {
    let Some(place) = place else { return Ok(None) };
    let case = &engine.plan.cases[place];
    if engine.skip(case)?.is_some() {
        return Ok(None);
    }
    Ok(match engine.admit(case)? {
        CaseAdmission::Begins => Some(CaseRepeats::begin(engine, place)),
        // A side that is stopped stops the other before its next case.
        CaseAdmission::Unsent(_) | CaseAdmission::Stopped => None,
    })
}

impl PairedProgress {
    async fn lane(&self) -> OwnedSemaphorePermit {
        self.lanes.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    fn is_stopping(&self) -> bool {
        self.a.stopping().is_some() || self.b.stopping().is_some()
    }

    /// Runs a repeat on one side, if it takes part; a side that is stopped stops the other before its turn.
    async fn repeat(
        &self,
        engine: &Engine,
        (place, repeat): (Option<usize>, u32),
        waiting: AttemptWaits,
    ) -> Result<Option<EndedSide>, SinkError> {
        let Some(case) = place.and_then(|place| engine.plan.cases.get(place)) else { return Ok(None) };
        let mut tally = CaseTally::default();
        let repeated = if self.is_stopping() {
            RepeatResult::Stopped
        } else {
            engine.repeat(case, repeat, waiting, &mut tally).await?
        };
        Ok(Some(EndedSide { repeated, tally }))
    }
}

impl PairedCase {
    /// Runs the case to its end on both sides and records it, unless a side was stopped meanwhile.
    async fn run(mut self, both: &Arc<PairedProgress>, mut waiting: AttemptWaits) -> Result<(), SinkError> {
        loop {
            while self.at_work.len() < self.needed() {
                if let Some(lane) = self.lane.take() {
                    self.begin(both, (lane, waiting));
                    waiting = AttemptWaits::begin();
                    continue;
                }
                tokio::select! {
                    biased;
                    Some(joined) = self.at_work.join_next() => self.take(joined)?,
                    lane = both.lane() => {
                        waiting.waited_for(WaitReason::Slot);
                        self.lane = Some(lane);
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
        if self.is_stopped() {
            return Ok(());
        }
        for side in [self.a, self.b].into_iter().flatten() {
            side.finish(None)?;
        }
        Ok(())
    }

    /// How many further repeats are needed on each side that goes on, whatever those at work come to, those included.
    fn needed(&self) -> usize {
        if self.is_stopped() {
            return 0;
        }
        let of_sides = self.sides().map(CaseRepeats::needed).filter(|needed| *needed > 0);
        of_sides.min().unwrap_or(0)
    }

    fn is_stopped(&self) -> bool {
        self.sides().any(CaseRepeats::is_stopped)
    }

    fn sides(&self) -> impl Iterator<Item = &CaseRepeats> {
        self.a.iter().chain(&self.b)
    }

    /// Begins the next repeat, in which the sides that go on take turns; the first of them waited for the lane.
    fn begin(&mut self, both: &Arc<PairedProgress>, (lane, waiting): (OwnedSemaphorePermit, AttemptWaits)) {
        let going = |side: &Option<CaseRepeats>, place: Option<usize>| {
            place.filter(|_| side.as_ref().is_some_and(|side| side.needed() > 0))
        };
        let a = going(&self.a, self.pair.a);
        let b = going(&self.b, self.pair.b);
        let order = match (a, b) {
            (None, _) => SideOrder::Ba,
            (_, None) => SideOrder::Ab,
            (Some(_), Some(_)) if self.begun.is_multiple_of(2) => self.pair.order,
            (Some(_), Some(_)) => self.pair.order.turned(),
        };
        let (both, repeat) = (both.clone(), self.begun);
        self.begun += 1;
        self.at_work.spawn(async move {
            let on_a = |waiting| both.repeat(&both.a, (a, repeat), waiting);
            let on_b = |waiting| both.repeat(&both.b, (b, repeat), waiting);
            let (a, b) = match order {
                SideOrder::Ab => {
                    let a = on_a(waiting).await?;
                    (a, on_b(AttemptWaits::begin()).await?)
                }
                SideOrder::Ba => {
                    let b = on_b(waiting).await?;
                    (on_a(AttemptWaits::begin()).await?, b)
                }
            };
            Ok(FinishedPair { a, b, lane })
        });
    }

    fn take(
        &mut self,
        joined: Result<Result<FinishedPair, SinkError>, tokio::task::JoinError>,
    ) -> Result<(), SinkError> {
        let FinishedPair { a, b, lane } = joined.expect("a repeat neither panics nor is aborted")?;
        self.lane = Some(lane);
        for (side, ended) in [(&mut self.a, a), (&mut self.b, b)] {
            if let (Some(side), Some(EndedSide { repeated, tally })) = (side, ended) {
                side.add(repeated, tally);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::runtime;
    use crate::engine::sample::{RunResult, engine, plan};

    fn suite(tests: &[&str]) -> crate::plan::case::Plan {
        let tests = tests.iter().map(|name| {
            format!("  - {{ name: {name}, repeat: 2, mock: {{ outputs: {{ x: 1 }} }}, assert: [{{ path: $.x, equals: 1 }}] }}\n")
        });
        plan("", &format!("tests:\n{}", tests.collect::<String>()))
    }

    #[test]
    fn both_sides_run_all_repeats_of_the_tests_they_have() {
        let [a, b] = runtime().unwrap().block_on(async {
            let (a, told_by_a) = engine(suite(&["one", "two", "three"]));
            let (b, told_by_b) = engine(suite(&["two", "four"]));
            let (end_of_a, end_of_b) = run_both(&a, &b, 7).await.unwrap();
            a.close().await;
            b.close().await;
            [RunResult::of(end_of_a, &told_by_a), RunResult::of(end_of_b, &told_by_b)]
        });
        let names = |side: &RunResult| {
            let mut names: Vec<String> = side.outcomes.iter().map(|outcome| outcome.name.clone()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&a), ["s::one", "s::three", "s::two"]);
        assert_eq!(names(&b), ["s::four", "s::two"]);
        for (side, attempts) in [(&a, 6), (&b, 4)] {
            assert_eq!(side.attempts.len(), attempts);
            assert!(side.outcomes.iter().all(|outcome| outcome.attempts == 2 && !outcome.is_red()));
            assert!(!side.end.interrupted);
        }
    }
}
