//! What a plan will send, and what earlier runs say it will use; pure.

use rust_decimal::Decimal;

use crate::app::forecast::History;
use crate::base::repeat::RepeatRange;
use crate::base::stats::fixed::fixed_plan;
use crate::budget::Costs;
use crate::plan::case::{Case, FileSource, FileTemplate, Plan};

/// From the fewest attempts to the most.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct AttemptRange<T> {
    /// With the fewest attempts.
    pub least: T,
    /// With the most.
    pub most: T,
}

/// What is expected of tests.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct UsageForecast {
    /// Attempts; retries come on top.
    pub attempts: AttemptRange<u64>,
    /// Requests: a run each, its uploads, and three for each form that is answered.
    pub requests: AttemptRange<u64>,
    /// Tokens; `None` if no attempt reported any.
    pub tokens: Option<AttemptRange<f64>>,
    /// Prices; empty if no attempt reported any.
    pub cost: AttemptRange<Costs>,
    /// Seconds of all attempts one after another; `None` where none ran.
    pub seconds: Option<AttemptRange<f64>>,
}

/// What is expected of one test.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forecast {
    /// Its full name.
    pub name: String,
    /// Why it will not be sent, if so.
    pub skip: Option<String>,
    /// What it will use.
    pub expected: UsageForecast,
    /// Attempts that this is learnt from.
    pub learnt_from: usize,
    /// The repeats that distinguish its two rates, where a sequential test decides.
    pub decides: Option<DecidingRepeats>,
}

/// The repeats that distinguish two rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DecidingRepeats {
    /// The rate that passes.
    pub pass_rate: f64,
    /// The rate that fails.
    pub fail_below: f64,
    /// How sure.
    pub confidence: f64,
    /// This many passes in a row decide.
    pub passes: u32,
    /// This many broken repeats in a row decide.
    pub failures: u32,
    /// A plan of a fixed number of repeats needs this many; `None` where that is beyond reckoning.
    pub fixed: Option<u32>,
}

/// What a whole plan will use.
#[derive(Debug, Default)]
pub(crate) struct PlanForecast {
    /// The sum over the tests that will be sent.
    pub expected: UsageForecast,
    /// Tests that will be sent.
    pub tests: u64,
    /// Tests that will not.
    pub skipped: u64,
    /// Tests that will be sent and never ran on this target.
    pub unknown: u64,
    /// The repeats of one test follow each other: this many seconds takes the longest.
    longest: AttemptRange<f64>,
    /// How long it takes with the concurrency and the rate of the target, seconds.
    pub wall: Option<AttemptRange<f64>>,
}

/// What is expected of each test of a plan, in its order.
pub(crate) fn forecast<'a>(plan: &'a Plan, history: &'a History) -> impl Iterator<Item = Forecast> + 'a {
    plan.cases.iter().map(|case| of_case(case, history))
}

fn of_case(case: &Case, history: &History) -> Forecast {
    let past = history.of(case.ordinal).filter(|_| case.skip.is_none());
    let attempts = match (&case.skip, case.test.repeats.times) {
        (Some(_), _) => AttemptRange::default(),
        (None, RepeatRange::Fixed(times)) => AttemptRange { least: u64::from(times), most: u64::from(times) },
        (None, RepeatRange::Until { max, .. }) => {
            AttemptRange { least: u64::from(fewest(case)), most: u64::from(max) }
        }
    };
    let requests = requests_of(case);
    let times = |count: u64, value: f64| count as f64 * value;
    let spread =
        |value: f64| AttemptRange { least: times(attempts.least, value), most: times(attempts.most, value) };
    let cost = past.map(crate::app::forecast::PastUsage::mean_cost).unwrap_or_default();
    let priced = |count: u64| {
        cost.iter().map(|(currency, price)| (*currency, price.saturating_mul(Decimal::from(count)))).collect()
    };
    Forecast {
        name: case.name.to_string(),
        skip: case.skip.as_ref().map(ToString::to_string),
        expected: UsageForecast {
            requests: AttemptRange { least: attempts.least * requests, most: attempts.most * requests },
            tokens: past.and_then(|past| past.mean_tokens()).map(spread),
            seconds: past.and_then(|past| past.mean_seconds()).map(spread),
            cost: AttemptRange { least: priced(attempts.least), most: priced(attempts.most) },
            attempts,
        },
        learnt_from: past.map_or(0, |past| past.attempts()),
        decides: decides(case),
    }
}

/// The fewest repeats with which a sequential test can end.
fn fewest(case: &Case) -> u32 {
    let RepeatRange::Until { min, max } = case.test.repeats.times else {
        return case.test.repeats.times.most();
    };
    let decides = decides(case).map_or(max, |decides| decides.passes.min(decides.failures));
    decides.max(min).min(max)
}

fn decides(case: &Case) -> Option<DecidingRepeats> {
    let repeats = &case.test.repeats;
    let test = repeats.sequential()?;
    Some(DecidingRepeats {
        pass_rate: repeats.pass_rate,
        fail_below: repeats.fail_below,
        confidence: repeats.confidence,
        passes: test.fewest_successes(),
        failures: test.fewest_failures(),
        fixed: fixed_plan(repeats.fail_below, repeats.pass_rate, 1.0 - repeats.confidence)
            .map(|plan| plan.trials),
    })
}

/// Requests of one attempt.
fn requests_of(case: &Case) -> u64 {
    let uploads = |files: &[(String, FileTemplate)]| {
        files
            .iter()
            .map(|(_, file)| match file {
                FileTemplate::One(source) => is_upload(source),
                FileTemplate::Many(sources) => sources.iter().map(is_upload).sum(),
            })
            .sum::<u64>()
    };
    let answers = case.test.answers.iter().map(|answer| 3 + uploads(&answer.files)).sum::<u64>();
    1 + uploads(&case.test.files) + answers
}

fn is_upload(source: &FileSource) -> u64 {
    match source {
        FileSource::Path { .. } => 1,
        FileSource::Url { .. } => 0,
    }
}

impl PlanForecast {
    /// Adds a test.
    pub fn add(&mut self, test: &Forecast) {
        if test.skip.is_some() {
            self.skipped += 1;
            return;
        }
        self.tests += 1;
        self.unknown += u64::from(test.learnt_from == 0);
        if let Some(seconds) = &test.expected.seconds {
            self.longest.least = self.longest.least.max(seconds.least);
            self.longest.most = self.longest.most.max(seconds.most);
        }
        let (sum, more) = (&mut self.expected, &test.expected);
        add(&mut sum.attempts, &more.attempts);
        add(&mut sum.requests, &more.requests);
        add_known(&mut sum.tokens, more.tokens.as_ref());
        add_known(&mut sum.seconds, more.seconds.as_ref());
        for (all, own) in [(&mut sum.cost.least, &more.cost.least), (&mut sum.cost.most, &more.cost.most)] {
            for (currency, price) in own {
                let total = all.entry(*currency).or_default();
                *total = total.saturating_add(*price);
            }
        }
    }

    /// Reckons how long it takes: attempts side by side, none begun sooner than the rate allows.
    pub fn finish(mut self, plan: &Plan) -> Self {
        let (slots, rate) = (plan.target.concurrency.max(1) as f64, plan.target.rate);
        let spaced = |attempts: u64| rate.map_or(0.0, |rate| attempts as f64 / rate.per_second);
        let attempts = &self.expected.attempts;
        self.wall = self.expected.seconds.as_ref().map(|seconds| AttemptRange {
            least: (seconds.least / slots).max(spaced(attempts.least)).max(self.longest.least),
            most: (seconds.most / slots).max(spaced(attempts.most)).max(self.longest.most),
        });
        self
    }
}

fn add<T: std::ops::AddAssign + Copy>(sum: &mut AttemptRange<T>, more: &AttemptRange<T>) {
    sum.least += more.least;
    sum.most += more.most;
}

fn add_known(sum: &mut Option<AttemptRange<f64>>, more: Option<&AttemptRange<f64>>) {
    if let Some(more) = more {
        add(sum.get_or_insert_default(), more);
    }
}
