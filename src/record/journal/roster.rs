//! Which tests a journal speaks of: those that were planned and not withdrawn, and which of them have a whole result.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::record::event::{Event, PlannedCase};
use crate::record::journal::lines::FromStart;
use crate::record::journal::read::{CountedOutcome, RunRecord};
use crate::record::journal::{DamagedLine, JournalError, RecordLoss};
use crate::record::verdict::Verdict;

/// The tests of a record, by key.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// What was planned last of each test that was not withdrawn.
    pub planned: HashMap<Digest, PlannedTest>,
    /// The results that count and are whole.
    pub results: HashMap<Digest, TestResult>,
}

/// A test that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedTest {
    /// Its full name.
    pub name: Arc<str>,
    /// What it sent and asserted.
    pub print: Digest,
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestResult {
    /// The verdict.
    pub verdict: Verdict,
    /// What the test sent and asserted.
    pub print: Digest,
}

impl Roster {
    /// How many of this many tests it does not know.
    pub(crate) fn nameless(&self, tests: u32) -> u32 {
        tests.saturating_sub(u32::try_from(self.planned.len()).unwrap_or(u32::MAX))
    }
}

impl RunRecord {
    /// A sentence for each line of the journal that cannot be read.
    pub(crate) fn damage_told(&self) -> impl Iterator<Item = String> {
        let path = self.path().display();
        self.damage.iter().map(move |damage| format!("line {} of {path} {}", damage.line, damage.told()))
    }

    /// Reads which tests there are; a result some of whose attempts are lost is left out, where lines are.
    pub(crate) fn roster(&self) -> Result<Roster, JournalError> {
        let mut roster = Roster { planned: self.planned()?, results: HashMap::new() };
        // The run that was to repair a line may have been killed before it ran the test again.
        let has_damage = self.damage.iter().any(|damage| damage.loss != RecordLoss::Torn);
        for told in self.outcomes_with_attempts() {
            let CountedOutcome { outcome, attempts } = told?;
            if attempts < outcome.attempts as usize && has_damage {
                continue;
            }
            let listed = || PlannedTest { name: Arc::from(outcome.name.as_str()), print: outcome.print };
            roster.planned.entry(outcome.key).or_insert_with(listed);
            // What no longer fit its budget was not judged: it is still to be run.
            if outcome.over_budget {
                continue;
            }
            roster.results.insert(outcome.key, TestResult { verdict: outcome.verdict, print: outcome.print });
        }
        Ok(roster)
    }

    /// The number of the last line that could not be read and was not torn; 0 where all were read.
    pub(crate) fn last_damage(&self) -> u64 {
        self.damage.iter().filter(|damage| damage.is_lost()).map(|damage| damage.line).max().unwrap_or(0)
    }

    fn planned(&self) -> Result<HashMap<Digest, PlannedTest>, JournalError> {
        let failed = |source: io::Error| JournalError::Io { path: self.path().to_owned(), source };
        let mut input = BufReader::with_capacity(256 * 1024, FromStart::of(self.file()));
        let (mut planned, mut line) = (HashMap::new(), Vec::new());
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(planned);
            }
            if !line.starts_with(b"{\"cases_planned\"") && !line.starts_with(b"{\"run_continued\"") {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(Event::CasesPlanned(cases)) => planned.extend(cases.iter().map(listed)),
                Ok(Event::RunContinued(continuation)) => {
                    continuation.withdrawn.iter().for_each(|key| drop(planned.remove(key)));
                }
                // The fold has reported a line that cannot be read.
                Ok(
                    Event::RunStarted(_)
                    | Event::AttemptStarted(_)
                    | Event::AttemptLeft(_)
                    | Event::AttemptFinished(_)
                    | Event::CaseFinished(_)
                    | Event::RunFinished(_),
                )
                | Err(_) => {}
            }
        }
    }
}

fn listed(case: &PlannedCase) -> (Digest, PlannedTest) {
    (case.key, PlannedTest { name: case.name.clone(), print: case.print })
}

impl DamagedLine {
    /// What is wrong with the line, and what it means: "is torn: …".
    pub(crate) fn told(&self) -> String {
        match self.loss {
            RecordLoss::Torn => self.reason.clone(),
            RecordLoss::Unreadable => format!("{}; facts are lost, the record is not complete", self.reason),
            RecordLoss::Mended => format!("{}; the affected tests were run again", self.reason),
        }
    }

    /// True when it is not known what the line recorded.
    pub(crate) fn is_lost(&self) -> bool {
        self.loss == RecordLoss::Unreadable
    }
}
