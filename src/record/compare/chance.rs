//! Whether chance could have made a difference: pair by pair, and block by block in time.

use crate::base::stats::runs::as_few_runs;
use crate::base::stats::sign_flip::{TwoSidedChance, both_ways};
use crate::base::stats::{PermutationResult, RandomDraws};

/// From this many pairs on they are also taken in blocks.
const BLOCKS_FROM: usize = 40;

/// A difference of a pair, and when it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    /// The second side less the first.
    pub value: f64,
    /// Milliseconds since the first side began.
    pub at: f64,
}

/// Tests differences in both directions.
///
/// Pairs that follow each other may share what is not the workflow's: the load of a moment, a cache. So the sides of whole
/// blocks of neighbours in time are swapped too, and the larger chance counts. Blocks of about the cube root of the pairs:
/// H. R. Künsch, "The jackknife and the bootstrap for general stationary observations", The Annals of Statistics 17, 1989.
pub(super) fn of(differences: &[Difference], draws: RandomDraws) -> TwoSidedChance {
    let values: Vec<f64> = differences.iter().map(|difference| difference.value).collect();
    let pairs = both_ways(&values, draws);
    if values.len() < BLOCKS_FROM {
        return pairs;
    }
    let blocks = both_ways(&in_blocks(differences), draws);
    TwoSidedChance { greater: larger(pairs.greater, blocks.greater), less: larger(pairs.less, blocks.less) }
}

fn larger(one: PermutationResult, other: PermutationResult) -> PermutationResult {
    PermutationResult { p: one.p.max(other.p), attainable: one.attainable.max(other.attainable) }
}

/// The sums of blocks of neighbours in time.
fn in_blocks(differences: &[Difference]) -> Vec<f64> {
    let mut ordered = differences.to_vec();
    ordered.sort_by(|one, other| one.at.total_cmp(&other.at));
    let length = (ordered.len() as f64).cbrt().floor().max(1.0) as usize;
    ordered.chunks(length).map(|block| block.iter().map(|difference| difference.value).sum()).collect()
}

/// The chance that differences come in as few runs above and below their mean, in time, where they do not depend on each
/// other: each is taken from the mean of its test, lest tests that differ look like times that do. 1 where they are few.
pub(super) fn that_they_stick(strata: &[Vec<Difference>]) -> f64 {
    let mut left: Vec<Difference> = strata.iter().flat_map(|stratum| from_their_mean(stratum)).collect();
    left.sort_by(|one, other| one.at.total_cmp(&other.at));
    let mean = left.iter().map(|difference| difference.value).sum::<f64>() / left.len().max(1) as f64;
    let sides: Vec<bool> = left.iter().map(|difference| difference.value > mean).collect();
    as_few_runs(&sides)
}

fn from_their_mean(stratum: &[Difference]) -> Vec<Difference> {
    let mean = match stratum.len() {
        0 | 1 => 0.0,
        count => stratum.iter().map(|difference| difference.value).sum::<f64>() / count as f64,
    };
    stratum.iter().map(|difference| Difference { value: difference.value - mean, ..*difference }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    fn at_times(values: impl IntoIterator<Item = f64>) -> Vec<Difference> {
        values.into_iter().enumerate().map(|(at, value)| Difference { value, at: at as f64 }).collect()
    }

    #[test]
    fn neighbours_that_are_alike_count_as_one() {
        // Forty-eight values in eight stretches of six: five stretches are above, three below.
        let sticky = at_times((0..48).map(|at| if [0, 1, 3, 4, 6].contains(&(at / 6)) { 1.0 } else { -1.0 }));
        let alone = both_ways(&sticky.iter().map(|difference| difference.value).collect::<Vec<_>>(), DRAWS);
        assert!(alone.greater.p < 0.07, "{alone:?}");
        assert!(of(&sticky, DRAWS).greater.p > 0.12, "{:?}", of(&sticky, DRAWS));
        assert!(that_they_stick(std::slice::from_ref(&sticky)) < 1e-6);
        let swaying = at_times((0..48).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }));
        assert!(that_they_stick(&[swaying]) > 0.99);
    }

    #[test]
    fn blocks_follow_the_time_and_not_the_order_of_the_list() {
        let mut shuffled = at_times((0..64).map(|at| f64::from(at / 4)));
        fastrand::Rng::with_seed(1).shuffle(&mut shuffled);
        assert_eq!(in_blocks(&shuffled), (0..16).map(|block| f64::from(block * 4)).collect::<Vec<_>>());
    }

    #[test]
    fn few_pairs_are_taken_one_by_one() {
        let few = at_times([1.0; 8]);
        assert_eq!(of(&few, DRAWS).greater.p, 1.0 / 256.0);
        assert_eq!(that_they_stick(&[few]), 1.0, "all alike: nothing sticks");
        // Tests that differ are no times that do.
        let tests = (0..9).map(|test| {
            let swing = |at: usize| f64::from(test) * 10.0 + if at.is_multiple_of(2) { 1.0 } else { -1.0 };
            (0..5).map(|at| Difference { value: swing(at), at: at as f64 + f64::from(test) * 5.0 }).collect()
        });
        assert!(that_they_stick(&tests.collect::<Vec<_>>()) > 0.5);
    }
}
