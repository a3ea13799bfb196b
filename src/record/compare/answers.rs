//! Whether the answers of a side depend on each other: where each sticks to the one before it, as with a cache, repeats say less
//! than they seem to.

use serde::Serialize;

use crate::base::stats::RandomDraws;
use crate::base::stats::runs::as_many_equal_neighbours;
use crate::record::compare::sample::{Observation, TestPair};

/// Answers that stick by no more than chance at this level are not reported.
const STICKS: f64 = 0.01;
/// So few answers that are the same say nothing.
const FEWEST: usize = 3;

/// How the answers of a side depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct AnswerDependence {
    /// Tests that a model answered with the same words in every repeat, three at least.
    pub constant: usize,
    /// Tests that ran three times at least, and a model answered.
    pub repeated: usize,
    /// The chance that as many answers equal the one before, where it is too small to be one.
    pub sticks: Option<f64>,
}

/// Looks at the answers of both sides.
pub(super) fn answers(pairs: &[TestPair], draws: RandomDraws) -> [AnswerDependence; 2] {
    let side = |side: usize| {
        let of = |pair: &TestPair| if side == 0 { uses_model(&pair.a) } else { uses_model(&pair.b) };
        let told: Vec<Vec<u32>> = pairs.iter().map(|pair| pair.answers[side].clone()).collect();
        let by_model = pairs.iter().filter(|pair| of(pair)).map(|pair| &pair.answers[side]);
        let repeated: Vec<&Vec<u32>> = by_model.filter(|answers| answers.len() >= FEWEST).collect();
        let is_constant = |answers: &&&Vec<u32>| answers.iter().all(|answer| Some(answer) == answers.first());
        AnswerDependence {
            constant: repeated.iter().filter(is_constant).count(),
            repeated: repeated.len(),
            sticks: Some(as_many_equal_neighbours(&told, draws).p).filter(|p| *p <= STICKS),
        }
    };
    [side(0), side(1)]
}

fn uses_model(side: &[Observation]) -> bool {
    side.iter().any(|seen| seen.tokens.is_some_and(|tokens| tokens > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    fn pair(a: &[u32], b: &[u32]) -> TestPair {
        let seen =
            |answers: &[u32]| vec![Observation { tokens: Some(9), ..Observation::default() }; answers.len()];
        TestPair { a: seen(a), b: seen(b), answers: [a.to_vec(), b.to_vec()], ..TestPair::default() }
    }

    #[test]
    fn answers_that_stick_are_found_on_their_side() {
        let [a, b] = answers(&vec![pair(&[0, 0, 0, 1, 1], &[0, 1, 0, 1, 0]); 12], DRAWS);
        assert!(a.sticks.is_some() && b.sticks.is_none(), "{a:?} {b:?}");
        assert_eq!((a.constant, a.repeated), (0, 12));
    }

    #[test]
    fn a_model_that_always_says_the_same_is_told() {
        let mut pairs = vec![pair(&[0, 0, 0], &[0, 1, 2]); 4];
        pairs.push(pair(&[0, 0], &[0, 0]));
        let mut code = pair(&[0, 0, 0], &[0, 0, 0]);
        code.a.iter_mut().chain(&mut code.b).for_each(|seen| seen.tokens = Some(0));
        pairs.push(code);
        let [a, b] = answers(&pairs, DRAWS);
        assert_eq!(
            (a.constant, a.repeated, b.constant),
            (4, 4, 0),
            "two are too few, and code has one answer"
        );
    }
}
