//! Adds up the attempts of a case to its outcome: the verdict, its reason, and the statistics of its repeats.

use std::sync::Arc;

use crate::base::repeat::RepeatRange;
use crate::base::stats::fixed::fixed_plan;
use crate::base::stats::runs::as_few_runs;
use crate::base::stats::wilson::wilson;
use crate::base::units::format_share;
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, CaseOutcome, RateFacts, RepeatFacts, SequentialFacts, told_share};
use crate::record::verdict::{RepeatCounts, RepeatRule, Severity, Truth, Undecided, Verdict};

/// Results stick if independent ones come in as few runs with at most this chance.
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
    /// Whether the case ends with the attempt of its only repeat: then both ends are recorded together.
    pub ends_with_attempt: bool,
    /// The attempt whose end is recorded with that of the case.
    pub unrecorded: Option<Arc<Attempt>>,
    /// Why no further attempt was sent, if one no longer fit the budget.
    over_budget: Option<String>,
    /// The judged repeats, in the order of their ends.
    results: Vec<RepeatVerdict>,
    /// Findings of severity warn that do not hold.
    warnings: u32,
    /// Attempts whose run was lost and found again.
    recovered: u32,
    tokens: KnownTokens,
}

/// The tokens of the repeats that report them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct KnownTokens {
    sum: u64,
    /// Repeats that report them.
    repeats: u32,
}

impl KnownTokens {
    fn add(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.repeats += other.repeats;
    }
}

/// Whether a judged repeat passed.
#[derive(Debug, Clone, Copy)]
struct RepeatVerdict {
    /// When it was sent, milliseconds since the start of the run.
    sent_ms: f64,
    passed: bool,
}

impl CaseTally {
    /// The tally of a case that ends with its only attempt.
    pub fn of_single_attempt() -> Self {
        Self { ends_with_attempt: true, ..Self::default() }
    }

    /// Counts the facts of an attempt with which a repeat ends.
    pub fn note(&mut self, attempt: &Attempt) {
        self.warnings += warnings(attempt);
        self.recovered += u32::from(attempt.facts.recovered.is_some());
        if let Some(tokens) = attempt.facts.tokens {
            self.tokens.add(KnownTokens { sum: tokens, repeats: 1 });
        }
    }

    /// Counts a repeat. Of those that did not pass, the last one explains the outcome, whichever ended last.
    pub fn add(&mut self, attempt: Arc<Attempt>) {
        self.seen.add(attempt.verdict);
        if let Some(passed) = passed(attempt.verdict) {
            self.results.push(RepeatVerdict { sent_ms: attempt.sent_ms, passed });
        }
        let is_last = self.telling.as_ref().is_none_or(|known| known.repeat <= attempt.repeat);
        if attempt.verdict != Verdict::Passed && is_last {
            self.telling = Some(attempt);
        }
    }

    /// Adds the counts of a repeat that ran beside others.
    pub fn join(&mut self, part: Self) {
        self.attempts += part.attempts;
        self.retries += part.retries;
        self.warnings += part.warnings;
        self.recovered += part.recovered;
        self.tokens.add(part.tokens);
    }

    /// Ends the case early since an attempt no longer fits the budget; `last` is the attempt of which it was to be a retry.
    pub fn cut_short(&mut self, last: Option<Arc<Attempt>>, reason: String) {
        if let Some(last) = last {
            self.note(&last);
            self.add(last);
        }
        self.over_budget = Some(reason);
    }

    /// The outcome of the case, still without its duration.
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

    /// A test that ended early is not judged, unless its failed repeats alone decide, or one of its repeats could not be judged.
    fn verdict(&self, plan: &RepeatRule) -> Verdict {
        let verdict = plan.verdict(self.seen);
        match (&self.over_budget, verdict) {
            (None, verdict) | (Some(_), verdict @ Verdict::Failed) => verdict,
            (Some(_), _) if self.seen.errored > 0 => Verdict::Errored,
            (Some(_), _) => Verdict::Skipped,
        }
    }

    /// Why a test is flaky or undecided, or which share of its repeats passed.
    fn reason(&self, verdict: Verdict, plan: &RepeatRule) -> Option<String> {
        let (passed, repeats) = (self.seen.passed, self.seen.all());
        let share = || told_share(passed, self.seen.failed, self.seen.errored);
        if let Some(refusal) = &self.over_budget {
            return Some(match self.attempts {
                0 => refusal.clone(),
                _ => format!("{refusal}; before that {}", share()),
            });
        }
        match verdict {
            Verdict::Flaky if passed < repeats => Some(share()),
            Verdict::Flaky => Some(format!("passed after {} infrastructure retries", self.retries)),
            Verdict::Failed | Verdict::Errored if repeats > 1 => Some(share()),
            Verdict::Inconclusive => Some(format!(
                "{}: not enough to distinguish a rate of {} from one of {}",
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
                RepeatRange::Until { min, max } => Some(self.sequential(verdict, plan, min, max)),
            },
        }
    }

    /// The chance that independent results come in as few runs; `None` if it is not too small for that.
    fn sticks(&self) -> Option<f64> {
        let mut ordered = self.results.clone();
        ordered.sort_by(|one, other| one.sent_ms.total_cmp(&other.sent_ms));
        let results: Vec<bool> = ordered.into_iter().map(|result| result.passed).collect();
        Some(as_few_runs(&results)).filter(|chance| *chance <= STICKS)
    }

    /// What a sequential test saved against a plan of a fixed number of repeats.
    fn sequential(&self, verdict: Verdict, plan: &RepeatRule, min: u32, max: u32) -> SequentialFacts {
        let decided = match verdict {
            Verdict::Passed | Verdict::Flaky | Verdict::Failed => true,
            Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => false,
        };
        let fixed = fixed_plan(plan.fail_below, plan.pass_rate, 1.0 - plan.confidence);
        let fixed_plan = fixed.map(|plan| plan.trials);
        let saved_runs =
            fixed_plan.filter(|_| decided).map(|trials| i64::from(trials) - i64::from(self.seen.all()));
        let mean = || {
            let KnownTokens { sum, repeats } = self.tokens;
            let mean = sum.checked_div(u64::from(repeats))?;
            Some(i64::try_from(mean).unwrap_or(i64::MAX))
        };
        let saved_tokens = saved_runs.and_then(|runs| Some(mean()?.saturating_mul(runs)));
        SequentialFacts { min, max, fail_below: plan.fail_below, fixed_plan, saved_runs, saved_tokens }
    }
}

/// Whether a repeat passed; `None` if it was not judged.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::transcript::RecoveredBy;
    use crate::record::journal::sample;
    use crate::record::verdict::Finding;

    /// A test with this rule for its repeats.
    fn case(repeats: RepeatRule) -> Case {
        let mut case = crate::engine::sample::case();
        Arc::get_mut(&mut case.test).unwrap().repeats = repeats;
        case
    }

    fn fixed(times: u32, pass_rate: f64) -> RepeatRule {
        RepeatRule { times: RepeatRange::Fixed(times), pass_rate, ..RepeatRule::ONCE }
    }

    /// Repeats that ended so, one after the other; each is an attempt that counts.
    fn tally(verdicts: &[Verdict]) -> CaseTally {
        let mut tally = CaseTally::default();
        for (repeat, verdict) in verdicts.iter().enumerate() {
            let mut attempt = sample::attempt(0, *verdict, Vec::new());
            attempt.repeat = u32::try_from(repeat).unwrap();
            attempt.sent_ms = repeat as f64;
            tally.attempts += 1;
            tally.note(&attempt);
            tally.add(Arc::new(attempt));
        }
        tally
    }

    #[test]
    fn the_outcome_says_what_the_repeats_came_to_and_why() {
        use Verdict::{Errored, Failed, Flaky, Passed};
        for (verdicts, retries, rule, verdict, reason) in [
            (&[Passed][..], 0, RepeatRule::ONCE, Passed, None),
            (&[Passed], 1, RepeatRule::ONCE, Flaky, Some("passed after 1 infrastructure retries")),
            (&[Failed], 0, RepeatRule::ONCE, Failed, None),
            (&[Failed], 1, RepeatRule::ONCE, Failed, None),
            (&[Errored], 0, RepeatRule::ONCE, Errored, None),
            (&[Passed; 3], 0, fixed(3, 1.0), Passed, None),
            (&[Passed; 3], 2, fixed(3, 1.0), Flaky, Some("passed after 2 infrastructure retries")),
            (&[Passed, Failed, Passed], 0, fixed(3, 0.5), Flaky, Some("2 of 3 repeats passed")),
            (&[Passed, Failed, Passed], 2, fixed(3, 0.5), Flaky, Some("2 of 3 repeats passed")),
            (&[Passed, Failed, Passed], 0, fixed(3, 1.0), Failed, Some("2 of 3 repeats passed")),
            (
                &[Passed, Errored, Passed],
                0,
                fixed(3, 1.0),
                Errored,
                Some("2 of 2 judged repeats passed, 1 was not judged"),
            ),
        ] {
            let outcome = CaseTally { retries, ..tally(verdicts) }.outcome(&case(rule));
            assert_eq!((outcome.verdict, outcome.reason.as_deref()), (verdict, reason), "{verdicts:?}");
            assert_eq!(outcome.attempts as usize, verdicts.len());
            assert_eq!(outcome.repeats.is_some(), verdicts.len() > 1, "{verdicts:?}");
            assert_eq!((outcome.name.as_str(), outcome.suite.as_str()), ("s::t", "s"));
            assert!(!outcome.over_budget && !outcome.tolerated);
        }
    }

    #[test]
    fn the_rate_is_that_of_the_repeats_that_were_judged() {
        use Verdict::{Errored, Failed, Passed};
        let facts = |verdicts: &[Verdict]| {
            let case = case(fixed(u32::try_from(verdicts.len()).unwrap(), 0.5));
            tally(verdicts).outcome(&case).repeats.unwrap()
        };
        let found = facts(&[Passed, Failed, Errored, Passed, Passed]);
        assert_eq!((found.passed, found.failed, found.errored, found.sequential), (3, 1, 1, None));
        // Wilson's interval of 3 of 4 at 95 %.
        let RateFacts { observed, low, high } = found.rate.unwrap();
        assert_eq!(observed, 0.75);
        assert!((low - 0.300_636).abs() < 1e-5 && (high - 0.954_417).abs() < 1e-5, "{low} {high}");
        assert_eq!(facts(&[Errored; 2]).rate, None);
    }

    #[test]
    fn a_sequential_test_says_what_it_saved_where_it_decided() {
        let rule = RepeatRule {
            times: RepeatRange::Until { min: 5, max: 60 },
            pass_rate: 0.95,
            fail_below: 0.6,
            ..RepeatRule::ONCE
        };
        let trials = i64::from(fixed_plan(0.6, 0.95, 0.05).unwrap().trials);
        let decided = tally(&[Verdict::Passed; 8]).outcome(&case(rule));
        assert_eq!((decided.verdict, decided.reason), (Verdict::Passed, None));
        let facts = decided.repeats.unwrap().sequential.unwrap();
        assert_eq!((facts.min, facts.max, facts.fail_below), (5, 60, 0.6));
        // Each attempt of the samples used 421 tokens.
        assert_eq!((facts.saved_runs, facts.saved_tokens), (Some(trials - 8), Some(421 * (trials - 8))));
        let open = [&[Verdict::Passed; 2][..], &[Verdict::Failed]].concat();
        for (undecided, tolerated) in [(Undecided::Red, false), (Undecided::Tolerated, true)] {
            let times = RepeatRange::Until { min: 2, max: 3 };
            let outcome = tally(&open).outcome(&case(RepeatRule { times, undecided, ..rule }));
            assert_eq!((outcome.verdict, outcome.tolerated), (Verdict::Inconclusive, tolerated));
            assert_eq!(
                outcome.reason.as_deref(),
                Some("2 of 3 repeats passed: not enough to distinguish a rate of 95 % from one of 60 %")
            );
            let facts = outcome.repeats.unwrap().sequential.unwrap();
            assert_eq!((facts.fixed_plan, facts.saved_runs), (u32::try_from(trials).ok(), None));
        }
    }

    #[test]
    fn a_test_that_was_cut_short_was_not_judged_unless_what_ran_decides() {
        use Verdict::{Errored, Failed, Passed, Skipped};
        let cut = || "not run: the budget is used up".to_owned();
        let mut unsent = CaseTally::default();
        unsent.cut_short(None, cut());
        let outcome = unsent.outcome(&case(fixed(3, 1.0)));
        assert_eq!((outcome.verdict, outcome.over_budget, outcome.reason), (Skipped, true, Some(cut())));
        for (verdicts, verdict, share) in [
            (&[Passed][..], Skipped, "1 of 1 repeat passed"),
            (&[Passed, Failed], Failed, "1 of 2 repeats passed"),
            (&[Passed, Errored], Errored, "1 of 1 judged repeat passed, 1 was not judged"),
        ] {
            let mut tally = tally(verdicts);
            tally.cut_short(None, cut());
            let outcome = tally.outcome(&case(fixed(3, 1.0)));
            assert_eq!((outcome.verdict, outcome.over_budget), (verdict, verdict == Skipped), "{verdicts:?}");
            assert_eq!(outcome.reason, Some(format!("{}; before that {share}", cut())));
        }
        // The attempt that was to be retried counts as it ended.
        let mut tally = tally(&[Passed]);
        tally.attempts += 1;
        tally.cut_short(Some(Arc::new(sample::attempt(0, Errored, Vec::new()))), cut());
        assert_eq!(tally.seen, RepeatCounts { passed: 1, failed: 0, errored: 1 });
        assert_eq!(tally.outcome(&case(fixed(3, 1.0))).verdict, Errored);
    }

    #[test]
    fn warnings_and_runs_that_were_found_again_add_up() {
        let finding = |severity, truth| Finding { severity, ..sample::finding(truth, "x") };
        let findings = vec![
            finding(Severity::Warn, Truth::Broken),
            finding(Severity::Warn, Truth::Undecided),
            finding(Severity::Warn, Truth::Held),
            finding(Severity::Error, Truth::Broken),
        ];
        let mut attempt = sample::attempt(0, Verdict::Failed, findings);
        attempt.facts.recovered = Some(RecoveredBy::Detail);
        let noted = || {
            let mut tally = CaseTally { attempts: 1, retries: 2, ..CaseTally::default() };
            tally.note(&attempt);
            tally
        };
        let mut all = noted();
        all.note(&sample::attempt(0, Verdict::Passed, Vec::new()));
        all.join(noted());
        let outcome = all.outcome(&case(RepeatRule::ONCE));
        assert_eq!((outcome.warnings, outcome.recovered, outcome.attempts, all.retries), (4, 2, 2, 4));
        assert_eq!(all.tokens, KnownTokens { sum: 3 * 421, repeats: 3 });
    }

    #[test]
    fn the_last_repeat_that_did_not_pass_tells_why_whichever_ended_last() {
        let ended = |repeat, verdict| {
            let mut attempt = sample::attempt(0, verdict, Vec::new());
            attempt.repeat = repeat;
            Arc::new(attempt)
        };
        let mut tally = CaseTally::default();
        for attempt in [
            ended(2, Verdict::Failed),
            ended(1, Verdict::Errored),
            ended(3, Verdict::Passed),
            ended(0, Verdict::Failed),
        ] {
            tally.add(attempt);
        }
        assert_eq!(tally.telling.map(|attempt| attempt.repeat), Some(2));
    }

    #[test]
    fn results_that_come_in_few_runs_in_time_are_reported_to_stick() {
        let sticks = |passes: fn(usize) -> bool| {
            let mut tally = CaseTally::default();
            // The repeats end in another order than they were sent in.
            for at in (0..40).rev() {
                let sent = (at * 7) % 40;
                let verdict = if passes(sent) { Verdict::Passed } else { Verdict::Failed };
                let mut attempt = sample::attempt(0, verdict, Vec::new());
                attempt.sent_ms = sent as f64;
                tally.add(Arc::new(attempt));
            }
            tally.sticks()
        };
        // Two of all orders of twenty and twenty: 2 / C(40, 20).
        let halves = sticks(|at| at < 20).unwrap();
        assert!((halves / (2.0 / 137_846_528_820.0) - 1.0).abs() < 1e-6, "{halves}");
        assert_eq!(sticks(|at| at % 2 == 0), None);
        assert_eq!(sticks(|at| [0, 1, 3, 6, 7, 9].contains(&(at % 10))), None);
    }
}
