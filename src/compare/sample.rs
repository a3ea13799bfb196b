//! What the tests of a drift need of each attempt.

use crate::base::stats::energy::Distances;

/// What one attempt showed; what is unknown is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Observation {
    /// Whether it passed; none where it was not judged.
    pub passed: Option<bool>,
    /// Tokens of the run.
    pub tokens: Option<f64>,
    /// Price of the run, in the one currency of both sides.
    pub cost: Option<f64>,
    /// Client clock, milliseconds.
    pub latency: Option<f64>,
    /// Time to the first token, milliseconds.
    pub ttft: Option<f64>,
}

/// One test on both sides, repeat by repeat; the n-th repeats of both sides ran next to each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pair {
    /// The first side's attempts.
    pub a: Vec<Observation>,
    /// The second side's attempts.
    pub b: Vec<Observation>,
    /// How far the outputs are from one another, those of `a` first; none where a side has none.
    pub outputs: Option<Distances>,
}

impl Pair {
    /// How often the side that ran less ran.
    pub fn repeats(&self) -> usize {
        self.a.len().min(self.b.len())
    }
}
