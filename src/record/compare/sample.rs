//! What the tests of a drift need of each attempt.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::base::stats::energy::Distances;

/// What one attempt showed; what is unknown is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Observation {
    /// Whether it passed; `None` where it was not judged.
    pub passed: Option<bool>,
    /// Tokens of the run.
    pub tokens: Option<u64>,
    /// Price of the run, by currency; empty where it cost nothing.
    pub prices: Option<BTreeMap<String, Decimal>>,
    /// Client clock, milliseconds.
    pub latency: Option<f64>,
    /// Time to the first token, milliseconds.
    pub ttft: FirstToken,
    /// When it was sent, milliseconds since its run started.
    pub sent: f64,
}

/// Time to the first token.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum FirstToken {
    /// There was none, as without a model.
    #[default]
    Absent,
    /// It is not known, as of a run that was lost and found again.
    Unknown,
    /// Milliseconds.
    Known(f64),
}

/// One test on both sides, repeat by repeat; the n-th repeats of both sides ran next to each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TestPair {
    /// The first side's attempts.
    pub a: Vec<Observation>,
    /// The second side's attempts.
    pub b: Vec<Observation>,
    /// How far the outputs are from one another, those of `a` first; `None` where a side has none.
    pub outputs: Option<Distances>,
    /// The answers of both sides in the order in which they were given, by number: the same answer has the same number.
    pub answers: [Vec<u32>; 2],
}

impl TestPair {
    /// How often the side that ran less ran.
    pub fn repeats(&self) -> usize {
        self.a.len().min(self.b.len())
    }
}
