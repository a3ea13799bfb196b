//! Whether outputs drifted by more than each side differs from itself.

use serde::Serialize;

use crate::base::stats::energy::{self, Distances, EnergyTests};
use crate::base::stats::multiple::benjamini_hochberg;
use crate::base::stats::{PermutationResult, RandomDraws};
use crate::record::compare::sample::TestPair;

/// What can be said of the outputs of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutputDrift {
    /// No output differs from another.
    Same,
    /// They differ; a single repeat cannot distinguish drift from noise.
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
    /// They differ, and so few repeats of this many tests could not show more.
    Undecided {
        /// How often each side must run; `None` where there are too many tests for any number of repeats.
        repeats: Option<usize>,
    },
    /// A side has no outputs.
    Unknown,
}

/// Whether outputs drifted: test by test, and over the suite.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutputDrifts {
    /// The outputs of each test, in the order of the pairs.
    pub tests: Vec<OutputDrift>,
    /// Those of all tests together; `None` where none ran twice on both sides.
    pub suite: Option<PermutationResult>,
}

/// Judges the outputs of each test, corrected for the number of tests, and those of the suite together.
///
/// The suite's test is none where no test ran twice on both sides.
pub(crate) fn drift_of_outputs(pairs: &[TestPair], alpha: f64, draws: RandomDraws) -> OutputDrifts {
    let known = pairs.iter().filter_map(|pair| pair.outputs.as_ref());
    let judged: Vec<Distances> = known.filter(|outputs| is_repeated(outputs)).cloned().collect();
    let EnergyTests { each: tests, all } = energy::each_and_all(&judged, draws);
    let family = ComparisonFamily::of(&tests, alpha, draws);
    let mut results = family.adjusted.iter().zip(&tests);
    let of_pair = |pair: &TestPair| match &pair.outputs {
        None => OutputDrift::Unknown,
        Some(outputs) if !is_repeated(outputs) => single(outputs),
        Some(outputs) => {
            let result = results.next();
            result.map_or(OutputDrift::Unknown, |(p, test)| {
                family.verdict(outputs, OutputChance { corrected: *p, test: *test }, pair.repeats())
            })
        }
    };
    let tests = pairs.iter().map(of_pair).collect();
    OutputDrifts { tests, suite: (!judged.is_empty()).then_some(all) }
}

/// True where a side gave more than one output: then a difference may be what that side does by itself.
fn is_repeated(outputs: &Distances) -> bool {
    outputs.sides() != [1, 1]
}

fn single(outputs: &Distances) -> OutputDrift {
    if outputs.largest() > 0.0 { OutputDrift::Changed } else { OutputDrift::Same }
}

/// The test of one test's outputs, and its chance corrected for the number of tests.
#[derive(Clone, Copy)]
struct OutputChance {
    corrected: f64,
    test: PermutationResult,
}

/// The tests of all outputs together: a correction for their number must not turn what differs into noise.
struct ComparisonFamily {
    alpha: f64,
    /// The chances, smallest first.
    sorted: Vec<f64>,
    /// The chances in the order of the tests, corrected for their number.
    adjusted: Vec<f64>,
    /// The smallest chance that drawing can show.
    least: f64,
}

impl ComparisonFamily {
    fn of(tests: &[PermutationResult], alpha: f64, draws: RandomDraws) -> Self {
        let chances: Vec<f64> = tests.iter().map(|test| test.p).collect();
        let adjusted = benjamini_hochberg(&chances);
        let mut sorted = chances;
        sorted.sort_by(f64::total_cmp);
        Self { alpha, sorted, adjusted, least: 1.0 / (f64::from(draws.count) + 1.0) }
    }

    fn verdict(&self, outputs: &Distances, chance: OutputChance, repeats: usize) -> OutputDrift {
        let OutputChance { corrected: p, test } = chance;
        if outputs.largest() == 0.0 {
            OutputDrift::Same
        } else if p <= self.alpha {
            OutputDrift::Drifted { p }
        } else if test.attainable > self.alpha
            // By itself it would have drifted, and no outputs, however far apart, could have shown that among this many tests.
            || (test.p <= self.alpha && self.corrected(test.attainable, test.p) > self.alpha)
        {
            OutputDrift::Undecided { repeats: self.repeats_needed(repeats) }
        } else {
            OutputDrift::Noise { p }
        }
    }

    /// What the correction makes of a smaller chance in the place of one that was found.
    fn corrected(&self, smaller: f64, found: f64) -> f64 {
        let count = self.sorted.len() as f64;
        let below = self.sorted.partition_point(|other| *other <= smaller);
        let place = self.sorted.partition_point(|other| *other < found);
        // Those in between move up by one place; those above keep theirs.
        let moved = self.sorted[below.min(place)..place].iter().zip(below.min(place) + 2..);
        let kept = self.sorted.iter().zip(1..).skip(place + 1);
        let others = moved.chain(kept).map(|(other, rank)| other * count / rank as f64);
        let own = smaller * count / (below.min(place) + 1) as f64;
        others.fold(own, f64::min).min(1.0)
    }

    /// How often each side must run before one more test can be distinguished from noise, where those that drifted stay so.
    fn repeats_needed(&self, repeats: usize) -> Option<usize> {
        let drifted = self.adjusted.iter().filter(|p| **p <= self.alpha).count();
        let level = self.alpha * (drifted + 1) as f64 / self.sorted.len().max(1) as f64;
        let needed = repeats_needed(level)?.max(repeats + 1);
        // Where all splits are too many to be looked at, drawing shows no less than this.
        (needed <= ALL_LOOKED_AT || self.least <= level).then_some(needed)
    }
}

/// Up to this many repeats on each side, every split of the outputs is looked at.
const ALL_LOOKED_AT: usize = 8;

/// How often each side must run before two equally large sides can reach `alpha`.
pub(crate) fn repeats_needed(alpha: f64) -> Option<usize> {
    let splits =
        |repeats: usize| (1..=repeats).map(|step| (repeats + step) as f64 / step as f64).product::<f64>();
    (2..40).find(|repeats| 2.0 / splits(*repeats) <= alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::compare::sample::Observation;

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    fn pair(repeats: usize, between: f64, within: f64) -> TestPair {
        let distance =
            |one: usize, other: usize| if (one < repeats) == (other < repeats) { within } else { between };
        TestPair {
            a: vec![Observation::default(); repeats],
            b: vec![Observation::default(); repeats],
            outputs: Some(Distances::of(repeats, repeats, distance)),
            ..TestPair::default()
        }
    }

    #[test]
    fn one_repeat_says_changed_and_never_more() {
        let OutputDrifts { tests: each, suite } =
            drift_of_outputs(&[pair(1, 1.0, 0.0), pair(1, 0.0, 0.0)], 0.05, DRAWS);
        assert_eq!(each, [OutputDrift::Changed, OutputDrift::Same]);
        assert_eq!(suite, None);
    }

    #[test]
    fn one_repeat_against_many_that_vary_is_not_changed() {
        // The one output of A is one of those that B gives in turn.
        let lonely = Distances::of(1, 5, |one, other| if one % 2 == other % 2 { 0.0 } else { 1.0 });
        let pair = TestPair { outputs: Some(lonely), ..TestPair::default() };
        let each = drift_of_outputs(&[pair], 0.05, DRAWS).tests;
        assert!(matches!(each[0], OutputDrift::Undecided { .. }), "{each:?}");
    }

    #[test]
    fn outputs_apart_have_drifted_and_outputs_that_vary_have_not() {
        let OutputDrifts { tests: each, suite } =
            drift_of_outputs(&[pair(5, 1.0, 0.0), pair(5, 0.5, 0.5)], 0.05, DRAWS);
        assert!(matches!(each[0], OutputDrift::Drifted { p } if p <= 4.0 / 252.0), "{each:?}");
        assert!(matches!(each[1], OutputDrift::Noise { p } if p > 0.9), "{each:?}");
        assert!(suite.unwrap().p < 0.05);
    }

    #[test]
    fn too_few_repeats_are_said() {
        let each = drift_of_outputs(&[pair(2, 1.0, 0.0)], 0.05, DRAWS).tests;
        assert_eq!(each, [OutputDrift::Undecided { repeats: Some(4) }]);
        assert_eq!(repeats_needed(0.05), Some(4));
        assert_eq!(repeats_needed(0.01), Some(5));
    }

    #[test]
    fn one_test_that_drifted_among_many_that_did_not_is_no_noise() {
        let mut pairs = vec![pair(5, 0.0, 0.0); 99];
        pairs.push(pair(5, 1.0, 0.0));
        let each = drift_of_outputs(&pairs, 0.05, DRAWS).tests;
        // 2 / 252 by itself, which a hundred tests make 0.79: five repeats could not have shown less.
        assert_eq!(each[99], OutputDrift::Undecided { repeats: Some(8) });
        assert!(each[..99].iter().all(|drift| *drift == OutputDrift::Same));
        // With those repeats it is found; and what varies as much on each side stays noise among many.
        let mut pairs = vec![pair(8, 0.0, 0.0); 98];
        pairs.extend([pair(8, 1.0, 0.0), pair(8, 0.5, 0.5)]);
        let each = drift_of_outputs(&pairs, 0.05, DRAWS).tests;
        assert!(matches!(each[98], OutputDrift::Drifted { .. }), "{:?}", each[98]);
        assert!(matches!(each[99], OutputDrift::Noise { .. }), "{:?}", each[99]);
        // Too many for any number of repeats: it says so, and is no noise either.
        let mut pairs = vec![pair(5, 0.0, 0.0); 5_000];
        pairs.push(pair(5, 1.0, 0.0));
        let each = drift_of_outputs(&pairs, 0.05, DRAWS).tests;
        assert_eq!(each[5_000], OutputDrift::Undecided { repeats: None });
    }

    #[test]
    fn the_correction_of_a_smaller_chance_is_that_of_all() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let tests: Vec<PermutationResult> = (0..random.usize(1..9))
                .map(|_| PermutationResult { p: random.f64(), attainable: 0.0 })
                .collect();
            let family = ComparisonFamily::of(&tests, 0.05, DRAWS);
            for place in 0..tests.len() {
                let mut chances: Vec<f64> = tests.iter().map(|test| test.p).collect();
                let smaller = chances[place] * random.f64();
                let found = family.corrected(smaller, chances[place]);
                chances[place] = smaller;
                let expected = benjamini_hochberg(&chances)[place];
                assert!((found - expected).abs() < 1e-12, "{chances:?}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn a_side_without_outputs_is_unknown() {
        let lonely = TestPair { a: vec![Observation::default(); 3], ..TestPair::default() };
        let drifts = drift_of_outputs(&[lonely], 0.05, DRAWS);
        assert_eq!(drifts, OutputDrifts { tests: vec![OutputDrift::Unknown], suite: None });
    }
}
