//! The run as a whole in documents for programs.

use serde::Serialize;

use crate::dify::cassette::Mode;
use crate::record::event::{BudgetFacts, FallenLimit, MergedRun, RanVersion, RateAdherence, Sharded};
use crate::record::journal::RunRecord;
use crate::report::provenance;

/// The run as a whole.
#[derive(Serialize)]
pub(crate) struct RunDocument<'a> {
    id: &'a str,
    flowproof: &'a str,
    target: &'a str,
    mock: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cassettes: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    profile: &'a str,
    started: &'a str,
    seed: u64,
    shuffled: bool,
    selected: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Sharded>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    merged: &'a [MergedRun],
    deselected: u32,
    finished: bool,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<f64>,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_early: Option<&'a str>,
    versions: &'a [RanVersion],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    budgets: &'a [BudgetFacts],
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<FallenLimit>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rates: &'a [RateAdherence],
}

/// What is known of the run as a whole.
pub(crate) fn run(record: &RunRecord) -> RunDocument<'_> {
    let (start, end, totals) = (&record.start, record.end.as_ref(), &record.totals);
    RunDocument {
        id: &start.run,
        flowproof: &start.flowproof,
        target: &start.target,
        mock: start.mock,
        cassettes: start.cassettes,
        note: provenance::note(start, totals),
        profile: &start.profile,
        started: &start.started,
        seed: start.seed,
        shuffled: start.shuffled,
        selected: start.cases,
        shard: start.shard,
        merged: &start.merged,
        deselected: start.deselected,
        finished: end.is_some(),
        complete: record.is_complete(),
        duration_ms: end.map(|end| end.duration_ms),
        interrupted: end.is_none_or(|end| end.interrupted),
        stopped_early: end.and_then(|end| end.stopped_early.as_deref()),
        versions: end.map_or(&[], |end| &end.versions),
        budgets: end.map_or(&[], |end| &end.budgets),
        limit: end.and_then(|end| end.limit),
        rates: end.map_or(&[], |end| &end.rates),
    }
}
