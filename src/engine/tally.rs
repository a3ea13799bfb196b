//! From the attempts of a case to its outcome: the verdict, its reason, and what its repeats came to.

use std::sync::Arc;

use crate::base::repeat::RepeatRange;
use crate::base::stats::fixed::fixed_plan;
use crate::base::stats::runs::as_few_runs;
use crate::base::stats::wilson::wilson;
use crate::base::units::format_share;
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, CaseOutcome, RateFacts, RepeatFacts, SequentialFacts, told_share};
use crate::record::verdict::{RepeatCounts, RepeatRule, Severity, Truth, Undecided, Verdict};

/// Results that come in so few runs by chance are told to stick.
const STICKS: f64 = 0.01;

/// What the attempts of a case add up to.
#[derive(Default)]
pub(super) struct CaseTally {
    /// Its repeats by verdict.
    pub seen: RepeatCounts,
    /// Attempts made, retries included.
    pub attempts: u32,
    /// Infrastructure retries.
    pub retries: u32,
    /// The last attempt that did not pass.
    pub telling: Option<Arc<Attempt>>,
    /// Whether the case ends with the attempt that stands: then both ends are recorded at once.
    pub ends_with_attempt: bool,
    /// The attempt whose end is recorded with that of the case.
    pub unrecorded: Option<Arc<Attempt>>,
    /// Why no further attempt was sent, where one no longer fit the budget.
    cut: Option<String>,
    /// When each judged repeat was sent, milliseconds, and whether it passed.
    results: Vec<(f64, bool)>,
    warnings: u32,
    recovered: u32,
    /// Tokens of the repeats that tell them, and how many do.
    tokens: (u64, u32),
}

impl CaseTally {
    /// Counts what an attempt that stands brings along.
    pub fn note(&mut self, attempt: &Attempt) {
        self.warnings += warnings(attempt);
        self.recovered += u32::from(attempt.facts.recovered.is_some());
        if let Some(tokens) = attempt.facts.tokens {
            self.tokens = (self.tokens.0.saturating_add(tokens), self.tokens.1 + 1);
        }
    }

    /// Counts a repeat; of those that did not pass the last one tells why, whichever ended last.
    pub fn add(&mut self, attempt: Arc<Attempt>) {
        self.seen.add(attempt.verdict);
        if let Some(passed) = passed(attempt.verdict) {
            self.results.push((attempt.sent_ms, passed));
        }
        let is_last = self.telling.as_ref().is_none_or(|known| known.repeat <= attempt.repeat);
        if attempt.verdict != Verdict::Passed && is_last {
            self.telling = Some(attempt);
        }
    }

    /// Adds what a repeat brought along that was run for itself.
    pub fn join(&mut self, part: Self) {
        self.attempts += part.attempts;
        self.retries += part.retries;
        self.warnings += part.warnings;
        self.recovered += part.recovered;
        self.tokens = (self.tokens.0.saturating_add(part.tokens.0), self.tokens.1 + part.tokens.1);
    }

    /// Ends before the plan does, since an attempt no longer fits the budget; `last` is the one it was to follow as a retry.
    pub fn cut_short(&mut self, last: Option<Arc<Attempt>>, reason: String) {
        if let Some(last) = last {
            self.note(&last);
            self.add(last);
        }
        self.cut = Some(reason);
    }

    /// The outcome of the case, its duration left open.
    pub fn outcome(&self, case: &Case) -> CaseOutcome {
        let plan = &case.test.repeats;
        let mut verdict = self.verdict(plan);
        if verdict == Verdict::Passed && self.retries > 0 {
            verdict = Verdict::Flaky;
        }
        CaseOutcome {
            reason: self.reason(verdict, plan),
            attempts: self.attempts,
            warnings: self.warnings,
            recovered: self.recovered,
            over_budget: verdict == Verdict::Skipped,
            tolerated: verdict == Verdict::Inconclusive && plan.undecided == Undecided::Tolerated,
            repeats: (plan.times.most() > 1).then(|| self.repeat_facts(verdict, plan)),
            ..outcome_of(case, verdict)
        }
    }

    /// A test whose repeats were cut short was not judged, unless the broken ones alone decide, or one had nothing to judge.
    fn verdict(&self, plan: &RepeatRule) -> Verdict {
        let verdict = plan.verdict(self.seen);
        match (&self.cut, verdict) {
            (None, verdict) | (Some(_), verdict @ Verdict::Failed) => verdict,
            (Some(_), _) if self.seen.errored > 0 => Verdict::Errored,
            (Some(_), _) => Verdict::Skipped,
        }
    }

    /// Why a test is flaky or undecided, or which share of its repeats passed.
    fn reason(&self, verdict: Verdict, plan: &RepeatRule) -> Option<String> {
        let (passed, repeats) = (self.seen.passed, self.seen.all());
        let share = || told_share(passed, self.seen.failed, self.seen.errored);
        if let Some(cut) = &self.cut {
            return Some(match self.attempts {
                0 => cut.clone(),
                _ => format!("{cut}; before that {}", share()),
            });
        }
        match verdict {
            Verdict::Flaky if passed < repeats => Some(share()),
            Verdict::Flaky => Some(format!("passed after {} infrastructure retries", self.retries)),
            Verdict::Failed | Verdict::Errored if repeats > 1 => Some(share()),
            Verdict::Inconclusive => Some(format!(
                "{}: not enough to tell a rate of {} from one of {}",
                share(),
                format_share(plan.pass_rate),
                format_share(plan.fail_below)
            )),
            Verdict::Failed | Verdict::Errored | Verdict::Passed | Verdict::Skipped => None,
        }
    }

    fn repeat_facts(&self, verdict: Verdict, plan: &RepeatRule) -> RepeatFacts {
        let RepeatCounts { passed, failed, errored } = self.seen;
        let interval = wilson(passed, self.seen.observed(), plan.confidence);
        RepeatFacts {
            passed,
            failed,
            errored,
            rate: interval.map(|interval| RateFacts {
                observed: f64::from(passed) / f64::from(self.seen.observed()),
                low: interval.low,
                high: interval.high,
            }),
            pass_rate: plan.pass_rate,
            confidence: plan.confidence,
            sticks: self.sticks(),
            sequential: match plan.times {
                RepeatRange::Fixed(_) => None,
                RepeatRange::Until { min, max } => Some(self.sequential(verdict, plan, (min, max))),
            },
        }
    }

    /// The chance that results which do not depend on each other come in as few runs, where it is too small to be one.
    fn sticks(&self) -> Option<f64> {
        let mut ordered = self.results.clone();
        ordered.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let results: Vec<bool> = ordered.into_iter().map(|(_, passed)| passed).collect();
        Some(as_few_runs(&results)).filter(|chance| *chance <= STICKS)
    }

    /// What a sequential test saved against a plan of a fixed number of repeats.
    fn sequential(&self, verdict: Verdict, plan: &RepeatRule, (min, max): (u32, u32)) -> SequentialFacts {
        let decided = match verdict {
            Verdict::Passed | Verdict::Flaky | Verdict::Failed => true,
            Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => false,
        };
        let fixed = fixed_plan(plan.fail_below, plan.pass_rate, 1.0 - plan.confidence);
        let fixed_plan = fixed.map(|plan| plan.trials);
        let saved_runs =
            fixed_plan.filter(|_| decided).map(|trials| i64::from(trials) - i64::from(self.seen.all()));
        let mean = || match self.tokens {
            (_, 0) => None,
            (sum, count) => Some(i64::try_from(sum / u64::from(count)).unwrap_or(i64::MAX)),
        };
        let saved_tokens = saved_runs.and_then(|runs| Some(mean()?.saturating_mul(runs)));
        SequentialFacts { min, max, fail_below: plan.fail_below, fixed_plan, saved_runs, saved_tokens }
    }
}

/// Whether a repeat passed; none where it was not judged.
fn passed(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Passed | Verdict::Flaky => Some(true),
        Verdict::Failed => Some(false),
        Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => None,
    }
}

/// An outcome without attempts.
pub(super) fn outcome_of(case: &Case, verdict: Verdict) -> CaseOutcome {
    CaseOutcome {
        case: case.ordinal,
        key: case.key,
        print: case.print,
        name: case.name.to_string(),
        suite: case.test.suite.name.to_string(),
        place: (*case.test.place).clone(),
        tags: case.test.tags.iter().map(ToString::to_string).collect(),
        verdict,
        reason: None,
        attempts: 0,
        recovered: 0,
        duration_ms: 0.0,
        warnings: 0,
        over_budget: false,
        tolerated: false,
        repeats: None,
    }
}

/// Findings of severity warn that do not hold.
fn warnings(attempt: &Attempt) -> u32 {
    let unmet = attempt
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warn && finding.truth != Truth::Held);
    u32::try_from(unmet.count()).unwrap_or(u32::MAX)
}
