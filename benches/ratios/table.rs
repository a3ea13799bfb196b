//! Medians, ranges and the printed table.

use crate::contest::Setting;
use crate::figures::Scale;

/// The value below which a share of sorted values lies (nearest rank); 0 if there are none.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).saturating_sub(1)).copied().unwrap_or(0.0)
}

/// What the rounds gave for one quantity.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// Median (of an even number: the mean of the middle two), least and most of the rounds.
    pub fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = rounds.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
            return Self { median: f64::NAN, min: f64::NAN, max: f64::NAN };
        };
        let middle = values.len() / 2;
        let lower = if values.len().is_multiple_of(2) { values[middle - 1] } else { values[middle] };
        Self { median: f64::midpoint(lower, values[middle]), min, max }
    }

    fn text(self, decimals: usize) -> String {
        let Self { median, min, max } = self;
        format!("{median:.decimals$} ({min:.decimals$}–{max:.decimals$})")
    }
}

/// What a figure has to reach.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// The median of the judged column is no less.
    AtLeast(f64),
    /// The median of the judged column is no more.
    AtMost(f64),
    /// It is shown for what it tells, and not judged.
    Shown,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured, with its unit.
    pub name: String,
    /// Digits after the point of flowproof's and the yardstick's columns.
    pub decimals: usize,
    /// flowproof's figure.
    pub flowproof: Spread,
    /// The yardstick's, where there is one.
    pub yardstick: Option<Spread>,
    /// What the goal judges: a ratio or a difference taken round by round, or flowproof's own figure again.
    pub judged: Spread,
    /// The goal.
    pub goal: Goal,
}

impl Row {
    /// Whether the median reaches the goal; what is not a number does not.
    pub fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtLeast(bound) => self.judged.median >= bound,
            Goal::AtMost(bound) => self.judged.median <= bound,
            Goal::Shown => true,
        }
    }
}

/// Prints what holds for all figures, and the head of the table.
pub fn print_head(setting: &Setting, scale: Scale) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("flowproof: {}", setting.flowproof.display());
    println!("{} rounds, {} answers, {cores} cores; median (min–max)", setting.rounds, setting.mode.word());
    if scale == Scale::Quick {
        println!("--quick: these are not the sizes of the goals, and no goal is judged");
    }
    println!();
    println!("| figure | flowproof | yardstick | judged | goal | |");
    println!("| --- | --- | --- | --- | --- | --- |");
}

/// Prints a line of the table.
pub fn print_row(row: &Row, scale: Scale) {
    let goal = match row.goal {
        Goal::AtLeast(bound) => format!("≥ {bound}"),
        Goal::AtMost(bound) => format!("≤ {bound}"),
        Goal::Shown => "–".to_owned(),
    };
    let met = match (scale, row.goal, row.is_met()) {
        (Scale::Quick, _, _) | (Scale::Full, Goal::Shown, _) => "",
        (Scale::Full, Goal::AtLeast(_) | Goal::AtMost(_), true) => "met",
        (Scale::Full, Goal::AtLeast(_) | Goal::AtMost(_), false) => "MISSED",
    };
    println!(
        "| {} | {} | {} | {} | {goal} | {met} |",
        row.name,
        row.flowproof.text(row.decimals),
        row.yardstick.map_or_else(|| "–".to_owned(), |spread| spread.text(row.decimals)),
        row.judged.text(2),
    );
}
