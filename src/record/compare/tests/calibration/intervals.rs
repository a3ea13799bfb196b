//! Intervals that hold what their name says: how often the true change lies in them.

use fastrand::Rng;
use rayon::prelude::*;

use rust_decimal::Decimal;

use super::{assert_documented, normal};
use crate::record::compare::paired::{MeasuredTests, PairedMeasure};
use crate::record::compare::totals;
use crate::record::compare::typical;

/// The tests and repeats that are looked at, and how many experiments: 2,000 leave a standard error of half a point.
const SIZES: [(usize, usize, u64); 3] = [(20, 5, 2_000), (30, 2, 500), (6, 2, 500)];
/// From this many tests and repeats on an interval is promised to be within two points of its name.
const PROMISED: (usize, usize) = (20, 5);

/// How runs scatter around the middle of their test, whose mean is 1.
#[derive(Debug, Clone, Copy)]
enum Scatter {
    Normal,
    Lognormal,
    Uniform,
    Exponential,
    HeavyTails,
}

const SCATTERS: [(Scatter, &str); 5] = [
    (Scatter::Normal, "normal, 10 %"),
    (Scatter::Lognormal, "lognormal, 25 %"),
    (Scatter::Uniform, "uniform, ±50 %"),
    (Scatter::Exponential, "half fixed, half exponential"),
    (Scatter::HeavyTails, "heavy tails: one run in ten takes tenfold"),
];

impl Scatter {
    fn draw(self, random: &mut Rng) -> f64 {
        match self {
            Self::Normal => (1.0 + 0.1 * normal(random)).max(0.01),
            Self::Lognormal => (0.25 * normal(random) - 0.25 * 0.25 / 2.0).exp(),
            Self::Uniform => 0.5 + random.f64(),
            Self::Exponential => 0.5 - 0.5 * (1.0 - random.f64()).ln(),
            Self::HeavyTails => {
                (if random.f64() < 0.1 { 10.0 } else { 1.0 }) / 1.9 * (0.1 * normal(random)).exp()
            }
        }
    }
}

/// Both sides are alike but for 20 % more on the second: whether the intervals of the total and of the typical run hold that.
fn experiment(scatter: Scatter, (tests, repeats): (usize, usize), seed: u64) -> [bool; 2] {
    let mut random = Rng::with_seed(seed);
    let mut measured = MeasuredTests::default();
    for _ in 0..tests {
        let size = 30_000.0 * (1.5 * random.f64()).exp();
        let mut run = |factor: f64| Decimal::from((size * factor * scatter.draw(&mut random)).round() as u64);
        let pair = |_| PairedMeasure { a: Some(run(1.0)), b: Some(run(1.2)), at: 0.0 };
        measured.tests.push((0..repeats).map(pair).collect());
    }
    let holds = |(low, high): (f64, f64)| low <= 0.2 && 0.2 <= high;
    [totals::interval(&measured).is_some_and(holds), typical::interval(&measured).is_some_and(holds)]
}

fn coverage(scatter: Scatter, (tests, repeats, experiments): (usize, usize, u64)) -> [f64; 2] {
    let sums = (0..experiments)
        .into_par_iter()
        .map(|seed| experiment(scatter, (tests, repeats), seed).map(u64::from))
        .reduce(|| [0; 2], |one, other| [one[0] + other[0], one[1] + other[1]]);
    sums.map(|sum| sum as f64 / experiments as f64)
}

#[test]
fn intervals_hold_what_their_name_says() {
    let mut table = String::from("| runs scatter |");
    for (tests, repeats, _) in SIZES {
        table.push_str(&format!(" {tests} tests × {repeats} |"));
    }
    table.push_str(&format!("\n| --- |{}\n", " --- |".repeat(SIZES.len())));
    for (scatter, told) in SCATTERS {
        table.push_str(&format!("| {told} |"));
        for size in SIZES {
            let [totals, typical] = coverage(scatter, size);
            table.push_str(&format!(" {:.1} %, {:.1} % |", 100.0 * totals, 100.0 * typical));
            let is_promised = size.0 >= PROMISED.0 && size.1 >= PROMISED.1;
            for found in [totals, typical] {
                let error = 2.0 * (0.95_f64 * 0.05 / size.2 as f64).sqrt();
                let is_near = (found - 0.95).abs() <= 0.02;
                let is_kept = if is_promised { is_near } else { found >= 0.95 - error };
                assert!(is_kept, "{told} {size:?}: {found}");
            }
        }
        table.push('\n');
    }
    assert_documented(&table);
}
