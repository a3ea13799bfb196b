//! flowproof against a bare tokio and reqwest loop, as ratios of one run: `cargo bench --bench ratios`.
//!
//! The program starts itself again as the endpoint, as the loop, as the YAML parse and as a test binary of flowproof's
//! harness; all of them are processes of their own, so that each is measured whole. Nothing leaves the loopback
//! interface.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "benchmarks read the time")]

mod answers;
mod bare_loop;
#[expect(dead_code, unused_imports, reason = "only differences of texts, likeness and repeats are measured")]
#[path = "../../src/base"]
mod base {
    pub mod borrowed_json;
    pub mod clock;
    pub mod diff;
    pub mod effort;
    pub mod exact_decimal;
    pub mod json_number;
    pub mod json_path;
    pub mod origin;
    pub mod plural;
    pub mod repeat;
    pub mod request_rate;
    pub mod similarity;
    pub mod stats;
    pub mod units;
}
mod chunks;
mod clock;
mod contest;
mod deciding;
mod documents;
mod drift;
mod endpoint;
mod failure;
mod figures;
mod likeness;
mod lists;
mod long_stream;
mod measure;
mod own_clock;
mod parse;
mod project;
mod reading;
mod report;
mod rounds;
mod served;
#[expect(dead_code, unused_imports, reason = "only repeats are measured, and simulated nowhere here")]
#[path = "../../src/record"]
mod record {
    pub mod verdict;
}
mod table;
mod times;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::answers::Sending;
use crate::failure::Failure;
use crate::figures::{Figure, Scale};

/// The command line of the benchmark.
#[derive(Debug, Parser)]
#[command(name = "ratios", about = "flowproof against a bare loop, as ratios of one run")]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    choice: Choice,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured, and how often.
#[derive(Debug, Args)]
struct Choice {
    /// Measures only this figure; repeatable.
    #[arg(long, value_enum)]
    only: Vec<Figure>,
    /// Rounds of each figure; flowproof and the loop take turns in going first.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Small numbers, to see that everything works; no goal is judged.
    #[arg(long)]
    quick: bool,
    /// Asks for blocking answers in place of streams.
    #[arg(long, value_enum, default_value_t = Mode::Streaming)]
    mode: Mode,
    /// The flowproof to measure, in place of the one cargo built.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Seconds after which a single process is ended and the benchmark fails.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
}

/// How Dify is asked to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// Server-sent events.
    Streaming,
    /// One JSON answer.
    Blocking,
}

impl Mode {
    /// Dify's word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Blocking => "blocking",
        }
    }
}

/// What the program is when it starts itself.
#[derive(Debug, Subcommand)]
enum Role {
    /// Answers runs of a workflow until its standard input ends.
    Endpoint {
        /// Milliseconds between the start of a run and its end.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60_000))]
        delay_ms: u64,
        /// How it sends streams.
        #[arg(long, value_enum, default_value_t = Sending::Recorded)]
        sending: Sending,
    },
    /// Sends a run for each row and makes the four checks.
    Loop(bare_loop::Task),
    /// Reads journals into plain values.
    Read {
        /// The journals.
        files: Vec<PathBuf>,
    },
    /// Reads a YAML file into a plain value.
    Parse {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    if is_harness() {
        return flowproof::harness::main();
    }
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Endpoint { delay_ms, sending }) => {
            endpoint::serve(Duration::from_millis(delay_ms), sending).map(|()| true)
        }
        Some(Role::Loop(task)) => bare_loop::run(task),
        Some(Role::Read { files }) => drift::read(&files).map(|()| true),
        Some(Role::Parse { file }) => parse::parse(&file).map(|()| true),
        None => measure_all(arguments.choice),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether the program was called by the harness's name: as a test binary, all of whose arguments are libtest's.
fn is_harness() -> bool {
    std::env::args_os().next().is_some_and(|name| name == lists::HARNESS)
}

/// Measures the chosen figures and tells whether every goal was met.
fn measure_all(choice: Choice) -> Result<bool, Failure> {
    let setting = contest::Setting {
        flowproof: choice.binary.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_flowproof"))),
        myself: std::env::current_exe().map_err(Failure::io("find this program"))?,
        mode: choice.mode,
        rounds: choice.rounds,
        deadline: Duration::from_secs(choice.deadline),
    };
    let scale = if choice.quick { Scale::Quick } else { Scale::Full };
    let chosen = if choice.only.is_empty() { Figure::ALL.to_vec() } else { choice.only };
    table::print_head(&setting, scale);
    let mut met = true;
    for figure in chosen {
        for row in figure.measure(&setting, &scale.sizes())? {
            table::print_row(&row, scale);
            met &= row.is_met() || scale == Scale::Quick;
        }
    }
    Ok(met)
}
