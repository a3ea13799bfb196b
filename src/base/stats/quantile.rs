//! Percentiles as ranks: which of the values in order is the percentile.
//!
//! The nearest rank: the least value that at least so large a share of all values does not exceed. It is the inverse of the
//! empirical distribution, definition 1 of R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American
//! Statistician 50 (1996), 361-365. It is always a value that was measured, never one between two.

/// A percentile in hundredths of a percent: 95 % is 9,500. Above 0 and below 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentile(u32);

/// All of the values.
const WHOLE: u64 = 10_000;

impl Percentile {
    /// A percentile by hundredths of a percent; `None` where it would be the least or the greatest of all values.
    pub fn new(hundredths: u32) -> Option<Self> {
        (hundredths > 0 && u64::from(hundredths) < WHOLE).then_some(Self(hundredths))
    }

    /// Hundredths of a percent.
    pub fn hundredths(self) -> u32 {
        self.0
    }

    /// Its rank among this many values, from 1; 0 where there are none.
    pub fn rank(self, values: u64) -> u64 {
        let product = u128::from(values) * u128::from(self.0);
        u64::try_from(product.div_ceil(u128::from(WHOLE))).expect("a rank is at most the count")
    }

    /// How many values there must be for the percentile to be another than the least or the greatest of them.
    pub fn least_values(self) -> u64 {
        WHOLE.div_ceil(u64::from(self.0).min(WHOLE - u64::from(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentile(hundredths: u32) -> Percentile {
        Percentile::new(hundredths).unwrap()
    }

    #[test]
    fn ranks_are_those_of_numpy() {
        let table = include_str!("../../../tests/data/stats/ranks.csv");
        for line in table.lines().skip(1) {
            let cells: Vec<u64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [values, hundredths, rank] = cells[..] else { panic!("{line}") };
            assert_eq!(percentile(u32::try_from(hundredths).unwrap()).rank(values), rank, "{line}");
        }
        assert!(table.lines().count() >= 30);
    }

    #[test]
    fn an_extreme_percentile_takes_many_values() {
        let least = |hundredths| percentile(hundredths).least_values();
        assert_eq!([5_000, 9_000, 9_500, 9_900, 9_990, 500].map(least), [2, 10, 20, 100, 1_000, 20]);
        for hundredths in [9_000, 9_500, 9_900, 9_990] {
            let (one, least) = (percentile(hundredths), least(hundredths));
            assert!(one.rank(least) < least, "{hundredths}: another value than the greatest");
            assert_eq!(one.rank(least - 1), least - 1, "{hundredths}: the greatest");
        }
        assert_eq!((Percentile::new(0), Percentile::new(10_000)), (None, None));
        assert_eq!(percentile(9_500).rank(0), 0);
    }
}
