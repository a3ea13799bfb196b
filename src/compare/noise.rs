//! Whether outputs drifted by more than each side differs from itself.

use serde::Serialize;

use crate::base::stats::energy::{self, Distances};
use crate::base::stats::multiple::benjamini_hochberg;
use crate::base::stats::{Draws, Permuted};
use crate::compare::sample::Pair;

/// What can be said of the outputs of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutputDrift {
    /// No output differs from another.
    Same,
    /// They differ; a single repeat cannot tell drift from noise.
    Changed,
    /// They differ no more than each side differs from itself.
    Noise {
        /// Adjusted over all tests.
        p: f64,
    },
    /// They differ by more than each side differs from itself.
    Drifted {
        /// Adjusted over all tests.
        p: f64,
    },
    /// They differ, and so few repeats could not show more.
    Undecided {
        /// How often each side must run.
        repeats: usize,
    },
    /// A side has no outputs.
    Unknown,
}

/// Judges the outputs of each test, corrected for the number of tests, and those of the suite together.
///
/// The suite's test is none where no test ran twice on both sides.
pub(crate) fn drift_of_outputs(
    pairs: &[Pair],
    alpha: f64,
    draws: Draws,
) -> (Vec<OutputDrift>, Option<Permuted>) {
    let repeated = |pair: &&Pair| pair.repeats() > 1;
    let judged: Vec<Distances> =
        pairs.iter().filter(repeated).filter_map(|pair| pair.outputs.clone()).collect();
    let (tests, all) = energy::each_and_all(&judged, draws);
    let adjusted = benjamini_hochberg(&tests.iter().map(|test| test.p).collect::<Vec<_>>());
    let mut results = adjusted.into_iter().zip(&tests);
    let of_pair = |pair: &Pair| match &pair.outputs {
        None => OutputDrift::Unknown,
        Some(outputs) if !repeated(&pair) => single(outputs),
        Some(outputs) => {
            let result = results.next();
            result
                .map_or(OutputDrift::Unknown, |(p, test)| verdict(outputs, p, *test, (alpha, pair.repeats())))
        }
    };
    let each = pairs.iter().map(of_pair).collect();
    (each, (!judged.is_empty()).then_some(all))
}

fn single(outputs: &Distances) -> OutputDrift {
    if outputs.largest() > 0.0 { OutputDrift::Changed } else { OutputDrift::Same }
}

fn verdict(outputs: &Distances, p: f64, test: Permuted, (alpha, repeats): (f64, usize)) -> OutputDrift {
    if outputs.largest() == 0.0 {
        OutputDrift::Same
    } else if p <= alpha {
        OutputDrift::Drifted { p }
    } else if test.attainable > alpha {
        OutputDrift::Undecided { repeats: repeats_needed(alpha).max(repeats + 1) }
    } else {
        OutputDrift::Noise { p }
    }
}

/// How often each side must run before two equally large sides can reach `alpha`.
pub(crate) fn repeats_needed(alpha: f64) -> usize {
    let splits =
        |repeats: usize| (1..=repeats).map(|step| (repeats + step) as f64 / step as f64).product::<f64>();
    (2..40).find(|repeats| 2.0 / splits(*repeats) <= alpha).unwrap_or(40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::sample::Observation;

    const DRAWS: Draws = Draws { count: 999, seed: 5 };

    fn pair(repeats: usize, between: f64, within: f64) -> Pair {
        let distance =
            |one: usize, other: usize| if (one < repeats) == (other < repeats) { within } else { between };
        Pair {
            a: vec![Observation::default(); repeats],
            b: vec![Observation::default(); repeats],
            outputs: Some(Distances::of(repeats, repeats, distance)),
        }
    }

    #[test]
    fn one_repeat_says_changed_and_never_more() {
        let (each, suite) = drift_of_outputs(&[pair(1, 1.0, 0.0), pair(1, 0.0, 0.0)], 0.05, DRAWS);
        assert_eq!(each, [OutputDrift::Changed, OutputDrift::Same]);
        assert_eq!(suite, None);
    }

    #[test]
    fn outputs_apart_have_drifted_and_outputs_that_vary_have_not() {
        let (each, suite) = drift_of_outputs(&[pair(5, 1.0, 0.0), pair(5, 0.5, 0.5)], 0.05, DRAWS);
        assert!(matches!(each[0], OutputDrift::Drifted { p } if p <= 4.0 / 252.0), "{each:?}");
        assert!(matches!(each[1], OutputDrift::Noise { p } if p > 0.9), "{each:?}");
        assert!(suite.unwrap().p < 0.05);
    }

    #[test]
    fn too_few_repeats_are_said() {
        let (each, _) = drift_of_outputs(&[pair(2, 1.0, 0.0)], 0.05, DRAWS);
        assert_eq!(each, [OutputDrift::Undecided { repeats: 4 }]);
        assert_eq!(repeats_needed(0.05), 4);
        assert_eq!(repeats_needed(0.01), 5);
    }

    #[test]
    fn a_side_without_outputs_is_unknown() {
        let lonely = Pair { a: vec![Observation::default(); 3], ..Pair::default() };
        assert_eq!(drift_of_outputs(&[lonely], 0.05, DRAWS), (vec![OutputDrift::Unknown], None));
    }
}
