//! Times: judged by the typical ratio, the geometric mean over all pairs; so that one slow run does not speak for all.

use rust_decimal::Decimal;

use crate::base::stats::RandomDraws;
use crate::base::stats::spread::SumError;
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::change::{CONFIDENCE, MOST};
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
