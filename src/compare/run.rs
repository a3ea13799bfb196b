//! Two runs of the same tests, compared: light rows for all of them, the texts read again for those that are shown.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::similarity::Likeness;
use crate::base::stats::{Draws, Permuted};
use crate::compare::answers::{Answers, answers};
use crate::compare::apart::apart;
use crate::compare::case::{self, CaseDetail, CaseRow, Kind};
use crate::compare::change::{Change, Metric, Series};
use crate::compare::gate::{self, Bound, Gated};
use crate::compare::noise::{OutputDrift, drift_of_outputs};
use crate::compare::plain::{PlainGated, PlainGates};
use crate::compare::ruling::{Ruling, rule};
use crate::compare::sample::Pair;
use crate::journal::{CaseReader, JournalError, RunRecord};
use crate::suite::read_compare::{BoundSpec, CompareSpec};

/// The level of the lists of tests, where no gate names another.
pub(crate) const ALPHA: f64 = 0.05;
/// Arrangements drawn where all would be too many.
const DRAWN: u32 = 9_999;
/// Fewer where tests are many, so that the work stays bounded; the smallest `p` is then a thousandth.
const LEAST_DRAWN: u32 = 999;
/// Signs and splits that are drawn for one measure.
const WORK: usize = 5_000_000;

/// What a comparison is held against.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Gates {
    /// How much worse measures may be.
    pub bounds: Vec<Bound>,
    /// How much outputs may change.
    pub plain: PlainGates,
}

impl Gates {
    /// The gates that were written.
    pub fn of(spec: &CompareSpec) -> Self {
        let bound = |written: &BoundSpec| {
            let metric = Metric::ALL.into_iter().find(|metric| metric.key() == written.measure)?;
            Some(Bound { metric, worse_by: written.worse_by, alpha: written.alpha.unwrap_or(ALPHA) })
        };
        let plain = PlainGates { max_changed: spec.max_changed, min_similarity: spec.min_similarity };
        Self { bounds: spec.bounds.iter().filter_map(bound).collect(), plain }
    }
}

/// How many tests became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Counts {
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

/// The numbers of each test in both runs, by full name; none where a run lacks it.
type Places = HashMap<String, (Option<u32>, Option<u32>)>;

/// Two runs, compared.
pub(crate) struct Comparison<'a> {
    /// The first run.
    pub a: &'a RunRecord,
    /// The second.
    pub b: &'a RunRecord,
    /// All tests, those that matter most first.
    pub rows: Vec<CaseRow>,
    /// How many became what.
    pub counts: Counts,
    /// What changed over all tests.
    pub changes: Vec<Change>,
    /// Whether the outputs of all tests drifted; none where none ran twice.
    pub outputs: Option<Permuted>,
    /// The gates that look for what chance could not do.
    pub gates: Vec<Gated>,
    /// The gates that are plain bounds.
    pub plain: Vec<PlainGated>,
    /// Whether the answers of each side depend on each other.
    pub answers: [Answers; 2],
    /// The seed of everything drawn.
    pub seed: u64,
    /// Where each test stands in the runs.
    places: Places,
}

impl<'a> Comparison<'a> {
    /// Compares two runs; the same seed gives the same answer.
    pub fn of(a: &'a RunRecord, b: &'a RunRecord, gates: &Gates, seed: u64) -> Result<Self, JournalError> {
        let places = places(a, b)?;
        let (mut rows, pairs) = read(a, b, &places)?;
        // What the mock answers belongs to a test on it: another answer is what is compared, not another test.
        let tells_tests = !a.start.mock && !b.start.mock;
        rows.iter_mut().for_each(|row| row.rewritten &= tells_tests);
        let attempts: usize = pairs.iter().map(Pair::repeats).sum();
        let most = u32::try_from(WORK / attempts.max(1)).unwrap_or(DRAWN);
        let draws = Draws { count: most.clamp(LEAST_DRAWN, DRAWN), seed };
        let alpha = gates.bounds.iter().map(|bound| bound.alpha).fold(ALPHA, f64::min);
        let (drifts, outputs) = drift_of_outputs(&pairs, alpha, draws);
        let mut drifts = drifts.into_iter();
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

    /// The time that lies between the two runs; none where they ran at the same time, or one of them is not live.
    pub fn apart(&self) -> Option<Duration> {
        apart(self.a, self.b)
    }

    /// What it comes to.
    pub fn ruling(&self) -> Ruling<'_> {
        rule(self)
    }

    /// Reads what is shown of tests, each record opened once.
    pub fn details(&self) -> Details<'_> {
        Details { places: &self.places, a: self.a.reader(), b: self.b.reader() }
    }
}

/// Reads what is shown of tests.
pub(crate) struct Details<'a> {
    places: &'a Places,
    a: CaseReader<'a>,
    b: CaseReader<'a>,
}

impl Details<'_> {
    /// What is shown of a test that both sides have; none of one that a side lacks.
    pub fn of(&mut self, name: &str) -> Result<Option<CaseDetail>, JournalError> {
        let Some((Some(in_a), Some(in_b))) = self.places.get(name) else { return Ok(None) };
        let (a, b) = (self.a.read(*in_a)?, self.b.read(*in_b)?);
        Ok(a.zip(b).map(|(a, b)| case::detail(&a, &b)))
    }
}

/// The numbers of each test in both runs, by full name.
fn places(a: &RunRecord, b: &RunRecord) -> Result<Places, JournalError> {
    let mut places = Places::new();
    for outcome in a.numbered_outcomes() {
        let (case, outcome) = outcome?;
        places.entry(outcome.name).or_default().0 = Some(case);
    }
    for outcome in b.numbered_outcomes() {
        let (case, outcome) = outcome?;
        places.entry(outcome.name).or_default().1 = Some(case);
    }
    Ok(places)
}

/// Reads every test once: its row, and the samples of those that both sides have, in the same order.
fn read(a: &RunRecord, b: &RunRecord, places: &Places) -> Result<(Vec<CaseRow>, Vec<Pair>), JournalError> {
    let (mut of_a, mut of_b) = (a.reader(), b.reader());
    let mut names: Vec<&String> = places.keys().collect();
    // In the order of the first run's file, so that it is read from front to back.
    names.sort_by_key(|name| (places[*name].0.unwrap_or(u32::MAX), places[*name].1));
    let (mut rows, mut pairs) = (Vec::with_capacity(names.len()), Vec::new());
    for name in names {
        let (in_a, in_b) = places[name];
        let one = in_a.map(|case| of_a.read(case)).transpose()?.flatten();
        let other = in_b.map(|case| of_b.read(case)).transpose()?.flatten();
        rows.push(case::row(name, one.as_ref(), other.as_ref()));
        if let Some((one, other)) = one.zip(other) {
            pairs.push(case::sample(&one, &other));
        }
    }
    Ok((rows, pairs))
}

/// What matters most has the least weight: what broke, then what could not be compared, then what changed most.
fn weight(row: &CaseRow) -> f64 {
    let kind = match row.kind {
        Kind::Regressed => 0.0,
        Kind::NotCompared => 1.0,
        Kind::OneSided => 2.0,
        Kind::Improved => 3.0,
        Kind::Changed => 4.0,
        Kind::Undecided => 5.0,
        Kind::Unchanged => 6.0,
    };
    kind + 0.9 * row.similarity.map_or(0.0, Likeness::to_f64)
}

fn counted(rows: &[CaseRow]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        *match row.kind {
            Kind::Regressed => &mut counts.regressed,
            Kind::Improved => &mut counts.improved,
            Kind::Changed => &mut counts.changed,
            Kind::Undecided => &mut counts.undecided,
            Kind::Unchanged => &mut counts.unchanged,
            Kind::NotCompared => &mut counts.not_compared,
            Kind::OneSided => &mut counts.one_sided,
        } += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::json;

    use super::*;
    use crate::compare::gate::Decision;
    use crate::compare::plain::Plain;
    use crate::event::{Event, RunEnd};
    use crate::journal::sample;
    use crate::suite::read_compare::Most;
    use crate::verdict::Verdict;

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

    fn kinds(comparison: &Comparison) -> Vec<(String, Kind)> {
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
        let comparison = Comparison::of(&a, &b, &Gates::default(), 1).unwrap();
        let name = |name: &str| format!("s::{name}");
        assert_eq!(
            kinds(&comparison),
            [
                (name("broke"), Kind::Regressed),
                (name("gone"), Kind::OneSided),
                (name("new"), Kind::OneSided),
                (name("said"), Kind::Changed),
                (name("same"), Kind::Unchanged),
            ]
        );
        assert_eq!(
            comparison.counts,
            Counts { regressed: 1, changed: 1, unchanged: 1, one_sided: 2, ..Counts::default() }
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
        let plain = PlainGates { max_changed: Some(Most::Tests(0)), min_similarity: Some(Likeness::ALL) };
        let gates = Gates { bounds: Vec::new(), plain };
        let comparison = Comparison::of(&a, &a, &gates, 1).unwrap();
        assert_eq!(comparison.counts, Counts { unchanged: 2, ..Counts::default() });
        assert!(comparison.plain.iter().all(|gated| gated.decision == Plain::Passed));
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
        let bound = |metric| Bound { metric, worse_by: Decimal::new(1, 1), alpha: 0.05 };
        let gates = Gates { bounds: vec![bound(Metric::Tokens)], plain: PlainGates::default() };
        assert_eq!(Comparison::of(&a, &b, &gates, 1).unwrap().gates[0].decision, Decision::Failed);
        assert_eq!(Comparison::of(&b, &a, &gates, 1).unwrap().gates[0].decision, Decision::Passed);
        let folder = tempfile::tempdir().unwrap();
        let few = run(folder.path(), &side(100)[..2]);
        let decision = Comparison::of(&few, &few, &gates, 1).unwrap().gates[0].decision;
        assert!(matches!(decision, Decision::Inconclusive(_)), "{decision:?}");
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
            let gates = Gates { plain, ..Gates::default() };
            Comparison::of(a, b, &gates, 1).unwrap().plain.remove(0)
        };
        assert_eq!(decided(&a, &b, "0.9").decision, Plain::Passed);
        assert_eq!(decided(&a, &b, "90%").decision, Plain::Passed);
        let failed = decided(&a, &b, "90.1%");
        assert_eq!(failed.decision, Plain::Failed);
        assert!(failed.found.ends_with("are 90 % alike, at least 90.1 % must be"), "{}", failed.found);
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let long = |folder: &tempfile::TempDir, other: &str| {
            run(folder.path(), &[("t", Passed, &[cut], 1), ("u", Passed, &[other], 1)])
        };
        let (a, b) = (long(&first, "a b"), long(&second, "a c"));
        assert_eq!(decided(&a, &a, "100%").decision, Plain::Passed);
        assert_eq!(decided(&a, &b, "60%").decision, Plain::Failed, "what is known fails it");
        let third = tempfile::tempdir().unwrap();
        let c = run(
            third.path(),
            &[("t", Passed, &["word another … (70001 bytes in all)"], 1), ("u", Passed, &["a b"], 1)],
        );
        let unknown = decided(&a, &c, "1%");
        assert_eq!(unknown.decision, Plain::Inconclusive);
        assert!(unknown.found.contains("recorded up to 64 KB"), "{}", unknown.found);
    }

    #[test]
    fn plain_bounds_count_what_broke_and_pass_nothing_unseen() {
        use Verdict::{Errored, Failed, Passed};
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let a = run(one.path(), &[("t", Passed, &["x"], 1), ("u", Passed, &["x"], 1)]);
        let b = run(other.path(), &[("t", Failed, &["x"], 1), ("u", Passed, &["x"], 1)]);
        let gates = |max_changed| Gates {
            plain: PlainGates { max_changed: Some(max_changed), ..PlainGates::default() },
            ..Gates::default()
        };
        let decided = |a, b, most| Comparison::of(a, b, &gates(most), 1).unwrap().plain[0].decision;
        assert_eq!(decided(&a, &b, Most::Tests(0)), Plain::Failed);
        assert_eq!(decided(&a, &b, Most::Share(Decimal::new(4, 1))), Plain::Failed);
        assert_eq!(decided(&a, &b, Most::Share(Decimal::new(5, 1))), Plain::Passed);
        let folder = tempfile::tempdir().unwrap();
        let dark = run(folder.path(), &[("t", Errored, &[], 1), ("u", Errored, &[], 1)]);
        assert_eq!(decided(&dark, &dark, Most::Tests(0)), Plain::Inconclusive);
    }
}
