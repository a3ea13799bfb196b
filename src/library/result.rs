//! The result of one test, as it is recorded.

use std::time::Duration;

use crate::record::journal::CaseRecord;
use crate::record::verdict::Verdict;
use crate::report::terminal::failure_text;

/// The result of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedTest {
    /// Its full name, unique in the project: `<suite>::<test>`, or `<suite>::<test>[<row>]`.
    pub name: String,
    /// The suite's name.
    pub suite: String,
    /// The suite's file, relative to the project if it lies in it, with `/` between folders.
    pub file: String,
    /// The line of the test in that file, from 1.
    pub line: u32,
    /// The suite's tags, then its own.
    pub tags: Vec<String>,
    /// Its verdict.
    pub verdict: Verdict,
    /// True if it turns the run red: not every inconclusive test does.
    pub is_red: bool,
    /// Why it was skipped or not run, if so.
    pub reason: Option<String>,
    /// How often it was sent, retries included.
    pub attempts: u32,
    /// From the first sending to the last answer; zero for a test that was not sent.
    pub duration: Duration,
    /// What the terminal shows of it, without colours: the assertions that do not hold, with expected and found values. Secrets
    /// are masked.
    pub explanation: String,
}

impl From<CaseRecord> for RecordedTest {
    fn from(case: CaseRecord) -> Self {
        let explanation = failure_text(&case.outcome, case.deciding());
        let outcome = case.outcome;
        Self {
            explanation,
            verdict: outcome.verdict,
            is_red: outcome.is_red(),
            name: outcome.name,
            suite: outcome.suite,
            file: outcome.place.file.to_string(),
            line: outcome.place.line,
            tags: outcome.tags,
            reason: outcome.reason,
            attempts: outcome.attempts,
            duration: Duration::try_from_secs_f64(outcome.duration_ms / 1000.0).unwrap_or_default(),
        }
    }
}
