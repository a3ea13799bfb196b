//! A recorded run: its tests, its counts, how it ends, and its reports.

use std::path::Path;

use crate::base::files::Fence;
use crate::library::result::RecordedTest;
use crate::record::journal::{self, JournalError, RunRecord};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates};
use crate::record::verdict::Verdict;
use crate::report;

/// A run that was recorded: by this program, by the command line or by `cargo test`, also one that was killed or still goes on.
///
/// # Example
///
/// ```no_run
/// use flowproof::{Project, Verdict};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let run = Project::in_folder(".").record("latest")?;
/// for test in run.tests() {
///     let test = test?;
///     if test.verdict == Verdict::Failed {
///         println!("{}:{} {}\n{}", test.file, test.line, test.name, test.explanation);
///     }
/// }
/// run.write_report("nightly.html".as_ref())?;
/// # Ok(())
/// # }
/// ```
pub struct RecordedRun {
    record: RunRecord,
    gates: ThresholdGates,
    conclusion: RunConclusion,
}

/// How many tests have which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCounts {
    /// Every assertion held.
    pub passed: u32,
    /// An assertion was broken.
    pub failed: u32,
    /// They could not be judged.
    pub errored: u32,
    /// The repeats did not decide.
    pub inconclusive: u32,
    /// Passed after an infrastructure retry, or with mixed repeats.
    pub flaky: u32,
    /// They were not run, for a reason.
    pub skipped: u32,
    /// They were selected and have no verdict: the run was killed, was interrupted or still goes on.
    pub unfinished: u32,
}

/// Why a record cannot be read, or a report not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No run has this name.
    #[error("{0}")]
    NotFound(String),
    /// The journal cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The report cannot be written, or its name has an ending that no report has.
    #[error("{0}")]
    Report(String),
}

impl From<JournalError> for RecordError {
    fn from(error: JournalError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl RecordedRun {
    /// Reads a journal, such as `reports/runs/<id>/journal.jsonl` or a file that `flowproof runs export` wrote.
    ///
    /// # Errors
    ///
    /// If the file is no journal, or a newer flowproof wrote it. Damaged lines are no error: [`RecordedRun::damage`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Ok(Self::judged(journal::read(path.as_ref())?)?)
    }

    pub(super) fn judged(record: RunRecord) -> Result<Self, JournalError> {
        let gates = thresholds::judge(&record)?;
        let conclusion = RunConclusion::of(&record, &gates);
        Ok(Self { record, gates, conclusion })
    }

    /// The run's id; ids sort by time.
    pub fn id(&self) -> &str {
        &self.record.start.run
    }

    /// The target's name; `mock` if no live workflow was tested.
    pub fn target(&self) -> &str {
        &self.record.start.target
    }

    /// When it started: RFC 3339, UTC.
    pub fn started(&self) -> &str {
        &self.record.start.started
    }

    /// How many tests have which verdict.
    pub fn counts(&self) -> TestCounts {
        let totals = &self.record.totals;
        TestCounts {
            passed: totals.passed,
            failed: totals.failed,
            errored: totals.errored,
            inconclusive: totals.inconclusive,
            flaky: totals.flaky,
            skipped: totals.skipped,
            unfinished: self.record.unfinished(),
        }
    }

    /// The tests that have a verdict: failed, errored and inconclusive ones first. Each is read from the journal when it is
    /// asked for.
    pub fn tests(&self) -> impl Iterator<Item = Result<RecordedTest, RecordError>> + '_ {
        const ORDER: [Verdict; 6] = [
            Verdict::Failed,
            Verdict::Errored,
            Verdict::Inconclusive,
            Verdict::Flaky,
            Verdict::Skipped,
            Verdict::Passed,
        ];
        self.record.cases_with(&ORDER).map(|case| Ok(RecordedTest::from(case?)))
    }

    /// The exit code of `flowproof run`: 0 if the run is green. The pages on exit codes in the documentation list all of them.
    pub fn exit_code(&self) -> u8 {
        self.conclusion.code()
    }

    /// Why the exit code is what it is, in a few words.
    pub fn conclusion(&self) -> String {
        report::gates::conclusion_text(self.conclusion, &self.gates)
    }

    /// Lines of the journal that cannot be read, and what that means, a sentence each. A record with such lines is never green
    /// unless they were repaired.
    pub fn damage(&self) -> impl Iterator<Item = String> + '_ {
        self.record.damage_told()
    }

    /// Writes a report; its kind follows from the ending: `.xml` (JUnit), `.json`, `.html`, `.md`, `.tap` or `.csv`. An
    /// existing file is replaced once the new one is complete.
    ///
    /// # Errors
    ///
    /// If the ending is none of these, or the file cannot be written.
    pub fn write_report(&self, path: &Path) -> Result<(), RecordError> {
        let written = report::write_file(&self.record, path, &Fence::anywhere());
        written.map(drop).map_err(|error| RecordError::Report(error.to_string()))
    }
}
