//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

use crate::journal::Totals;

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
    /// The repeats of a test did not decide.
    Inconclusive,
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
            Self::Inconclusive => 97,
            Self::Red => 100,
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
            Self::Inconclusive => "the repeats of a test did not decide",
            Self::Red => "a test failed or errored",
            Self::Interrupted => "interrupted",
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
pub fn of_run(totals: &Totals, interrupted: Interrupted, no_tests: NoTests) -> Exit {
    let judged = totals.passed + totals.failed + totals.flaky + totals.inconclusive;
    if interrupted == Interrupted::Yes {
        return Exit::Interrupted;
    }
    if judged == 0 && totals.errored == 0 {
        return match no_tests {
            NoTests::Fail => Exit::NoTests,
            NoTests::Warn | NoTests::Pass => Exit::Success,
        };
    }
    if judged == 0 {
        Exit::Unusable
    } else if totals.failed + totals.errored > 0 {
        Exit::Red
    } else if totals.inconclusive > 0 {
        Exit::Inconclusive
    } else {
        Exit::Success
    }
}

/// Whether a run was stopped by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// It was.
    Yes,
    /// It ended by itself.
    No,
}
