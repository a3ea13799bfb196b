//! Reads the numbers that thresholds ask for from the attempts of a suite.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::event::{SuiteThresholds, Threshold};
use crate::gate::sample::{Reading, Sample};
use crate::journal::{JournalError, RunRecord};
use crate::outcome::{Attempt, Facts};
use crate::suite::thresholds::Metric;
use crate::verdict::Verdict;

/// The samples of a suite's thresholds.
#[derive(Debug)]
pub(super) struct Samples {
    /// Finished attempts: those that were judged.
    pub finished: u64,
    /// Attempts that were not judged, and are in no rate.
    pub unjudged: u64,
    /// One sample for each threshold, in their order.
    pub by_threshold: Vec<Sample>,
}

impl Samples {
    /// Reads all attempts of some cases.
    pub fn read(record: &RunRecord, suite: &SuiteThresholds, cases: &[u32]) -> Result<Self, JournalError> {
        let mut samples =
            Self { finished: 0, unjudged: 0, by_threshold: vec![Sample::default(); suite.thresholds.len()] };
        record.read_cases(cases, |case, _| {
            case.attempts.iter().for_each(|attempt| samples.add(&suite.thresholds, attempt));
        })?;
        Ok(samples)
    }

    fn add(&mut self, thresholds: &[Threshold], attempt: &Attempt) {
        let finished = match attempt.verdict {
            Verdict::Passed | Verdict::Failed | Verdict::Flaky => true,
            Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => false,
        };
        self.finished += u64::from(finished);
        self.unjudged += u64::from(!finished);
        for (threshold, sample) in thresholds.iter().zip(&mut self.by_threshold) {
            let value = value_of(threshold, attempt);
            if finished {
                sample.add(value);
            } else if value != Reading::UNKNOWN || attempt.facts.run_id.is_some() {
                // Without a run's id nothing ran, and nothing was used.
                sample.add_unfinished(value);
            }
        }
    }
}

/// What is known of the number that a threshold asks of an attempt.
fn value_of(threshold: &Threshold, attempt: &Attempt) -> Reading {
    let facts = &attempt.facts;
    let exact = |value: Option<f64>| Reading::of(value.and_then(Decimal::from_f64));
    match threshold.metric {
        Metric::PassRate => Reading::Exact(Decimal::from(u8::from(attempt.verdict != Verdict::Failed))),
        Metric::Latency => exact(facts.latency_ms),
        Metric::ServerLatency => exact(facts.server_ms),
        Metric::Ttft => exact(facts.ttft_ms),
        Metric::Tokens => Reading::of(facts.trusted_tokens().map(Decimal::from)),
        Metric::Cost => threshold.currency.as_deref().map_or(Reading::UNKNOWN, |named| cost(facts, named)),
        Metric::Steps => Reading::of(facts.steps.map(Decimal::from)),
    }
}

/// The price in a currency. What is in another one is not nothing: the price is at least what is in the one named.
fn cost(facts: &Facts, currency: &str) -> Reading {
    let Some(prices) = facts.prices() else { return Reading::UNKNOWN };
    let named = prices.get(currency).copied().unwrap_or_default();
    let is_other = |(name, amount): (&&str, &Decimal)| *name != currency && !amount.is_zero();
    if prices.iter().any(is_other) { Reading::AtLeast(named) } else { Reading::Exact(named) }
}
