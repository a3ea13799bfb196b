//! What earlier attempts of each test used, read from the newest journals of the same target; writes nothing.
//!
//! A mock's attempts say nothing of a live target's, nor one target's of another's; what was replayed used nothing.

mod past;
mod read;
mod usage_forecast;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::base::files::{self, Fence, parent_of};
use crate::budget::Expected;
use crate::record::journal::fence_of;

pub(crate) use past::PastUsage;
pub(crate) use read::PastScope;
use read::{CaseSample, read_journal};
pub(crate) use usage_forecast::{
    AttemptRange, DecidingRepeats, Forecast, PlanForecast, UsageForecast, forecast,
};

/// Journals that are read, the newest first.
const JOURNALS: usize = 20;
/// Journals whose first line is looked at.
const LOOKED_AT: usize = 500;
/// Bytes that are read at most, all journals together.
const MOST_BYTES: u64 = 512 << 20;
/// Attempts of a test that count, the newest first.
const ATTEMPTS: usize = 100;

/// What earlier attempts used, by the number of the case in the plan.
#[derive(Debug, Default)]
pub(crate) struct History {
    cases: HashMap<u32, PastUsage>,
    /// How many runs it was read from.
    pub runs: usize,
}

impl History {
    /// Reads what the reports hold of these tests, by full name; what cannot be read teaches nothing.
    pub fn read(reports: &Path, whose: PastScope<'_>, names: &HashMap<&str, u32>) -> Self {
        let journals = journals(&reports.join("runs"), whose);
        let read: Vec<Vec<CaseSample>> = journals.par_iter().map(|path| read_journal(path, names)).collect();
        let mut history =
            Self { runs: read.iter().filter(|samples| !samples.is_empty()).count(), ..Self::default() };
        for CaseSample { case, sample } in read.into_iter().flatten() {
            let past = history.cases.entry(case).or_default();
            if past.attempts() < ATTEMPTS {
                past.add(sample);
            }
        }
        history
    }

    /// The past of a case; `None` where it never ran.
    pub fn of(&self, case: u32) -> Option<&PastUsage> {
        self.cases.get(&case)
    }

    /// What is to be expected of each case that has one.
    pub fn expected(&self) -> HashMap<u32, Expected> {
        self.cases.iter().map(|(case, past)| (*case, past.expected())).collect()
    }
}

/// The newest journals of the target, the newest first.
fn journals(runs: &Path, whose: PastScope<'_>) -> Vec<PathBuf> {
    let folders = files::list(runs, &Fence::around(parent_of(runs)));
    let journal = |folder: PathBuf| {
        let name = folder.file_name()?.to_owned();
        let path = folder.join("journal.jsonl");
        let facts = files::open(&path, &fence_of(&path)).and_then(|file| file.metadata()).ok()?;
        Some((facts.modified().unwrap_or(SystemTime::UNIX_EPOCH), name, path, facts.len()))
    };
    let mut found: Vec<_> = folders.into_iter().filter_map(journal).collect();
    found.sort_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
    let mut left = MOST_BYTES;
    let ours = found.into_iter().take(LOOKED_AT).filter(|(_, _, path, _)| read::is_of(path, whose));
    ours.take(JOURNALS)
        .take_while(|(_, _, _, length)| {
            let fits = *length <= left;
            left = left.saturating_sub(*length);
            fits
        })
        .map(|(_, _, path, _)| path)
        .collect()
}

#[cfg(test)]
mod tests;
