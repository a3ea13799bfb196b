//! Rounds: flowproof and its yardstick take turns, and what a ratio of theirs is.

use std::time::Duration;

use crate::contest::{self, Setting, Turn};
use crate::failure::Failure;
use crate::measure::Usage;
use crate::project::{Form, Project};
use crate::served::Served;
use crate::table::{Goal, Row, Spread};

/// Cases at once where there is no delay.
pub const CONCURRENCY: u32 = 64;

/// Cases at once where there is a delay.
pub const WIDE_CONCURRENCY: u32 = 256;

/// The delay of the slow endpoint.
pub const DELAY: Duration = Duration::from_millis(50);

/// The turns of one round.
pub struct Round<T> {
    /// flowproof's.
    pub flowproof: T,
    /// That of what it is measured by.
    pub yardstick: T,
}

/// Lets both take a turn in each round, and take turns in going first (A B, B A, A B, …).
pub fn alternate<T>(
    rounds: u32,
    mut flowproof: impl FnMut() -> Result<T, Failure>,
    mut yardstick: impl FnMut() -> Result<T, Failure>,
) -> Result<Vec<Round<T>>, Failure> {
    let mut done = Vec::new();
    for round in 0..rounds {
        done.push(if round % 2 == 0 {
            let first = flowproof()?;
            Round { flowproof: first, yardstick: yardstick()? }
        } else {
            let first = yardstick()?;
            Round { flowproof: flowproof()?, yardstick: first }
        });
    }
    Ok(done)
}

/// What flowproof and the loop do in each round.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Rows, each sent once.
    pub cases: u64,
    /// What is sent and checked.
    pub form: Form,
    /// The endpoint's.
    pub delay: Duration,
    /// Cases at once.
    pub concurrency: u32,
}

impl Course {
    /// This many cases of the recorded workflow without delay.
    pub fn flat(cases: u64) -> Self {
        Self { cases, form: Form::Rows, delay: Duration::ZERO, concurrency: CONCURRENCY }
    }
}

/// Rounds of flowproof and the loop over the same cases, against the same endpoint, after a turn each that
/// does not count.
pub fn race(setting: &Setting, course: Course) -> Result<Vec<Round<Turn>>, Failure> {
    let Course { cases, form, delay, concurrency } = course;
    let served = std::cell::RefCell::new(Served::start(setting, delay, form.sending())?);
    let project = Project::write(&served.borrow().base_url(), cases, form, setting.mode)?;
    let flowproof = || contest::flowproof_turn(setting, &project, &mut served.borrow_mut(), concurrency);
    let bare_loop = || contest::loop_turn(setting, &project, &mut served.borrow_mut(), concurrency);
    flowproof()?;
    bare_loop()?;
    alternate(setting.rounds, flowproof, bare_loop)
}

/// A quantity of both, and the ratio of flowproof's to the yardstick's round by round.
pub fn ratio<T>(
    name: String,
    decimals: usize,
    rounds: &[Round<T>],
    quantity: impl Fn(&T) -> f64,
    goal: Goal,
) -> Row {
    let pairs = || rounds.iter().map(|round| (quantity(&round.flowproof), quantity(&round.yardstick)));
    Row {
        name,
        decimals,
        flowproof: Spread::of(pairs().map(|(flowproof, _)| flowproof)),
        yardstick: Some(Spread::of(pairs().map(|(_, yardstick)| yardstick))),
        judged: Spread::of(pairs().map(|(flowproof, yardstick)| flowproof / yardstick)),
        goal,
    }
}

/// CPU of a case, microseconds; returns whether the endpoint held both back.
pub fn cpu_per_case(rounds: &[Round<Turn>], cases: u64, goal: Goal) -> Row {
    let quantity = |turn: &Turn| turn.usage.cpu.as_secs_f64() * 1e6 / cases as f64;
    ratio("µs of CPU a case".to_owned(), 1, rounds, quantity, goal)
}

/// The mean use of several processes, run one after the other.
pub fn mean(runs: u32, run: impl Fn() -> Result<Usage, Failure>) -> Result<Usage, Failure> {
    let mut total = Usage { wall: Duration::ZERO, cpu: Duration::ZERO, peak_rss_kib: 0 };
    for _ in 0..runs {
        let usage = run()?;
        total.wall += usage.wall;
        total.cpu += usage.cpu;
        total.peak_rss_kib = total.peak_rss_kib.max(usage.peak_rss_kib);
    }
    Ok(Usage { wall: total.wall / runs, cpu: total.cpu / runs, ..total })
}
