//! How far a sum of many could be off: its standard error within strata, and the interval that follows.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The error of a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SumError {
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom of that.
    pub freedom: f64,
}

impl SumError {
    /// The error of the sum of all values, by their variance within strata (a test's repeats), so that tests which differ in
    /// size do not widen it.
    ///
    /// The variance of each stratum divides by its values less one: that of a bootstrap within few values is too small by
    /// just this factor, B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, 5.3 and 6.5. Stratified sums:
    /// W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, 5.5. Degrees of freedom: F. E. Satterthwaite, "An approximate
    /// distribution of estimates of variance components", Biometrics Bulletin 2, 1946, 110-114.
    /// Single values have no variance of their own: they are one stratum together, and where there is but one of them all are.
    /// None below two values.
    pub fn of_sum(strata: &[Vec<f64>]) -> Option<Self> {
        let (single, mut repeated): (Vec<_>, Vec<_>) =
            strata.iter().cloned().partition(|stratum| stratum.len() < 2);
        let single = single.concat();
        let strata = match single.len() {
            0 => repeated,
            1 => vec![strata.concat()],
            _ => {
                repeated.push(single);
                repeated
            }
        };
        let (mut variance, mut squares) = (0.0, 0.0);
        for stratum in &strata {
            let count = stratum.len() as f64;
            if stratum.len() < 2 {
                return None;
            }
            let mean = stratum.iter().sum::<f64>() / count;
            let scatter: f64 = stratum.iter().map(|value| (value - mean).powi(2)).sum();
            let of_stratum = count * scatter / (count - 1.0);
            variance += of_stratum;
            squares += of_stratum * of_stratum / (count - 1.0);
        }
        let freedom = if squares > 0.0 { variance * variance / squares } else { 1.0 };
        (!strata.is_empty() && variance.is_finite()).then_some(Self { error: variance.sqrt(), freedom })
    }

    /// Half the width of the two-sided interval of the sum: Student's quantile times the error.
    pub fn half_width(self, confidence: f64) -> f64 {
        if self.error == 0.0 {
            return 0.0;
        }
        let student = StudentsT::new(0.0, 1.0, self.freedom.max(1.0)).expect("its scale is 1");
        student.inverse_cdf(0.5 + confidence / 2.0) * self.error
    }
}

/// The chance with which a plan is to find what it looks for.
const POWER: f64 = 0.8;

/// By how much more values a one-sided test at `level` would find what these show, in four of five cases; `None` where they
/// show nothing above 0.
///
/// The normal approximation, J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, 12.1.
pub(crate) fn times_as_many(values: &[f64], level: f64) -> Option<f64> {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    let SumError { error, .. } = SumError::of_sum(&[values.to_vec()])?;
    if sum <= 0.0 || !(level > 0.0 && level < 1.0) || count == 0.0 {
        return None;
    }
    let normal = Normal::standard();
    let wanted = normal.inverse_cdf(1.0 - level) + normal.inverse_cdf(POWER);
    let times = (wanted * error / sum).powi(2);
    times.is_finite().then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: the interval of the mean by SciPy, `scipy.stats.t.interval`, then the values; strata lie between `|`.
    #[test]
    fn agrees_with_scipy() {
        let rows = include_str!("../../../tests/data/stats/intervals.csv").lines();
        let mut count = 0;
        for row in rows.filter(|row| !row.starts_with('#')) {
            let (ends, values) = row.split_once(';').unwrap();
            let ends: Vec<f64> = ends.split(',').map(|cell| cell.parse().unwrap()).collect();
            let strata: Vec<Vec<f64>> = values
                .split('|')
                .map(|stratum| stratum.split(',').map(|cell| cell.parse().unwrap()).collect())
                .collect();
            let all = strata.concat();
            let half = SumError::of_sum(&strata).unwrap().half_width(0.95) / all.len() as f64;
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            assert!(
                (mean - half - ends[0]).abs() < 1e-9 && (mean + half - ends[1]).abs() < 1e-9,
                "{row}: {mean} {half}"
            );
            count += 1;
        }
        assert!(count >= 8);
    }

    #[test]
    fn tests_of_another_size_do_not_widen_it() {
        let strata = [vec![1.0, 1.1, 0.9, 1.0], vec![9.0, 9.1, 8.9, 9.0]];
        let narrow = SumError::of_sum(&strata).unwrap();
        let wide = SumError::of_sum(&[strata.concat()]).unwrap();
        assert!(narrow.error * 10.0 < wide.error, "{narrow:?} {wide:?}");
        let single = SumError::of_sum(&[vec![1.0, 2.0], vec![9.0]]).unwrap();
        assert_eq!(single, SumError::of_sum(&[vec![1.0, 2.0, 9.0]]).unwrap());
    }

    #[test]
    fn one_value_has_no_error_that_is_known() {
        assert_eq!(SumError::of_sum(&[vec![1.0]]), None);
        assert_eq!(SumError::of_sum(&[]), None);
        let equal = SumError::of_sum(&[vec![2.0], vec![2.0]]).unwrap();
        assert_eq!((equal, equal.half_width(0.95)), (SumError { error: 0.0, freedom: 1.0 }, 0.0));
    }

    #[test]
    fn what_is_near_nothing_takes_many_more() {
        let far = times_as_many(&[1.0, 2.0, 3.0, 2.0], 0.05).unwrap();
        let near = times_as_many(&[-1.0, 0.2, 1.0, 0.2], 0.05).unwrap();
        assert!(far < 1.0 && near > 10.0, "{far} {near}");
        assert_eq!(times_as_many(&[-1.0, -2.0], 0.05), None);
        assert_eq!(times_as_many(&[1.0], 0.05), None);
        assert_eq!(times_as_many(&[-1.0, 1.0], 0.05), None, "nothing above 0");
        for level in [-1.0, 0.0, 1.0, 2.0, f64::NAN] {
            assert_eq!(times_as_many(&[1.0, 2.0], level), None, "{level} is no level");
        }
        // z at 0.95 and 0.8: 1.6449 + 0.8416.
        let exact = times_as_many(&[0.0, 2.0], 0.05).unwrap();
        assert!((exact - (2.486_475 * 2.0 / 2.0_f64).powi(2)).abs() < 1e-4, "{exact}");
    }
}
