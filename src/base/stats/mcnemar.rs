//! Paired yes and no: the exact test of McNemar.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::PermutationResult;

/// Tests whether `worse` of the pairs that differ are more than chance: one-sided, the binomial tail at one half.
///
/// Pairs that agree say nothing. Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
/// Psychometrika 12, 1947; exact as in A. Agresti, "Categorical Data Analysis", 3rd edition, 11.1.
/// `pairs` are all pairs: what they could have shown at most bounds the attainable `p`.
pub(crate) fn one_sided(worse: u32, better: u32, pairs: u32) -> PermutationResult {
    PermutationResult { p: upper_tail(worse, worse + better), attainable: halved(pairs) }
}

/// The chance of at least `least` heads in `tosses` of a fair coin.
fn upper_tail(least: u32, tosses: u32) -> f64 {
    if least == 0 {
        return 1.0;
    }
    let coin = Binomial::new(0.5, u64::from(tosses)).expect("one half is a chance");
    coin.sf(u64::from(least) - 1)
}

/// One half to the power of `times`.
fn halved(times: u32) -> f64 {
    0.5_f64.powi(i32::try_from(times).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scipy() {
        for row in
            include_str!("../../../tests/data/stats/mcnemar.csv").lines().filter(|row| !row.starts_with('#'))
        {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [worse, better, greater, _two_sided] = cells[..] else { panic!("{row}") };
            let (worse, better) = (worse as u32, better as u32);
            let one = one_sided(worse, better, worse + better).p;
            assert!((one - greater).abs() <= 1e-9 * greater.max(1e-12), "{row}: {one}");
        }
    }

    #[test]
    fn pairs_that_agree_say_nothing_but_could_have() {
        assert_eq!(one_sided(0, 0, 0).p, 1.0);
        assert_eq!(one_sided(0, 0, 20).p, 1.0);
        assert!(one_sided(0, 0, 20).attainable < 1e-6);
        assert!((one_sided(3, 0, 3).p - 0.125).abs() < 1e-12);
        assert_eq!(one_sided(3, 0, 3).attainable, 0.125);
    }
}
