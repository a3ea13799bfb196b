//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

use crate::record::event::NoTests;
use crate::record::journal::{JournalError, RunRecord};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates};
use crate::report;

/// Why a command ended as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is in order.
    Success,
    /// A check has findings.
    Findings,
    /// The command line or the suites are wrong; nothing was sent.
    Usage,
    /// The target could not be used: nothing was judged.
    Unusable,
    /// A run or a comparison that is not green, for this reason.
    Run(RunConclusion),
}

impl Exit {
    /// The process's exit code; that of a run is its conclusion's.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unusable => RunConclusion::Unusable.code(),
            Self::Run(conclusion) => conclusion.code(),
        }
    }

    /// Why, in a few words, for the last line of a run.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Success => RunConclusion::Passed.reason(),
            Self::Findings => "there are findings",
            Self::Usage => "the command or the suites are wrong; nothing was sent",
            Self::Unusable => RunConclusion::Unusable.reason(),
            Self::Run(conclusion) => conclusion.reason(),
        }
    }

    /// The same, with the threshold that decided.
    pub(crate) fn told(self, gates: &ThresholdGates) -> String {
        match self {
            Self::Run(conclusion) => report::gates::conclusion_text(conclusion, gates),
            Self::Success | Self::Findings | Self::Usage | Self::Unusable => self.reason().to_owned(),
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

/// How a recorded run ends.
#[derive(Debug)]
pub(crate) struct JudgedExit {
    /// Its exit.
    pub exit: Exit,
    /// The thresholds that may have decided it.
    pub gates: ThresholdGates,
}

impl JudgedExit {
    /// Why, in a few words, with the threshold that decided.
    pub fn reason(&self) -> String {
        self.exit.told(&self.gates)
    }
}

/// The exit of a run, as its record says, and its thresholds; what to do when no test was run may be said anew.
pub(crate) fn of_record(
    record: &RunRecord,
    no_tests: Option<NoTestsChoice>,
) -> Result<JudgedExit, JournalError> {
    let gates = thresholds::judge(record)?;
    let conclusion = match no_tests {
        Some(choice) => RunConclusion::allowing(record, &gates, choice.into()),
        None => RunConclusion::of(record, &gates),
    };
    Ok(JudgedExit { exit: conclusion.into(), gates })
}

impl From<RunConclusion> for Exit {
    fn from(conclusion: RunConclusion) -> Self {
        match conclusion {
            RunConclusion::Unusable => Self::Unusable,
            green if green.is_green() => Self::Success,
            red => Self::Run(red),
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
