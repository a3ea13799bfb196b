//! Two samples of things that only have distances: whether the sides differ by more than each differs within itself.

use super::{PermutationResult, RandomDraws, share_of_draws, slack};

/// Up to this many ways to split the sample, every one is looked at.
const ALL_BELOW: usize = 20_000;

/// The distances of all pairs of a sample: the first side's members come first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distances {
    first: usize,
    second: usize,
    /// Row after row; only the places before the diagonal are used.
    cells: Vec<f64>,
}

impl Distances {
    /// Takes the distance of every pair once; `distance` is given the members' places, the second side's after the first's.
    pub fn of(first: usize, second: usize, mut distance: impl FnMut(usize, usize) -> f64) -> Self {
        let all = first + second;
        let mut cells = vec![0.0; all * all];
        for row in 0..all {
            for column in 0..row {
                cells[row * all + column] = distance(row, column);
            }
        }
        Self { first, second, cells }
    }

    /// How many members each side has.
    pub fn sides(&self) -> [usize; 2] {
        [self.first, self.second]
    }

    /// The members of both sides.
    fn all(&self) -> usize {
        self.first + self.second
    }

    /// The largest distance.
    pub fn largest(&self) -> f64 {
        self.cells.iter().copied().fold(0.0, f64::max)
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.all()..(row + 1) * self.all()]
    }

    /// Székely's energy statistic of a split, in its form for samples: `nm/(n+m) (2 E|X-Y| - E|X-X'| - E|Y-Y'|)`.
    ///
    /// G. J. Székely, M. L. Rizzo, "Testing for equal distributions in high dimension", InterStat 5, 2004.
    fn statistic(&self, in_first: &[bool]) -> f64 {
        let (mut within_first, mut within_second, mut between) = (0.0, 0.0, 0.0);
        for (row, one) in in_first.iter().enumerate() {
            for (value, other) in self.row(row).iter().zip(&in_first[..row]) {
                match (one, other) {
                    (true, true) => within_first += value,
                    (false, false) => within_second += value,
                    (true, false) | (false, true) => between += value,
                }
            }
        }
        let (n, m) = (self.first as f64, self.second as f64);
        n * m / (n + m)
            * (2.0 * between / (n * m) - 2.0 * within_first / (n * n) - 2.0 * within_second / (m * m))
    }

    /// The split as it was seen.
    fn seen(&self) -> Vec<bool> {
        (0..self.all()).map(|place| place < self.first).collect()
    }

    /// The statistic of every split, the one seen first; `None` where they are too many. Of a split and the one with its sides
    /// changed, which are alike where the sides are as large as each other, only the one is looked at.
    fn every(&self) -> Option<Vec<f64>> {
        if splits(self.all(), self.first) > ALL_BELOW as f64 {
            return None;
        }
        let mut values = Vec::new();
        let mut chosen: Vec<usize> = (0..self.first).collect();
        loop {
            let mut in_first = vec![false; self.all()];
            for place in &chosen {
                in_first[*place] = true;
            }
            values.push(self.statistic(&in_first));
            let goes_on = advance(&mut chosen, self.all());
            let is_turned = self.first == self.second && chosen.first() != Some(&0);
            if !goes_on || is_turned {
                return Some(values);
            }
        }
    }
}

/// Whether sides differ: case by case, and over all cases together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnergyTests {
    /// The test of each case, in their order.
    pub each: Vec<PermutationResult>,
    /// The test of all cases.
    pub all: PermutationResult,
}

/// Tests whether the two sides of each case come from one distribution, and whether those of all cases together do.
///
/// The permutation test of Székely and Rizzo, 2004, each case permuted within itself; exact where the splits are few. The test
/// of all cases takes the sum of their statistics.
pub(crate) fn each_and_all(cases: &[Distances], draws: RandomDraws) -> EnergyTests {
    let strata: Vec<SplitStatistics> = cases.iter().map(SplitStatistics::new).collect();
    let each = strata.iter().map(|stratum| judge(&[stratum], draws)).collect();
    let all: Vec<&SplitStatistics> = strata.iter().collect();
    EnergyTests { each, all: judge(&all, draws) }
}

fn judge(strata: &[&SplitStatistics], draws: RandomDraws) -> PermutationResult {
    let strata: Vec<&SplitStatistics> =
        strata.iter().copied().filter(|stratum| stratum.case.first > 0 && stratum.case.second > 0).collect();
    let cases: Vec<&Distances> = strata.iter().map(|stratum| stratum.case).collect();
    let attainable = attainable(&cases, draws);
    match strata[..] {
        [] => PermutationResult { p: 1.0, attainable: 1.0 },
        [SplitStatistics { every: Some(values), .. }] => {
            PermutationResult { p: share_of_all(values), attainable }
        }
        _ => PermutationResult { p: drawn(&strata, draws), attainable },
    }
}

/// A case and the statistic of each of its splits, where they are few.
struct SplitStatistics<'a> {
    case: &'a Distances,
    every: Option<Vec<f64>>,
}

impl<'a> SplitStatistics<'a> {
    fn new(case: &'a Distances) -> Self {
        Self { case, every: case.every() }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> f64 {
        match &self.every {
            Some(values) => values[random.usize(..values.len())],
            None => {
                let mut split = self.case.seen();
                random.shuffle(&mut split);
                self.case.statistic(&split)
            }
        }
    }
}

fn share_of_all(values: &[f64]) -> f64 {
    let seen = values.first().copied().unwrap_or(0.0);
    let slack = slack(seen.abs().max(1.0));
    let extreme = values.iter().filter(|value| **value >= seen - slack).count();
    extreme as f64 / values.len() as f64
}

fn drawn(strata: &[&SplitStatistics], draws: RandomDraws) -> f64 {
    let seen: f64 = strata.iter().map(|stratum| stratum.case.statistic(&stratum.case.seen())).sum();
    let slack = slack(seen.abs().max(1.0));
    let mut random = fastrand::Rng::with_seed(draws.seed);
    let extreme = (0..draws.count)
        .filter(|_| strata.iter().map(|stratum| stratum.draw(&mut random)).sum::<f64>() >= seen - slack)
        .count();
    share_of_draws(u32::try_from(extreme).unwrap_or(u32::MAX), draws.count)
}

/// The most extreme split is met once, or twice where the sides are equally large and may change places.
fn attainable(cases: &[&Distances], draws: RandomDraws) -> f64 {
    let splits: f64 = cases.iter().map(|case| splits(case.all(), case.first)).product();
    let twins: f64 = cases.iter().map(|case| if case.first == case.second { 2.0 } else { 1.0 }).product();
    let exact = (twins / splits).min(1.0);
    let all = matches!(cases, [case] if case.every_is_few());
    if all { exact } else { exact.max(share_of_draws(0, draws.count)) }
}

impl Distances {
    fn every_is_few(&self) -> bool {
        splits(self.all(), self.first) <= ALL_BELOW as f64
    }
}

/// How many ways there are to choose `chosen` of `all`.
fn splits(all: usize, chosen: usize) -> f64 {
    (0..chosen.min(all - chosen)).map(|step| (all - step) as f64 / (step + 1) as f64).product()
}

/// Steps to the next choice in dictionary order; false after the last.
fn advance(chosen: &mut [usize], all: usize) -> bool {
    let count = chosen.len();
    let Some(place) = (0..count).rev().find(|place| chosen[*place] < all - count + place) else {
        return false;
    };
    chosen[place] += 1;
    for next in place + 1..count {
        chosen[next] = chosen[next - 1] + 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(distances: &Distances, draws: RandomDraws) -> PermutationResult {
        each_and_all(std::slice::from_ref(distances), draws).each[0]
    }

    fn stratified(cases: &[Distances], draws: RandomDraws) -> PermutationResult {
        each_and_all(cases, draws).all
    }

    const DRAWS: RandomDraws = RandomDraws { count: 9_999, seed: 11 };

    fn on_a_line(first: &[f64], second: &[f64]) -> Distances {
        let all: Vec<f64> = first.iter().chain(second).copied().collect();
        Distances::of(first.len(), second.len(), |one, other| (all[one] - all[other]).abs())
    }

    /// Rows: sizes, statistic, exact share of splits, then the values; by NumPy over all splits and `scipy.stats.energy_distance`.
    #[test]
    fn agrees_with_scipy() {
        for row in
            include_str!("../../../tests/data/stats/energy.csv").lines().filter(|row| !row.starts_with('#'))
        {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [first, statistic, p, ref values @ ..] = cells[..] else { panic!("{row}") };
            let (first, second) = values.split_at(first as usize);
            let distances = on_a_line(first, second);
            let found = distances.statistic(&distances.seen());
            assert!((found - statistic).abs() < 1e-9, "{row}: {found}");
            let found = test(&distances, DRAWS).p;
            assert!((found - p).abs() < 1e-12, "{row}: {found}");
        }
    }

    #[test]
    fn equal_things_do_not_differ() {
        let same = Distances::of(3, 3, |_, _| 0.0);
        assert_eq!(test(&same, DRAWS), PermutationResult { p: 1.0, attainable: 0.1 });
        assert_eq!(
            test(&Distances::of(0, 3, |_, _| 1.0), DRAWS),
            PermutationResult { p: 1.0, attainable: 1.0 }
        );
        assert_eq!(
            test(&Distances::of(3, 0, |_, _| 1.0), DRAWS),
            PermutationResult { p: 1.0, attainable: 1.0 }
        );
        assert_eq!(
            test(&Distances::of(1, 1, |_, _| 1.0), DRAWS),
            PermutationResult { p: 1.0, attainable: 1.0 }
        );
    }

    #[test]
    fn sides_apart_are_as_unlikely_as_can_be() {
        let apart = Distances::of(5, 5, |one, other| if (one < 5) == (other < 5) { 0.0 } else { 1.0 });
        let tested = test(&apart, DRAWS);
        assert_eq!(tested.p, 2.0 / 252.0);
        assert_eq!(tested.p, tested.attainable);
        let many = stratified(&[apart.clone(), apart.clone(), apart], DRAWS);
        assert_eq!(many.p, 1.0 / 10_000.0);
    }

    #[test]
    fn only_few_splits_are_all_looked_at() {
        let of =
            |side: usize| Distances::of(side, side, |one, other| f64::from((one < side) != (other < side)));
        assert_eq!((of(8).every().map(|all| all.len()), of(10).every()), (Some(12_870 / 2), None));
        let few_draws = RandomDraws { count: 99, seed: 11 };
        assert_eq!(test(&of(5), few_draws), PermutationResult { p: 2.0 / 252.0, attainable: 2.0 / 252.0 });
        assert_eq!(test(&of(10), few_draws), PermutationResult { p: 0.01, attainable: 0.01 });
        // Of two cases the splits are drawn, however few they are.
        assert_eq!(stratified(&[of(5), of(5)], few_draws).attainable, 0.01);
        assert_eq!(stratified(&[of(2), of(2)], DRAWS).attainable, 4.0 / 36.0);
    }

    #[test]
    fn drawing_agrees_with_looking_at_all() {
        let distances = on_a_line(&[0.1, 0.4, 0.2, 0.9, 0.5], &[0.6, 1.1, 0.7, 0.3, 1.0]);
        let exact = test(&distances, DRAWS).p;
        let drawn = drawn(&[&SplitStatistics { case: &distances, every: None }], DRAWS);
        assert!((exact - drawn).abs() < 4.0 * (exact * (1.0 - exact) / 9_999.0).sqrt(), "{exact} {drawn}");
    }
}
