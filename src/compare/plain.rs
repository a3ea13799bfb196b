//! Gates that are plain bounds: how many outputs may change, and how alike they must stay. One repeat is enough.

use crate::base::similarity::Likeness;
use crate::compare::case::{CaseRow, Kind};
use crate::suite::read_compare::Most;

/// The bounds that were set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PlainGates {
    /// The most tests that may have changed, as a share of those compared or as a number.
    pub max_changed: Option<Most>,
    /// The least likeness of the outputs of every test.
    pub min_similarity: Option<Likeness>,
}

/// What a plain gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// No test was compared, or what was not could fail it.
    Inconclusive,
}

/// A plain gate and what it found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlainGated {
    /// `max_changed` or `min_similarity`.
    pub key: &'static str,
    /// What was found against what is allowed: "3 of 40 tests changed, at most 2 may".
    pub found: String,
    /// What follows.
    pub decision: Plain,
}

impl PlainGates {
    /// Judges the bounds that were set.
    pub fn judge(&self, rows: &[CaseRow]) -> Vec<PlainGated> {
        let changed = self.max_changed.map(|most| changed(most, rows));
        changed.into_iter().chain(self.min_similarity.map(|least| similar(least, rows))).collect()
    }
}

/// A test that only one side has, or whose verdict turned, has changed too: else the tests that broke would not count.
fn changed(most: Most, rows: &[CaseRow]) -> PlainGated {
    let compared = rows.iter().filter(|row| row.kind != Kind::NotCompared).count();
    let is_changed = |row: &&CaseRow| match row.kind {
        Kind::Regressed | Kind::Improved | Kind::Changed | Kind::OneSided => true,
        Kind::Unchanged | Kind::NotCompared => false,
    };
    let changed = rows.iter().filter(is_changed).count();
    let (allowed, within) = match most {
        Most::Tests(tests) => (format!("{tests}"), changed <= tests as usize),
        Most::Share(share) => {
            (format!("{} %", percent(share)), changed as f64 <= share * compared as f64 + 1e-9)
        }
    };
    PlainGated {
        key: "max_changed",
        found: format!("{changed} of {compared} tests changed, at most {allowed} may"),
        decision: match (compared, within) {
            (0, _) => Plain::Inconclusive,
            (_, true) => Plain::Passed,
            (_, false) => Plain::Failed,
        },
    }
}

/// What was not measured passes nothing; a test that is less alike fails it, whatever the others are.
fn similar(least: Likeness, rows: &[CaseRow]) -> PlainGated {
    let known = rows.iter().filter_map(|row| Some((row, row.similarity?)));
    let lowest = known.min_by_key(|(_, similarity)| *similarity);
    let unmeasured = rows.iter().find_map(|row| Some((row, row.unmeasured?)));
    let (found, decision) = match (lowest, unmeasured) {
        (Some((row, similarity)), _) if similarity < least => (alike(row, similarity, least), Plain::Failed),
        (_, Some((row, why))) => (format!("`{}`: {why}", row.name), Plain::Inconclusive),
        (Some((row, similarity)), None) => (alike(row, similarity, least), Plain::Passed),
        (None, None) => ("no test has outputs on both sides".to_owned(), Plain::Inconclusive),
    };
    PlainGated { key: "min_similarity", found, decision }
}

fn alike(row: &CaseRow, similarity: Likeness, least: Likeness) -> String {
    format!(
        "the outputs of `{}` are {} % alike, at least {} % must be",
        row.name,
        similarity.percent(),
        (least.to_f64() * 100_000.0).round() / 1_000.0
    )
}

/// A share as a percentage with at most one decimal, never rounded up to a bound that it misses.
fn percent(share: f64) -> String {
    let tenths = (share * 1000.0 + 1e-9).floor() / 10.0;
    format!("{tenths}")
}
