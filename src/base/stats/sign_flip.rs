//! Paired differences: how often chance alone, by swapping the sides of pairs, gives a sum as large.

use super::{PermutationResult, RandomDraws, share_of_draws, slack};

/// Up to this many pairs that differ, every arrangement is looked at.
const ALL_BELOW: usize = 14;

/// What swapping the sides of pairs says in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TwoSidedChance {
    /// Are the differences greater than chance makes them?
    pub greater: PermutationResult,
    /// Are they less?
    pub less: PermutationResult,
}

/// Tests whether differences (the second side minus the first) are greater, or less, than swapping the sides at random makes
/// them.
///
/// Each one-sided. R. A. Fisher, "The Design of Experiments", 1935, section 21; P. Good, "Permutation, Parametric and
/// Bootstrap Tests of Hypotheses", 3rd edition, 3.2. Pairs without a difference keep their value under every swap, but could
/// have shown one: they count for what is attainable. Differences from a bound are tested alike: where the second side is
/// like the first but for the bound, the sides of a pair may be swapped.
pub(crate) fn both_ways(differences: &[f64], draws: RandomDraws) -> TwoSidedChance {
    let moving: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    let attainable = if differences.len() <= ALL_BELOW {
        0.5_f64.powi(i32::try_from(differences.len()).unwrap_or(i32::MAX))
    } else {
        share_of_draws(0, draws.count)
    };
    let (greater, less) = match moving.len() {
        0 => (1.0, 1.0),
        1..=ALL_BELOW => shares_of_all(&moving),
        _ => drawn(&moving, draws),
    };
    TwoSidedChance {
        greater: PermutationResult { p: greater, attainable },
        less: PermutationResult { p: less, attainable },
    }
}

/// How many pairs are needed before `p` can reach `alpha`.
pub(crate) fn pairs_needed(alpha: f64) -> usize {
    // 2^-n <= alpha; below 1,075 halvings nothing is left.
    (1..1100_i32)
        .find(|pairs| 0.5_f64.powi(*pairs) <= alpha)
        .and_then(|pairs| usize::try_from(pairs).ok())
        .unwrap_or(1100)
}

/// Looks at every arrangement, one swap after the other in Gray's order.
fn shares_of_all(differences: &[f64]) -> (f64, f64) {
    let observed: f64 = differences.iter().sum();
    let slack = slack(differences.iter().map(|difference| difference.abs()).sum());
    let mut signed = differences.to_vec();
    let mut sum = observed;
    let arrangements = 1_u32 << differences.len();
    let (mut greater, mut less) = (1_u32, 1_u32);
    for step in 1..arrangements {
        if let Some(difference) = signed.get_mut(step.trailing_zeros() as usize) {
            sum -= 2.0 * *difference;
            *difference = -*difference;
        }
        greater += u32::from(sum >= observed - slack);
        less += u32::from(sum <= observed + slack);
    }
    let share = |extreme: u32| f64::from(extreme) / f64::from(arrangements);
    (share(greater), share(less))
}

fn drawn(differences: &[f64], draws: RandomDraws) -> (f64, f64) {
    let observed: f64 = differences.iter().sum();
    let slack = slack(differences.iter().map(|difference| difference.abs()).sum());
    let mut random = fastrand::Rng::with_seed(draws.seed);
    let (mut greater, mut less) = (0, 0);
    for _ in 0..draws.count {
        let mut sum = 0.0;
        for chunk in differences.chunks(64) {
            let mut signs = random.u64(..);
            for difference in chunk {
                sum += if signs & 1 == 0 { *difference } else { -*difference };
                signs >>= 1;
            }
        }
        greater += u32::from(sum >= observed - slack);
        less += u32::from(sum <= observed + slack);
    }
    (share_of_draws(greater, draws.count), share_of_draws(less, draws.count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: RandomDraws = RandomDraws { count: 9_999, seed: 7 };

    /// Fisher's worked example: Darwin's 15 pairs of self- and cross-fertilised plants, "The Design of Experiments", section 21:
    /// 863 of 32,768 arrangements have a sum of at least 314.
    const DARWIN: [f64; 15] =
        [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];

    #[test]
    fn finds_fishers_share_for_darwins_maize() {
        assert!((shares_of_all(&DARWIN).0 - 863.0 / 32_768.0).abs() < 1e-12);
        let (drawn, less) = drawn(&DARWIN, DRAWS);
        let error = 4.0 * (0.026_f64 * 0.974 / 9_999.0).sqrt();
        assert!((drawn - 863.0 / 32_768.0).abs() < error, "{drawn}");
        assert!(less > 0.96, "{less}");
    }

    #[test]
    fn agrees_with_scipy() {
        for row in include_str!("../../../tests/data/stats/sign_flip.csv")
            .lines()
            .filter(|row| !row.starts_with('#'))
        {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let (expected, differences) = cells.split_first().unwrap();
            let found = both_ways(differences, DRAWS).greater.p;
            assert!((found - expected).abs() < 1e-12, "{row}: {found}");
        }
    }

    #[test]
    fn both_ways_agree_with_scipy() {
        let rows = include_str!("../../../tests/data/stats/two_sides.csv").lines();
        for row in rows.filter(|row| !row.starts_with('#')) {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [greater, less, ref differences @ ..] = cells[..] else { panic!("{row}") };
            let found = both_ways(differences, DRAWS);
            assert!(
                (found.greater.p - greater).abs() < 1e-12 && (found.less.p - less).abs() < 1e-12,
                "{row}: {found:?}"
            );
        }
    }

    #[test]
    fn sums_that_differ_by_rounding_are_as_extreme() {
        // One pair decides, and the others are less than what rounding takes.
        for others in [13, 14] {
            let differences = |sign: f64| [vec![sign], vec![sign * 1e-12; others]].concat();
            let (more, fewer) = (both_ways(&differences(1.0), DRAWS), both_ways(&differences(-1.0), DRAWS));
            for half in [more.greater.p, fewer.less.p] {
                assert!((half - 0.5).abs() < 0.02, "{half}");
            }
            assert_eq!((more.less.p, fewer.greater.p), (1.0, 1.0));
        }
    }

    #[test]
    fn equal_pairs_could_have_differed() {
        let greater = |differences: &[f64], draws| both_ways(differences, draws).greater;
        assert_eq!(greater(&[0.0; 5], DRAWS), PermutationResult { p: 1.0, attainable: 1.0 / 32.0 });
        assert_eq!(greater(&[], DRAWS), PermutationResult { p: 1.0, attainable: 1.0 });
        assert_eq!(greater(&[1.0; 5], DRAWS), PermutationResult { p: 1.0 / 32.0, attainable: 1.0 / 32.0 });
        assert_eq!(greater(&[-1.0; 5], DRAWS).p, 1.0);
        assert_eq!(greater(&[1.0; 400], DRAWS).p, 1.0 / 10_000.0);
    }

    #[test]
    fn five_pairs_reach_five_hundredths() {
        assert_eq!(pairs_needed(0.05), 5);
        assert_eq!(pairs_needed(0.01), 7);
        assert!(pairs_needed(0.0) > 1000, "never reached");
    }
}
