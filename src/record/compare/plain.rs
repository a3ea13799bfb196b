//! Gates that are plain bounds: how many outputs may change, and how alike they must stay. One repeat is enough.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::plural::plural;
use crate::base::similarity::Likeness;
use crate::record::compare::case::{CaseChange, CaseRow};
use crate::record::compare::noise::OutputDrift;
use crate::suite::read_compare::MostTests;

/// The bounds that were set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PlainGates {
    /// The most tests that may have changed, as a share of those compared or as a number.
    pub max_changed: Option<MostTests>,
    /// The least likeness of the outputs of every test.
    pub min_similarity: Option<Likeness>,
}

/// What a plain gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainDecision {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// No test was compared, or what is not decided or measured could tip it.
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
    pub decision: PlainDecision,
    /// How often each side must run before it can be decided; `None` where it is, or more tests are needed instead.
    pub repeats: Option<usize>,
}

impl PlainGates {
    /// Judges the bounds that were set.
    pub fn judge(&self, rows: &[CaseRow]) -> Vec<PlainGated> {
        let changed = self.max_changed.map(|most| changed(most, rows));
        changed.into_iter().chain(self.min_similarity.map(|least| similar(least, rows))).collect()
    }
}

/// A test that only one side has, or whose verdict turned, has changed too: else the tests that broke would not count.
///
/// One that so few repeats cannot distinguish from noise is not changed; if such tests could change the gate's result, it is not decided.
fn changed(most: MostTests, rows: &[CaseRow]) -> PlainGated {
    let count = |is: fn(CaseChange) -> bool| rows.iter().filter(|row| is(row.kind)).count();
    let compared = count(|kind| kind != CaseChange::NotCompared);
    let changed = count(|kind| {
        matches!(
            kind,
            CaseChange::Regressed | CaseChange::Improved | CaseChange::Changed | CaseChange::OneSided
        )
    });
    let undecided = count(|kind| kind == CaseChange::Undecided);
    let (allowed, most) = match most {
        MostTests::Tests(tests) => (format!("{tests}"), Decimal::from(tests)),
        MostTests::Share(share) => {
            let compared = Decimal::from(compared as u64);
            (format!("{} %", percent(share)), share.checked_mul(compared).unwrap_or(compared))
        }
    };
    let is_within = |changed: usize| Decimal::from(changed as u64) <= most;
    let decision = if compared == 0 {
        PlainDecision::Inconclusive
    } else if !is_within(changed) {
        PlainDecision::Failed
    } else if !is_within(changed + undecided) {
        PlainDecision::Inconclusive
    } else {
        PlainDecision::Passed
    };
    let mut found = format!(
        "{changed} of {compared} {} changed, at most {allowed} may",
        plural(compared, "test", "tests")
    );
    let open = (decision == PlainDecision::Inconclusive && undecided > 0).then(|| repeats_needed(rows));
    match open {
        Some(Some(repeats)) => found.push_str(&format!(
            "; {undecided} more cannot be distinguished from noise: run each test {repeats} times on each side (--repeat {repeats})"
        )),
        Some(None) => found.push_str(&format!(
            "; {undecided} more cannot be distinguished from noise, and among this many tests no number of repeats can do that: compare fewer"
        )),
        None => {}
    }
    PlainGated { key: "max_changed", found, decision, repeats: open.flatten() }
}

/// How often each side must run before every test can be distinguished from noise; `None` where no number would do.
fn repeats_needed(rows: &[CaseRow]) -> Option<usize> {
    let needed = rows.iter().filter_map(|row| match row.drift {
        OutputDrift::Undecided { repeats } if row.kind == CaseChange::Undecided => Some(repeats),
        OutputDrift::Undecided { .. }
        | OutputDrift::Same
        | OutputDrift::Changed
        | OutputDrift::Noise { .. }
        | OutputDrift::Drifted { .. }
        | OutputDrift::Unknown => None,
    });
    needed.collect::<Option<Vec<usize>>>()?.into_iter().max()
}

/// What was not measured passes nothing; a test that is less alike fails it, whatever the others are.
fn similar(least: Likeness, rows: &[CaseRow]) -> PlainGated {
    let known = rows.iter().filter_map(|row| Some((row, row.similarity?)));
    let lowest = known.min_by_key(|(_, similarity)| *similarity);
    let unmeasured = rows.iter().find_map(|row| Some((row, row.unmeasured?)));
    let (found, decision) = match (lowest, unmeasured) {
        (Some((row, similarity)), _) if similarity < least => {
            (alike(row, similarity, least), PlainDecision::Failed)
        }
        (_, Some((row, why))) => (format!("`{}`: {why}", row.name), PlainDecision::Inconclusive),
        (Some((row, similarity)), None) => (alike(row, similarity, least), PlainDecision::Passed),
        (None, None) => ("no test has outputs on both sides".to_owned(), PlainDecision::Inconclusive),
    };
    PlainGated { key: "min_similarity", found, decision, repeats: None }
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
fn percent(share: Decimal) -> String {
    let tenths = (share * Decimal::from(1_000)).floor().to_f64().unwrap_or_default() / 10.0;
    format!("{tenths}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::compare::case::PathChange;

    fn row(kind: CaseChange, similarity: Option<Likeness>) -> CaseRow {
        let drift = match kind {
            CaseChange::Undecided => OutputDrift::Undecided { repeats: Some(8) },
            _ => OutputDrift::Same,
        };
        let name = String::from("s::t");
        CaseRow {
            name,
            a: None,
            b: None,
            similarity,
            unmeasured: None,
            drift,
            kind,
            way: PathChange::default(),
            rewritten: false,
        }
    }

    fn rows(kinds: &[(CaseChange, usize)]) -> Vec<CaseRow> {
        kinds.iter().flat_map(|(kind, count)| vec![row(*kind, None); *count]).collect()
    }

    fn decided(most: &str, rows: &[CaseRow]) -> PlainGated {
        let most = crate::suite::read_compare::parse_most(most).unwrap();
        PlainGates { max_changed: Some(most), min_similarity: None }.judge(rows).remove(0)
    }

    #[test]
    fn what_is_not_decided_is_not_changed_and_not_unchanged() {
        let open = rows(&[(CaseChange::Unchanged, 37), (CaseChange::Undecided, 3)]);
        let gated = decided("0", &open);
        assert_eq!((gated.decision, gated.repeats), (PlainDecision::Inconclusive, Some(8)));
        assert!(
            gated.found.contains("0 of 40 tests changed") && gated.found.contains("--repeat 8"),
            "{}",
            gated.found
        );
        assert_eq!(decided("3", &open).decision, PlainDecision::Passed, "whatever they are");
        assert_eq!(decided("2", &open).decision, PlainDecision::Inconclusive);
        let more = rows(&[(CaseChange::Unchanged, 36), (CaseChange::Undecided, 3), (CaseChange::Changed, 1)]);
        assert_eq!(decided("0", &more).decision, PlainDecision::Failed, "the one that changed is enough");
        assert_eq!(decided("3", &more).decision, PlainDecision::Inconclusive);
    }

    #[test]
    fn a_share_exactly_at_its_bound_holds() {
        for (share, changed, all) in
            [("5%", 1, 20), ("10%", 3, 30), ("7%", 7, 100), ("0.1%", 1, 1_000), ("33.3%", 333, 1_000)]
        {
            let rows = rows(&[(CaseChange::Changed, changed), (CaseChange::Unchanged, all - changed)]);
            assert_eq!(decided(share, &rows).decision, PlainDecision::Passed, "{share}");
            let rows = [rows, self::rows(&[(CaseChange::Changed, 1)])].concat();
            assert_eq!(decided(share, &rows).decision, PlainDecision::Failed, "{share} and one more");
        }
    }

    #[test]
    fn a_likeness_exactly_at_its_bound_holds() {
        let decided = |similarity: Likeness, least: &str| {
            let least = crate::suite::read_compare::parse_likeness(least).unwrap();
            let gates = PlainGates { max_changed: None, min_similarity: Some(least) };
            gates.judge(&[row(CaseChange::Changed, Some(similarity))]).remove(0).decision
        };
        assert_eq!(decided(Likeness::of(9, 10), "0.9"), PlainDecision::Passed);
        assert_eq!(decided(Likeness::of(9, 10), "0.900001"), PlainDecision::Failed);
        let tenths = Likeness::mean([Likeness::of(1, 10); 10].into_iter());
        assert_eq!(decided(tenths, "10%"), PlainDecision::Passed, "binary sums miss the mean");
    }
}
