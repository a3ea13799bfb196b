//! What a comparison comes to: the first of the contract's list that applies, and what decided it.
//!
//! A test that passed and no longer does is red, unless a gate on the pass rate was set to judge just that. What could not be
//! compared is never green.

use crate::compare::case::{CaseRow, Kind, Side, Standing};
use crate::compare::change::Metric;
use crate::compare::gate::{Decision, Gated};
use crate::compare::plain::{Plain, PlainGated};
use crate::compare::run::Comparison;
use crate::journal::RunRecord;
use crate::verdict;

/// What a comparison comes to, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The sides have no test in common that ran.
    NothingInCommon,
    /// No test was judged on both sides.
    Unjudged,
    /// A side has not run to its end.
    Unfinished,
    /// The second side could not judge a test.
    Errored,
    /// A test passed on the first side, and does not on the second.
    Regressed,
    /// A gate failed.
    Gate,
    /// Tests were skipped that no longer fit their budget.
    OverBudget,
    /// A gate or a test could not be decided.
    Undecided,
    /// All that was asked holds.
    Holds,
}

/// What a comparison comes to, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling<'c> {
    /// What it comes to.
    pub verdict: Verdict,
    /// The gate of a measure that decided.
    pub gate: Option<&'c Gated>,
    /// The plain gate that decided.
    pub plain: Option<&'c PlainGated>,
    /// The test that decided, and how many like it there are.
    pub tests: Option<(&'c CaseRow, usize)>,
}

impl Ruling<'_> {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, gate: None, plain: None, tests: None }
    }
}

/// Says what a comparison comes to.
pub(crate) fn rule<'c>(compared: &'c Comparison<'_>) -> Ruling<'c> {
    whole(compared)
        .or_else(|| tests(compared))
        .or_else(|| gates(compared, Decided::Failed))
        .or_else(|| over_budget(compared))
        .or_else(|| gates(compared, Decided::Inconclusive))
        .or_else(|| unknown(compared))
        .unwrap_or_else(|| Ruling::of(Verdict::Holds))
}

/// What keeps the sides from being compared as wholes.
fn whole<'c>(compared: &Comparison<'_>) -> Option<Ruling<'c>> {
    let both: Vec<_> = compared.rows.iter().filter_map(|row| row.a.as_ref().zip(row.b.as_ref())).collect();
    let skipped = verdict::Verdict::Skipped;
    let ran = both.iter().filter(|(a, b)| (a.verdict, b.verdict) != (skipped, skipped)).count();
    let is_judged = |side: &Side| side.standing() != Standing::Unjudged;
    let is_errored = |side: &Side| side.verdict == verdict::Verdict::Errored;
    // Where a budget alone kept all tests from being judged, that is what decides.
    let by_budget =
        over_budget(compared).is_some() && !both.iter().any(|(a, b)| is_errored(a) || is_errored(b));
    if ran == 0 && !by_budget {
        Some(Ruling::of(Verdict::NothingInCommon))
    } else if !by_budget && !both.iter().any(|(a, b)| is_judged(a) && is_judged(b)) {
        Some(Ruling::of(Verdict::Unjudged))
    } else if is_unfinished(compared.a) || is_unfinished(compared.b) {
        Some(Ruling::of(Verdict::Unfinished))
    } else {
        None
    }
}

/// True where tests that were selected have no verdict, or the record is not whole.
pub(crate) fn is_unfinished(record: &RunRecord) -> bool {
    record.unfinished() > 0 || record.has_losses() || record.end.as_ref().is_none_or(|end| end.interrupted)
}

/// Tests that a side skipped since they no longer fit its budget: what was left out is not green.
fn over_budget<'c>(compared: &'c Comparison<'_>) -> Option<Ruling<'c>> {
    let is_skipped = |side: &Option<Side>| side.as_ref().is_some_and(|side| side.over_budget);
    let found = found(compared, |row| is_skipped(&row.a) || is_skipped(&row.b))?;
    Some(Ruling { tests: Some(found), ..Ruling::of(Verdict::OverBudget) })
}

/// The tests that are red by themselves.
fn tests<'c>(compared: &'c Comparison<'_>) -> Option<Ruling<'c>> {
    let errored =
        |row: &CaseRow| row.b.as_ref().is_some_and(|side| side.verdict == verdict::Verdict::Errored);
    if let Some(found) = found(compared, errored) {
        return Some(Ruling { tests: Some(found), ..Ruling::of(Verdict::Errored) });
    }
    let rate_is_judged = compared.gates.iter().any(|gated| gated.bound.metric == Metric::PassRate);
    let regressed = |row: &CaseRow| {
        let is_new = row.a.is_none();
        match &row.b {
            Some(b) if is_new => b.standing() == Standing::Bad,
            // What is not judged any more gives no rate that a gate could hold against the other.
            Some(b) => row.kind == Kind::Regressed && !(rate_is_judged && b.standing() == Standing::Bad),
            None => false,
        }
    };
    let found = found(compared, regressed)?;
    Some(Ruling { tests: Some(found), ..Ruling::of(Verdict::Regressed) })
}

/// The first test of a kind, and how many there are.
fn found<'c>(compared: &'c Comparison<'_>, is: impl Fn(&CaseRow) -> bool) -> Option<(&'c CaseRow, usize)> {
    let mut all = compared.rows.iter().filter(|row| is(row));
    let first = all.next()?;
    Some((first, 1 + all.count()))
}

/// What a gate came to that keeps the whole from being green.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decided {
    Failed,
    Inconclusive,
}

fn gates<'c>(compared: &'c Comparison<'_>, wanted: Decided) -> Option<Ruling<'c>> {
    let verdict = match wanted {
        Decided::Failed => Verdict::Gate,
        Decided::Inconclusive => Verdict::Undecided,
    };
    let measured = |gated: &&Gated| match gated.decision {
        Decision::Failed => wanted == Decided::Failed,
        Decision::Inconclusive(_) => wanted == Decided::Inconclusive,
        Decision::Passed => false,
    };
    let plain = |gated: &&PlainGated| match gated.decision {
        Plain::Failed => wanted == Decided::Failed,
        Plain::Inconclusive => wanted == Decided::Inconclusive,
        Plain::Passed => false,
    };
    if let Some(gated) = compared.gates.iter().find(measured) {
        return Some(Ruling { gate: Some(gated), ..Ruling::of(verdict) });
    }
    let gated = compared.plain.iter().find(plain)?;
    Some(Ruling { plain: Some(gated), ..Ruling::of(verdict) })
}

/// Tests of which nothing can be said: only the first side has them, or a side did not judge them.
fn unknown<'c>(compared: &'c Comparison<'_>) -> Option<Ruling<'c>> {
    let skipped = |side: &Side| side.verdict == verdict::Verdict::Skipped;
    let is_unknown = |row: &CaseRow| match (&row.a, &row.b) {
        (Some(a), Some(b)) => row.kind == Kind::NotCompared && !(skipped(a) && skipped(b)),
        // A test that was skipped and is gone is not missed.
        (Some(a), None) => !skipped(a),
        (None, Some(b)) => b.verdict == verdict::Verdict::Inconclusive,
        (None, None) => false,
    };
    let found = found(compared, is_unknown)?;
    Some(Ruling { tests: Some(found), ..Ruling::of(Verdict::Undecided) })
}
