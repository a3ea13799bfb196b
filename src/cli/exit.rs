//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

use crate::event::NoTests;
use crate::gate::{self, Gates, RunConclusion};
use crate::journal::{JournalError, RunRecord};
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
    /// Tests were skipped that no longer fit their budget.
    OverBudget,
    /// A threshold of a suite, or a gate of a comparison, does not hold.
    Gate,
    /// The repeats of a test did not decide.
    Inconclusive,
    /// A threshold of a suite could not be decided.
    Undecided,
    /// What was recorded could not be written into a cassette.
    Unrecorded,
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
            Self::Unusable | Self::Unrecorded => 3,
            Self::NoTests => 4,
            Self::Inconclusive | Self::Undecided => 97,
            Self::OverBudget => 98,
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
            Self::OverBudget => "tests were skipped that no longer fit their budget",
            Self::Gate => "a threshold failed",
            Self::Inconclusive => "the repeats of a test did not decide",
            Self::Undecided => "a threshold could not be decided",
            Self::Red => "a test failed or errored",
            Self::Unfinished => "not every selected test has a verdict, or the run did not end",
            Self::Unrecorded => "what was recorded could not be written into a cassette",
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
            | Self::OverBudget
            | Self::Inconclusive
            | Self::Unrecorded
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

/// What to do when no test was run, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NoTestsChoice {
    /// Exit with code 4.
    Fail,
    /// Say so and exit with code 0.
    Warn,
    /// Exit with code 0.
    Pass,
}

impl From<NoTestsChoice> for NoTests {
    fn from(choice: NoTestsChoice) -> Self {
        match choice {
            NoTestsChoice::Fail => Self::Fail,
            NoTestsChoice::Warn => Self::Warn,
            NoTestsChoice::Pass => Self::Pass,
        }
    }
}

/// The exit of a run, as its record says, and its thresholds; what to do when no test was run may be said anew.
pub fn of_record(record: &RunRecord, no_tests: Option<NoTestsChoice>) -> Result<(Exit, Gates), JournalError> {
    let gates = gate::judge(record)?;
    let conclusion = match no_tests {
        Some(choice) => RunConclusion::allowing(record, &gates, choice.into()),
        None => RunConclusion::of(record, &gates),
    };
    Ok((conclusion.into(), gates))
}

impl From<RunConclusion> for Exit {
    fn from(conclusion: RunConclusion) -> Self {
        match conclusion {
            RunConclusion::Passed | RunConclusion::NothingHere | RunConclusion::NoTestsAllowed => {
                Self::Success
            }
            RunConclusion::NoTests => Self::NoTests,
            RunConclusion::Unusable => Self::Unusable,
            RunConclusion::Red => Self::Red,
            RunConclusion::Unfinished => Self::Unfinished,
            RunConclusion::Gate => Self::Gate,
            RunConclusion::OverBudget => Self::OverBudget,
            RunConclusion::Inconclusive => Self::Inconclusive,
            RunConclusion::Undecided => Self::Undecided,
            RunConclusion::Unrecorded => Self::Unrecorded,
            RunConclusion::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_the_code_of_its_conclusion() {
        use RunConclusion::{
            Gate, Inconclusive, Interrupted, NoTests, NoTestsAllowed, NothingHere, OverBudget, Passed, Red,
            Undecided, Unfinished, Unrecorded, Unusable,
        };
        let all = [
            Passed,
            NothingHere,
            NoTestsAllowed,
            NoTests,
            Unusable,
            Red,
            Unfinished,
            Gate,
            OverBudget,
            Inconclusive,
            Undecided,
            Unrecorded,
            Interrupted,
        ];
        for conclusion in all {
            let exit = Exit::from(conclusion);
            assert_eq!(exit.code(), conclusion.code(), "{conclusion:?}");
            if !conclusion.is_green() {
                assert_eq!(exit.reason(), conclusion.reason(), "{conclusion:?}");
            }
        }
    }
}
