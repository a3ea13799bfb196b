//! The budget's ledger shared by eight processes, against the bare least: `cargo bench --bench ledger`.
//!
//! The least that keeps a file in order is its lock, an append and the unlock. The program starts itself again as the processes.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "benchmarks read the time")]

#[expect(
    dead_code,
    unused_imports,
    reason = "the ledger uses a few words of it, and its tests run elsewhere"
)]
#[path = "../../src/base"]
mod base {
    pub mod clock;
    pub mod files;
    pub mod lock;
    pub mod plural;
    pub mod request_rate;
    pub mod units;
}
#[expect(dead_code, unused_imports, reason = "only reserving and settling are measured")]
#[path = "../../src/budget/mod.rs"]
mod budget;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use budget::{
    AttemptUsage, BudgetRequest, Costs, Expected, Ledger, LedgerSharing, ReservationAnswer, SpendingLimit,
};

/// Processes that share the file.
const PROCESSES: usize = 8;
/// Reservations of each, every one settled.
const EACH: usize = 5_000;
/// Rounds; the ledger and the least take turns.
const ROUNDS: usize = 5;
/// Reservations a second, all processes together.
const GOAL: f64 = 5_000.0;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.get(1).map(String::as_str) {
        Some("ledger") => draw(Path::new(&arguments[2])).map(|()| true),
        Some("least") => append(Path::new(&arguments[2])).map(|()| true),
        Some(_) | None => measure(),
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

/// Prints both figures and tells whether the goal was met.
fn measure() -> Result<bool, Failure> {
    let (mut ledgers, mut least) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        least.push(round("least")?);
        ledgers.push(round("ledger")?);
    }
    let ratios = ledgers.iter().zip(&least).map(|(ledger, least)| ledger / least).collect();
    let (ledger, least, ratio) = (median(ledgers), median(least), median(ratios));
    println!("reservations/s of {PROCESSES} processes together, each settled: {ledger:.0} (goal: {GOAL:.0})");
    println!("pairs of lock, append of 256 bytes and unlock in their place: {least:.0}/s, ratio {ratio:.2}");
    Ok(ledger >= GOAL)
}

/// Reservations a second of one round, from the first process that was ready to the last that ended.
fn round(role: &str) -> Result<f64, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger");
    let start = |_| -> Result<Child, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command.spawn()?)
    };
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect::<Result<_, _>>()?;
    for child in &mut children {
        child.stdout.as_mut().ok_or("no output")?.read_exact(&mut [0])?;
    }
    let began = Instant::now();
    for child in &mut children {
        child.stdin.take().ok_or("no input")?.write_all(b"go")?;
    }
    for child in &mut children {
        if !child.wait()?.success() {
            return Err(format!("a process of `{role}` failed").into());
        }
    }
    Ok((PROCESSES * EACH) as f64 / began.elapsed().max(Duration::from_micros(1)).as_secs_f64())
}

/// Says that it is ready, and waits for the start.
fn ready() -> Result<(), Failure> {
    let mut output = std::io::stdout();
    output.write_all(b"r")?;
    output.flush()?;
    std::io::stdin().read_exact(&mut [0; 2])?;
    Ok(())
}

/// One process that draws on the ledger.
fn draw(path: &Path) -> Result<(), Failure> {
    let ledger = Ledger::open(path, LedgerSharing::Several)?;
    let of_run = SpendingLimit { tokens: Some(u64::MAX), ..SpendingLimit::default() };
    let of_suite = SpendingLimit::default();
    let expected = Expected { tokens: Some(100), ..Expected::default() };
    let used =
        AttemptUsage { tokens: Some(80), cost: Some(Costs::new()), ran: true, ..AttemptUsage::default() };
    ready()?;
    for _ in 0..EACH {
        let ask = BudgetRequest { suite: 1, expected: &expected, of_run: &of_run, of_suite: &of_suite };
        let ReservationAnswer::Reserved(reservation) = ledger.reserve(&ask)? else {
            return Err("it does not fit".into());
        };
        ledger.settle(&reservation, &used)?;
    }
    Ok(())
}

/// One process that does the least.
fn append(path: &Path) -> Result<(), Failure> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    ready()?;
    for _ in 0..2 * EACH {
        file.lock()?;
        file.write_all(&[7; 256])?;
        file.unlock()?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
