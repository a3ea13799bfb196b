//! Joins runs of one plan to one record: shards, re-runs, and records that were merged before.
//!
//! A journal is a sequence of parts, each what one process recorded of one run. The merged journal is all parts of all
//! runs, each once, in the order in which they began, after a first line and a plan of its own; what counts of them the fold
//! says as it does for a run that was continued. So nothing depends on the order in which runs are named, nor on how often.

mod builds;
mod copy;
mod lines_at;
mod merge_error;
mod merged_runs;
mod run_order;
mod same;
mod survey;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::base::digest::Digest;
use crate::base::plural::{counted, plural};
use crate::record::event::{ContinuationReason, MergedRun, PlannedCase, RunContinuation, RunStart};
use crate::record::journal::merge::copy::NewRun;
use crate::record::journal::merge::merged_runs::{CopiedLines, JoinedRun};
use crate::record::journal::merge::same::RunVersions;
use crate::record::journal::merge::survey::{JournalSurvey, survey};
use crate::record::journal::{JournalError, RunRecord};

pub(crate) use merge_error::MergeError;
pub(crate) use merged_runs::Merge;
pub(crate) use run_order::order;

/// Reads what there is to join; each journal may be named several times.
pub(crate) fn plan(paths: &[PathBuf]) -> Result<Merge, MergeError> {
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        sources.push(survey(path)?);
    }
    sources.sort_by_cached_key(|source| order(&source.start.run, &source.start.started));
    let whole = same::check(&sources)?;
    let Some(first) = sources.first() else {
        return Err(MergeError::Unfit {
            run: String::from("of nothing"),
            reason: String::from("none was named"),
        });
    };
    let start = first.start.clone();
    let planned = planned(&sources);
    if planned.len() > whole as usize {
        return Err(MergeError::Different {
            one: start.run,
            other: sources.last().map(|source| source.start.run.clone()).unwrap_or_default(),
            reason: format!(
                "each has tests that the other has not, {} in all where {whole} were selected; was `--sample` drawn by \
                 different seeds?",
                planned.len()
            ),
        });
    }
    let JoinedRuns { runs, pieces } = join(sources)?;
    let merged = runs.iter().map(|joined| joined.run.clone()).collect();
    let start = RunStart { cases: whole, shard: None, merged, build: None, ..start };
    Ok(Merge { start, planned, pieces, runs })
}

/// All tests planned, each once, in the order of the plan.
fn planned(sources: &[JournalSurvey]) -> Vec<PlannedCase> {
    let mut places: HashMap<Digest, usize> = HashMap::new();
    let mut planned: Vec<PlannedCase> = Vec::new();
    for case in sources.iter().flat_map(|source| &source.planned) {
        match places.get(&case.key) {
            Some(place) if planned[*place].place.is_none() => planned[*place].place = case.place,
            Some(_) => {}
            None => {
                places.insert(case.key, planned.len());
                planned.push(case.clone());
            }
        }
    }
    planned.sort_by_key(|case| case.place.unwrap_or(u32::MAX));
    planned
}

/// The runs of all journals, and what is copied of them.
struct JoinedRuns {
    runs: Vec<JoinedRun>,
    pieces: Vec<CopiedLines>,
}

/// Every run once, and the pieces of all in the order they were recorded.
fn join(sources: Vec<JournalSurvey>) -> Result<JoinedRuns, MergeError> {
    let mut tellings = RunVersions::default();
    for run in sources.into_iter().flat_map(|source| source.runs) {
        tellings.add(run)?;
    }
    let mut runs = tellings.runs();
    runs.sort_by_cached_key(|run| order(&run.run.run, &run.run.started));
    let mut pieces: Vec<(String, CopiedLines)> = Vec::new();
    let mut joined = Vec::with_capacity(runs.len());
    for (number, run) in runs.into_iter().enumerate() {
        pieces.extend(run.parts.into_iter().map(|part| {
            let head = head_of(&run.run, part.head, part.started);
            let (from, range, mended, first_line) = (part.from, part.range, part.mended, part.first_line);
            (part.order, CopiedLines { run: number, from, range, head, mended, first_line })
        }));
        joined.push(JoinedRun { run: run.run, keys: run.keys });
    }
    pieces.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(JoinedRuns { runs: joined, pieces: pieces.into_iter().map(|(_, piece)| piece).collect() })
}

/// The line that is before a part.
fn head_of(run: &MergedRun, head: Option<RunContinuation>, started: String) -> RunContinuation {
    let first = RunContinuation {
        how: ContinuationReason::Merged,
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        cases: 0,
        added: 0,
        plan: Digest::default(),
        withdrawn: Vec::new(),
        mended: 0,
        run: None,
        asked: None,
        thresholds: None,
    };
    // Line numbers are those of another file now.
    RunContinuation { run: Some(run.run.clone()), mended: 0, ..head.unwrap_or(first) }
}

impl Merge {
    /// The runs that are joined, in the order they started.
    pub fn runs(&self) -> impl Iterator<Item = &MergedRun> {
        self.runs.iter().map(|joined| &joined.run)
    }

    /// Writes the journal of the merged run.
    pub fn write(&self, to: &Path, run: &str, started: &str) -> Result<(), JournalError> {
        copy::write(self, to, &NewRun { run, started })
    }

    /// What is missing in the record of the merged run, a sentence each; empty where every test has a verdict.
    pub fn missing(&self, record: &RunRecord) -> Result<Vec<String>, JournalError> {
        if record.unfinished() == 0 {
            return Ok(Vec::new());
        }
        let mut names: HashMap<Digest, &str> =
            self.planned.iter().map(|case| (case.key, case.name.as_ref())).collect();
        for outcome in record.outcomes() {
            names.remove(&outcome?.key);
        }
        let mut missing = self.missing_shards();
        for joined in &self.runs {
            let mut open: Vec<&str> = joined.keys.iter().filter_map(|key| names.remove(key)).collect();
            open.sort_unstable();
            if !open.is_empty() {
                missing.push(format!("{} did not finish: {}", told(&joined.run), listed(&open)));
            }
        }
        if missing.is_empty() {
            let all = counted(self.start.cases, "test");
            let have = plural(self.start.cases, "has", "have");
            missing.push(format!("{} of {all} {have} no verdict", record.unfinished()));
        }
        Ok(missing)
    }

    /// The shards of which no run is there, where all shards are of one count.
    fn missing_shards(&self) -> Vec<String> {
        let shards: Vec<_> = self.runs.iter().filter_map(|joined| joined.run.shard).collect();
        let Some(first) =
            shards.first().filter(|first| shards.iter().all(|shard| shard.total == first.total))
        else {
            return Vec::new();
        };
        let is_there = |index: &u32| shards.iter().any(|shard| shard.index == *index);
        let gone: Vec<u32> = (1..=first.total).filter(|index| !is_there(index)).collect();
        if gone.is_empty() || self.planned.len() >= self.start.cases as usize {
            return Vec::new();
        }
        let tests = self.start.cases as usize - self.planned.len();
        let named: Vec<String> =
            gone.iter().take(20).map(|index| format!("{index}/{}", first.total)).collect();
        let more = if gone.len() > 20 { format!(" and {} more", gone.len() - 20) } else { String::new() };
        let (shard, is, test) = (
            plural(gone.len(), "shard", "shards"),
            plural(gone.len(), "is", "are"),
            plural(tests, "test has", "tests have"),
        );
        vec![format!("{shard} {}{more} {is} missing: {tests} {test} no verdict", named.join(", "))]
    }
}

/// `shard 2/4 (run 2026…)`.
fn told(run: &MergedRun) -> String {
    match run.shard {
        Some(shard) => format!("shard {}/{} (run {})", shard.index, shard.total, run.run),
        None => format!("run {}", run.run),
    }
}

/// `S::a, S::b and 3 more have no verdict`.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    match names.len() {
        1 => format!("{shown} has no verdict"),
        count if count <= 5 => format!("{shown} have no verdict"),
        count => format!("{shown} and {} more have no verdict", count - 5),
    }
}
