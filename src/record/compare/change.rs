//! How much a measure changed from the first side to the second, and whether chance could have done that.

use crate::base::stats::sign_flip::{TwoSidedChance, pairs_needed};
use crate::base::stats::{PermutationResult, RandomDraws};
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::metric::CompareMetric;
use crate::record::compare::paired::{MeasuredTests, MissingPairs, currencies};
use crate::record::compare::rates::Rates;
use crate::record::compare::sample::TestPair;
use crate::record::compare::stand::{BoundStanding, CompareLimit};
use crate::record::compare::totals;
use crate::record::compare::typical;

/// Fewer pairs show nothing at this level, whatever they are.
const LEVEL: f64 = 0.05;
/// Of this many pairs the scatter is known without repeats.
const MANY: usize = 100;
/// Differences that come in so few runs by chance are reported.
const STICKS: f64 = 0.001;

/// A change of one measure over the suite.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// What was measured.
    pub metric: CompareMetric,
    /// The currency of a cost; `None` where none was named.
    pub currency: Option<String>,
    /// How much worse the second side is: the share of passes lost, or by how much it takes more (0.1: 10 % more). Of tokens
    /// and cost the totals are compared, of times the typical run.
    pub worse_by: f64,
    /// Of tokens and cost: by how much the typical run takes more, the geometric mean of all pairs.
    pub typical: Option<f64>,
    /// The interval of `worse_by` at 95 %; `None` for the pass rate, and where so few pairs cannot give one.
    pub interval: Option<(f64, f64)>,
    /// One-sided: could chance have made it as much worse?
    pub worse: PermutationResult,
    /// One-sided: could chance have made it as much better?
    pub better: PermutationResult,
    /// Tests that both sides judged or measured.
    pub cases: usize,
    /// Pairs of attempts that were compared.
    pub pairs: usize,
    /// Tests that have the measure on one side only.
    pub one_sided: usize,
    /// Pairs that lack it.
    pub missing: MissingPairs,
    /// The chance that the differences stick to each other in time as they do, where it is too small to be one.
    pub sticks: Option<f64>,
}

impl Change {
    /// In the direction in which it changed: could chance have done that?
    pub fn test(&self) -> PermutationResult {
        if self.worse_by < 0.0 { self.better } else { self.worse }
    }

    /// True where so few tests or pairs could not have shown anything.
    pub fn is_too_small(&self) -> bool {
        self.worse.attainable > LEVEL
    }
}

/// One measure of all tests on both sides, in one currency where it is a cost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// What was measured.
    pub metric: CompareMetric,
    /// The currency of a cost; `None` where none was named.
    pub currency: Option<String>,
    numbers: Numbers,
}

#[derive(Debug, Clone, PartialEq)]
enum Numbers {
    Rates(Rates),
    /// What adds up.
    Totals(MeasuredTests),
    /// What is typical of a run.
    Typical(MeasuredTests),
}

impl Series {
    /// Every measure that some pair of attempts has; the cost in each currency by itself.
    pub fn all(pairs: &[TestPair]) -> Vec<Self> {
        CompareMetric::ALL.into_iter().flat_map(|metric| Self::of(metric, pairs)).collect()
    }

    fn of(metric: CompareMetric, pairs: &[TestPair]) -> Vec<Self> {
        let one = |currency: Option<String>| {
            let measured = || MeasuredTests::of(metric, currency.as_deref(), pairs);
            let numbers = match metric {
                CompareMetric::PassRate => Numbers::Rates(Rates::of(pairs)?),
                CompareMetric::Tokens | CompareMetric::Cost => Numbers::Totals(measured()),
                CompareMetric::Latency | CompareMetric::Ttft => Numbers::Typical(measured()),
            };
            let series = Self { metric, currency: currency.clone(), numbers };
            (series.pairs() > 0).then_some(series)
        };
        match metric {
            // Where nobody names a price, there is none to compare.
            CompareMetric::Cost => {
                currencies(pairs).into_iter().filter_map(|currency| one(Some(currency))).collect()
            }
            CompareMetric::PassRate
            | CompareMetric::Tokens
            | CompareMetric::Latency
            | CompareMetric::Ttft => one(None).into_iter().collect(),
        }
    }

    /// Pairs of attempts that are compared.
    pub fn pairs(&self) -> usize {
        match &self.numbers {
            Numbers::Rates(rates) => rates.pairs(),
            Numbers::Totals(measured) | Numbers::Typical(measured) => measured.known(),
        }
    }

    /// Tests that both sides judged or measured.
    pub fn cases(&self) -> usize {
        match &self.numbers {
            Numbers::Rates(rates) => rates.cases(),
            Numbers::Totals(measured) | Numbers::Typical(measured) => measured.cases(),
        }
    }

    /// Pairs that lack the measure.
    pub fn missing(&self) -> MissingPairs {
        match &self.numbers {
            Numbers::Rates(rates) => rates.missing,
            Numbers::Totals(measured) | Numbers::Typical(measured) => measured.missing(),
        }
    }

    /// Compares it with a bound.
    pub fn against(&self, limit: &CompareLimit, draws: RandomDraws) -> BoundStanding {
        match &self.numbers {
            Numbers::Rates(rates) => rates.against(limit, draws),
            Numbers::Totals(measured) => totals::against(measured, limit, draws),
            Numbers::Typical(measured) => typical::against(measured, limit, draws),
        }
    }

    /// What changed.
    pub fn change(&self, draws: RandomDraws) -> Change {
        let (worse_by, typical, interval, differences) = match &self.numbers {
            Numbers::Rates(rates) => return self.of_rates(rates, draws),
            Numbers::Totals(measured) => (
                totals::worse_by(measured),
                Some(typical::worse_by(measured)),
                totals::interval(measured),
                totals::differences(measured),
            ),
            Numbers::Typical(measured) => (
                typical::worse_by(measured),
                None,
                typical::interval(measured),
                typical::differences(measured),
            ),
        };
        let TwoSidedChance { greater, less } = chance::of(&differences.concat(), draws);
        let one_sided = match &self.numbers {
            Numbers::Rates(_) => 0,
            Numbers::Totals(measured) | Numbers::Typical(measured) => measured.one_sided(),
        };
        let change = self.plain(worse_by, one_sided, TwoSidedChance { greater, less });
        let interval = interval.filter(|_| tells_scatter(&differences));
        Change { typical, interval, sticks: sticks(&differences), ..change }
    }

    fn of_rates(&self, rates: &Rates, draws: RandomDraws) -> Change {
        self.plain(rates.worse_by(), 0, rates.test(draws))
    }

    fn plain(&self, worse_by: f64, one_sided: usize, test: TwoSidedChance) -> Change {
        Change {
            metric: self.metric,
            currency: self.currency.clone(),
            worse_by,
            typical: None,
            interval: None,
            worse: test.greater,
            better: test.less,
            cases: self.cases(),
            pairs: self.pairs(),
            one_sided,
            missing: self.missing(),
            sticks: None,
        }
    }

    /// How often each test would have to run before the test could reach `alpha`; `None` where more tests are needed instead.
    pub fn repeats_needed(&self, alpha: f64) -> Option<usize> {
        let needed = pairs_needed(alpha);
        match self.metric {
            CompareMetric::PassRate => (self.cases() >= needed).then_some(2),
            CompareMetric::Tokens | CompareMetric::Cost | CompareMetric::Latency | CompareMetric::Ttft => {
                Some(needed.div_ceil(self.cases().max(1)))
            }
        }
    }
}

/// True where the scatter of runs is known: from repeats, or from many tests. One run of each of a few tests does not show how
/// far runs of one test lie apart, and fewer pairs than could show anything have no interval that means something.
fn tells_scatter(differences: &[Vec<Difference>]) -> bool {
    let pairs: usize = differences.iter().map(Vec::len).sum();
    let repeated: usize = differences.iter().map(Vec::len).filter(|repeats| *repeats > 1).sum();
    pairs >= MANY || (2 * repeated >= pairs && pairs >= pairs_needed(LEVEL))
}

/// The chance of so few runs, where it is too small to be one.
fn sticks(differences: &[Vec<Difference>]) -> Option<f64> {
    Some(chance::that_they_stick(differences)).filter(|p| *p <= STICKS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::compare::sample::Observation;

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    /// Attempts of a side: whether each passed, and its tokens, where they are known.
    fn pair(a: &[(bool, Option<u64>)], b: &[(bool, Option<u64>)]) -> TestPair {
        let side = |values: &[(bool, Option<u64>)]| {
            let seen = |(passed, tokens): &(bool, Option<u64>)| Observation {
                passed: Some(*passed),
                tokens: *tokens,
                ..Observation::default()
            };
            values.iter().map(seen).collect()
        };
        TestPair { a: side(a), b: side(b), ..TestPair::default() }
    }

    fn tokens(a: &[u64], b: &[u64]) -> TestPair {
        let side = |counts: &[u64]| counts.iter().map(|count| (true, Some(*count))).collect::<Vec<_>>();
        pair(&side(a), &side(b))
    }

    fn change(metric: CompareMetric, pairs: &[TestPair]) -> Change {
        Series::of(metric, pairs).remove(0).change(DRAWS)
    }

    #[test]
    fn one_repeat_is_judged_by_mcnemar() {
        let mut pairs = vec![pair(&[(true, None)], &[(false, None)]); 5];
        pairs.extend(vec![pair(&[(true, None)], &[(true, None)]); 15]);
        let change = change(CompareMetric::PassRate, &pairs);
        assert!((change.worse_by - 0.25).abs() < 1e-12);
        assert!((change.worse.p - 1.0 / 32.0).abs() < 1e-12 && change.better.p == 1.0);
        assert_eq!((change.cases, change.pairs), (20, 20));
    }

    #[test]
    fn a_tenth_more_tokens_is_a_tenth_worse() {
        let pairs = vec![tokens(&[100, 200], &[110, 220]); 4];
        let change = change(CompareMetric::Tokens, &pairs);
        assert!((change.worse_by - 0.1).abs() < 1e-12 && (change.typical.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(change.worse.p, 1.0 / 256.0);
        assert_eq!((change.cases, change.pairs), (4, 8));
        let (low, high) = change.interval.unwrap();
        assert!((low - 0.1).abs() < 1e-9 && (high - 0.1).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn tokens_are_compared_as_the_bill_is() {
        // One run in ten takes tenfold, the others a fifth less: 172 tokens for each 100.
        let mut pairs = vec![tokens(&[1_000], &[800]); 90];
        pairs.extend(vec![tokens(&[1_000], &[10_000]); 10]);
        let change = change(CompareMetric::Tokens, &pairs);
        assert!((change.worse_by - 0.72).abs() < 1e-12, "{}", change.worse_by);
        assert!((change.typical.unwrap() - 0.03).abs() < 0.002, "{:?}", change.typical);
    }

    #[test]
    fn what_was_free_and_now_costs_is_not_lost() {
        assert!(change(CompareMetric::Tokens, &vec![tokens(&[0], &[3]); 6]).worse_by > 900.0);
        assert_eq!(change(CompareMetric::Tokens, &vec![tokens(&[0], &[0]); 6]).worse_by, 0.0);
    }

    #[test]
    fn what_nobody_measured_is_not_compared() {
        let pairs = vec![pair(&[(true, None)], &[(true, Some(3))]); 6];
        assert!(Series::of(CompareMetric::Tokens, &pairs).is_empty());
        assert!(Series::of(CompareMetric::Cost, &pairs).is_empty());
        assert!(Series::of(CompareMetric::PassRate, &[]).is_empty());
        let unjudged = TestPair {
            a: vec![Observation::default()],
            b: vec![Observation::default()],
            ..TestPair::default()
        };
        assert!(Series::of(CompareMetric::PassRate, &[unjudged]).is_empty());
    }

    #[test]
    fn pairs_that_lack_a_measure_are_counted_by_side() {
        let mut pairs = vec![tokens(&[5], &[5]); 6];
        pairs.push(pair(&[(true, Some(5)), (true, Some(5))], &[(true, None), (true, None)]));
        pairs.push(pair(&[(true, None)], &[(true, Some(5))]));
        pairs.push(pair(&[(true, None)], &[(true, None)]));
        pairs.push(pair(&[(true, Some(5)), (true, Some(5))], &[(true, Some(5)), (true, None)]));
        let change = change(CompareMetric::Tokens, &pairs);
        assert_eq!(change.missing, MissingPairs { a: 1, b: 3, both: 1 });
        assert_eq!((change.one_sided, change.cases, change.pairs), (2, 7, 7));
    }

    #[test]
    fn a_gain_is_held_to_the_same_rule_as_a_loss() {
        for (a, b) in [(100, 50), (50, 100)] {
            let few = change(CompareMetric::Tokens, &vec![tokens(&[a], &[b]); 4]);
            assert!(few.is_too_small() && few.interval.is_none(), "{few:?}");
            let more = change(CompareMetric::Tokens, &vec![tokens(&[a], &[b]); 5]);
            assert!(
                !more.is_too_small() && more.interval.is_none(),
                "one run of a test does not tell how runs scatter"
            );
            assert_eq!(more.test().p, 1.0 / 32.0);
            assert!(change(CompareMetric::Tokens, &vec![tokens(&[a, a], &[b, b]); 5]).interval.is_some());
            assert!(change(CompareMetric::Tokens, &vec![tokens(&[a], &[b]); 100]).interval.is_some());
        }
    }

    #[test]
    fn what_can_just_reach_the_level_is_not_too_small() {
        // One of twenty arrangements: exactly 0.05.
        let series = Series::of(CompareMetric::Tokens, &vec![tokens(&[100], &[200]); 20]).remove(0);
        let at = |count| series.change(RandomDraws { count, seed: 5 });
        assert_eq!((at(19).worse.attainable, at(19).is_too_small()), (0.05, false));
        assert!(at(18).is_too_small());
    }

    #[test]
    fn scatter_is_known_where_half_of_the_pairs_are_repeats() {
        let (repeated, single) = (tokens(&[1; 3], &[2; 3]), tokens(&[1], &[2]));
        let interval = |pairs: &[TestPair]| change(CompareMetric::Tokens, pairs).interval;
        let three = |singles: usize| [vec![repeated.clone()], vec![single.clone(); singles]].concat();
        assert!(interval(&three(3)).is_some());
        assert!(interval(&three(4)).is_none());
    }

    #[test]
    fn differences_that_stick_to_each_other_are_told() {
        let sides = |marks: fn(usize) -> bool| {
            let side = |value: fn(bool) -> u64| -> Vec<Observation> {
                let seen = |at: usize| Observation {
                    passed: Some(true),
                    tokens: Some(value(marks(at))),
                    sent: at as f64,
                    ..Observation::default()
                };
                (0..40).map(seen).collect()
            };
            TestPair { a: side(|_| 100), b: side(|high| if high { 120 } else { 80 }), ..TestPair::default() }
        };
        let sticks = |marks| change(CompareMetric::Tokens, &[sides(marks)]).sticks;
        let halves = sticks(|at| at < 20).unwrap();
        // Two of all orders of twenty and twenty: 2 / C(40, 20).
        assert!((halves / (2.0 / 137_846_528_820.0) - 1.0).abs() < 1e-6, "{halves}");
        assert_eq!(sticks(|at| at % 2 == 0), None);
    }

    #[test]
    fn says_how_often_tests_must_run() {
        let pairs = vec![tokens(&[1], &[1]); 2];
        let needed = |metric| Series::of(metric, &pairs).remove(0).repeats_needed(0.05);
        assert_eq!(needed(CompareMetric::Tokens), Some(3));
        assert_eq!(needed(CompareMetric::PassRate), None, "more repeats of two tests never suffice");
    }
}
