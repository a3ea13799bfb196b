//! The gates of a run: what the attempts of each suite come to together, compared with the suite's thresholds.
//!
//! One pure function over the record, so that a run, a report of it and a merge of its shards cannot disagree.

mod conclusion;
mod sample;
mod samples;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use crate::base::plural::{counted, plural};
use crate::base::units::format_count;
use crate::record::event::{SuiteThresholds, Threshold};
use crate::record::journal::{JournalError, RunRecord};
use crate::record::thresholds::sample::{LEAST_OF_MEDIAN, NumberSample, StatisticRange};
use crate::record::thresholds::samples::Samples;
use crate::record::verdict::Truth;
use crate::suite::thresholds::{Statistic, ThresholdMetric};

pub(crate) use conclusion::{RunConclusion, ending};

/// The thresholds of a run, judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ThresholdGates {
    /// Each threshold, suite by suite as they are recorded.
    pub judged: Vec<ThresholdGate>,
}

/// One threshold of one suite, judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThresholdGate {
    /// The suite's name.
    pub suite: String,
    /// What was asked.
    pub threshold: Threshold,
    /// Whether it holds.
    pub truth: Truth,
    /// The statistic over what is known; `None` where nothing is.
    pub actual: Option<Decimal>,
    /// The sample: finished attempts of the suite.
    pub attempts: u64,
    /// Those of them whose number is not known.
    pub unknown: u64,
    /// Attempts of the suite that were not judged: no rate counts them.
    pub unjudged: u64,
    /// Tests of the suite that have no result here, because they were not selected.
    pub left_out: u32,
    /// Why it is broken or undecided, or how well it holds, in one sentence.
    pub message: String,
}

/// Judges the thresholds of all suites that have a result in the record.
pub(crate) fn judge(record: &RunRecord) -> Result<ThresholdGates, JournalError> {
    // What a part of the tests comes to says nothing of the whole: the merged run is judged.
    if record.start.shard.is_some_and(|shard| shard.total > 1) {
        return Ok(ThresholdGates::default());
    }
    let mut judged = Vec::new();
    for suite in &record.start.thresholds {
        let cases = record.cases_in(&suite.suite);
        if !cases.is_empty() {
            judge_suite(record, suite, &cases, &mut judged)?;
        }
    }
    Ok(ThresholdGates { judged })
}

impl ThresholdGates {
    /// The first threshold that failed.
    pub fn broken(&self) -> Option<&ThresholdGate> {
        self.judged.iter().find(|gate| gate.truth == Truth::Broken)
    }

    /// The first threshold that could not be decided, though the whole suite was run.
    pub fn undecided(&self) -> Option<&ThresholdGate> {
        self.judged.iter().find(|gate| gate.truth == Truth::Undecided && gate.is_red())
    }
}

impl ThresholdGate {
    /// True where it turns the build red. What a part of a suite cannot decide is reported and left to a run of the whole.
    pub fn is_red(&self) -> bool {
        match self.truth {
            Truth::Held => false,
            Truth::Broken => true,
            Truth::Undecided => self.left_out == 0,
        }
    }

    /// `latency p95`.
    pub fn subject(&self) -> String {
        let word = self.threshold.metric.word();
        match self.threshold.statistic {
            Statistic::Share => word.to_owned(),
            Statistic::Mean
            | Statistic::Min
            | Statistic::Max
            | Statistic::Total
            | Statistic::Median
            | Statistic::Percentile(_) => format!("{word} {}", self.threshold.statistic),
        }
    }

    /// `triage: latency p95 must be at most 15.00 s`.
    pub fn title(&self) -> String {
        let Threshold { comparison, .. } = self.threshold;
        let limit = self.show(self.threshold.limit);
        format!("{}: {} must be {} {limit}", self.suite, self.subject(), comparison.words())
    }

    /// A value of its kind for people.
    pub fn show(&self, value: Decimal) -> String {
        self.threshold.metric.show(value, self.threshold.currency.as_deref())
    }

    fn explain(&self) -> String {
        let sample = self.sample_text();
        match (self.truth, self.actual) {
            (Truth::Held, Some(actual)) => format!("it is {} over {sample}", self.show(actual)),
            (Truth::Broken, Some(actual)) => {
                let limit = self.threshold.limit;
                let (gap, side) =
                    if actual > limit { (actual - limit, "over") } else { (limit - actual, "under") };
                let by =
                    if gap.is_zero() { String::new() } else { format!(", {} {side}", self.show_gap(gap)) };
                format!("it is {}{by} ({sample})", self.show(actual))
            }
            (Truth::Held | Truth::Broken, None) => sample,
            (Truth::Undecided, _) => self.why_undecided(&sample),
        }
    }

    /// How far a value lies from another: of shares, in percentage points.
    fn show_gap(&self, gap: Decimal) -> String {
        match self.threshold.metric {
            ThresholdMetric::PassRate => {
                let points = (gap * Decimal::ONE_HUNDRED).round_dp(1).normalize();
                format!("{points} {}", plural(points, "point", "points"))
            }
            ThresholdMetric::Latency
            | ThresholdMetric::ServerLatency
            | ThresholdMetric::Ttft
            | ThresholdMetric::Tokens
            | ThresholdMetric::Cost
            | ThresholdMetric::Steps => self.show(gap),
        }
    }

    fn why_undecided(&self, sample: &str) -> String {
        let needed = needed(self.threshold.statistic);
        let cause = if self.attempts == 0 {
            "no attempt of the suite finished".to_owned()
        } else if self.attempts < needed {
            let runs = format_count(needed);
            format!(
                "a {} takes {runs} finished attempts, there {}",
                self.threshold.statistic,
                are(self.attempts)
            )
        } else if self.unknown > 0 {
            let number = match &self.threshold.currency {
                Some(currency) => format!("the whole price in {currency}"),
                None => "the number".to_owned(),
            };
            format!("{number} is not known for {} of {sample}", format_count(self.unknown))
        } else {
            "what an attempt used that did not finish is not known".to_owned()
        };
        match self.left_out {
            0 => format!("not decided: {cause}"),
            left => format!("not decided: {cause}; {} left out of the suite", tests(left)),
        }
    }

    fn sample_text(&self) -> String {
        let judged = counted(self.attempts, "attempt");
        match (self.threshold.metric, self.unjudged) {
            (ThresholdMetric::PassRate, 1) => format!("{judged}; 1 more was not judged"),
            (ThresholdMetric::PassRate, unjudged) if unjudged > 0 => {
                format!("{judged}; {} more were not judged", format_count(unjudged))
            }
            _ => judged,
        }
    }
}

fn are(count: u64) -> String {
    format!("{} {}", plural(count, "is", "are"), format_count(count))
}

fn tests(count: u32) -> String {
    format!("{} {}", counted(count, "test"), plural(count, "was", "were"))
}

/// How many attempts a statistic takes to be one.
fn needed(statistic: Statistic) -> u64 {
    match statistic {
        Statistic::Percentile(percentile) => percentile.least_values(),
        Statistic::Median => LEAST_OF_MEDIAN,
        Statistic::Share | Statistic::Mean | Statistic::Min | Statistic::Max | Statistic::Total => 1,
    }
}

fn judge_suite(
    record: &RunRecord,
    suite: &SuiteThresholds,
    cases: &[u32],
    judged: &mut Vec<ThresholdGate>,
) -> Result<(), JournalError> {
    let samples = Samples::read(record, suite, cases)?;
    let known = u32::try_from(cases.len()).unwrap_or(u32::MAX);
    let left_out = suite.tests.saturating_sub(known);
    for (threshold, sample) in suite.thresholds.iter().zip(samples.by_threshold) {
        let mut gate =
            gate(suite, threshold, JudgedAttempts { finished: samples.finished, left_out }, sample);
        gate.unjudged = samples.unjudged;
        gate.message = gate.explain();
        judged.push(gate);
    }
    Ok(())
}

/// The attempts that a threshold is judged by.
struct JudgedAttempts {
    finished: u64,
    /// Those of tests that were not run.
    left_out: u32,
}

fn gate(
    suite: &SuiteThresholds,
    threshold: &Threshold,
    attempts: JudgedAttempts,
    mut sample: NumberSample,
) -> ThresholdGate {
    let span = sample.span(threshold.statistic);
    let too_few = attempts.finished < needed(threshold.statistic);
    ThresholdGate {
        suite: suite.suite.clone(),
        truth: match truth(&span, threshold) {
            // However well a few did, they are no percentile.
            Truth::Held if too_few => Truth::Undecided,
            truth => truth,
        },
        actual: sample.known_value(threshold.statistic),
        attempts: attempts.finished,
        unknown: sample.unknown(),
        threshold: threshold.clone(),
        unjudged: 0,
        left_out: attempts.left_out,
        message: String::new(),
    }
}

/// A bound holds where it holds for all that the statistic may be, and is broken where it holds for none of it.
fn truth(span: &StatisticRange, threshold: &Threshold) -> Truth {
    let holds = |value: Decimal| threshold.comparison.holds(value, threshold.limit);
    let (worst, best) =
        if threshold.comparison.is_upper() { (span.high, span.low) } else { (span.low, span.high) };
    match (worst, best) {
        (Some(worst), _) if holds(worst) => Truth::Held,
        (_, Some(best)) if !holds(best) => Truth::Broken,
        (Some(_) | None, Some(_) | None) => Truth::Undecided,
    }
}
