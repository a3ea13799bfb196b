//! Reads the numbers that thresholds ask for from the attempts of a suite.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::record::attempt::{Attempt, RunFacts};
use crate::record::event::{SuiteThresholds, Threshold};
use crate::record::journal::{JournalError, RunRecord};
use crate::record::thresholds::sample::{NumberSample, SampleValue};
use crate::record::verdict::Verdict;
use crate::suite::thresholds::ThresholdMetric;

/// The samples of a suite's thresholds.
#[derive(Debug)]
pub(super) struct Samples {
    /// Finished attempts: those that were judged.
    pub finished: u64,
    /// Attempts that were not judged, and are in no rate.
    pub unjudged: u64,
    /// One sample for each threshold, in their order.
    pub by_threshold: Vec<NumberSample>,
}

impl Samples {
    /// Reads all attempts of some cases.
    pub fn read(record: &RunRecord, suite: &SuiteThresholds, cases: &[u32]) -> Result<Self, JournalError> {
        let mut samples = Self {
            finished: 0,
            unjudged: 0,
            by_threshold: vec![NumberSample::default(); suite.thresholds.len()],
        };
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
            } else if value != SampleValue::UNKNOWN || attempt.facts.run_id.is_some() {
                // Without a run's id nothing ran, and nothing was used.
                sample.add_unfinished(value);
            }
        }
    }
}

/// What is known of the number that a threshold asks of an attempt.
fn value_of(threshold: &Threshold, attempt: &Attempt) -> SampleValue {
    let facts = &attempt.facts;
    let exact = |value: Option<f64>| SampleValue::of(value.and_then(Decimal::from_f64));
    match threshold.metric {
        ThresholdMetric::PassRate => {
            SampleValue::Exact(Decimal::from(u8::from(attempt.verdict != Verdict::Failed)))
        }
        ThresholdMetric::Latency => exact(facts.latency_ms),
        ThresholdMetric::ServerLatency => exact(facts.server_ms),
        ThresholdMetric::Ttft => exact(facts.ttft_ms),
        ThresholdMetric::Tokens => SampleValue::of(facts.trusted_tokens().map(Decimal::from)),
        ThresholdMetric::Cost => {
            threshold.currency.as_deref().map_or(SampleValue::UNKNOWN, |named| cost(facts, named))
        }
        ThresholdMetric::Steps => SampleValue::of(facts.steps.map(Decimal::from)),
    }
}

/// The price in a currency. What is in another one is not nothing: the price is at least what is in the one named.
fn cost(facts: &RunFacts, currency: &str) -> SampleValue {
    let Some(prices) = facts.prices() else { return SampleValue::UNKNOWN };
    let named = prices.get(currency).copied().unwrap_or_default();
    let is_other = |(name, amount): (&&str, &Decimal)| *name != currency && !amount.is_zero();
    if prices.iter().any(is_other) { SampleValue::AtLeast(named) } else { SampleValue::Exact(named) }
}
