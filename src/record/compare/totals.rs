//! Tokens and cost: judged by their totals, as the bill is. Amounts are exact; chance is drawn over pairs.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::stats::RandomDraws;
use crate::base::stats::spread::SumError;
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::metric::{CONFIDENCE, MOST};
use crate::record::compare::paired::{MeasuredTests, PairedMeasure};
use crate::record::compare::stand::{BoundStanding, CompareLimit, Position};

/// By how much the second side's total is more: 0.1 are 10 %.
pub(super) fn worse_by(measured: &MeasuredTests) -> f64 {
    let (a, b) = sums(measured);
    match (a > 0.0, b > 0.0) {
        (true, _) => (b / a).min(MOST) - 1.0,
        (false, true) => MOST - 1.0,
        (false, false) => 0.0,
    }
}

/// The interval of that: the ratio of two sums, on the scale of its logarithm.
///
/// W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, 6.3: what is left of each pair once the ratio is taken out scatters
/// as the ratio does.
pub(super) fn interval(measured: &MeasuredTests) -> Option<(f64, f64)> {
    let (a, b) = sums(measured);
    if a <= 0.0 || b <= 0.0 {
        return None;
    }
    let ratio = b / a;
    let left = strata(measured, |a, b| float(b) - ratio * float(a));
    let half = SumError::of_sum(&left)?.half_width(CONFIDENCE) / b;
    let at = |log: f64| log.exp() * ratio - 1.0;
    Some((at(-half), at(half)))
}

/// What each known pair takes more on the second side.
pub(super) fn differences(measured: &MeasuredTests) -> Vec<Vec<Difference>> {
    let of = |pair: &PairedMeasure| {
        let (a, b) = pair.both()?;
        Some(Difference { value: float(b.saturating_sub(a)), at: pair.at })
    };
    measured.tests.iter().map(|test| test.iter().filter_map(of).collect()).collect()
}

/// Holds the totals against what is allowed.
///
/// A pair of which the second side is not known may have taken anything from 0 up there.
pub(super) fn against(measured: &MeasuredTests, limit: &CompareLimit, draws: RandomDraws) -> BoundStanding {
    let factor = Decimal::ONE.saturating_add(limit.allowed);
    let bound = |a: Decimal| a.checked_mul(factor).unwrap_or(Decimal::MAX);
    let (mut found, mut worst, mut best) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let mut at_best = Vec::new();
    for pair in measured.pairs() {
        let excess = match (pair.a, pair.b) {
            (Some(a), Some(b)) => {
                let excess = b.saturating_sub(bound(a));
                found = found.saturating_add(excess);
                worst = worst.saturating_add(excess);
                excess
            }
            (None, Some(b)) => {
                worst = worst.saturating_add(b);
                continue;
            }
            (Some(a), None) => -bound(a),
            (None, None) => continue,
        };
        best = best.saturating_add(excess);
        at_best.push(Difference { value: float(excess), at: pair.at });
    }
    let missing = measured.missing();
    let is_open_above = missing.b + missing.both > 0;
    let is_open_below = missing.a + missing.both > 0;
    let position = |excess: Decimal| if excess > Decimal::ZERO { Position::Beyond } else { Position::Within };
    let flipped = chance::of(&at_best, draws);
    BoundStanding {
        found: position(found),
        worst: if is_open_above { Position::Beyond } else { position(worst) },
        best: if is_open_below { Position::Within } else { position(best) },
        test: flipped.greater,
        times: limit.times(&at_best),
    }
}

/// The sums of both sides over the pairs that are known.
fn sums(measured: &MeasuredTests) -> (f64, f64) {
    let known = measured.pairs().filter_map(PairedMeasure::both);
    let (a, b) = known.fold((Decimal::ZERO, Decimal::ZERO), |(a, b), (in_a, in_b)| {
        (a.saturating_add(in_a), b.saturating_add(in_b))
    });
    (float(a), float(b))
}

/// A number of each known pair, test by test.
pub(super) fn strata(measured: &MeasuredTests, of: impl Fn(Decimal, Decimal) -> f64) -> Vec<Vec<f64>> {
    let test = |test: &Vec<PairedMeasure>| -> Vec<f64> {
        test.iter().filter_map(PairedMeasure::both).map(|(a, b)| of(a, b)).collect()
    };
    measured.tests.iter().map(test).filter(|known| !known.is_empty()).collect()
}

/// An amount as statistics take it.
pub(super) fn float(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests of pairs of amounts; none is not known.
    fn measured(tests: &[&[(Option<u32>, Option<u32>)]]) -> MeasuredTests {
        let pair = |(a, b): &(Option<u32>, Option<u32>)| PairedMeasure {
            a: a.map(Decimal::from),
            b: b.map(Decimal::from),
            at: 7.0,
        };
        MeasuredTests { tests: tests.iter().map(|test| test.iter().map(pair).collect()).collect() }
    }

    fn known(tests: &[&[(u32, u32)]]) -> MeasuredTests {
        let some = |(a, b): &(u32, u32)| (Some(*a), Some(*b));
        let tests: Vec<Vec<_>> = tests.iter().map(|test| test.iter().map(some).collect()).collect();
        measured(&tests.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn the_totals_are_compared_and_nothing_is_a_thousandth() {
        for (tests, expected) in [
            (&[(100, 110), (300, 290)][..], 0.0),
            (&[(100, 110), (300, 330)], 0.1),
            (&[(400, 0)], -1.0),
            (&[(0, 3)], 999.0),
            (&[(1, 5_000)], 999.0),
            (&[(0, 0)], 0.0),
        ] {
            let found = worse_by(&known(&[tests]));
            assert!((found - expected).abs() < 1e-12, "{tests:?}: {found}");
        }
        let half_known = measured(&[&[(Some(100), None), (None, Some(900)), (Some(10), Some(20))]]);
        assert!((worse_by(&half_known) - 1.0).abs() < 1e-12, "by the pairs that both sides know");
    }

    #[test]
    fn the_interval_is_that_of_a_ratio_of_sums() {
        // 340 : 300. What is left are -10/3 and 10/3, whose sum has the error 20/3 at one degree of freedom: Student's quantile
        // is 12.7062, and the logarithm is off by 12.7062 · (20/3) / 340 = 0.24914.
        let (low, high) = interval(&known(&[&[(100, 110), (200, 230)]])).unwrap();
        assert!((low + 0.116600836).abs() < 1e-8 && (high - 0.453979692).abs() < 1e-8, "{low} {high}");
        assert_eq!(interval(&known(&[&[(0, 10), (0, 20)]])), None);
        assert_eq!(interval(&known(&[&[(10, 0), (20, 0)]])), None);
    }

    #[test]
    fn each_known_pair_differs_by_what_the_second_side_takes_more() {
        let tests = measured(&[&[(Some(3), Some(10)), (Some(1), None)], &[(Some(5), Some(1))]]);
        let more = |value| Difference { value, at: 7.0 };
        assert_eq!(differences(&tests), [vec![more(7.0)], vec![more(-4.0)]]);
    }

    #[test]
    fn what_one_side_does_not_know_is_as_bad_or_as_good_as_it_can_be() {
        use Position::{Beyond, Within};
        let limit = CompareLimit { allowed: "0.1".parse().unwrap(), level: 0.05 };
        let draws = RandomDraws { count: 999, seed: 5 };
        for (pair, expected) in [
            ((Some(100), Some(110)), [Within, Within, Within]),
            ((Some(100), Some(112)), [Beyond, Beyond, Beyond]),
            // 100 in a pair of which A is not known: A may have taken nothing, or anything.
            ((None, Some(100)), [Within, Beyond, Within]),
            // B may have taken anything, or nothing.
            ((Some(100), None), [Within, Beyond, Within]),
            ((None, None), [Within, Beyond, Within]),
        ] {
            let standing = against(&measured(&[&[pair, (Some(100), Some(110))]]), &limit, draws);
            assert_eq!([standing.found, standing.worst, standing.best], expected, "{pair:?}");
        }
        let stands = |a, b, more| {
            let found = against(&measured(&[&[(a, b), (Some(100), Some(more))]]), &limit, draws);
            [found.found, found.worst, found.best]
        };
        assert_eq!(stands(None, Some(100), 9), [Within, Within, Within], "109 : 100 at the worst");
        assert_eq!(stands(None, Some(100), 11), [Within, Beyond, Within]);
        assert_eq!(stands(Some(100), None, 219), [Beyond, Beyond, Within], "219 : 200 at the best");
        assert_eq!(stands(Some(100), None, 221), [Beyond, Beyond, Beyond]);
    }
}
