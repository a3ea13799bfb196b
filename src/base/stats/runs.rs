//! Whether results in a row stick to each other: repeats that hit a cache, or drift together, are not independent.

use statrs::function::factorial::ln_binomial;

use super::{PermutationResult, RandomDraws, share_of_draws};

/// The chance that results which do not depend on each other come in as few runs of equal ones; 1 where all are equal.
///
/// The exact distribution of A. Wald, J. Wolfowitz, "On a test whether two samples are from the same population", The Annals
/// of Mathematical Statistics 11, 1940, 147-162.
pub(crate) fn as_few_runs(results: &[bool]) -> f64 {
    let yes = results.iter().filter(|result| **result).count() as u64;
    let no = results.len() as u64 - yes;
    if yes == 0 || no == 0 {
        return 1.0;
    }
    let runs = 1 + results.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
    (2..=runs).map(|runs| of_runs(runs, yes, no)).sum::<f64>().min(1.0)
}

/// The chance of exactly this many runs.
fn of_runs(runs: u64, yes: u64, no: u64) -> f64 {
    let half = runs / 2;
    let split = |yes_runs: u64, no_runs: u64| {
        if yes_runs > yes || no_runs > no {
            return 0.0;
        }
        let ways = ln_binomial(yes - 1, yes_runs - 1) + ln_binomial(no - 1, no_runs - 1);
        (ways - ln_binomial(yes + no, yes)).exp()
    };
    if runs.is_multiple_of(2) {
        2.0 * split(half, half)
    } else {
        split(half, half + 1) + split(half + 1, half)
    }
}

/// The same of answers in a row, over all tests of a side: how many equal their neighbour, compared with the same answers in
/// other orders.
///
/// Each test is shuffled within itself; tests whose answers are all equal, or all different, say nothing.
pub(crate) fn as_many_equal_neighbours(tests: &[Vec<u32>], draws: RandomDraws) -> PermutationResult {
    let mut tests: Vec<Vec<u32>> = tests.iter().filter(|answers| varies(answers)).cloned().collect();
    if tests.is_empty() {
        return PermutationResult { p: 1.0, attainable: 1.0 };
    }
    let seen = equal_neighbours(&tests);
    let mut random = fastrand::Rng::with_seed(draws.seed);
    let mut extreme = 0;
    for _ in 0..draws.count {
        tests.iter_mut().for_each(|answers| random.shuffle(answers));
        extreme += u32::from(equal_neighbours(&tests) >= seen);
    }
    PermutationResult { p: share_of_draws(extreme, draws.count), attainable: share_of_draws(0, draws.count) }
}

fn varies(answers: &[u32]) -> bool {
    let mut sorted = answers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len() > 1 && sorted.len() < answers.len()
}

fn equal_neighbours(tests: &[Vec<u32>]) -> usize {
    tests.iter().map(|answers| answers.windows(2).filter(|pair| pair[0] == pair[1]).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: RandomDraws = RandomDraws { count: 1_999, seed: 7 };

    /// Rows: results as `1` and `0`, and the share of all their orders with as few runs, counted by Python's itertools.
    #[test]
    fn agrees_with_all_orders() {
        let rows = include_str!("../../../tests/data/stats/runs.csv").lines();
        let mut count = 0;
        for row in rows.filter(|row| !row.starts_with('#')) {
            let (results, expected) = row.split_once(',').unwrap();
            let results: Vec<bool> = results.chars().map(|result| result == '1').collect();
            let expected: f64 = expected.parse().unwrap();
            let found = as_few_runs(&results);
            assert!((found - expected).abs() < 1e-9, "{row}: {found}");
            let labels: Vec<u32> = results.iter().map(|result| u32::from(*result)).collect();
            if varies(&labels) {
                let drawn = as_many_equal_neighbours(&[labels], DRAWS).p;
                assert!(
                    (drawn - expected).abs() < 4.5 * (expected * (1.0 - expected) / 1_999.0).sqrt() + 1e-3,
                    "{row}: {drawn}"
                );
            }
            count += 1;
        }
        assert!(count >= 10);
    }

    #[test]
    fn what_never_varies_says_nothing() {
        assert_eq!(as_few_runs(&[]), 1.0);
        assert_eq!(as_few_runs(&[true; 30]), 1.0);
        let nothing = PermutationResult { p: 1.0, attainable: 1.0 };
        for alike in [vec![vec![1, 1, 1]], vec![vec![1, 2, 3]], vec![vec![1, 1, 1], vec![1, 2, 3]]] {
            assert_eq!(as_many_equal_neighbours(&alike, DRAWS), nothing, "{alike:?}");
        }
        assert!(as_few_runs(&[vec![true; 500], vec![false; 500]].concat()) < 1e-100);
    }

    #[test]
    fn several_tests_say_more_than_one() {
        let sticky = vec![1, 1, 1, 2, 2];
        let one = as_many_equal_neighbours(std::slice::from_ref(&sticky), DRAWS).p;
        let many = as_many_equal_neighbours(&vec![sticky; 10], DRAWS).p;
        assert!(one > 0.05 && many < 0.01, "{one} {many}");
    }
}
