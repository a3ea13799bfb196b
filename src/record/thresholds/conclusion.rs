//! What a run comes to as a whole: one decision for the exit code and for every document, so that none is greener than another.
//!
//! It follows from the record alone. A test without a verdict is never green, whatever took the verdict away: a torn or damaged
//! record, a lost worker, a fault of ours. Only Ctrl-C, which has a code of its own, and a stop after enough red tests leave
//! tests out on purpose.

use crate::base::plural::plural;
use crate::record::event::{NoTests, RunEnd};
use crate::record::journal::RunRecord;
use crate::record::thresholds::ThresholdGates;

/// What decides how a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunConclusion {
    /// Every test that was to run is judged, and none is red.
    Passed,
    /// A shard has no test to run, and another has some.
    NothingHere,
    /// No test was run, and `--no-tests` allows that.
    NoTestsAllowed,
    /// No test was run.
    NoTests,
    /// No test could be judged, and one errored.
    Unusable,
    /// A test failed or errored.
    Red,
    /// A selected test has no verdict, or the run did not end.
    Unfinished,
    /// A threshold of a suite failed.
    Gate,
    /// Tests were skipped that no longer fit their budget.
    OverBudget,
    /// The repeats of a test did not decide.
    Inconclusive,
    /// A threshold of a suite could not be decided.
    Undecided,
    /// What was recorded could not be written into a cassette.
    Unrecorded,
    /// Stopped by a signal.
    Interrupted,
}

impl RunConclusion {
    /// What a run comes to: the first that applies.
    pub fn of(record: &RunRecord, gates: &ThresholdGates) -> Self {
        let asked = record.start.asked.as_ref().and_then(|asked| asked.no_tests);
        Self::allowing(record, gates, asked.unwrap_or_default())
    }

    /// The same, where it is said anew what to do when no test was run.
    pub fn allowing(record: &RunRecord, gates: &ThresholdGates, no_tests: NoTests) -> Self {
        let none = RunEnd::default();
        let found = Self::ended(record, gates, record.end.as_ref().unwrap_or(&none), no_tests);
        match (&record.end, found) {
            // One that has no clean end was killed or still goes on.
            (None, Self::Unusable | Self::Red) | (Some(_), _) => found,
            (None, _) => Self::Unfinished,
        }
    }

    fn ended(record: &RunRecord, gates: &ThresholdGates, end: &RunEnd, no_tests: NoTests) -> Self {
        let (totals, unfinished) = (&record.totals, record.unfinished() > 0 || record.has_losses());
        let judged = totals.passed + totals.failed + totals.flaky + totals.inconclusive;
        if end.interrupted {
            return Self::Interrupted;
        }
        let over_budget = totals.over_budget > 0;
        if judged + totals.errored == 0 && !unfinished && !over_budget {
            // Another shard runs what there is to run; only all of them together can be empty.
            return match (record.start.shard, no_tests) {
                (Some(shard), _) if shard.runnable > 0 => Self::NothingHere,
                (_, NoTests::Fail) => Self::NoTests,
                (_, NoTests::Warn | NoTests::Pass) => Self::NoTestsAllowed,
            };
        }
        let stopped_as_asked = end.stopped_early.is_some() && totals.red() > 0;
        if judged == 0 && totals.errored > 0 {
            Self::Unusable
        } else if totals.failed + totals.errored > 0 {
            Self::Red
        } else if unfinished && !stopped_as_asked {
            Self::Unfinished
        } else if gates.broken().is_some() {
            Self::Gate
        } else if over_budget {
            Self::OverBudget
        } else if totals.undecided() > 0 {
            Self::Inconclusive
        } else if gates.undecided().is_some() {
            Self::Undecided
        } else if end.unrecorded.is_some() {
            Self::Unrecorded
        } else {
            Self::Passed
        }
    }

    /// True where the exit code is 0.
    pub fn is_green(self) -> bool {
        self.code() == 0
    }

    /// The exit code of `run`.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed | Self::NothingHere | Self::NoTestsAllowed => 0,
            Self::Unusable | Self::Unrecorded => 3,
            Self::NoTests => 4,
            Self::Inconclusive | Self::Undecided => 97,
            Self::OverBudget => 98,
            Self::Gate => 99,
            Self::Red | Self::Unfinished => 100,
            Self::Interrupted => 130,
        }
    }

    /// Why, in a few words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Passed => "every test passed",
            Self::NothingHere => "the tests are run by other shards",
            Self::NoTestsAllowed | Self::NoTests => "no test was run",
            Self::Unusable => "no test could be judged",
            Self::Red => "a test failed or errored",
            Self::Unfinished => "not every selected test has a verdict, or the run did not end",
            Self::Gate => "a threshold failed",
            Self::OverBudget => "tests were skipped that no longer fit their budget",
            Self::Inconclusive => "the repeats of a test did not decide",
            Self::Undecided => "a threshold could not be decided",
            Self::Unrecorded => "what was recorded could not be written into a cassette",
            Self::Interrupted => "interrupted",
        }
    }

    /// Why a run is not green where neither a test nor a threshold of it says so; `None` where one does, or where it is green.
    ///
    /// Documents that list tests need one line more then.
    pub fn beyond_tests(self, record: &RunRecord) -> Option<String> {
        if self.is_green() {
            return None;
        }
        let (unfinished, all) = (record.unfinished(), record.start.cases);
        if unfinished > 0 || record.has_losses() || record.end.is_none() {
            let tests = plural(all, "test was", "tests were");
            return Some(format!("{}: {unfinished} of {all} {tests} not judged", ending(record)));
        }
        let over_budget = record.totals.over_budget;
        if over_budget > 0 {
            let tests = plural(all, "test", "tests");
            return Some(format!("{}: {over_budget} of {all} {tests}", Self::OverBudget.reason()));
        }
        match self {
            Self::Unrecorded | Self::NoTests | Self::Interrupted | Self::Unfinished | Self::OverBudget => {
                let unrecorded = record.end.as_ref().and_then(|end| end.unrecorded.as_deref());
                Some(unrecorded.filter(|_| self == Self::Unrecorded).unwrap_or(self.reason()).to_owned())
            }
            Self::Passed
            | Self::NothingHere
            | Self::NoTestsAllowed
            | Self::Unusable
            | Self::Red
            | Self::Gate
            | Self::Inconclusive
            | Self::Undecided => None,
        }
    }
}

/// Why a run did not judge all its tests.
pub(crate) fn ending(record: &RunRecord) -> &str {
    match &record.end {
        Some(end) if end.interrupted => "the run was interrupted",
        Some(RunEnd { stopped_early: Some(reason), .. }) => reason,
        Some(_) if record.has_losses() => "a line of the journal cannot be read",
        Some(_) => "records are missing",
        None => "the run was killed, could not be recorded, or still goes on",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Event, RunOptions, RunStart, Sharded};
    use crate::record::journal::sample;
    use crate::record::verdict::Verdict;

    fn start(selected: u32, no_tests: NoTests) -> RunStart {
        let asked = RunOptions { no_tests: Some(no_tests), ..RunOptions::default() };
        RunStart { asked: Some(Box::new(asked)), ..sample::start(selected) }
    }

    /// A run of `selected` cases of which those with a verdict were recorded.
    fn exit(selected: u32, verdicts: &[Verdict], end: &RunEnd) -> RunConclusion {
        let folder = tempfile::tempdir().unwrap();
        let mut events = vec![Event::RunStarted(start(selected, NoTests::Pass))];
        for (case, verdict) in verdicts.iter().enumerate() {
            let case = u32::try_from(case).unwrap();
            events.push(Event::CaseFinished(sample::outcome(case, "s", &case.to_string(), *verdict).into()));
        }
        events.push(Event::RunFinished(end.clone()));
        RunConclusion::of(&sample::record(folder.path(), &events), &ThresholdGates::default())
    }

    fn ended() -> RunEnd {
        RunEnd { duration_ms: 1.0, ..RunEnd::default() }
    }

    #[test]
    fn a_test_without_a_verdict_is_never_green() {
        use Verdict::{Errored, Failed, Flaky, Inconclusive, Passed, Skipped};
        for verdicts in
            [&[][..], &[Passed], &[Flaky, Passed], &[Skipped], &[Inconclusive], &[Failed], &[Errored]]
        {
            let exit = exit(3, verdicts, &ended());
            assert!(
                matches!(exit, RunConclusion::Unfinished | RunConclusion::Red | RunConclusion::Unusable),
                "{verdicts:?}: {exit:?}"
            );
        }
        assert_eq!(exit(2, &[Passed], &ended()), RunConclusion::Unfinished);
        assert_eq!(exit(1, &[Passed], &ended()), RunConclusion::Passed);
        assert_eq!(RunConclusion::Unfinished.code(), 100);
    }

    #[test]
    fn one_test_that_was_judged_makes_the_others_red_and_not_unusable() {
        use Verdict::{Errored, Failed, Flaky, Inconclusive, Passed, Skipped};
        for judged in [Passed, Failed, Flaky, Inconclusive] {
            assert_eq!(exit(2, &[judged, Errored], &ended()), RunConclusion::Red, "{judged:?}");
        }
        assert_eq!(exit(2, &[Skipped, Errored], &ended()), RunConclusion::Unusable);
        for (verdict, expected) in [
            (Errored, RunConclusion::Unusable),
            (Failed, RunConclusion::Red),
            (Inconclusive, RunConclusion::Inconclusive),
            (Flaky, RunConclusion::Passed),
            (Skipped, RunConclusion::NoTestsAllowed),
        ] {
            assert_eq!(exit(1, &[verdict], &ended()), expected, "{verdict:?}");
        }
    }

    #[test]
    fn what_no_test_says_is_said_of_the_whole() {
        use Verdict::{Failed, Passed, Skipped};
        let record = |selected, verdicts: &[Verdict], end: Option<RunEnd>| {
            let folder = tempfile::tempdir().unwrap();
            let mut events = vec![Event::RunStarted(start(selected, NoTests::Fail))];
            for (case, verdict) in (0..).zip(verdicts) {
                let mut outcome = sample::outcome(case, "s", &case.to_string(), *verdict);
                outcome.over_budget = *verdict == Skipped;
                events.extend(sample::pair(sample::attempt(case, *verdict, Vec::new()), outcome));
            }
            events.extend(end.map(Event::RunFinished));
            sample::record(folder.path(), &events)
        };
        let says =
            |record: &RunRecord| RunConclusion::of(record, &ThresholdGates::default()).beyond_tests(record);
        let of = |selected, verdicts: &[Verdict], end| says(&record(selected, verdicts, end));
        let reason = |text: &str| Some(text.to_owned());
        let early = RunEnd { stopped_early: Some(String::from("stopped after 1 red test")), ..ended() };
        let interrupted = RunEnd { interrupted: true, ..ended() };
        let unrecorded = RunEnd { unrecorded: Some(String::from("the disk is full")), ..ended() };
        assert_eq!(of(1, &[Passed], Some(ended())), None);
        assert_eq!(of(1, &[Failed], Some(ended())), None, "the test says it");
        assert_eq!(
            of(2, &[Passed], Some(ended())),
            reason("records are missing: 1 of 2 tests were not judged")
        );
        assert_eq!(
            of(2, &[Failed], Some(early)),
            reason("stopped after 1 red test: 1 of 2 tests were not judged")
        );
        assert_eq!(
            of(2, &[Passed], Some(interrupted.clone())),
            reason("the run was interrupted: 1 of 2 tests were not judged")
        );
        assert_eq!(
            of(1, &[Passed], None),
            reason("the run was killed, could not be recorded, or still goes on: 0 of 1 test was not judged")
        );
        assert_eq!(
            of(2, &[Passed, Skipped], Some(ended())),
            reason("tests were skipped that no longer fit their budget: 1 of 2 tests")
        );
        assert_eq!(of(1, &[Passed], Some(unrecorded.clone())), reason("the disk is full"));
        let both = RunEnd { interrupted: true, ..unrecorded };
        assert_eq!(of(1, &[Passed], Some(both)), reason("interrupted"));
        assert_eq!(of(1, &[Passed], Some(interrupted)), reason("interrupted"));
        assert_eq!(of(0, &[], Some(ended())), reason("no test was run"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_where_nothing_else_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = vec![Event::RunStarted(start(2, NoTests::Fail))];
        for case in 0..2 {
            let outcome = sample::outcome(case, "s", &case.to_string(), Verdict::Passed);
            events.extend(sample::pair(sample::attempt(case, Verdict::Passed, Vec::new()), outcome));
        }
        events.push(Event::RunFinished(ended()));
        let path = sample::write(folder.path(), &events, &[]);
        let whole = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = whole.lines().collect();
        lines[1] = "{\"att";
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let record = crate::record::journal::read(&path).unwrap();
        let conclusion = RunConclusion::of(&record, &ThresholdGates::default());
        let said = conclusion.beyond_tests(&record).unwrap();
        assert!(said.starts_with("a line of the journal cannot be read: "), "{said}");
        assert_eq!(conclusion, RunConclusion::Unfinished);
    }

    #[test]
    fn a_shard_without_tests_is_no_failure_where_another_has_some() {
        let shard = |runnable| Sharded { index: 3, total: 4, cases: 2, runnable };
        let exit = |selected, verdicts: &[Verdict], runnable| {
            let folder = tempfile::tempdir().unwrap();
            let start = RunStart { shard: Some(shard(runnable)), ..sample::start(selected) };
            let mut events = vec![Event::RunStarted(start)];
            for (case, verdict) in (0..).zip(verdicts) {
                let outcome = sample::outcome(case, "s", &case.to_string(), *verdict);
                events.push(Event::CaseFinished(outcome.into()));
            }
            events.push(Event::RunFinished(ended()));
            RunConclusion::of(&sample::record(folder.path(), &events), &ThresholdGates::default())
        };
        assert_eq!(exit(0, &[], 2), RunConclusion::NothingHere);
        assert_eq!(exit(1, &[Verdict::Skipped], 1), RunConclusion::NothingHere);
        assert_eq!(exit(0, &[], 0), RunConclusion::NoTests, "no shard has a test to run");
        assert_eq!(exit(2, &[Verdict::Skipped, Verdict::Skipped], 0), RunConclusion::NoTests);
        assert_eq!(exit(1, &[], 1), RunConclusion::Unfinished);
    }

    #[test]
    fn a_stop_that_was_asked_for_is_told_by_its_own_code() {
        use Verdict::{Failed, Inconclusive, Passed};
        let early = RunEnd { stopped_early: Some(String::from("stopped after 1 red test")), ..ended() };
        assert_eq!(exit(3, &[Failed], &early), RunConclusion::Red);
        assert_eq!(exit(3, &[Inconclusive], &early), RunConclusion::Inconclusive);
        assert_eq!(
            exit(3, &[Passed], &early),
            RunConclusion::Unfinished,
            "nothing red could have stopped it"
        );
        let interrupted = RunEnd { interrupted: true, ..ended() };
        assert_eq!(exit(3, &[Passed], &interrupted), RunConclusion::Interrupted);
    }
}
