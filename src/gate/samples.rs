//! Reads the numbers that thresholds ask for from the attempts of a suite.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::event::{SuiteThresholds, Threshold};
use crate::gate::sample::Sample;
use crate::journal::{JournalError, RunRecord};
use crate::outcome::{Attempt, Facts};
use crate::suite::thresholds::Metric;
use crate::verdict::Verdict;

/// The samples of a suite's thresholds.
#[derive(Debug)]
pub(super) struct Samples {
    /// Finished attempts: those that were judged.
    pub finished: u64,
    /// One sample for each threshold, in their order.
    pub by_threshold: Vec<Sample>,
}

impl Samples {
    /// Reads all attempts of some cases.
    pub fn read(record: &RunRecord, suite: &SuiteThresholds, cases: &[u32]) -> Result<Self, JournalError> {
        let mut samples = Self { finished: 0, by_threshold: vec![Sample::default(); suite.thresholds.len()] };
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
        for (threshold, sample) in thresholds.iter().zip(&mut self.by_threshold) {
            let value = value_of(threshold, attempt);
            if finished {
                sample.add(value);
            } else if value.is_some() || attempt.facts.run_id.is_some() {
                // Without a run's id nothing ran, and nothing was used.
                sample.add_unfinished(value);
            }
        }
    }
}

/// The number of an attempt that a threshold asks for; none where it is not known.
fn value_of(threshold: &Threshold, attempt: &Attempt) -> Option<Decimal> {
    let facts = &attempt.facts;
    match threshold.metric {
        Metric::PassRate => Some(Decimal::from(u8::from(attempt.verdict != Verdict::Failed))),
        Metric::Latency => facts.latency_ms.and_then(Decimal::from_f64),
        Metric::ServerLatency => facts.server_ms.and_then(Decimal::from_f64),
        Metric::Ttft => facts.ttft_ms.and_then(Decimal::from_f64),
        Metric::Tokens => tokens(facts),
        Metric::Cost => cost(facts, threshold.currency.as_deref()?),
        Metric::Steps => facts.steps.map(Decimal::from),
    }
}

/// The total, unless the nodes do not confirm it and nobody trusts it.
fn tokens(facts: &Facts) -> Option<Decimal> {
    let trusted = facts.usage.as_ref().is_none_or(|doubt| doubt.trusted);
    facts.tokens.filter(|_| trusted).map(Decimal::from)
}

/// The price in a currency. A run with prices in others only is not one that cost nothing.
fn cost(facts: &Facts, currency: &str) -> Option<Decimal> {
    if facts.cost.is_empty() {
        // A run that was rejected, or used no model, cost nothing.
        return (facts.tokens == Some(0) && facts.usage.is_none()).then_some(Decimal::ZERO);
    }
    let mut amounts = facts.cost.iter().filter(|price| price.currency == currency);
    let amount = amounts.next()?.amount.parse().ok();
    amount.filter(|_| amounts.next().is_none())
}
