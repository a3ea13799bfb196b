//! Tokens and cost: judged by their totals, as the bill is. Amounts are exact; chance is drawn over pairs.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::stats::RandomDraws;
use crate::base::stats::spread::SumError;
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::change::{CONFIDENCE, MOST};
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
