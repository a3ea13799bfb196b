//! The verdict on a test that runs more than once: how often it still runs, and what its repeats come to.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::base::repeat::RepeatRange;
use crate::base::stats::sequential::{Sequential, SequentialDecision};
use crate::record::verdict::Verdict;

/// How often a test runs, and the rate at which it must pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepeatRule {
    /// How often.
    pub times: RepeatRange,
    /// The rate that passes, above 0 and at most 1.
    pub pass_rate: f64,
    /// The rate that fails: above 0 and below `pass_rate` where a sequential test decides.
    pub fail_below: f64,
    /// 1 minus the chance of either error, above 0.5 and below 1.
    pub confidence: f64,
    /// What repeats count as that do not decide.
    pub undecided: Undecided,
}

/// What repeats count as that do not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undecided {
    /// The build is red.
    Red,
    /// It is reported, and the build is not red.
    Tolerated,
}

/// The repeats of a test so far, by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RepeatCounts {
    /// Every assertion held.
    pub passed: u32,
    /// An assertion was broken.
    pub failed: u32,
    /// Nothing was observed.
    pub errored: u32,
}

impl RepeatCounts {
    /// Counts a repeat.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed | Verdict::Flaky => self.passed += 1,
            Verdict::Failed => self.failed += 1,
            Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => self.errored += 1,
        }
    }

    /// All of them.
    pub fn all(self) -> u32 {
        self.passed + self.failed + self.errored
    }

    /// Those that were judged.
    pub fn observed(self) -> u32 {
        self.passed + self.failed
    }
}

impl RepeatRule {
    /// A test that runs once and must pass.
    #[cfg(test)]
    pub const ONCE: Self = Self {
        times: RepeatRange::Fixed(1),
        pass_rate: 1.0,
        fail_below: 0.8,
        confidence: 0.95,
        undecided: Undecided::Red,
    };

    /// The sequential test; `None` where the number of repeats is fixed.
    pub fn sequential(&self) -> Option<Sequential> {
        match self.times {
            RepeatRange::Fixed(_) => None,
            RepeatRange::Until { .. } => {
                Some(Sequential::new(self.fail_below, self.pass_rate, 1.0 - self.confidence))
            }
        }
    }

    /// The `max` that the plan needs where the one it has can never decide: this many repeats in a row, all passed or all
    /// broken.
    pub fn needs(&self) -> Option<u32> {
        let test = self.sequential()?;
        let needed = test.fewest_successes().max(test.fewest_failures());
        (needed > self.times.most()).then_some(needed)
    }

    /// True while a further repeat is due.
    ///
    /// A sequential test goes on until it is decided. It ends too at a repeat that stays errored: that leaves the plan unmet,
    /// and nothing that followed could turn the test green.
    pub fn goes_on(&self, seen: RepeatCounts) -> bool {
        match (self.times, self.sequential()) {
            (RepeatRange::Fixed(times), _) => seen.all() < times,
            (RepeatRange::Until { .. }, None) => false,
            (RepeatRange::Until { min, max }, Some(test)) => {
                let open =
                    seen.all() < min || test.decide(seen.passed, seen.failed) == SequentialDecision::Open;
                open && seen.errored == 0 && seen.all() < max && !test.is_final(seen.failed)
            }
        }
    }

    /// How many further repeats are needed whatever their results, without those already seen: this many can run side by
    /// side without one too many. A range begins with its least; errored repeats, which end it, are not reckoned with.
    ///
    /// A decision takes the fewest repeats where all of them pass or none does. So a test whose repeats run side by side is
    /// decided by the same repeats as one whose repeats run one after the other.
    pub fn surely_needed(&self, seen: RepeatCounts) -> u32 {
        if !self.goes_on(seen) {
            return 0;
        }
        match self.times {
            RepeatRange::Fixed(times) => times - seen.all(),
            RepeatRange::Until { min, .. } if seen.all() < min => min - seen.all(),
            RepeatRange::Until { max, .. } => {
                let left = max - seen.all();
                let all_pass = |count| RepeatCounts { passed: seen.passed + count, ..seen };
                let none_does = |count| RepeatCounts { failed: seen.failed + count, ..seen };
                let decides =
                    |count: &u32| !self.goes_on(all_pass(*count)) || !self.goes_on(none_does(*count));
                (1..left).find(decides).unwrap_or(left)
            }
        }
    }

    /// The verdict on what was seen.
    ///
    /// An errored repeat is no observation and leaves the plan unmet: the test is errored, unless the broken repeats alone
    /// put the rate out of reach, whatever the errored ones would have been. Mixed repeats that pass are flaky.
    pub fn verdict(&self, seen: RepeatCounts) -> Verdict {
        match (self.times, self.sequential()) {
            (RepeatRange::Until { min, max }, Some(test)) => sequential_verdict(&test, seen, min..=max),
            (RepeatRange::Fixed(times), _) | (RepeatRange::Until { max: times, .. }, None) => {
                self.fixed_verdict(seen, times)
            }
        }
    }

    fn fixed_verdict(&self, seen: RepeatCounts, planned: u32) -> Verdict {
        // The slack is for rates such as 0.7, of which 10 would otherwise need 8.
        let needed = (self.pass_rate * f64::from(planned) - 1e-9).ceil().max(0.0) as u32;
        if planned == 0 || planned.saturating_sub(seen.failed) < needed {
            return if seen.failed > 0 { Verdict::Failed } else { Verdict::Errored };
        }
        if seen.observed() < planned {
            return Verdict::Errored;
        }
        passed(seen)
    }
}

fn sequential_verdict(test: &Sequential, seen: RepeatCounts, times: RangeInclusive<u32>) -> Verdict {
    let at_best = test.decide(seen.passed + seen.errored, seen.failed);
    if seen.errored > 0 {
        return if at_best == SequentialDecision::AtMost { Verdict::Failed } else { Verdict::Errored };
    }
    match at_best {
        SequentialDecision::AtMost => Verdict::Failed,
        SequentialDecision::AtLeast if seen.all() >= *times.start() => passed(seen),
        SequentialDecision::Open if seen.all() >= *times.end() => Verdict::Inconclusive,
        // It was ended before its time.
        SequentialDecision::AtLeast | SequentialDecision::Open => Verdict::Errored,
    }
}

fn passed(seen: RepeatCounts) -> Verdict {
    if seen.failed > 0 { Verdict::Flaky } else { Verdict::Passed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(marks: &str) -> RepeatCounts {
        let mut seen = RepeatCounts::default();
        for mark in marks.chars() {
            seen.add(match mark {
                'p' => Verdict::Passed,
                'f' => Verdict::Failed,
                _ => Verdict::Errored,
            });
        }
        seen
    }

    fn joined(marks: &str, planned: u32, pass_rate: f64) -> Verdict {
        RepeatRule { times: RepeatRange::Fixed(planned), pass_rate, ..RepeatRule::ONCE }.verdict(seen(marks))
    }

    const USUAL: RepeatRule = RepeatRule {
        times: RepeatRange::Until { min: 3, max: 40 },
        pass_rate: 0.9,
        fail_below: 0.7,
        confidence: 0.95,
        undecided: Undecided::Red,
    };

    /// Runs a plan over what would come, and returns how far it went.
    fn run(plan: &RepeatRule, coming: &str) -> (usize, Verdict) {
        let mut seen = RepeatCounts::default();
        let mut marks = coming.chars();
        while plan.goes_on(seen) {
            let mark = marks.next().unwrap_or('p').to_string();
            let more = self::seen(&mark);
            seen = RepeatCounts {
                passed: seen.passed + more.passed,
                failed: seen.failed + more.failed,
                errored: seen.errored + more.errored,
            };
        }
        (seen.all() as usize, plan.verdict(seen))
    }

    #[test]
    fn every_repeat_must_pass_by_default() {
        assert_eq!(joined("p", 1, 1.0), Verdict::Passed);
        assert_eq!(joined("f", 1, 1.0), Verdict::Failed);
        assert_eq!(joined("e", 1, 1.0), Verdict::Errored);
        assert_eq!(joined("ppf", 3, 1.0), Verdict::Failed);
        assert_eq!(joined("", 0, 1.0), Verdict::Errored);
    }

    #[test]
    fn mixed_repeats_at_the_rate_are_flaky() {
        assert_eq!(joined("ppppf", 5, 0.8), Verdict::Flaky);
        assert_eq!(joined("pppff", 5, 0.8), Verdict::Failed);
        assert_eq!(joined("pppffppppp", 10, 0.7), Verdict::Flaky);
    }

    #[test]
    fn an_errored_repeat_is_no_observation() {
        assert_eq!(joined("ppppe", 5, 0.8), Verdict::Errored);
        assert_eq!(joined("pe", 5, 1.0), Verdict::Errored);
        assert_eq!(joined("effpp", 5, 0.8), Verdict::Failed, "out of reach by broken repeats alone");
    }

    #[test]
    fn a_sequential_test_ends_when_it_is_decided() {
        assert_eq!(run(&USUAL, "pppppppppppp"), (12, Verdict::Passed));
        assert_eq!(run(&USUAL, "fff"), (3, Verdict::Failed));
        assert_eq!(run(&USUAL, "fpppppppppppppppppp"), (18, Verdict::Flaky));
        let swaying = "ppppf".repeat(8);
        assert_eq!(run(&USUAL, &swaying), (40, Verdict::Inconclusive));
        let long = RepeatRule { times: RepeatRange::Until { min: 20, max: 40 }, ..USUAL };
        assert_eq!(run(&long, ""), (20, Verdict::Passed), "not before min");
        assert_eq!(run(&long, "fff"), (29, Verdict::Flaky), "its first three alone do not decide it");
    }

    #[test]
    fn one_broken_repeat_ends_a_plan_that_allows_none() {
        let strict = RepeatRule { pass_rate: 1.0, fail_below: 0.8, ..USUAL };
        assert_eq!(run(&strict, "pf"), (2, Verdict::Failed), "even before min");
        assert_eq!(run(&strict, ""), (14, Verdict::Passed));
    }

    #[test]
    fn an_errored_repeat_ends_a_sequential_test_and_is_never_green() {
        assert_eq!(run(&USUAL, "ppppppppppe"), (11, Verdict::Errored));
        assert_eq!(run(&USUAL, "e"), (1, Verdict::Errored));
        let long = RepeatRule { times: RepeatRange::Until { min: 20, max: 40 }, ..USUAL };
        assert_eq!(run(&long, "ppppppppppppppe"), (15, Verdict::Errored), "though fourteen passed");
        assert_eq!(run(&long, "ffffe"), (5, Verdict::Failed), "the broken ones alone decide");
        assert_eq!(run(&USUAL, "ffe"), (3, Verdict::Errored));
        assert_eq!(USUAL.verdict(seen("pppppppppppe")), Verdict::Errored, "twelve passes would decide it");
        let swaying = format!("{}ppppe", "ppppf".repeat(7));
        assert_eq!(USUAL.verdict(seen(&swaying)), Verdict::Errored, "at the most there are");
    }

    #[test]
    fn what_was_ended_before_its_time_is_errored() {
        assert_eq!(USUAL.verdict(RepeatCounts::default()), Verdict::Errored);
        assert_eq!(USUAL.verdict(seen("ppppp")), Verdict::Errored);
        let long = RepeatRule { times: RepeatRange::Until { min: 20, max: 40 }, ..USUAL };
        assert_eq!(long.verdict(seen("pppppppppppp")), Verdict::Errored);
    }

    #[test]
    fn a_plan_that_cannot_decide_names_what_it_needs() {
        let needs = |max, pass_rate, fail_below, confidence| {
            RepeatRule {
                times: RepeatRange::Until { min: 1, max },
                pass_rate,
                fail_below,
                confidence,
                ..USUAL
            }
            .needs()
        };
        assert_eq!(needs(11, 0.9, 0.7, 0.95), Some(12));
        assert_eq!(needs(12, 0.9, 0.7, 0.95), None);
        assert_eq!(needs(3, 0.3, 0.1, 0.95), Some(12), "three passes decide, but no three failures");
        assert_eq!(needs(40, 0.9, 0.89, 0.95), Some(269));
        assert_eq!(RepeatRule::ONCE.needs(), None);
    }

    #[test]
    fn what_is_surely_needed_is_never_one_too_many() {
        let fixed = RepeatRule { times: RepeatRange::Fixed(8), ..RepeatRule::ONCE };
        assert_eq!(fixed.surely_needed(seen("")), 8);
        assert_eq!(fixed.surely_needed(seen("pfe")), 5, "whatever the others answer");
        assert_eq!(fixed.surely_needed(seen("pppppppp")), 0);
        assert!(fixed.goes_on(seen("ppppppp")) && !fixed.goes_on(seen("pppppppp")));
        let range = RepeatRule {
            times: RepeatRange::Until { min: 3, max: 40 },
            pass_rate: 0.9,
            fail_below: 0.7,
            confidence: 0.95,
            undecided: Undecided::Red,
        };
        assert_eq!((range.surely_needed(seen("")), range.surely_needed(seen("p"))), (3, 2));
        let from = |min| RepeatRule { times: RepeatRange::Until { min, max: 40 }, ..range };
        assert_eq!(from(1).surely_needed(seen("")), 1, "the least of the range, and not what decides");
        let strict = RepeatRule { pass_rate: 1.0, ..from(5) };
        assert_eq!((strict.surely_needed(seen("")), strict.surely_needed(seen("pp"))), (5, 3));
        // Every way on from every state within reach: a decision never leaves a repeat at work.
        for passed in 0..40 {
            for failed in 0..12_u32.min(40 - passed) {
                let here = RepeatCounts { passed, failed, errored: 0 };
                if here.all() < 3 || !range.goes_on(here) {
                    continue;
                }
                let needed = range.surely_needed(here);
                let after = |count: u32, broken: u32| RepeatCounts {
                    passed: passed + count - broken,
                    failed: failed + broken,
                    errored: 0,
                };
                for count in 1..needed {
                    let goes_on = (0..=count).all(|broken| range.goes_on(after(count, broken)));
                    assert!(goes_on, "{here:?}: {count} of {needed}");
                }
                let may_end = (0..=needed).any(|broken| !range.goes_on(after(needed, broken)));
                assert!(may_end, "{here:?}: more than {needed} are needed");
            }
        }
    }
}
