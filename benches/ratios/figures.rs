//! The figures: what each measures, at which size, and what it has to reach.

use std::time::Duration;

use crate::contest::{self, Served, Setting, Turn};
use crate::deciding;
use crate::documents;
use crate::drift;
use crate::failure::Failure;
use crate::measure::Usage;
use crate::project::{Form, Project};
use crate::table::{Goal, Row, Spread};

/// A figure that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Figure {
    /// Cases per second against an endpoint without delay.
    Throughput,
    /// Wall time and reported latency against an endpoint with 50 ms of delay.
    Latency,
    /// CPU of listing a large suite against that of parsing it.
    List,
    /// CPU of checking a suite of 20 MB against that of parsing it.
    Check,
    /// CPU of a process that runs a single test.
    Cold,
    /// Memory for each further case.
    Memory,
    /// Time of comparing two finished runs against that of reading both.
    Compare,
    /// Time of a difference by word against that of one by line.
    Words,
    /// Time of deciding how often a test runs.
    Deciding,
    /// Time and memory of writing the reports of a large run.
    Documents,
}

/// How many cases the figures are measured with.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    cases: u64,
    /// Tests of a suite of 20 MB.
    large: u64,
    /// Processes that a sample of short ones is divided by.
    short_runs: u32,
    few: u64,
    many: u64,
}

/// Which sizes are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The sizes that the goals are set for.
    Full,
    /// Sizes that show that everything works; no goal is judged.
    Quick,
}

impl Scale {
    /// Its numbers.
    pub fn sizes(self) -> Sizes {
        match self {
            Self::Full => Sizes { cases: 10_000, large: 64_000, short_runs: 20, few: 1_000, many: 100_000 },
            Self::Quick => Sizes { cases: 500, large: 2_000, short_runs: 3, few: 100, many: 1_000 },
        }
    }
}

/// Cases at once where there is no delay.
pub const CONCURRENCY: u32 = 64;

/// Cases at once where there is a delay.
const WIDE_CONCURRENCY: u32 = 256;

/// The delay of the slow endpoint.
const DELAY: Duration = Duration::from_millis(50);

/// Processes that a sample of `list` and parse is divided by.
const LIST_RUNS: u32 = 3;

/// Rounds that memory is measured in, at most: it hardly varies, and takes long.
const MEMORY_ROUNDS: u32 = 3;

impl Figure {
    /// All figures, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Throughput,
        Self::Latency,
        Self::List,
        Self::Check,
        Self::Cold,
        Self::Memory,
        Self::Compare,
        Self::Words,
        Self::Deciding,
        Self::Documents,
    ];

    /// Measures the figure.
    pub fn measure(self, setting: &Setting, sizes: &Sizes) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Throughput => throughput(setting, sizes.cases),
            Self::Latency => latency(setting, sizes.cases),
            Self::List => list(setting, sizes.cases),
            Self::Check => check(setting, sizes.large),
            Self::Cold => cold(setting, sizes.short_runs),
            Self::Memory => memory(setting, sizes.few, sizes.many),
            Self::Compare => drift::compare(setting, sizes.cases),
            Self::Words => drift::words(setting),
            Self::Deciding => deciding::deciding(setting),
            Self::Documents => documents::documents(setting, sizes.many),
        }
    }
}

/// The turns of one round.
pub struct Round<T> {
    /// flowproof's.
    flowproof: T,
    /// That of what it is measured by.
    yardstick: T,
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

/// Rounds of flowproof and the loop over the same cases, against the same endpoint, after a turn each that
/// does not count.
fn race(
    setting: &Setting,
    cases: u64,
    delay: Duration,
    concurrency: u32,
) -> Result<Vec<Round<Turn>>, Failure> {
    let served = std::cell::RefCell::new(Served::start(setting, delay)?);
    let project = Project::write(&served.borrow().base_url(), cases, Form::Rows, setting.mode)?;
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

/// CPU of a case, microseconds; tells whether the endpoint held both back.
fn cpu_per_case(rounds: &[Round<Turn>], cases: u64, goal: Goal) -> Row {
    let quantity = |turn: &Turn| turn.usage.cpu.as_secs_f64() * 1e6 / cases as f64;
    ratio("µs of CPU a case".to_owned(), 1, rounds, quantity, goal)
}

fn throughput(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let rounds = race(setting, cases, Duration::ZERO, CONCURRENCY)?;
    let quantity = |turn: &Turn| cases as f64 / turn.usage.wall.as_secs_f64();
    let name = format!("cases/s, {cases} cases, 0 ms, concurrency {CONCURRENCY}");
    Ok(vec![
        ratio(name, 0, &rounds, quantity, Goal::AtLeast(0.9)),
        cpu_per_case(&rounds, cases, Goal::AtMost(1.3)),
    ])
}

fn latency(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let rounds = race(setting, cases, DELAY, WIDE_CONCURRENCY)?;
    let wall = |turn: &Turn| turn.usage.wall.as_secs_f64();
    let name = format!("s, {cases} cases, {} ms, concurrency {WIDE_CONCURRENCY}", DELAY.as_millis());
    let difference =
        rounds.iter().map(|round| round.flowproof.median_latency_ms - round.yardstick.median_latency_ms);
    let medians = Row {
        name: "ms of median latency as reported; judged: the difference".to_owned(),
        judged: Spread::of(difference.map(f64::abs)),
        goal: Goal::AtMost(1.0),
        ..ratio(String::new(), 2, &rounds, |turn| turn.median_latency_ms, Goal::Shown)
    };
    Ok(vec![
        ratio(name, 3, &rounds, wall, Goal::AtMost(1.03)),
        medians,
        cpu_per_case(&rounds, cases, Goal::Shown),
    ])
}

fn list(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    // Nothing is sent, and nothing listens at this address.
    let project = Project::write("http://127.0.0.1:9/v1", cases, Form::Tests, setting.mode)?;
    let list = || mean(LIST_RUNS, || contest::list_turn(setting, &project));
    let parse = || mean(LIST_RUNS, || contest::parse_turn(setting, &project));
    list()?;
    parse()?;
    let rounds = alternate(setting.rounds, list, parse)?;
    let cpu = |usage: &Usage| usage.cpu.as_secs_f64() * 1000.0;
    let name = format!("ms of CPU, `list` of {cases} tests in a file; yardstick: its parse");
    Ok(vec![ratio(name, 1, &rounds, cpu, Goal::AtMost(1.5))])
}

fn check(setting: &Setting, tests: u64) -> Result<Vec<Row>, Failure> {
    let project = Project::write("http://127.0.0.1:9/v1", tests, Form::Tests, setting.mode)?;
    let check = || contest::check_turn(setting, &project);
    let parse = || contest::parse_turn(setting, &project);
    check()?;
    parse()?;
    let rounds = alternate(setting.rounds, check, parse)?;
    let megabytes = project.suite_bytes()? as f64 / 1e6;
    let cpu = |usage: &Usage| usage.cpu.as_secs_f64();
    let name =
        format!("s of CPU, `check` of {tests} tests in a file of {megabytes:.0} MB; yardstick: its parse");
    Ok(vec![ratio(name, 2, &rounds, cpu, Goal::AtMost(3.0))])
}

fn cold(setting: &Setting, short_runs: u32) -> Result<Vec<Row>, Failure> {
    let served = std::cell::RefCell::new(Served::start(setting, Duration::ZERO)?);
    let project = Project::write(&served.borrow().base_url(), 1, Form::Rows, setting.mode)?;
    let flowproof = || {
        mean(short_runs, || {
            contest::flowproof_turn(setting, &project, &mut served.borrow_mut(), 1).map(|turn| turn.usage)
        })
    };
    let bare_loop = || {
        mean(short_runs, || {
            contest::loop_turn(setting, &project, &mut served.borrow_mut(), 1).map(|turn| turn.usage)
        })
    };
    let rounds = alternate(setting.rounds, flowproof, bare_loop)?;
    let cpu = |usage: &Usage| usage.cpu.as_secs_f64() * 1000.0;
    let row = ratio(
        "ms of CPU, one test, a new process; judged: flowproof's".to_owned(),
        1,
        &rounds,
        cpu,
        Goal::Shown,
    );
    Ok(vec![Row { judged: row.flowproof, goal: Goal::AtMost(20.0), ..row }])
}

fn memory(setting: &Setting, few: u64, many: u64) -> Result<Vec<Row>, Failure> {
    let setting = &Setting { rounds: setting.rounds.min(MEMORY_ROUNDS), ..setting.clone() };
    let small = race(setting, few, Duration::ZERO, CONCURRENCY)?;
    let large = race(setting, many, Duration::ZERO, CONCURRENCY)?;
    let slope = |small: &Turn, large: &Turn| {
        (large.usage.peak_rss_kib as f64 - small.usage.peak_rss_kib as f64) / (many - few) as f64
    };
    let slopes: Vec<Round<f64>> = small
        .iter()
        .zip(&large)
        .map(|(small, large)| Round {
            flowproof: slope(&small.flowproof, &large.flowproof),
            yardstick: slope(&small.yardstick, &large.yardstick),
        })
        .collect();
    let name = format!("KiB a case between {few} and {many} cases; judged: flowproof's");
    let row = ratio(name, 2, &slopes, |slope| *slope, Goal::Shown);
    let peak = |turn: &Turn| turn.usage.peak_rss_kib as f64 / 1024.0;
    let largest =
        ratio(format!("MiB at most, {many} cases; judged: flowproof's"), 1, &large, peak, Goal::Shown);
    Ok(vec![
        Row { judged: row.flowproof, goal: Goal::AtMost(1.5), ..row },
        ratio(format!("MiB at most, {few} cases"), 1, &small, peak, Goal::Shown),
        Row { judged: largest.flowproof, goal: Goal::AtMost(160.0), ..largest },
    ])
}

/// The mean use of several processes, run one after the other.
fn mean(runs: u32, run: impl Fn() -> Result<Usage, Failure>) -> Result<Usage, Failure> {
    let mut total = Usage { wall: Duration::ZERO, cpu: Duration::ZERO, peak_rss_kib: 0 };
    for _ in 0..runs {
        let usage = run()?;
        total.wall += usage.wall;
        total.cpu += usage.cpu;
        total.peak_rss_kib = total.peak_rss_kib.max(usage.peak_rss_kib);
    }
    Ok(Usage { wall: total.wall / runs, cpu: total.cpu / runs, ..total })
}
