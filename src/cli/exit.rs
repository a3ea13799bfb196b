//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

use crate::event::RunEnd;
use crate::gate::Gates;
use crate::journal::RunRecord;
use crate::report;

/// Why a command ended as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Success,
    /// A check has findings.
    Findings,
    /// The command line or the suites are wrong; nothing was sent.
    Usage,
    /// The target could not be used: nothing was judged.
    Unusable,
    /// No test was selected, or every one was skipped.
    NoTests,
    /// A test failed or errored.
    Red,
    /// A selected test has no verdict, and nobody asked for that.
    Unfinished,
    /// A threshold of a suite does not hold.
    Gate,
    /// The repeats of a test did not decide.
    Inconclusive,
    /// A threshold of a suite could not be decided.
    Undecided,
    /// Stopped by a signal.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unusable => 3,
            Self::NoTests => 4,
            Self::Inconclusive | Self::Undecided => 97,
            Self::Gate => 99,
            Self::Red | Self::Unfinished => 100,
            Self::Interrupted => 130,
        }
    }

    /// Why, in a few words, for the last line of a run.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Success => "every test passed",
            Self::Findings => "there are findings",
            Self::Usage => "the command or the suites are wrong; nothing was sent",
            Self::Unusable => "no test could be judged",
            Self::NoTests => "no test was run",
            Self::Gate => "a threshold failed",
            Self::Inconclusive => "the repeats of a test did not decide",
            Self::Undecided => "a threshold could not be decided",
            Self::Red => "a test failed or errored",
            Self::Unfinished => "not every selected test has a verdict",
            Self::Interrupted => "interrupted",
        }
    }

    /// The same, with the threshold that decided.
    pub(crate) fn told(self, gates: &Gates) -> String {
        let gate = match self {
            Self::Gate => gates.broken(),
            Self::Undecided => gates.undecided(),
            Self::Success
            | Self::Findings
            | Self::Usage
            | Self::Unusable
            | Self::NoTests
            | Self::Red
            | Self::Unfinished
            | Self::Inconclusive
            | Self::Interrupted => None,
        };
        match gate {
            Some(gate) => format!("{}: {}", self.reason(), report::gates::told(gate)),
            None => self.reason().to_owned(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What to do when no test was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum NoTests {
    /// Exit with code 4.
    #[default]
    Fail,
    /// Say so and exit with code 0.
    Warn,
    /// Exit with code 0.
    Pass,
}

/// The exit of a run, the first of the contract's list that applies.
///
/// A selected test without a verdict is never green, whatever took it away: a torn or damaged record, a lost worker, a fault
/// of ours. Only Ctrl-C, which has a code of its own, and a stop after enough red tests leave tests out on purpose.
pub fn of_run(record: &RunRecord, gates: &Gates, end: &RunEnd, no_tests: NoTests) -> Exit {
    let (totals, unfinished) = (&record.totals, record.unfinished() > 0);
    let judged = totals.passed + totals.failed + totals.flaky + totals.inconclusive;
    if end.interrupted {
        return Exit::Interrupted;
    }
    if judged + totals.errored == 0 && !unfinished {
        return match no_tests {
            NoTests::Fail => Exit::NoTests,
            NoTests::Warn | NoTests::Pass => Exit::Success,
        };
    }
    let stopped_as_asked = end.stopped_early.is_some() && totals.red() > 0;
    if judged == 0 && totals.errored > 0 {
        Exit::Unusable
    } else if totals.failed + totals.errored > 0 {
        Exit::Red
    } else if unfinished && !stopped_as_asked {
        Exit::Unfinished
    } else if gates.broken().is_some() {
        Exit::Gate
    } else if totals.undecided() > 0 {
        Exit::Inconclusive
    } else if gates.undecided().is_some() {
        Exit::Undecided
    } else {
        Exit::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::journal::sample;
    use crate::verdict::Verdict;

    /// A run of `selected` cases of which those with a verdict were recorded.
    fn exit(selected: u32, verdicts: &[Verdict], end: &RunEnd) -> Exit {
        let folder = tempfile::tempdir().unwrap();
        let mut events = vec![Event::RunStarted(sample::start(selected))];
        for (case, verdict) in verdicts.iter().enumerate() {
            let case = u32::try_from(case).unwrap();
            events.push(Event::CaseFinished(sample::outcome(case, "s", &case.to_string(), *verdict).into()));
        }
        events.push(Event::RunFinished(end.clone()));
        of_run(&sample::record(folder.path(), &events), &Gates::default(), end, NoTests::Pass)
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
            assert!(matches!(exit, Exit::Unfinished | Exit::Red | Exit::Unusable), "{verdicts:?}: {exit:?}");
        }
        assert_eq!(exit(2, &[Passed], &ended()), Exit::Unfinished);
        assert_eq!(exit(1, &[Passed], &ended()), Exit::Success);
        assert_eq!(Exit::Unfinished.code(), 100);
    }

    #[test]
    fn a_stop_that_was_asked_for_is_told_by_its_own_code() {
        use Verdict::{Failed, Inconclusive, Passed};
        let early = RunEnd { stopped_early: Some(String::from("stopped after 1 red test")), ..ended() };
        assert_eq!(exit(3, &[Failed], &early), Exit::Red);
        assert_eq!(exit(3, &[Inconclusive], &early), Exit::Inconclusive);
        assert_eq!(exit(3, &[Passed], &early), Exit::Unfinished, "nothing red could have stopped it");
        let interrupted = RunEnd { interrupted: true, ..ended() };
        assert_eq!(exit(3, &[Passed], &interrupted), Exit::Interrupted);
    }
}
