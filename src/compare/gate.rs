//! Gates over a comparison: a measure may not be worse by more than a bound, unless chance could have done it.

use crate::base::stats::multiple::holm;
use crate::compare::change::{Change, Metric};

/// How much worse a measure may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    /// The measure.
    pub metric: Metric,
    /// The most it may be worse by: 0.05 are five points of the pass rate, or 5 % more of anything else.
    pub worse_by: f64,
    /// The chance of a false alarm that is accepted, over all gates together.
    pub alpha: f64,
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Decision {
    /// Not worse by more than the bound, or no more than chance would make it.
    Passed,
    /// Worse by more than the bound, and by more than chance.
    Failed,
    /// So few pairs could not have shown it.
    Inconclusive(Lack),
}

/// What a gate lacks before it can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Each test must run so often on each side.
    Repeats(usize),
    /// So many tests are needed; repeats of the same ones do not help.
    Cases(usize),
    /// No pair of attempts has the measure on both sides.
    Pairs,
    /// So many tests have the measure on one side only: what they would show is not known.
    Sides(usize),
}

/// A gate and what it decided on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gated {
    /// The gate.
    pub bound: Bound,
    /// What was found; none where no pair has the measure.
    pub change: Option<Change>,
    /// The chance of it, corrected for the number of gates; 1 where nothing was found.
    pub p: f64,
    /// What follows.
    pub decision: Decision,
}

/// Judges all gates together: Holm's correction keeps the chance of any false alarm below `alpha`.
pub(crate) fn judge(bounds: &[Bound], changes: &[Change]) -> Vec<Gated> {
    let found = |bound: &Bound| changes.iter().copied().find(|change| change.metric == bound.metric);
    let tested: Vec<(Bound, Option<Change>)> = bounds.iter().map(|bound| (*bound, found(bound))).collect();
    let adjusted = holm(
        &tested.iter().map(|(_, change)| change.map_or(1.0, |change| change.test.p)).collect::<Vec<_>>(),
    );
    let all = bounds.len() as f64;
    let gated = |((bound, change), p): ((Bound, Option<Change>), f64)| {
        let decision =
            change.map_or(Decision::Inconclusive(Lack::Pairs), |change| decide(bound, change, p, all));
        Gated { bound, change, p, decision }
    };
    tested.into_iter().zip(adjusted).map(gated).collect()
}

fn decide(bound: Bound, change: Change, p: f64, gates: f64) -> Decision {
    if change.worse_by > bound.worse_by && p <= bound.alpha {
        return Decision::Failed;
    }
    // The smallest p after the correction: as if every other gate had found even less likely changes.
    if change.test.attainable * gates <= bound.alpha {
        return match change.one_sided {
            0 => Decision::Passed,
            tests => Decision::Inconclusive(Lack::Sides(tests)),
        };
    }
    let level = bound.alpha / gates;
    Decision::Inconclusive(match change.repeats_needed(level) {
        Some(repeats) => Lack::Repeats(repeats),
        None => Lack::Cases(crate::base::stats::sign_flip::pairs_needed(level)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats::Permuted;

    fn change(worse_by: f64, p: f64, attainable: f64) -> Change {
        let test = Permuted { p, attainable };
        Change { metric: Metric::Tokens, worse_by, interval: None, test, cases: 2, pairs: 4, one_sided: 0 }
    }

    fn bound(metric: Metric) -> Bound {
        Bound { metric, worse_by: 0.1, alpha: 0.05 }
    }

    fn decided(change: Change) -> Decision {
        judge(&[bound(Metric::Tokens)], &[change])[0].decision
    }

    #[test]
    fn fails_only_what_is_large_and_significant() {
        assert_eq!(decided(change(0.2, 0.01, 0.001)), Decision::Failed);
        assert_eq!(decided(change(0.05, 0.001, 0.001)), Decision::Passed, "small");
        assert_eq!(decided(change(0.2, 0.2, 0.001)), Decision::Passed, "noise");
        assert_eq!(decided(change(-0.5, 1.0, 0.001)), Decision::Passed, "better");
    }

    #[test]
    fn too_few_pairs_never_pass() {
        assert_eq!(decided(change(0.0, 1.0, 0.25)), Decision::Inconclusive(Lack::Repeats(3)));
        assert_eq!(judge(&[bound(Metric::Cost)], &[])[0].decision, Decision::Inconclusive(Lack::Pairs));
    }

    #[test]
    fn what_one_side_does_not_tell_is_not_taken_for_good() {
        let dark = |change| Change { one_sided: 3, ..change };
        assert_eq!(
            decided(dark(change(0.0, 1.0, 0.001))),
            Decision::Inconclusive(Lack::Sides(3)),
            "a few tests that hold do not speak for those that do not tell"
        );
        assert_eq!(
            decided(dark(change(0.2, 0.01, 0.001))),
            Decision::Failed,
            "what was seen is enough to fail"
        );
    }

    #[test]
    fn a_gate_without_pairs_still_counts_for_the_correction() {
        let bounds = [bound(Metric::Tokens), bound(Metric::Cost), bound(Metric::Ttft)];
        let gated = judge(&bounds, &[change(0.2, 0.03, 0.001)]);
        assert!((gated[0].p - 0.09).abs() < 1e-12, "{gated:?}");
        assert_eq!(gated[0].decision, Decision::Passed);
        assert_eq!(gated[1].decision, Decision::Inconclusive(Lack::Pairs));
    }

    #[test]
    fn the_correction_counts_every_gate() {
        let bounds = [bound(Metric::Tokens), bound(Metric::Cost)];
        let gated = judge(&bounds, &[change(0.2, 0.03, 0.03)]);
        assert_eq!(gated[0].p, 0.06);
        assert_eq!(gated[0].decision, Decision::Inconclusive(Lack::Repeats(3)));
    }
}
