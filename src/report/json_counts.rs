//! The counts of a run in `report.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::journal::{LeftRuns, SavedRepeats, Totals};
use crate::report::judges::{JudgeCounts, prices};

/// The counts of a run, as the document writes them.
#[derive(Serialize)]
pub(super) struct CountsDocument<'a> {
    tests: u32,
    passed: u32,
    failed: u32,
    errored: u32,
    inconclusive: u32,
    #[serde(skip_serializing_if = "is_zero")]
    tolerated: u32,
    flaky: u32,
    skipped: u32,
    #[serde(skip_serializing_if = "is_zero")]
    over_budget: u32,
    unfinished: u32,
    warnings: u32,
    attempts: u32,
    #[serde(skip_serializing_if = "is_zero")]
    replayed: u32,
    tokens: u64,
    tokens_unknown: u32,
    cost: BTreeMap<&'a str, String>,
    cost_unknown: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<LeftRunsDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judges: Option<JudgeCounts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<SavedRuns>,
}

/// Runs that were given up, or at work when the run was killed.
#[derive(Serialize)]
struct LeftRunsDocument {
    asked: u32,
    failed: u32,
    not_stoppable: u32,
    killed: u32,
}

#[derive(Serialize)]
struct SavedRuns {
    tests: u32,
    runs: i64,
    tokens: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The counts of a run.
pub(super) fn counts(totals: &Totals, unfinished: u32) -> CountsDocument<'_> {
    CountsDocument {
        tests: totals.cases() + unfinished,
        passed: totals.passed,
        failed: totals.failed,
        errored: totals.errored,
        inconclusive: totals.inconclusive,
        tolerated: totals.tolerated,
        flaky: totals.flaky,
        skipped: totals.skipped,
        over_budget: totals.over_budget,
        unfinished,
        warnings: totals.warnings,
        attempts: totals.attempts,
        replayed: totals.replayed,
        tokens: totals.used.tokens,
        tokens_unknown: totals.used.tokens_unknown,
        cost: prices(&totals.used.cost),
        cost_unknown: totals.used.cost_unknown,
        left: left(totals.left),
        judges: JudgeCounts::of(&totals.judges),
        saved: saved(totals.saved),
    }
}

fn left(left: LeftRuns) -> Option<LeftRunsDocument> {
    let LeftRuns { asked, failed, not_stoppable, killed } = left;
    (!left.is_none()).then_some(LeftRunsDocument { asked, failed, not_stoppable, killed })
}

/// The savings of sequential tests; `None` where none decided.
fn saved(saved: SavedRepeats) -> Option<SavedRuns> {
    let SavedRepeats { tests, runs, tokens } = saved;
    (tests > 0).then_some(SavedRuns { tests, runs, tokens })
}
