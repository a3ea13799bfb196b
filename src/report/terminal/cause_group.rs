//! Errored tests with the same cause, reported together.

use std::collections::HashMap;

use crate::record::attempt::Cause;
use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::record::verdict::Verdict;

/// The most causes that are grouped; tests with further causes are shown one by one.
const CAUSES: usize = 1_000;

/// The tests that met one cause.
#[derive(Debug)]
pub(super) struct CauseGroup {
    /// How many.
    pub count: u32,
    /// Those that were not sent, since others had met the cause.
    pub unsent: u32,
    /// The first names.
    pub names: Vec<String>,
    /// The first that was sent, otherwise the first.
    pub example: CaseRecord,
}

impl CauseGroup {
    fn new(example: CaseRecord) -> Self {
        Self { count: 0, unsent: 0, names: Vec::new(), example }
    }

    fn add(&mut self, case: CaseRecord) {
        self.count += 1;
        self.unsent += u32::from(case.attempts.is_empty());
        if self.names.len() < 3 {
            self.names.push(case.outcome.name.clone());
        }
        if self.example.attempts.is_empty() && !case.attempts.is_empty() {
            self.example = case;
        }
    }
}

/// Groups errored tests by their cause, so that a frequent cause is shown once.
pub(super) fn group_errors(record: &RunRecord) -> Result<HashMap<String, CauseGroup>, JournalError> {
    let mut groups: HashMap<String, CauseGroup> = HashMap::new();
    if record.totals.errored < 2 {
        return Ok(groups);
    }
    for case in record.failures() {
        let case = case?;
        let Some(key) = key_of(&case) else { continue };
        if groups.len() >= CAUSES && !groups.contains_key(&key) {
            continue;
        }
        groups.entry(key).or_insert_with(|| CauseGroup::new(case.clone())).add(case);
    }
    groups.retain(|_, group| group.count > 1);
    Ok(groups)
}

/// The message of the cause of an errored test, by which it is grouped; `None` for any other verdict.
pub(super) fn key_of(case: &CaseRecord) -> Option<String> {
    match case.outcome.verdict {
        Verdict::Errored => match case.deciding() {
            Some(attempt) => attempt.cause.as_ref().map(|cause| cause.message.clone()),
            None => case
                .outcome
                .reason
                .as_deref()
                .map(|reason| Cause::met_before(reason).unwrap_or(reason).to_owned()),
        },
        Verdict::Passed | Verdict::Failed | Verdict::Inconclusive | Verdict::Flaky | Verdict::Skipped => None,
    }
}
