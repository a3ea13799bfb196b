//! Times: judged by the typical ratio, the geometric mean over all pairs; so that one slow run does not speak for all.

use rust_decimal::Decimal;

use crate::base::stats::RandomDraws;
use crate::base::stats::spread::SumError;
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::metric::{CONFIDENCE, MOST};
use crate::record::compare::paired::{MeasuredTests, PairedMeasure};
use crate::record::compare::stand::{BoundStanding, CompareLimit, Position};
use crate::record::compare::totals::{float, strata};

/// By how much the second side's typical run takes more: 0.1 are 10 %.
pub(super) fn worse_by(measured: &MeasuredTests) -> f64 {
    let logs = strata(measured, log_ratio).concat();
    (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp() - 1.0
}

/// The interval of that.
pub(super) fn interval(measured: &MeasuredTests) -> Option<(f64, f64)> {
    let logs = strata(measured, log_ratio);
    let count = logs.iter().map(Vec::len).sum::<usize>() as f64;
    let mean = logs.iter().flatten().sum::<f64>() / count;
    let half = SumError::of_sum(&logs)?.half_width(CONFIDENCE) / count;
    Some(((mean - half).exp() - 1.0, (mean + half).exp() - 1.0))
}

/// The logarithm of the ratio of each known pair.
pub(super) fn differences(measured: &MeasuredTests) -> Vec<Vec<Difference>> {
    let of = |pair: &PairedMeasure| {
        let (a, b) = pair.both()?;
        Some(Difference { value: log_ratio(a, b), at: pair.at })
    };
    measured.tests.iter().map(|test| test.iter().filter_map(of).collect()).collect()
}

/// Holds the typical ratio against what is allowed.
///
/// A pair that is not known may have any ratio up to a thousandfold, either way.
pub(super) fn against(measured: &MeasuredTests, limit: &CompareLimit, draws: RandomDraws) -> BoundStanding {
    let factor = Decimal::ONE.saturating_add(limit.allowed);
    let (bound, most) = (float(factor).ln(), MOST.ln());
    let mut at_best = Vec::new();
    let (mut found, mut missing) = (LogSum::default(), 0.0);
    for pair in measured.pairs() {
        let excess = match pair.both() {
            // What lies exactly at the bound is known without a logarithm.
            Some((a, b)) if a.checked_mul(factor) == Some(b) => 0.0,
            Some((a, b)) => log_ratio(a, b) - bound,
            None => {
                missing += 1.0;
                at_best.push(Difference { value: -most - bound, at: pair.at });
                continue;
            }
        };
        found.add(excess);
        at_best.push(Difference { value: excess, at: pair.at });
    }
    BoundStanding {
        found: found.position(0.0),
        worst: found.position(missing * (most - bound)),
        best: found.position(missing * (-most - bound)),
        test: chance::of(&at_best, draws).greater,
        times: limit.times(&at_best),
    }
}

/// A sum of logarithms, and how far rounding may have moved it.
#[derive(Debug, Clone, Copy, Default)]
struct LogSum {
    value: f64,
    size: f64,
}

impl LogSum {
    fn add(&mut self, value: f64) {
        self.value += value;
        self.size += value.abs();
    }

    /// Where it lies, with something added: what is nothing but for rounding is at the bound.
    fn position(self, more: f64) -> Position {
        if self.value + more > 1e-9 * (self.size + more.abs()) { Position::Beyond } else { Position::Within }
    }
}

/// The logarithm of the ratio of a pair; from or to nothing counts as a thousandfold.
pub(super) fn log_ratio(a: Decimal, b: Decimal) -> f64 {
    let most = MOST.ln();
    match (a.is_zero(), b.is_zero()) {
        (false, false) => (float(b) / float(a)).ln().clamp(-most, most),
        (true, false) => most,
        (false, true) => -most,
        (true, true) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use Position::{Beyond, Within};

    use super::*;

    /// Tests of pairs of times; none is not known.
    fn measured(tests: &[&[(Option<u32>, Option<u32>)]]) -> MeasuredTests {
        let pair = |(a, b): &(Option<u32>, Option<u32>)| PairedMeasure {
            a: a.map(Decimal::from),
            b: b.map(Decimal::from),
            at: 7.0,
        };
        MeasuredTests { tests: tests.iter().map(|test| test.iter().map(pair).collect()).collect() }
    }

    fn standing(pairs: &[(Option<u32>, Option<u32>)], allowed: &str) -> BoundStanding {
        let limit = CompareLimit { allowed: allowed.parse().unwrap(), level: 0.05 };
        against(&measured(&[pairs]), &limit, RandomDraws { count: 999, seed: 5 })
    }

    #[test]
    fn the_typical_run_is_the_geometric_mean() {
        let tests = measured(&[&[(Some(100), Some(200)), (Some(100), None)], &[(Some(100), Some(800))]]);
        assert!((worse_by(&tests) - 3.0).abs() < 1e-12, "twice and eightfold: fourfold");
        assert_eq!(worse_by(&measured(&[&[(Some(1), None)]])), 0.0);
        let logs: Vec<f64> = differences(&tests).concat().iter().map(|difference| difference.value).collect();
        assert_eq!(logs, [2_f64.ln(), 8_f64.ln()]);
    }

    #[test]
    fn the_interval_is_that_of_the_mean_logarithm() {
        // ln 1.1 and ln 1.2: their mean is 0.13882, its error 0.043506, and Student's quantile at one degree of freedom 12.7062.
        let (low, high) = interval(&measured(&[&[(Some(100), Some(110)), (Some(100), Some(120))]])).unwrap();
        assert!((low + 0.338983394).abs() < 1e-8 && (high - 0.996924114).abs() < 1e-8, "{low} {high}");
        assert_eq!(interval(&measured(&[&[(Some(1), Some(2))]])), None);
    }

    #[test]
    fn from_or_to_nothing_is_a_thousandfold_and_no_more_counts() {
        let most = 1_000_f64.ln();
        for (a, b, expected) in [
            (4, 2, -(2_f64.ln())),
            (0, 3, most),
            (3, 0, -most),
            (0, 0, 0.0),
            (1, 5_000, most),
            (5_000, 1, -most),
            (7, 7, 0.0),
        ] {
            assert!((log_ratio(a.into(), b.into()) - expected).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn a_pair_that_is_not_known_may_be_a_thousandfold_either_way() {
        let same = (Some(100), Some(100));
        let pairs = |known: usize, unknown: usize, missing: (Option<u32>, Option<u32>)| {
            [vec![same; known], vec![missing; unknown]].concat()
        };
        for missing in [(None, Some(5)), (Some(5), None), (None, None)] {
            // A thousandfold is 9.97 doublings, one of which is allowed: eight pairs do not make up for the others, nine do.
            let of = |known| {
                let BoundStanding { found, worst, best, .. } = standing(&pairs(known, 1, missing), "1");
                [found, worst, best]
            };
            assert_eq!(of(8), [Within, Beyond, Within], "{missing:?}");
            assert_eq!(of(9), [Within, Within, Within], "{missing:?}");
        }
        // Each pair is one doubling beyond the bound, and a thousandth is 10.97 below it.
        let slow = |known, unknown| {
            let of = [vec![(Some(100), Some(400)); known], vec![(None, None); unknown]].concat();
            let BoundStanding { found, worst, best, .. } = standing(&of, "1");
            [found, worst, best]
        };
        assert_eq!(slow(10, 1), [Beyond, Beyond, Within]);
        assert_eq!(slow(11, 1), [Beyond, Beyond, Beyond]);
        assert_eq!(slow(21, 2), [Beyond, Beyond, Within]);
        assert_eq!(slow(22, 2), [Beyond, Beyond, Beyond]);
    }

    #[test]
    fn chance_is_asked_of_what_lies_beyond_the_bound() {
        let faster = standing(&[(Some(100), Some(90)); 5], "0");
        assert_eq!((faster.found, faster.test.p, faster.times), (Within, 1.0, None));
        let slower = standing(&[(Some(100), Some(110)); 5], "0");
        assert_eq!((slower.found, slower.test.p), (Beyond, 1.0 / 32.0));
        // As slow as allowed, in numbers whose logarithms are rounded.
        let just = standing(&[(Some(3), Some(33)), (Some(7), Some(77)), (Some(11), Some(121))], "10");
        assert_eq!((just.found, just.test.p), (Within, 1.0));
        // With a pair that is not known, taken as a thousandth: five of six lie above the bound, and one far below it.
        let open = standing(&[vec![(Some(100), Some(110)); 5], vec![(None, Some(1))]].concat(), "0");
        assert_eq!((open.found, open.best, open.test.p), (Beyond, Within, 33.0 / 64.0));
    }
}
