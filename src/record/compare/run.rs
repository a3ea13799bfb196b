//! Two runs of the same tests, compared: light rows for all of them, the texts read again for those that are shown.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::similarity::Likeness;
use crate::base::stats::{PermutationResult, RandomDraws};
use crate::record::compare::answers::{AnswerDependence, answers};
use crate::record::compare::apart::apart;
use crate::record::compare::case::{self, CaseChange, CaseDetail, CaseRow};
use crate::record::compare::change::{Change, Series};
use crate::record::compare::gate::{self, DecidedGate, GateBound};
use crate::record::compare::metric::CompareMetric;
use crate::record::compare::noise::{OutputDrift, drift_of_outputs};
use crate::record::compare::plain::{PlainGated, PlainGates};
use crate::record::compare::sample::TestPair;
use crate::record::journal::{CaseReader, JournalError, RunRecord};
use crate::suite::read_compare::{BoundSpec, CompareSpec};

/// The level of the lists of tests, where no gate names another.
pub(crate) const ALPHA: f64 = 0.05;
/// Arrangements drawn where all would be too many.
const DRAWN: u32 = 9_999;
/// Fewer where tests are many, so that the work stays bounded; the smallest `p` is then a thousandth.
const LEAST_DRAWN: u32 = 999;
/// Signs and splits that are drawn for one measure.
const WORK: usize = 5_000_000;

/// What a comparison is compared with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CompareGates {
    /// How much worse measures may be.
    pub bounds: Vec<GateBound>,
    /// How much outputs may change.
    pub plain: PlainGates,
}

impl CompareGates {
    /// The gates that were written.
    pub fn of(spec: &CompareSpec) -> Self {
        let bound = |written: &BoundSpec| {
            let metric = CompareMetric::ALL.into_iter().find(|metric| metric.key() == written.measure)?;
            Some(GateBound { metric, worse_by: written.worse_by, alpha: written.alpha.unwrap_or(ALPHA) })
        };
        let plain = PlainGates { max_changed: spec.max_changed, min_similarity: spec.min_similarity };
        Self { bounds: spec.bounds.iter().filter_map(bound).collect(), plain }
    }
}

/// How many tests became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct ChangeCounts {
    /// Passed, and no longer do.
    pub regressed: usize,
    /// Did not pass, and do now.
    pub improved: usize,
    /// Same verdict, other outputs.
    pub changed: usize,
    /// Same verdict, and outputs that differ by what may be noise.
    pub undecided: usize,
    /// Same verdict, same outputs.
    pub unchanged: usize,
    /// Not judged on a side.
    pub not_compared: usize,
    /// Only one side has them.
    pub one_sided: usize,
}

/// The numbers of each test in both runs, by full name; `None` where a run lacks it.
type TestNumbers = HashMap<String, SideNumbers>;

/// The numbers of a test in both runs; `None` where a run lacks it.
#[derive(Debug, Clone, Copy, Default)]
struct SideNumbers {
    a: Option<u32>,
    b: Option<u32>,
}

/// Two runs, compared.
pub(crate) struct RunComparison<'a> {
    /// The first run.
    pub a: &'a RunRecord,
    /// The second.
    pub b: &'a RunRecord,
    /// All tests, those that matter most first.
    pub rows: Vec<CaseRow>,
    /// How many became what.
    pub counts: ChangeCounts,
    /// What changed over all tests.
    pub changes: Vec<Change>,
    /// Whether the outputs of all tests drifted; `None` where none ran twice.
    pub outputs: Option<PermutationResult>,
    /// The gates that look for what chance could not do.
    pub gates: Vec<DecidedGate>,
    /// The gates that are plain bounds.
    pub plain: Vec<PlainGated>,
    /// Whether the answers of each side depend on each other.
    pub answers: [AnswerDependence; 2],
    /// The seed of everything drawn.
    pub seed: u64,
    /// Where each test is in the runs.
    places: TestNumbers,
}

impl<'a> RunComparison<'a> {
    /// Compares two runs; the same seed gives the same answer.
    pub fn of(
        a: &'a RunRecord,
        b: &'a RunRecord,
        gates: &CompareGates,
        seed: u64,
    ) -> Result<Self, JournalError> {
        let places = places(a, b)?;
        let ReadTests { mut rows, pairs } = read(a, b, &places)?;
        // What the mock answers belongs to a test on it: another answer is what is compared, not another test.
        let tells_tests = !a.start.mock && !b.start.mock;
        rows.iter_mut().for_each(|row| row.rewritten &= tells_tests);
        let attempts: usize = pairs.iter().map(TestPair::repeats).sum();
        let most = u32::try_from(WORK / attempts.max(1)).unwrap_or(DRAWN);
        let draws = RandomDraws { count: most.clamp(LEAST_DRAWN, DRAWN), seed };
        let alpha = gates.bounds.iter().map(|bound| bound.alpha).fold(ALPHA, f64::min);
        let drifts = drift_of_outputs(&pairs, alpha, draws);
        let outputs = drifts.suite;
        let mut drifts = drifts.tests.into_iter();
        for row in &mut rows {
            let both = row.a.is_some() && row.b.is_some();
            row.judge(if both {
                drifts.next().unwrap_or(OutputDrift::Unknown)
            } else {
                OutputDrift::Unknown
            });
        }
        rows.sort_by(|one, other| {
            weight(one).total_cmp(&weight(other)).then_with(|| one.name.cmp(&other.name))
        });
        let series = Series::all(&pairs);
        Ok(Self {
            a,
            b,
            counts: counted(&rows),
            gates: gate::judge(&gates.bounds, &series, draws),
            plain: gates.plain.judge(&rows),
            rows,
            changes: series.iter().map(|series| series.change(draws)).collect(),
            outputs,
            answers: answers(&pairs, draws),
            seed,
            places,
        })
    }

    /// True where a run is compared with itself.
    pub fn same_run(&self) -> bool {
        self.a.start.run == self.b.start.run && self.a.path() == self.b.path()
    }

    /// The time that lies between the two runs; `None` where they ran at the same time, or one of them is not live.
    pub fn apart(&self) -> Option<Duration> {
        apart(self.a, self.b)
    }

    /// Reads what is shown of tests, each record opened once.
    pub fn details(&self) -> Details<'_> {
        Details { places: &self.places, a: self.a.reader(), b: self.b.reader() }
    }
}

/// Reads what is shown of tests.
pub(crate) struct Details<'a> {
    places: &'a TestNumbers,
    a: CaseReader<'a>,
    b: CaseReader<'a>,
}

impl Details<'_> {
    /// What is shown of a test that both sides have; `None` of one that a side lacks.
    pub fn of(&mut self, name: &str) -> Result<Option<CaseDetail>, JournalError> {
        let Some(SideNumbers { a: Some(in_a), b: Some(in_b) }) = self.places.get(name) else {
            return Ok(None);
        };
        let (a, b) = (self.a.read(*in_a)?, self.b.read(*in_b)?);
        Ok(a.zip(b).map(|(a, b)| case::detail(&a, &b)))
    }
}

/// The numbers of each test in both runs, by full name.
fn places(a: &RunRecord, b: &RunRecord) -> Result<TestNumbers, JournalError> {
    let mut places = TestNumbers::new();
    for outcome in a.outcomes() {
        let outcome = outcome?;
        places.entry(outcome.name).or_default().a = Some(outcome.case);
    }
    for outcome in b.outcomes() {
        let outcome = outcome?;
        places.entry(outcome.name).or_default().b = Some(outcome.case);
    }
    Ok(places)
}

/// All tests, read.
struct ReadTests {
    rows: Vec<CaseRow>,
    /// The samples of those that both sides have, in the same order.
    pairs: Vec<TestPair>,
}

/// Reads every test once: its row, and the samples of those that both sides have, in the same order.
fn read(a: &RunRecord, b: &RunRecord, places: &TestNumbers) -> Result<ReadTests, JournalError> {
    let (mut of_a, mut of_b) = (a.reader(), b.reader());
    let mut names: Vec<&String> = places.keys().collect();
    // In the order of the first run's file, so that it is read from front to back.
    names.sort_by_key(|name| (places[*name].a.unwrap_or(u32::MAX), places[*name].b));
    let (mut rows, mut pairs) = (Vec::with_capacity(names.len()), Vec::new());
    for name in names {
        let SideNumbers { a: in_a, b: in_b } = places[name];
        let one = in_a.map(|case| of_a.read(case)).transpose()?.flatten();
        let other = in_b.map(|case| of_b.read(case)).transpose()?.flatten();
        rows.push(case::row(name, one.as_ref(), other.as_ref()));
        if let Some((one, other)) = one.zip(other) {
            pairs.push(case::sample(&one, &other));
        }
    }
    Ok(ReadTests { rows, pairs })
}

/// What matters most has the least weight: what broke, then what could not be compared, then what changed most.
fn weight(row: &CaseRow) -> f64 {
    let kind = match row.kind {
        CaseChange::Regressed => 0.0,
        CaseChange::NotCompared => 1.0,
        CaseChange::OneSided => 2.0,
        CaseChange::Improved => 3.0,
        CaseChange::Changed => 4.0,
        CaseChange::Undecided => 5.0,
        CaseChange::Unchanged => 6.0,
    };
    kind + 0.9 * row.similarity.map_or(0.0, Likeness::to_f64)
}

fn counted(rows: &[CaseRow]) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    for row in rows {
        *match row.kind {
            CaseChange::Regressed => &mut counts.regressed,
            CaseChange::Improved => &mut counts.improved,
            CaseChange::Changed => &mut counts.changed,
            CaseChange::Undecided => &mut counts.undecided,
            CaseChange::Unchanged => &mut counts.unchanged,
            CaseChange::NotCompared => &mut counts.not_compared,
            CaseChange::OneSided => &mut counts.one_sided,
        } += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::json;

    use super::*;
    use crate::record::compare::gate::GateDecision;
    use crate::record::compare::plain::PlainDecision;
    use crate::record::event::{Event, RunEnd};
    use crate::record::journal::sample;
    use crate::record::verdict::Verdict;
    use crate::suite::read_compare::MostTests;

    /// A run of tests, each with its verdict, its outputs repeat by repeat, and its tokens.
    fn run(folder: &std::path::Path, tests: &[(&str, Verdict, &[&str], u64)]) -> RunRecord {
        let mut events = vec![Event::RunStarted(sample::start(u32::try_from(tests.len()).unwrap()))];
        for (case, (name, verdict, outputs, tokens)) in tests.iter().enumerate() {
            let case = u32::try_from(case).unwrap();
            for (repeat, text) in outputs.iter().enumerate() {
                let mut attempt = sample::attempt(case, *verdict, Vec::new());
                attempt.repeat = u32::try_from(repeat).unwrap();
                attempt.outputs = Some(json!({ "reply": text }));
                attempt.facts.digest = Some((*text).to_owned());
                attempt.facts.tokens = Some(*tokens);
                events.push(Event::AttemptFinished(attempt.into()));
            }
            events.push(Event::CaseFinished(sample::outcome(case, "s", name, *verdict).into()));
        }
        events.push(Event::RunFinished(RunEnd { duration_ms: 1.0, ..RunEnd::default() }));
        sample::record(folder, &events)
    }

    fn kinds(comparison: &RunComparison) -> Vec<(String, CaseChange)> {
        comparison.rows.iter().map(|row| (row.name.clone(), row.kind)).collect()
    }

    #[test]
    fn tests_are_paired_by_name_and_the_worst_comes_first() {
        use Verdict::{Failed, Passed};
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let a = run(
            one.path(),
            &[
                ("same", Passed, &["x"], 10),
                ("broke", Passed, &["x"], 10),
                ("gone", Passed, &["x"], 10),
                ("said", Passed, &["a b c d"], 10),
            ],
        );
        let b = run(
            other.path(),
            &[
                ("said", Passed, &["a b c x"], 10),
                ("new", Passed, &["x"], 10),
                ("broke", Failed, &["x"], 10),
                ("same", Passed, &["x"], 10),
            ],
        );
        let comparison = RunComparison::of(&a, &b, &CompareGates::default(), 1).unwrap();
        let name = |name: &str| format!("s::{name}");
        assert_eq!(
            kinds(&comparison),
            [
                (name("broke"), CaseChange::Regressed),
                (name("gone"), CaseChange::OneSided),
                (name("new"), CaseChange::OneSided),
                (name("said"), CaseChange::Changed),
                (name("same"), CaseChange::Unchanged),
            ]
        );
        assert_eq!(
            comparison.counts,
            ChangeCounts { regressed: 1, changed: 1, unchanged: 1, one_sided: 2, ..ChangeCounts::default() }
        );
        let mut details = comparison.details();
        assert_eq!(details.of("s::said").unwrap().unwrap().changes.len(), 1);
        assert_eq!(details.of("s::gone").unwrap(), None);
    }

    #[test]
    fn one_run_against_itself_has_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let a = run(
            folder.path(),
            &[("t", Verdict::Passed, &["x", "y", "x", "z", "x"], 10), ("u", Verdict::Failed, &["x"], 10)],
        );
        let plain =
            PlainGates { max_changed: Some(MostTests::Tests(0)), min_similarity: Some(Likeness::ALL) };
        let gates = CompareGates { bounds: Vec::new(), plain };
        let comparison = RunComparison::of(&a, &a, &gates, 1).unwrap();
        assert_eq!(comparison.counts, ChangeCounts { unchanged: 2, ..ChangeCounts::default() });
        assert!(comparison.plain.iter().all(|gated| gated.decision == PlainDecision::Passed));
        assert!(
            comparison.changes.iter().all(|change| change.worse_by.abs() < 1e-12),
            "{:?}",
            comparison.changes
        );
    }

    #[test]
    fn gates_fail_and_lack_as_they_should() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let names: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
        let side = |tokens| {
            names.iter().map(|name| (name.as_str(), Verdict::Passed, &["x"][..], tokens)).collect::<Vec<_>>()
        };
        let (a, b) = (run(one.path(), &side(100)), run(other.path(), &side(150)));
        let bound = |metric| GateBound { metric, worse_by: Decimal::new(1, 1), alpha: 0.05 };
        let gates = CompareGates { bounds: vec![bound(CompareMetric::Tokens)], plain: PlainGates::default() };
        assert_eq!(RunComparison::of(&a, &b, &gates, 1).unwrap().gates[0].decision, GateDecision::Failed);
        assert_eq!(RunComparison::of(&b, &a, &gates, 1).unwrap().gates[0].decision, GateDecision::Passed);
        let folder = tempfile::tempdir().unwrap();
        let few = run(folder.path(), &side(100)[..2]);
        let decision = RunComparison::of(&few, &few, &gates, 1).unwrap().gates[0].decision;
        assert!(matches!(decision, GateDecision::Inconclusive(_)), "{decision:?}");
    }

    #[test]
    fn a_bound_on_likeness_is_exact_and_passes_nothing_unmeasured() {
        use Verdict::Passed;
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cut = "word … (70000 bytes in all)";
        let a = run(one.path(), &[("t", Passed, &["a b c d e f g h i j"], 1)]);
        let b = run(other.path(), &[("t", Passed, &["a b c d e f g h i x"], 1)]);
        let decided = |a, b, least: &str| {
            let min_similarity = Some(crate::suite::read_compare::parse_likeness(least).unwrap());
            let plain = PlainGates { min_similarity, ..PlainGates::default() };
            let gates = CompareGates { plain, ..CompareGates::default() };
            RunComparison::of(a, b, &gates, 1).unwrap().plain.remove(0)
        };
        assert_eq!(decided(&a, &b, "0.9").decision, PlainDecision::Passed);
        assert_eq!(decided(&a, &b, "90%").decision, PlainDecision::Passed);
        let failed = decided(&a, &b, "90.1%");
        assert_eq!(failed.decision, PlainDecision::Failed);
        assert!(failed.found.ends_with("are 90 % alike, at least 90.1 % must be"), "{}", failed.found);
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let long = |folder: &tempfile::TempDir, other: &str| {
            run(folder.path(), &[("t", Passed, &[cut], 1), ("u", Passed, &[other], 1)])
        };
        let (a, b) = (long(&first, "a b"), long(&second, "a c"));
        assert_eq!(decided(&a, &a, "100%").decision, PlainDecision::Passed);
        assert_eq!(decided(&a, &b, "60%").decision, PlainDecision::Failed, "what is known fails it");
        let third = tempfile::tempdir().unwrap();
        let c = run(
            third.path(),
            &[("t", Passed, &["word another … (70001 bytes in all)"], 1), ("u", Passed, &["a b"], 1)],
        );
        let unknown = decided(&a, &c, "1%");
        assert_eq!(unknown.decision, PlainDecision::Inconclusive);
        assert!(unknown.found.contains("recorded up to 64 KB"), "{}", unknown.found);
    }

    #[test]
    fn plain_bounds_count_what_broke_and_pass_nothing_unseen() {
        use Verdict::{Errored, Failed, Passed};
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let a = run(one.path(), &[("t", Passed, &["x"], 1), ("u", Passed, &["x"], 1)]);
        let b = run(other.path(), &[("t", Failed, &["x"], 1), ("u", Passed, &["x"], 1)]);
        let gates = |max_changed| CompareGates {
            plain: PlainGates { max_changed: Some(max_changed), ..PlainGates::default() },
            ..CompareGates::default()
        };
        let decided = |a, b, most| RunComparison::of(a, b, &gates(most), 1).unwrap().plain[0].decision;
        assert_eq!(decided(&a, &b, MostTests::Tests(0)), PlainDecision::Failed);
        assert_eq!(decided(&a, &b, MostTests::Share(Decimal::new(4, 1))), PlainDecision::Failed);
        assert_eq!(decided(&a, &b, MostTests::Share(Decimal::new(5, 1))), PlainDecision::Passed);
        let folder = tempfile::tempdir().unwrap();
        let dark = run(folder.path(), &[("t", Errored, &[], 1), ("u", Errored, &[], 1)]);
        assert_eq!(decided(&dark, &dark, MostTests::Tests(0)), PlainDecision::Inconclusive);
    }
}
