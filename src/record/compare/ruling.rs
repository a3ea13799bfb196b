//! What a comparison comes to: the first of the contract's list that applies, and what decided it.
//!
//! A test that passed and no longer does is red, unless a gate on the pass rate was set to judge just that. What could not be
//! compared is never green.

use crate::record::compare::case::{CaseChange, CaseRow, CaseSide, VerdictClass};
use crate::record::compare::gate::{DecidedGate, GateDecision};
use crate::record::compare::metric::CompareMetric;
use crate::record::compare::plain::{PlainDecision, PlainGated};
use crate::record::compare::run::RunComparison;
use crate::record::journal::RunRecord;
use crate::record::verdict;

/// What a comparison comes to, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompareVerdict {
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

/// Tests that decided what a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DecidingTests<'c> {
    /// The first of them.
    pub first: &'c CaseRow,
    /// How many there are.
    pub count: usize,
}

/// What a comparison comes to, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling<'c> {
    /// What it comes to.
    pub verdict: CompareVerdict,
    /// The gate of a measure that decided.
    pub gate: Option<&'c DecidedGate>,
    /// The plain gate that decided.
    pub plain: Option<&'c PlainGated>,
    /// The tests that decided.
    pub tests: Option<DecidingTests<'c>>,
}

impl Ruling<'_> {
    fn of(verdict: CompareVerdict) -> Self {
        Self { verdict, gate: None, plain: None, tests: None }
    }
}

impl RunComparison<'_> {
    /// What it comes to.
    pub fn ruling(&self) -> Ruling<'_> {
        rule(self)
    }
}

/// Says what a comparison comes to.
pub(crate) fn rule<'c>(compared: &'c RunComparison<'_>) -> Ruling<'c> {
    whole(compared)
        .or_else(|| tests(compared))
        .or_else(|| gates(compared, DecisiveGate::Failed))
        .or_else(|| over_budget(compared))
        .or_else(|| gates(compared, DecisiveGate::Inconclusive))
        .or_else(|| unknown(compared))
        .unwrap_or_else(|| Ruling::of(CompareVerdict::Holds))
}

/// What keeps the sides from being compared as wholes.
fn whole<'c>(compared: &RunComparison<'_>) -> Option<Ruling<'c>> {
    let both: Vec<_> = compared.rows.iter().filter_map(|row| row.a.as_ref().zip(row.b.as_ref())).collect();
    let skipped = verdict::Verdict::Skipped;
    let ran = both.iter().filter(|(a, b)| (a.verdict, b.verdict) != (skipped, skipped)).count();
    let is_judged = |side: &CaseSide| side.standing() != VerdictClass::Unjudged;
    let is_errored = |side: &CaseSide| side.verdict == verdict::Verdict::Errored;
    // Where a budget alone kept all tests from being judged, that is what decides.
    let by_budget =
        over_budget(compared).is_some() && !both.iter().any(|(a, b)| is_errored(a) || is_errored(b));
    if ran == 0 && !by_budget {
        Some(Ruling::of(CompareVerdict::NothingInCommon))
    } else if !by_budget && !both.iter().any(|(a, b)| is_judged(a) && is_judged(b)) {
        Some(Ruling::of(CompareVerdict::Unjudged))
    } else if is_unfinished(compared.a) || is_unfinished(compared.b) {
        Some(Ruling::of(CompareVerdict::Unfinished))
    } else {
        None
    }
}

/// True where tests that were selected have no verdict, or the record is not whole.
pub(crate) fn is_unfinished(record: &RunRecord) -> bool {
    record.unfinished() > 0 || record.has_losses() || record.end.as_ref().is_none_or(|end| end.interrupted)
}

/// Tests that a side skipped since they no longer fit its budget: what was left out is not green.
fn over_budget<'c>(compared: &'c RunComparison<'_>) -> Option<Ruling<'c>> {
    let is_skipped = |side: &Option<CaseSide>| side.as_ref().is_some_and(|side| side.over_budget);
    let found = found(compared, |row| is_skipped(&row.a) || is_skipped(&row.b))?;
    Some(Ruling { tests: Some(found), ..Ruling::of(CompareVerdict::OverBudget) })
}

/// The tests that are red by themselves.
fn tests<'c>(compared: &'c RunComparison<'_>) -> Option<Ruling<'c>> {
    let errored =
        |row: &CaseRow| row.b.as_ref().is_some_and(|side| side.verdict == verdict::Verdict::Errored);
    if let Some(found) = found(compared, errored) {
        return Some(Ruling { tests: Some(found), ..Ruling::of(CompareVerdict::Errored) });
    }
    let rate_is_judged = compared.gates.iter().any(|gated| gated.bound.metric == CompareMetric::PassRate);
    let regressed = |row: &CaseRow| {
        let is_new = row.a.is_none();
        match &row.b {
            Some(b) if is_new => b.standing() == VerdictClass::Bad,
            // What is not judged any more gives no rate that a gate could hold against the other.
            Some(b) => {
                row.kind == CaseChange::Regressed && !(rate_is_judged && b.standing() == VerdictClass::Bad)
            }
            None => false,
        }
    };
    let found = found(compared, regressed)?;
    Some(Ruling { tests: Some(found), ..Ruling::of(CompareVerdict::Regressed) })
}

/// The first test of a kind, and how many there are.
fn found<'c>(compared: &'c RunComparison<'_>, is: impl Fn(&CaseRow) -> bool) -> Option<DecidingTests<'c>> {
    let mut all = compared.rows.iter().filter(|row| is(row));
    let first = all.next()?;
    Some(DecidingTests { first, count: 1 + all.count() })
}

/// What a gate came to that keeps the whole from being green.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DecisiveGate {
    Failed,
    Inconclusive,
}

fn gates<'c>(compared: &'c RunComparison<'_>, wanted: DecisiveGate) -> Option<Ruling<'c>> {
    let verdict = match wanted {
        DecisiveGate::Failed => CompareVerdict::Gate,
        DecisiveGate::Inconclusive => CompareVerdict::Undecided,
    };
    let measured = |gated: &&DecidedGate| match gated.decision {
        GateDecision::Failed => wanted == DecisiveGate::Failed,
        GateDecision::Inconclusive(_) => wanted == DecisiveGate::Inconclusive,
        GateDecision::Passed => false,
    };
    let plain = |gated: &&PlainGated| match gated.decision {
        PlainDecision::Failed => wanted == DecisiveGate::Failed,
        PlainDecision::Inconclusive => wanted == DecisiveGate::Inconclusive,
        PlainDecision::Passed => false,
    };
    if let Some(gated) = compared.gates.iter().find(measured) {
        return Some(Ruling { gate: Some(gated), ..Ruling::of(verdict) });
    }
    let gated = compared.plain.iter().find(plain)?;
    Some(Ruling { plain: Some(gated), ..Ruling::of(verdict) })
}

/// Tests of which nothing can be said: only the first side has them, or a side did not judge them.
fn unknown<'c>(compared: &'c RunComparison<'_>) -> Option<Ruling<'c>> {
    let skipped = |side: &CaseSide| side.verdict == verdict::Verdict::Skipped;
    let is_unknown = |row: &CaseRow| match (&row.a, &row.b) {
        (Some(a), Some(b)) => row.kind == CaseChange::NotCompared && !(skipped(a) && skipped(b)),
        // A test that was skipped and is gone is not missed.
        (Some(a), None) => !skipped(a),
        (None, Some(b)) => b.verdict == verdict::Verdict::Inconclusive,
        (None, None) => false,
    };
    let found = found(compared, is_unknown)?;
    Some(Ruling { tests: Some(found), ..Ruling::of(CompareVerdict::Undecided) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::base::similarity::Likeness;
    use crate::record::compare::CompareGates;
    use crate::record::compare::gate::GateBound;
    use crate::record::compare::plain::PlainGates;
    use crate::record::event::{Event, RunEnd};
    use crate::record::journal::sample;
    use crate::record::verdict::Verdict::{Errored, Failed, Inconclusive, Passed, Skipped};
    use crate::suite::read_compare::MostTests;

    /// A test of a run: its name, its verdict, what it answers (empty: no outputs), its tokens.
    type Test<'t> = (&'t str, verdict::Verdict, &'t str, u64);

    fn record(folder: &Path, selected: u32, tests: &[Test<'_>], end: Option<RunEnd>) -> RunRecord {
        let mut events = vec![Event::RunStarted(sample::start(selected))];
        for (case, (name, verdict, text, tokens)) in (0..).zip(tests) {
            let mut attempt = sample::attempt(case, *verdict, Vec::new());
            attempt.outputs = (!text.is_empty()).then(|| json!({ "reply": text }));
            attempt.facts.digest = (!text.is_empty()).then(|| (*text).to_owned());
            attempt.facts.tokens = Some(*tokens);
            let mut outcome = sample::outcome(case, "s", name, *verdict);
            outcome.over_budget = *name == "dear";
            events.extend(sample::pair(attempt, outcome));
        }
        events.extend(end.map(Event::RunFinished));
        sample::record(folder, &events)
    }

    fn ended() -> Option<RunEnd> {
        Some(RunEnd { duration_ms: 1.0, ..RunEnd::default() })
    }

    /// What two records come to: the verdict, the test that decided and how many like it there are, and the plain gate.
    type Ruled = (CompareVerdict, Option<(String, usize)>, Option<&'static str>);

    fn ruled(a: &RunRecord, b: &RunRecord, gates: &CompareGates) -> Ruled {
        let compared = RunComparison::of(a, b, gates, 1).unwrap();
        let ruling = compared.ruling();
        let tests = ruling.tests.map(|tests| (tests.first.name.clone(), tests.count));
        (ruling.verdict, tests, ruling.plain.map(|plain| plain.key))
    }

    /// The same of two whole runs.
    fn rules(a: &[Test<'_>], b: &[Test<'_>], gates: &CompareGates) -> Ruled {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let whole = |folder: &tempfile::TempDir, tests: &[Test<'_>]| {
            record(folder.path(), u32::try_from(tests.len()).unwrap(), tests, ended())
        };
        ruled(&whole(&folders[0], a), &whole(&folders[1], b), gates)
    }

    fn by_tests(verdict: CompareVerdict, name: &str, count: usize) -> Ruled {
        (verdict, Some((format!("s::{name}"), count)), None)
    }

    fn test(name: &str, verdict: verdict::Verdict) -> Test<'_> {
        (name, verdict, "x", 10)
    }

    #[test]
    fn sides_that_share_nothing_that_ran_are_never_green() {
        let of = |a: &[Test<'_>], b: &[Test<'_>]| rules(a, b, &CompareGates::default());
        let passed = test("one", Passed);
        assert_eq!(of(&[passed], &[passed]), (CompareVerdict::Holds, None, None));
        assert_eq!(of(&[passed], &[test("other", Passed)]), (CompareVerdict::NothingInCommon, None, None));
        let skipped = test("one", Skipped);
        assert_eq!(of(&[skipped], &[skipped]).0, CompareVerdict::NothingInCommon);
        assert_eq!(of(&[skipped], &[passed]).0, CompareVerdict::Unjudged);
        assert_eq!(of(&[passed], &[skipped]).0, CompareVerdict::Unjudged);
        assert_eq!(of(&[passed], &[test("one", Errored)]).0, CompareVerdict::Unjudged);
        assert_eq!(of(&[test("one", Failed)], &[test("one", Failed)]).0, CompareVerdict::Holds);
    }

    #[test]
    fn a_budget_that_kept_all_tests_from_being_judged_decides() {
        let of = |a: &[Test<'_>], b: &[Test<'_>]| rules(a, b, &CompareGates::default());
        let (dear, left_out) = (test("dear", Passed), test("dear", Skipped));
        assert_eq!(of(&[dear], &[left_out]), by_tests(CompareVerdict::OverBudget, "dear", 1));
        assert_eq!(of(&[left_out], &[dear]), by_tests(CompareVerdict::OverBudget, "dear", 1));
        assert_eq!(of(&[left_out], &[left_out]), by_tests(CompareVerdict::OverBudget, "dear", 1));
        // A test that errored on either side, and none that was judged: not the budget alone.
        for (a, b) in [(Passed, Errored), (Errored, Passed)] {
            let found = of(&[left_out, test("one", a)], &[left_out, test("one", b)]);
            assert_eq!(found.0, CompareVerdict::Unjudged, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_side_that_did_not_run_to_its_end_is_never_green() {
        let tests = [test("one", Passed)];
        let unfinished = |selected, end: Option<RunEnd>| {
            let [whole, part] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let whole = record(whole.path(), 1, &tests, ended());
            let part = record(part.path(), selected, &tests, end);
            let as_first = ruled(&part, &whole, &CompareGates::default()).0;
            let as_second = ruled(&whole, &part, &CompareGates::default()).0;
            assert_eq!(as_first, as_second);
            assert_eq!(is_unfinished(&part), as_first == CompareVerdict::Unfinished);
            as_first
        };
        let interrupted = RunEnd { interrupted: true, ..ended().unwrap() };
        assert_eq!(unfinished(1, ended()), CompareVerdict::Holds);
        assert_eq!(unfinished(2, ended()), CompareVerdict::Unfinished, "a test has no verdict");
        assert_eq!(unfinished(1, None), CompareVerdict::Unfinished, "it was killed");
        assert_eq!(unfinished(1, Some(interrupted)), CompareVerdict::Unfinished);
    }

    #[test]
    fn tests_that_are_red_by_themselves_are_named_and_counted() {
        let of = |a: &[Test<'_>], b: &[Test<'_>]| rules(a, b, &CompareGates::default());
        let [one, two, good] = ["one", "two", "good"].map(|name| test(name, Passed));
        let errored = of(&[one, two, good], &[test("one", Errored), test("two", Errored), good]);
        assert_eq!(errored, by_tests(CompareVerdict::Errored, "one", 2));
        let broke = of(&[one, two, good], &[test("one", Failed), two, good]);
        assert_eq!(broke, by_tests(CompareVerdict::Regressed, "one", 1));
        let new = |verdict| of(&[good], &[good, test("new", verdict)]);
        assert_eq!(new(Failed), by_tests(CompareVerdict::Regressed, "new", 1));
        assert_eq!(new(Passed).0, CompareVerdict::Holds);
        assert_eq!(new(Inconclusive), by_tests(CompareVerdict::Undecided, "new", 1));
    }

    #[test]
    fn what_is_not_known_of_a_test_leaves_the_whole_undecided() {
        let of = |a: &[Test<'_>], b: &[Test<'_>]| rules(a, b, &CompareGates::default());
        let (good, gone) = (test("good", Passed), |verdict| test("gone", verdict));
        assert_eq!(of(&[good, gone(Passed)], &[good]), by_tests(CompareVerdict::Undecided, "gone", 1));
        assert_eq!(of(&[good, gone(Skipped)], &[good]).0, CompareVerdict::Holds, "it is not missed");
        let one = |verdict| test("one", verdict);
        assert_eq!(of(&[good, one(Skipped)], &[good, one(Skipped)]).0, CompareVerdict::Holds);
        for (a, b) in [(Skipped, Passed), (Failed, Skipped), (Inconclusive, Inconclusive)] {
            let found = of(&[good, one(a)], &[good, one(b)]);
            assert_eq!(found, by_tests(CompareVerdict::Undecided, "one", 1), "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_gate_that_decides_is_named() {
        let of = |b: &[Test<'_>], gates: &CompareGates| {
            rules(&["1", "2", "3", "4", "5"].map(|name| test(name, Passed)), b, gates)
        };
        let answers = |text| ["1", "2", "3", "4", "5"].map(|name| (name, Passed, text, 10));
        let least = PlainGates { min_similarity: Some(Likeness::of(1, 2)), ..PlainGates::default() };
        let alike = CompareGates { plain: least, ..CompareGates::default() };
        assert_eq!(of(&answers("x"), &alike), (CompareVerdict::Holds, None, None));
        assert_eq!(of(&answers("y"), &alike), (CompareVerdict::Gate, None, Some("min_similarity")));
        let most = PlainGates { max_changed: Some(MostTests::Tests(4)), ..PlainGates::default() };
        let few = CompareGates { plain: most, ..CompareGates::default() };
        assert_eq!(of(&answers("y"), &few), (CompareVerdict::Gate, None, Some("max_changed")));
        assert_eq!(
            of(&answers(""), &few),
            (CompareVerdict::Undecided, None, Some("max_changed")),
            "none is compared"
        );
        let bound =
            |alpha| GateBound { metric: CompareMetric::Tokens, worse_by: "0.1".parse().unwrap(), alpha };
        let tokens = |alpha| CompareGates { bounds: vec![bound(alpha)], ..CompareGates::default() };
        let dearer = ["1", "2", "3", "4", "5"].map(|name| (name, Passed, "x", 20));
        assert_eq!(of(&answers("x"), &tokens(0.05)), (CompareVerdict::Holds, None, None));
        assert_eq!(of(&dearer, &tokens(0.05)), (CompareVerdict::Gate, None, None));
        assert_eq!(of(&dearer, &tokens(0.01)), (CompareVerdict::Undecided, None, None));
        let both = CompareGates { plain: least, ..tokens(0.01) };
        assert_eq!(of(&dearer, &both), (CompareVerdict::Undecided, None, None));
        let worse = ["1", "2", "3", "4", "5"].map(|name| (name, Passed, "y", 20));
        assert_eq!(
            of(&worse, &both),
            (CompareVerdict::Gate, None, Some("min_similarity")),
            "red before undecided"
        );
        let cut = ["1", "2", "3", "4", "5"].map(|name| (name, Failed, "x", 10));
        let rate = CompareGates {
            bounds: vec![GateBound { metric: CompareMetric::PassRate, ..bound(0.05) }],
            ..CompareGates::default()
        };
        assert_eq!(of(&cut, &rate).0, CompareVerdict::Gate, "the gate judges what turned red");
        assert_eq!(of(&cut, &CompareGates::default()), by_tests(CompareVerdict::Regressed, "1", 5));
    }
}
