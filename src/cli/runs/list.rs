//! `flowproof runs list`.

use std::path::Path;

use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::app::runs::{ReportedRun, ReportsFolder};
use crate::base::plural::counted;
use crate::base::units::format_count;
use crate::cli::exit::{self, Exit};
use crate::cli::say;
use crate::record::journal::{self, JournalError, RunRecord};
use crate::record::thresholds::RunConclusion;
use crate::report::{prices, usage_texts};

/// `flowproof runs list`.
#[derive(Debug, Args)]
pub struct RunsListArgs {
    /// How to list them.
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub format: RunsFormat,
}

/// How runs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunsFormat {
    /// A line each, aligned.
    Pretty,
    /// One JSON array.
    Json,
}

/// Prints all runs, the newest last.
pub fn list(args: &RunsListArgs, runs: &ReportsFolder) -> Result<Exit, String> {
    let stored = runs.all()?;
    let read = |stored| ListedRun { stored, judged: judge(stored).map_err(|error| error.to_string()) };
    let listed: Vec<ListedRun<'_>> = stored.par_iter().map(read).collect();
    Ok(match args.format {
        RunsFormat::Pretty => say::bytes(pretty(&listed, &runs.reports).as_bytes()),
        RunsFormat::Json => say::json(&as_json(&listed)),
    })
}

/// A run in the folder of reports, and what its record says or why it cannot be read.
struct ListedRun<'a> {
    stored: &'a ReportedRun,
    judged: Result<JudgedRun, String>,
}

/// A record, and the exit that `run` would have ended with.
struct JudgedRun {
    record: RunRecord,
    exit: Exit,
}

fn judge(run: &ReportedRun) -> Result<JudgedRun, JournalError> {
    let record = journal::read(&run.path)?;
    let exit = exit::of_record(&record, None)?.exit;
    Ok(JudgedRun { record, exit })
}

/// What became of a run, in one word.
fn verdict(run: &JudgedRun) -> &'static str {
    match run.exit {
        Exit::Success if run.record.start.cases == 0 => "empty",
        Exit::Success => "passed",
        Exit::Unusable | Exit::Run(RunConclusion::Red | RunConclusion::Unusable | RunConclusion::Gate) => {
            "red"
        }
        Exit::Run(RunConclusion::Inconclusive | RunConclusion::Undecided) => "inconclusive",
        Exit::Run(RunConclusion::OverBudget) => "over budget",
        Exit::Run(RunConclusion::NoTests) => "empty",
        Exit::Run(RunConclusion::Interrupted) => "interrupted",
        Exit::Run(RunConclusion::Unrecorded) => "not recorded",
        Exit::Run(RunConclusion::Passed | RunConclusion::NothingHere | RunConclusion::NoTestsAllowed) => {
            "passed"
        }
        Exit::Run(RunConclusion::Unfinished) | Exit::Findings | Exit::Usage => "unfinished",
    }
}

fn pretty(listed: &[ListedRun<'_>], reports: &Path) -> String {
    if listed.is_empty() {
        return format!("no run was recorded in {}\n", reports.join("runs").display());
    }
    let rows: Vec<[String; 5]> = listed.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    rows.iter()
        .map(|[id, started, target, verdict, rest]| {
            format!(
                "{id:a$}  {started:b$}  {target:c$}  {verdict:d$}  {rest}\n",
                a = widths[0],
                b = widths[1],
                c = widths[2].min(40),
                d = widths[3]
            )
        })
        .collect()
}

fn row(listed: &ListedRun<'_>) -> [String; 5] {
    let stored = listed.stored;
    match &listed.judged {
        Ok(run) => {
            let record = &run.record;
            let started = record.start.started.get(..19).unwrap_or(&record.start.started);
            [
                stored.id.clone(),
                started.replace('T', " "),
                record.start.target.clone(),
                verdict(run).to_owned(),
                counts(record),
            ]
        }
        Err(error) => {
            [stored.id.clone(), String::new(), String::new(), String::from("unreadable"), error.clone()]
        }
    }
}

/// `12 tests: 11 passed, 1 failed · shard 2/4`.
fn counts(record: &RunRecord) -> String {
    let totals = &record.totals;
    let counts = [
        (totals.passed, "passed"),
        (totals.failed, "failed"),
        (totals.errored, "errored"),
        (totals.inconclusive, "inconclusive"),
        (totals.flaky, "flaky"),
        (totals.skipped, "skipped"),
        (record.unfinished(), "not finished"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", format_count(u64::from(*count))))
        .collect();
    let tests = totals.cases() + record.unfinished();
    let mut text = counted(tests, "test");
    if !told.is_empty() {
        text = format!("{text}: {}", told.join(", "));
    }
    for told in usage_texts(record) {
        text = format!("{text} · {told}");
    }
    if let Some(shard) = record.start.shard {
        text = format!("{text} · shard {}/{}", shard.index, shard.total);
    }
    text
}

fn as_json(listed: &[ListedRun<'_>]) -> String {
    let items: Vec<Value> = listed.iter().map(item).collect();
    let mut text = serde_json::to_string_pretty(&items).expect("texts and numbers are JSON");
    text.push('\n');
    text
}

fn item(listed: &ListedRun<'_>) -> Value {
    let stored = listed.stored;
    match &listed.judged {
        Ok(run) => {
            let record = &run.record;
            let (start, totals) = (&record.start, &record.totals);
            json!({
                "id": stored.id, "journal": stored.path, "started": start.started, "flowproof": start.flowproof,
                "target": start.target, "profile": start.profile, "mock": start.mock, "shard": start.shard,
                "finished": record.end.is_some(), "duration_ms": record.end.as_ref().map(|end| end.duration_ms),
                "verdict": verdict(run), "exit": run.exit.code(),
                "tests": totals.cases() + record.unfinished(), "passed": totals.passed, "failed": totals.failed,
                "errored": totals.errored, "inconclusive": totals.inconclusive, "flaky": totals.flaky,
                "skipped": totals.skipped, "unfinished": record.unfinished(), "attempts": totals.attempts,
                "tokens": totals.used.tokens, "tokens_unknown": totals.used.tokens_unknown,
                "cost": prices(&totals.used.cost), "cost_unknown": totals.used.cost_unknown,
            })
        }
        Err(error) => json!({ "id": stored.id, "journal": stored.path, "error": error }),
    }
}
