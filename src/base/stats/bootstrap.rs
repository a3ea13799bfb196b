//! How far a mean could be off: the bootstrap's percentile interval.

use super::Draws;

/// Gives the interval of the mean of all values that holds the true one with `confidence`.
///
/// Values are resampled within their stratum (a case's repeats), so that cases which differ in size do not widen it; where a
/// stratum has a single value all are resampled together. None below two values.
/// B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3 and 8.3.
pub(crate) fn interval_of_mean(strata: &[Vec<f64>], confidence: f64, draws: Draws) -> Option<(f64, f64)> {
    let count: usize = strata.iter().map(Vec::len).sum();
    if count < 2 || draws.count == 0 {
        return None;
    }
    let pooled: Vec<Vec<f64>>;
    let strata = if strata.iter().any(|stratum| stratum.len() == 1) {
        pooled = vec![strata.concat()];
        &pooled
    } else {
        strata
    };
    let mut random = fastrand::Rng::with_seed(draws.seed);
    let mut means: Vec<f64> =
        (0..draws.count).map(|_| resampled(strata, &mut random) / count as f64).collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some((quantile(&means, tail), quantile(&means, 1.0 - tail)))
}

/// The sum of as many values as there are, drawn with replacement.
fn resampled(strata: &[Vec<f64>], random: &mut fastrand::Rng) -> f64 {
    let draw = |stratum: &Vec<f64>, random: &mut fastrand::Rng| -> f64 {
        (0..stratum.len()).map(|_| stratum[random.usize(..stratum.len())]).sum()
    };
    strata.iter().filter(|stratum| !stratum.is_empty()).map(|stratum| draw(stratum, random)).sum()
}

/// The value below which this share lies, by rank.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * (sorted.len() - 1) as f64).round() as usize;
    sorted[rank.min(sorted.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws { count: 9_999, seed: 3 };

    /// Rows: the interval's ends by `scipy.stats.bootstrap(method="percentile")`, then the values.
    #[test]
    fn agrees_with_scipy() {
        for row in include_str!("../../../tests/data/stats/bootstrap.csv")
            .lines()
            .filter(|row| !row.starts_with('#'))
        {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [low, high, ref values @ ..] = cells[..] else { panic!("{row}") };
            let (found_low, found_high) = interval_of_mean(&[values.to_vec()], 0.95, DRAWS).unwrap();
            // Both are drawn: 2 % of the width is four times the error of an end at 9,999 draws.
            let error = 0.04 * (high - low);
            assert!(
                (found_low - low).abs() < error && (found_high - high).abs() < error,
                "{row}: {found_low} {found_high}"
            );
        }
    }

    #[test]
    fn cases_of_another_size_do_not_widen_it() {
        let strata = [vec![1.0, 1.1, 0.9, 1.0], vec![9.0, 9.1, 8.9, 9.0]];
        let (low, high) = interval_of_mean(&strata, 0.95, DRAWS).unwrap();
        assert!(low > 4.9 && high < 5.1, "{low} {high}");
        let (low, high) = interval_of_mean(&[strata.concat()], 0.95, DRAWS).unwrap();
        assert!(low < 4.0 && high > 6.0, "{low} {high}");
    }

    #[test]
    fn one_value_has_no_interval() {
        assert_eq!(interval_of_mean(&[vec![1.0]], 0.95, DRAWS), None);
        assert_eq!(interval_of_mean(&[], 0.95, DRAWS), None);
        assert_eq!(interval_of_mean(&[vec![2.0], vec![2.0]], 0.95, DRAWS), Some((2.0, 2.0)));
    }
}
