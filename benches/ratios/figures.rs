//! The figures: what each measures, at which size, and what it has to reach.

use std::time::Duration;

use crate::answers::Sending;
use crate::chunks;
use crate::clock;
use crate::contest::{self, Setting, Turn};
use crate::deciding;
use crate::documents;
use crate::drift;
use crate::failure::Failure;
use crate::likeness;
use crate::lists;
use crate::measure::Usage;
use crate::project::{Form, Project};
use crate::rounds::{
    CONCURRENCY, Course, DELAY, Round, WIDE_CONCURRENCY, alternate, cpu_per_case, mean, race, ratio,
};
use crate::served::Served;
use crate::table::{Goal, Row, Spread};

/// A figure that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Figure {
    /// Cases per second against an endpoint without delay.
    Throughput,
    /// Wall time and reported latency against an endpoint with 50 ms of delay.
    Latency,
    /// CPU of streams of many chunks against a loop that only counts events.
    Chunks,
    /// Reported latency and first model token against the endpoint's own clock.
    Clock,
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
    /// Time of measuring how alike two long texts are.
    Likeness,
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
    /// Cases whose streams have many chunks.
    streams: u64,
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
            Self::Full => Sizes {
                cases: 10_000,
                large: 64_000,
                short_runs: 20,
                few: 1_000,
                many: 100_000,
                streams: 1_000,
            },
            Self::Quick => {
                Sizes { cases: 500, large: 2_000, short_runs: 3, few: 100, many: 1_000, streams: 50 }
            }
        }
    }
}

/// Rounds that memory is measured in, at most: it hardly varies, and takes long.
const MEMORY_ROUNDS: u32 = 3;

impl Figure {
    /// All figures, in the order of the table.
    pub const ALL: [Self; 13] = [
        Self::Throughput,
        Self::Latency,
        Self::Chunks,
        Self::Clock,
        Self::List,
        Self::Check,
        Self::Cold,
        Self::Memory,
        Self::Compare,
        Self::Words,
        Self::Likeness,
        Self::Deciding,
        Self::Documents,
    ];

    /// Measures the figure.
    pub fn measure(self, setting: &Setting, sizes: &Sizes) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Throughput => throughput(setting, sizes.cases),
            Self::Latency => latency(setting, sizes.cases),
            Self::Chunks => chunks::chunks(setting, sizes.streams),
            Self::Clock => clock::clock(setting, sizes.cases),
            Self::List => lists::list(setting, sizes.cases),
            Self::Check => lists::check(setting, sizes.large),
            Self::Cold => cold(setting, sizes.short_runs),
            Self::Memory => memory(setting, sizes.few, sizes.many),
            Self::Compare => drift::compare(setting, sizes.cases),
            Self::Words => drift::words(setting),
            Self::Likeness => likeness::likeness(setting),
            Self::Deciding => deciding::deciding(setting),
            Self::Documents => documents::documents(setting, sizes.many),
        }
    }
}

fn throughput(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let rounds = race(setting, Course::flat(cases))?;
    let quantity = |turn: &Turn| cases as f64 / turn.usage.wall.as_secs_f64();
    let name = format!("cases/s, {cases} cases, 0 ms, concurrency {CONCURRENCY}");
    Ok(vec![
        ratio(name, 0, &rounds, quantity, Goal::AtLeast(0.9)),
        cpu_per_case(&rounds, cases, Goal::AtMost(1.3)),
    ])
}

fn latency(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let course = Course { delay: DELAY, concurrency: WIDE_CONCURRENCY, ..Course::flat(cases) };
    let rounds = race(setting, course)?;
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

fn cold(setting: &Setting, short_runs: u32) -> Result<Vec<Row>, Failure> {
    let served = std::cell::RefCell::new(Served::start(setting, Duration::ZERO, Sending::Recorded)?);
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
    let small = race(setting, Course::flat(few))?;
    let large = race(setting, Course::flat(many))?;
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
