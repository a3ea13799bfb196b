//! Corrections for looking at many tests at once.

/// Adjusts `p` values so that the chance of any false alarm among them stays below the level.
///
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
pub(crate) fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut highest = 0.0_f64;
    for (rank, index) in order.iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        highest = highest.max((p_values[*index] * left).min(1.0));
        adjusted[*index] = highest;
    }
    adjusted
}

/// Adjusts `p` values so that of those below the level no larger share than the level is expected to be false.
///
/// Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57, 1995.
pub(crate) fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut lowest = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        lowest = lowest.min(p_values[*index] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[*index] = lowest;
    }
    adjusted
}

/// The places of the values, smallest first.
fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: name of the method, then as many `p` values as adjusted ones.
    #[test]
    fn agrees_with_scipy_and_statsmodels() {
        let rows = include_str!("../../../tests/data/stats/multiple.csv").lines();
        for row in rows.filter(|row| !row.starts_with('#')) {
            let (method, cells) = row.split_once(',').unwrap();
            let cells: Vec<f64> = cells.split(',').map(|cell| cell.parse().unwrap()).collect();
            let (given, expected) = cells.split_at(cells.len() / 2);
            let found = if method == "holm" { holm(given) } else { benjamini_hochberg(given) };
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{row}: {found}");
            }
        }
    }

    #[test]
    fn nothing_is_adjusted_to_nothing() {
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
        assert_eq!(holm(&[0.03]), [0.03]);
    }
}
