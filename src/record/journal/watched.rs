//! What was noted of attempts besides their verdicts: totals of tokens in doubt, and what Dify is not known to send.

use crate::record::attempt::{ContractNote, UsageDoubt};

/// Doubts kept one by one; more are only counted.
const KEPT: usize = 100;

/// What attempts noted, over the whole run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct AttemptNotes {
    /// Attempts whose total of tokens is in doubt.
    pub doubted: u32,
    /// Those among them where `usage: trust` takes it nevertheless.
    pub trusted: u32,
    /// The first of them, each with its case.
    pub doubts: Vec<(u32, UsageDoubt)>,
    /// How answers differ from what Dify is known to send, each with the case that showed it first.
    pub contract: Vec<(u32, ContractNote)>,
}

impl AttemptNotes {
    /// Notes what an attempt brought along; the engine bounds how many deviations there are.
    pub(super) fn take(&mut self, case: u32, doubt: Option<UsageDoubt>, notes: Vec<ContractNote>) {
        if let Some(doubt) = doubt {
            self.doubted += 1;
            self.trusted += u32::from(doubt.trusted);
            if self.doubts.len() < KEPT {
                self.doubts.push((case, doubt));
            }
        }
        let room = KEPT.saturating_sub(self.contract.len());
        self.contract.extend(notes.into_iter().take(room).map(|note| (case, note)));
    }
}
