//! What is compared, and on which scale.

/// The interval that is reported.
pub(super) const CONFIDENCE: f64 = 0.95;
/// A measure of nothing on one side counts as this many times less, so that the change from free to paid is not lost.
pub(super) const MOST: f64 = 1000.0;

/// What is measured on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum CompareMetric {
    /// The share of attempts that pass.
    PassRate,
    /// Tokens of a run.
    Tokens,
    /// Price of a run.
    Cost,
    /// Time from request to ending.
    Latency,
    /// Time to the first token.
    Ttft,
}

impl CompareMetric {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [Self::PassRate, Self::Tokens, Self::Cost, Self::Latency, Self::Ttft];

    /// Its key in the project file.
    pub fn key(self) -> &'static str {
        match self {
            Self::PassRate => "pass_rate",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Ttft => "ttft",
        }
    }
}
