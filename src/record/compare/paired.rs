//! A measure of both sides, pair by pair, and which pairs lack it on which side.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::record::compare::metric::CompareMetric;
use crate::record::compare::sample::{FirstToken, Observation, TestPair};

/// How many pairs lack a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MissingPairs {
    /// On the first side alone.
    pub a: usize,
    /// On the second side alone.
    pub b: usize,
    /// On both.
    pub both: usize,
}

impl MissingPairs {
    /// All of them.
    pub fn pairs(self) -> usize {
        self.a + self.b + self.both
    }
}

/// What a pair of repeats has of a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PairedMeasure {
    /// The first side's; `None`: not known.
    pub a: Option<Decimal>,
    /// The second side's.
    pub b: Option<Decimal>,
    /// When the first side's was sent, milliseconds since its run started.
    pub at: f64,
}

impl PairedMeasure {
    /// Both sides, where they are known.
    pub fn both(&self) -> Option<(Decimal, Decimal)> {
        self.a.zip(self.b)
    }
}

/// A measure of all tests: the pairs of each.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MeasuredTests {
    /// Test by test, repeat by repeat.
    pub tests: Vec<Vec<PairedMeasure>>,
}

impl MeasuredTests {
    /// The pairs that have the measure, or lack what they should have; a price in one currency.
    pub fn of(metric: CompareMetric, currency: Option<&str>, pairs: &[TestPair]) -> Self {
        let paired = |pair: &TestPair| -> Vec<PairedMeasure> {
            let both = pair.a.iter().zip(&pair.b);
            both.filter_map(|(a, b)| {
                let (in_a, in_b) = (measured(metric, currency, a), measured(metric, currency, b));
                // What neither side should have is not missing.
                let is_there = in_a != Value::Absent || in_b != Value::Absent;
                is_there.then(|| PairedMeasure { a: in_a.known(), b: in_b.known(), at: a.sent })
            })
            .collect()
        };
        Self { tests: pairs.iter().map(paired).filter(|test| !test.is_empty()).collect() }
    }

    /// All pairs.
    pub fn pairs(&self) -> impl Iterator<Item = &PairedMeasure> {
        self.tests.iter().flatten()
    }

    /// How many pairs know both sides.
    pub fn known(&self) -> usize {
        self.pairs().filter(|pair| pair.both().is_some()).count()
    }

    /// How many tests have a pair that does.
    pub fn cases(&self) -> usize {
        self.tests.iter().filter(|test| test.iter().any(|pair| pair.both().is_some())).count()
    }

    /// How many tests have the measure on one side only.
    pub fn one_sided(&self) -> usize {
        let is_one_sided = |test: &&Vec<PairedMeasure>| {
            let knows = |pair: &PairedMeasure| pair.a.is_some() || pair.b.is_some();
            test.iter().any(knows) && test.iter().all(|pair| pair.both().is_none())
        };
        self.tests.iter().filter(is_one_sided).count()
    }

    /// The pairs that lack it.
    pub fn missing(&self) -> MissingPairs {
        let mut missing = MissingPairs::default();
        for pair in self.pairs() {
            match (pair.a, pair.b) {
                (Some(_), Some(_)) => {}
                (None, Some(_)) => missing.a += 1,
                (Some(_), None) => missing.b += 1,
                (None, None) => missing.both += 1,
            }
        }
        missing
    }
}

/// The currencies in which a run of either side cost something.
pub(super) fn currencies(pairs: &[TestPair]) -> BTreeSet<String> {
    let seen = pairs.iter().flat_map(|pair| pair.a.iter().chain(&pair.b));
    let prices = seen.flat_map(|seen| seen.prices.iter().flatten());
    prices.filter(|(_, amount)| !amount.is_zero()).map(|(currency, _)| currency.clone()).collect()
}

/// What an attempt has of a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Known(Decimal),
    Unknown,
    /// There is nothing to know.
    Absent,
}

impl Value {
    fn of(value: Option<Decimal>) -> Self {
        value.filter(|value| !value.is_sign_negative()).map_or(Self::Unknown, Self::Known)
    }

    fn known(self) -> Option<Decimal> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Absent => None,
        }
    }
}

fn measured(metric: CompareMetric, currency: Option<&str>, seen: &Observation) -> Value {
    match metric {
        CompareMetric::PassRate => Value::Absent,
        CompareMetric::Tokens => Value::of(seen.tokens.map(Decimal::from)),
        // Where the prices of a run are known, what is not among them is nothing.
        CompareMetric::Cost => {
            Value::of(seen.prices.as_ref().map(|prices| {
                currency.and_then(|currency| prices.get(currency).copied()).unwrap_or_default()
            }))
        }
        CompareMetric::Latency => Value::of(seen.latency.and_then(Decimal::from_f64)),
        CompareMetric::Ttft => match seen.ttft {
            FirstToken::Absent => Value::Absent,
            FirstToken::Unknown => Value::Unknown,
            FirstToken::Known(ms) => Value::of(Decimal::from_f64(ms)),
        },
    }
}
