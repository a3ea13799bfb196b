//! What was noted of attempts besides their verdicts: totals of tokens that are in doubt.

use crate::outcome::UsageDoubt;

/// Doubts kept one by one; more are only counted.
const KEPT: usize = 100;

/// What attempts noted, over the whole run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Watched {
    /// Attempts whose total of tokens is in doubt.
    pub doubted: u32,
    /// Those among them where `usage: trust` takes it nevertheless.
    pub trusted: u32,
    /// The first of them, each with its case.
    pub doubts: Vec<(u32, UsageDoubt)>,
}

impl Watched {
    /// Notes the doubt of an attempt.
    pub(super) fn doubt(&mut self, case: u32, doubt: UsageDoubt) {
        self.doubted += 1;
        self.trusted += u32::from(doubt.trusted);
        if self.doubts.len() < KEPT {
            self.doubts.push((case, doubt));
        }
    }
}
