//! The few formulas a report needs: mean, median and percentiles of a sample.
//!
//! Percentiles are the nearest rank: the smallest sample value that at least the share `q` of the sample does not exceed,
//! the value at rank `ceil(q * n)`, definition 1 (inverse of the empirical distribution function) in
//! R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50(4), 1996.
//! It is always a value that was measured.

/// Finds the nearest-rank percentile, `q` from 0 to 1; sorts the sample, and gives `None` for an empty one or a `q` outside.
pub fn percentile_exact<T: PartialOrd + Copy>(sample: &mut [T], q: f64) -> Option<T> {
    if sample.is_empty() || !(0.0..=1.0).contains(&q) {
        return None;
    }
    sort(sample);
    sample.get(rank(sample.len(), q) - 1).copied()
}

/// Finds the middle of a sample, the mean of the two middle values when their number is even; sorts the sample.
pub fn median(sample: &mut [f64]) -> Option<f64> {
    sort(sample);
    let upper = sample.get(sample.len() / 2).copied()?;
    if sample.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sample.get(sample.len() / 2 - 1).copied()?;
    Some(f64::midpoint(lower, upper))
}

/// Gives the arithmetic mean, without overflow for large values; `None` for an empty sample.
pub fn mean(sample: &[f64]) -> Option<f64> {
    let mut mean = 0.0;
    for (index, value) in sample.iter().enumerate() {
        let count = (index + 1) as f64;
        mean += value / count - mean / count;
    }
    (!sample.is_empty()).then_some(mean)
}

/// Gives the rank `ceil(q * n)`, from 1 to `n`; products a rounding error above a whole number count as that number.
fn rank(count: usize, q: f64) -> usize {
    let exact = q * count as f64;
    let nearest = exact.round();
    let rank = if (exact - nearest).abs() < 1e-9 * nearest.max(1.0) { nearest } else { exact.ceil() };
    (rank as usize).clamp(1, count)
}

fn sort<T: PartialOrd>(sample: &mut [T]) {
    sample.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nearest_rank() {
        let sample = [15.0, 20.0, 35.0, 40.0, 50.0];
        let at = |q| percentile_exact(&mut sample.clone(), q);
        assert_eq!([at(0.05), at(0.3), at(0.4), at(0.5), at(1.0)], [15.0, 20.0, 20.0, 35.0, 50.0].map(Some));
        assert_eq!(at(0.0), Some(15.0));
        assert_eq!((at(-0.1), at(1.1), at(f64::NAN)), (None, None, None));
        assert_eq!(percentile_exact::<f64>(&mut [], 0.5), None);
    }

    #[test]
    fn a_rounding_error_does_not_move_the_rank() {
        let mut sample: Vec<u32> = (1..=100).collect();
        for percent in 1..=100_u32 {
            assert_eq!(percentile_exact(&mut sample, f64::from(percent) / 100.0), Some(percent));
        }
        assert_eq!(percentile_exact(&mut [Duration::from_secs(2), Duration::from_secs(1)], 0.5), Some(Duration::from_secs(1)));
    }

    #[test]
    fn means_and_medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!((median(&mut []), mean(&[])), (None, None));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert!(mean(&[f64::MAX, f64::MAX]).unwrap().is_finite());
    }

    proptest! {
        #[test]
        fn a_percentile_was_measured_and_covers_its_share(mut sample in prop::collection::vec(-1e6..1e6_f64, 1..60), q in 0.0..=1.0_f64) {
            let value = percentile_exact(&mut sample, q).unwrap();
            let covered = sample.iter().filter(|other| **other <= value).count();
            prop_assert!(sample.contains(&value));
            prop_assert!(covered as f64 + 1e-6 >= q * sample.len() as f64);
        }
    }
}
