//! How much a measure changed from the first side to the second, and whether chance could have done that.

use crate::base::stats::bootstrap::interval_of_mean;
use crate::base::stats::{Draws, Permuted, mcnemar, sign_flip};
use crate::compare::sample::{Observation, Pair};

/// The interval that is reported.
const CONFIDENCE: f64 = 0.95;
/// A measure of nothing on one side counts as this many times less, so that the change from free to paid is not lost.
const MOST: f64 = 1000.0;

/// What is measured on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// The share of attempts that pass.
    PassRate,
    /// Tokens of a run.
    Tokens,
    /// Price of a run.
    Cost,
    /// Time from request to ending.
    Latency,
    /// Time to the first token.
    Ttft,
}

impl Metric {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [Self::PassRate, Self::Tokens, Self::Cost, Self::Latency, Self::Ttft];

    /// Its key in the project file.
    pub fn key(self) -> &'static str {
        match self {
            Self::PassRate => "pass_rate",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Ttft => "ttft",
        }
    }
}

/// A change of one measure over the suite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// What was measured.
    pub metric: Metric,
    /// How much worse the second side is: the share of passes lost, or by how much it takes more (0.1: 10 % more).
    pub worse_by: f64,
    /// The interval of that at 95 %; none for the pass rate or below two pairs.
    pub interval: Option<(f64, f64)>,
    /// One-sided: could chance have made it as much worse?
    pub test: Permuted,
    /// Tests that both sides judged or measured.
    pub cases: usize,
    /// Pairs of attempts that were compared.
    pub pairs: usize,
    /// Tests that have the measure on one side only, and so are not in it.
    pub one_sided: usize,
}

impl Change {
    /// Compares one measure over all tests; none where no pair of attempts has it.
    pub fn of(metric: Metric, pairs: &[Pair], draws: Draws) -> Option<Self> {
        match metric {
            Metric::PassRate => of_pass_rate(pairs, draws),
            Metric::Tokens | Metric::Cost | Metric::Latency | Metric::Ttft => of_ratio(metric, pairs, draws),
        }
    }

    /// How often each test would have to run before the test could reach `alpha`; none where more tests are needed instead.
    pub fn repeats_needed(&self, alpha: f64) -> Option<usize> {
        let needed = sign_flip::pairs_needed(alpha);
        match self.metric {
            Metric::PassRate => (self.cases >= needed).then_some(2),
            Metric::Tokens | Metric::Cost | Metric::Latency | Metric::Ttft => {
                Some(needed.div_ceil(self.cases.max(1)))
            }
        }
    }
}

/// The pass rate: McNemar's test over the tests where each ran once, a sign flip of each test's difference where more.
fn of_pass_rate(pairs: &[Pair], draws: Draws) -> Option<Change> {
    let rates: Vec<(Rate, Rate)> =
        pairs.iter().filter_map(|pair| Some((Rate::of(&pair.a)?, Rate::of(&pair.b)?))).collect();
    let lost: Vec<f64> = rates.iter().map(|(a, b)| a.share() - b.share()).collect();
    let cases = lost.len();
    if cases == 0 {
        return None;
    }
    let once = rates.iter().all(|(a, b)| a.judged == 1 && b.judged == 1);
    let test = if once {
        let count =
            |sign: f64| u32::try_from(lost.iter().filter(|lost| **lost == sign).count()).unwrap_or(u32::MAX);
        mcnemar::one_sided(count(1.0), count(-1.0), u32::try_from(cases).unwrap_or(u32::MAX))
    } else {
        sign_flip::greater(&lost, draws)
    };
    let pairs = rates.iter().map(|(a, b)| a.judged.min(b.judged)).sum();
    // Tests that a side did not judge are told, and red, by themselves.
    let one_sided = 0;
    Some(Change {
        metric: Metric::PassRate,
        worse_by: mean(&lost),
        interval: None,
        test,
        cases,
        pairs,
        one_sided,
    })
}

/// How many attempts were judged, and how many of them passed.
struct Rate {
    passed: usize,
    judged: usize,
}

impl Rate {
    fn of(side: &[Observation]) -> Option<Self> {
        let judged = side.iter().filter(|seen| seen.passed.is_some()).count();
        let passed = side.iter().filter(|seen| seen.passed == Some(true)).count();
        (judged > 0).then_some(Self { passed, judged })
    }

    fn share(&self) -> f64 {
        self.passed as f64 / self.judged as f64
    }
}

/// A measure above 0: the logarithm of the ratio of each pair of repeats.
fn of_ratio(metric: Metric, pairs: &[Pair], draws: Draws) -> Option<Change> {
    let strata: Vec<Vec<f64>> =
        pairs.iter().map(|pair| log_ratios(metric, pair)).filter(|logs| !logs.is_empty()).collect();
    let all = strata.concat();
    if all.is_empty() {
        return None;
    }
    let more = |log: f64| log.exp() - 1.0;
    Some(Change {
        metric,
        worse_by: more(mean(&all)),
        interval: interval_of_mean(&strata, CONFIDENCE, draws).map(|(low, high)| (more(low), more(high))),
        test: sign_flip::greater(&all, draws),
        cases: strata.len(),
        pairs: all.len(),
        one_sided: pairs.iter().filter(|pair| is_one_sided(metric, pair)).count(),
    })
}

/// The n-th repeat of one side against the n-th of the other, where both know the measure.
fn log_ratios(metric: Metric, pair: &Pair) -> Vec<f64> {
    let both = pair.a.iter().zip(&pair.b);
    both.filter_map(|(a, b)| Some(log_ratio(measured(metric, a)?, measured(metric, b)?))).collect()
}

/// True where one side of a test has the measure, and no pair of its repeats has.
fn is_one_sided(metric: Metric, pair: &Pair) -> bool {
    let knows = |side: &[Observation]| side.iter().any(|seen| measured(metric, seen).is_some());
    (knows(&pair.a) || knows(&pair.b)) && log_ratios(metric, pair).is_empty()
}

fn measured(metric: Metric, seen: &Observation) -> Option<f64> {
    let value = match metric {
        Metric::PassRate => None,
        Metric::Tokens => seen.tokens,
        Metric::Cost => seen.cost,
        Metric::Latency => seen.latency,
        Metric::Ttft => seen.ttft,
    };
    value.filter(|value| value.is_finite() && *value >= 0.0)
}

fn log_ratio(a: f64, b: f64) -> f64 {
    let most = MOST.ln();
    match (a > 0.0, b > 0.0) {
        (true, true) => (b / a).ln().clamp(-most, most),
        (false, true) => most,
        (true, false) => -most,
        (false, false) => 0.0,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws { count: 999, seed: 5 };

    fn pair(a: &[(bool, f64)], b: &[(bool, f64)]) -> Pair {
        let side = |values: &[(bool, f64)]| {
            let seen = |(passed, tokens): &(bool, f64)| Observation {
                passed: Some(*passed),
                tokens: Some(*tokens),
                ..Observation::default()
            };
            values.iter().map(seen).collect()
        };
        Pair { a: side(a), b: side(b), outputs: None }
    }

    #[test]
    fn one_repeat_is_judged_by_mcnemar() {
        let mut pairs = vec![pair(&[(true, 1.0)], &[(false, 1.0)]); 5];
        pairs.extend(vec![pair(&[(true, 1.0)], &[(true, 1.0)]); 15]);
        let change = Change::of(Metric::PassRate, &pairs, DRAWS).unwrap();
        assert!((change.worse_by - 0.25).abs() < 1e-12);
        assert!((change.test.p - 1.0 / 32.0).abs() < 1e-12);
        assert_eq!((change.cases, change.pairs), (20, 20));
    }

    #[test]
    fn a_tenth_more_tokens_is_a_tenth_worse() {
        let pairs = vec![pair(&[(true, 100.0), (true, 200.0)], &[(true, 110.0), (true, 220.0)]); 4];
        let change = Change::of(Metric::Tokens, &pairs, DRAWS).unwrap();
        assert!((change.worse_by - 0.1).abs() < 1e-12);
        assert_eq!(change.test.p, 1.0 / 256.0);
        assert_eq!((change.cases, change.pairs), (4, 8));
        let (low, high) = change.interval.unwrap();
        assert!((low - 0.1).abs() < 1e-9 && (high - 0.1).abs() < 1e-9);
    }

    #[test]
    fn what_was_free_and_now_costs_is_not_lost() {
        let pairs = vec![pair(&[(true, 0.0)], &[(true, 3.0)]); 6];
        assert!(Change::of(Metric::Tokens, &pairs, DRAWS).unwrap().worse_by > 900.0);
        let none = vec![pair(&[(true, 0.0)], &[(true, 0.0)]); 6];
        assert_eq!(Change::of(Metric::Tokens, &none, DRAWS).unwrap().worse_by, 0.0);
    }

    #[test]
    fn what_nobody_measured_is_not_compared() {
        let pairs = vec![pair(&[(true, f64::NAN)], &[(true, 3.0)]); 6];
        assert_eq!(Change::of(Metric::Tokens, &pairs, DRAWS), None);
        assert_eq!(Change::of(Metric::Cost, &pairs, DRAWS), None);
        assert_eq!(Change::of(Metric::PassRate, &[], DRAWS), None);
        let unjudged =
            Pair { a: vec![Observation::default()], b: vec![Observation::default()], outputs: None };
        assert_eq!(Change::of(Metric::PassRate, &[unjudged], DRAWS), None);
    }

    #[test]
    fn what_one_side_does_not_tell_is_counted() {
        let mut pairs = vec![pair(&[(true, 5.0)], &[(true, 5.0)]); 6];
        pairs.push(pair(&[(true, 5.0), (true, 5.0)], &[(true, f64::NAN), (true, f64::NAN)]));
        pairs.push(pair(&[(true, f64::NAN)], &[(true, 5.0)]));
        // Neither side tells it: there is nothing to miss. One repeat of two: there is something to compare.
        pairs.push(pair(&[(true, f64::NAN)], &[(true, f64::NAN)]));
        pairs.push(pair(&[(true, 5.0), (true, 5.0)], &[(true, 5.0), (true, f64::NAN)]));
        let change = Change::of(Metric::Tokens, &pairs, DRAWS).unwrap();
        assert_eq!((change.one_sided, change.cases, change.pairs), (2, 7, 7));
    }

    #[test]
    fn says_how_often_tests_must_run() {
        let pairs = vec![pair(&[(true, 1.0)], &[(true, 1.0)]); 2];
        let change = Change::of(Metric::Tokens, &pairs, DRAWS).unwrap();
        assert_eq!(change.repeats_needed(0.05), Some(3));
        let change = Change::of(Metric::PassRate, &pairs, DRAWS).unwrap();
        assert_eq!(change.repeats_needed(0.05), None, "more repeats of two tests never suffice");
    }
}
