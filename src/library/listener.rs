//! Who is notified while a run goes on.

use std::time::Duration;

use crate::record::attempt::CaseOutcome;
use crate::record::event::{Event, Sink, SinkError};
use crate::record::verdict::Verdict;

/// A test that has its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedTest {
    /// Its full name, unique in the project: `<suite>::<test>`, or `<suite>::<test>[<row>]`.
    pub name: String,
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
}

impl From<&CaseOutcome> for FinishedTest {
    fn from(outcome: &CaseOutcome) -> Self {
        Self {
            name: outcome.name.clone(),
            verdict: outcome.verdict,
            is_red: outcome.is_red(),
            reason: outcome.reason.clone(),
            attempts: outcome.attempts,
            duration: Duration::try_from_secs_f64(outcome.duration_ms / 1000.0).unwrap_or_default(),
        }
    }
}

/// Is notified while a run goes on, from one thread at a time. A closure that takes a [`FinishedTest`] is one.
///
/// # Example
///
/// ```
/// use flowproof::{FinishedTest, RunListener};
///
/// struct Dots;
///
/// impl RunListener for Dots {
///     fn test_finished(&mut self, test: &FinishedTest) {
///         eprint!("{}", if test.is_red { 'F' } else { '.' });
///     }
/// }
/// ```
pub trait RunListener: Send {
    /// The run starts; `tests` were selected.
    fn run_started(&mut self, tests: u32) {
        let _ = tests;
    }

    /// A test has its verdict, and its result is recorded.
    fn test_finished(&mut self, test: &FinishedTest);
}

impl<F: FnMut(&FinishedTest) + Send> RunListener for F {
    fn test_finished(&mut self, test: &FinishedTest) {
        self(test);
    }
}

/// Passes on the events that a listener is notified of.
pub(super) struct ListenerSink<L>(pub L);

impl<L: RunListener> Sink for ListenerSink<L> {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::RunStarted(start) => self.0.run_started(start.cases),
            Event::CaseFinished(outcome) => self.0.test_finished(&FinishedTest::from(&**outcome)),
            Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::AttemptFinished(_)
            | Event::RunFinished(_) => {}
        }
        Ok(())
    }
}
