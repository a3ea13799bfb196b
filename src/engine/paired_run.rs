//! Two plans of the same cases, run next to each other: repeat by repeat in the order A B B A, so that the time of day and the
//! load of the provider hit both sides alike.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::engine::case::{CaseStart, CaseStep, RunningCase};
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

/// The places of a case in both plans, and which side begins; none where a plan lacks it.
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
    pairs: Vec<CasePair>,
    next: AtomicUsize,
}

/// Runs both plans to their end, as many cases at once as the slower target takes.
pub async fn run_both(a: &Arc<Engine>, b: &Arc<Engine>, seed: u64) -> Result<(RunEnd, RunEnd), SinkError> {
    let pairs = pairs(&a.plan, &b.plan, seed);
    let at_once = a.plan.target.concurrency.min(b.plan.target.concurrency).clamp(1, pairs.len().max(1));
    let both = Arc::new(PairedProgress { a: a.clone(), b: b.clone(), pairs, next: AtomicUsize::new(0) });
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
        if both.a.stopping().is_some() || both.b.stopping().is_some() {
            return Ok(());
        }
        let index = both.next.fetch_add(1, Ordering::Relaxed);
        let Some(pair) = both.pairs.get(index) else { return Ok(()) };
        run_pair(&both, *pair).await?;
    }
}

/// Runs a case on both sides, the n-th repeats next to each other; which of them is first changes from repeat to repeat.
async fn run_pair(both: &PairedProgress, pair: CasePair) -> Result<(), SinkError> {
    let mut a = begin(&both.a, pair.a).await?;
    let mut b = begin(&both.b, pair.b).await?;
    let mut order = pair.order;
    loop {
        let (first, second) = match order {
            SideOrder::Ab => (step(&mut a).await?, step(&mut b).await?),
            SideOrder::Ba => {
                let second = step(&mut b).await?;
                (step(&mut a).await?, second)
            }
        };
        if first == CaseStep::Stopped || second == CaseStep::Stopped {
            return Ok(());
        }
        if first == CaseStep::Over && second == CaseStep::Over {
            break;
        }
        order = order.turned();
    }
    for going in [a, b].into_iter().flatten() {
        going.finish()?;
    }
    Ok(())
}

async fn begin(engine: &Engine, place: Option<usize>) -> Result<Option<Box<RunningCase<'_>>>, SinkError> {
    let Some(case) = place.and_then(|place| engine.plan.cases.get(place)) else { return Ok(None) };
    match engine.begin_case(case).await? {
        CaseStart::Going(going) => Ok(Some(going)),
        // A side that is stopped stops the other before its next case.
        CaseStart::Unsent | CaseStart::Stopped => Ok(None),
    }
}

async fn step(going: &mut Option<Box<RunningCase<'_>>>) -> Result<CaseStep, SinkError> {
    match going {
        Some(going) => going.step().await,
        None => Ok(CaseStep::Over),
    }
}
