//! The interval in which a rate lies of which some trials are known.

use statrs::distribution::{ContinuousCDF, Normal};

/// Where a rate lies, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// Wilson's score interval of a rate, two-sided; `None` without a trial.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212.
pub(crate) fn wilson(successes: u32, trials: u32, confidence: f64) -> Option<Interval> {
    if trials == 0 || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let normal = Normal::standard();
    let z = normal.inverse_cdf(0.5 + confidence / 2.0);
    let (n, successes) = (f64::from(trials), f64::from(successes.min(trials)));
    let rate = successes / n;
    let scale = 1.0 + z * z / n;
    let centre = (rate + z * z / (2.0 * n)) / scale;
    let spread = z / scale * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
    // At the ends the formula is exact, but its rounding is not.
    let low = if successes == 0.0 { 0.0 } else { (centre - spread).max(0.0) };
    let high = if successes == n { 1.0 } else { (centre + spread).min(1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_scipy() {
        let table = include_str!("../../../tests/data/stats/wilson.csv");
        let mut rows = 0;
        for line in table.lines().skip(1) {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [successes, trials, confidence, low, high] = cells[..] else { panic!("{line}") };
            let found = wilson(successes as u32, trials as u32, confidence).unwrap();
            assert!((found.low - low).abs() < 1e-9, "{line}: {found:?}");
            assert!((found.high - high).abs() < 1e-9, "{line}: {found:?}");
            rows += 1;
        }
        assert!(rows >= 30);
    }

    #[test]
    fn without_a_trial_there_is_no_interval() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!((wilson(1, 2, 0.0), wilson(1, 2, 1.0)), (None, None));
        assert_eq!(wilson(1, 2, f64::NAN), None);
    }
}
