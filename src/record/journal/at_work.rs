//! Which attempts of a journal were begun and not ended: they may have used something that nobody knows.

use std::collections::HashMap;

use crate::base::digest::Digest;
use crate::record::event::{AbandonedHow, ContinuationReason};

/// An attempt: its case, its repeat, its try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AttemptKey {
    /// The hash of the case's name.
    pub key: Digest,
    /// The repeat.
    pub repeat: u32,
    /// The try of the repeat.
    pub attempt: u32,
}

/// The attempts at work while a journal is read.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningAttempts {
    /// How often each was begun without an end: a run that goes on may send again what a kill interrupted.
    begun: HashMap<AttemptKey, u32>,
    /// Those of runs that were merged: nothing that follows is about them.
    earlier: u32,
}

impl RunningAttempts {
    /// One was sent.
    pub fn begin(&mut self, whose: AttemptKey) {
        *self.begun.entry(whose).or_default() += 1;
    }

    /// One ended; of several the others stay open.
    pub fn end(&mut self, whose: AttemptKey) {
        if let Some(count) = self.begun.get_mut(&whose) {
            *count -= 1;
            if *count == 0 {
                self.begun.remove(&whose);
            }
        }
    }

    /// The run goes on.
    pub fn go_on(&mut self, how: ContinuationReason) {
        match how {
            ContinuationReason::Resumed | ContinuationReason::Rerun => {}
            ContinuationReason::Merged => {
                self.earlier = self.open();
                self.begun.clear();
            }
        }
    }

    /// How many have no end.
    pub fn open(&self) -> u32 {
        self.earlier + self.begun.values().sum::<u32>()
    }

    /// How many of a case have no end.
    pub fn open_by_case(&self) -> impl Iterator<Item = (Digest, u32)> + '_ {
        self.begun.iter().map(|(whose, count)| (whose.key, *count))
    }
}

/// What became of runs that were given up when a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LeftRuns {
    /// Dify was asked to stop them.
    pub asked: u32,
    /// The request failed.
    pub failed: u32,
    /// Nothing could be asked.
    pub not_stoppable: u32,
    /// They were at work when the run was killed.
    pub killed: u32,
}

impl LeftRuns {
    pub(super) fn add(&mut self, how: AbandonedHow) {
        match how {
            AbandonedHow::Ended => {}
            AbandonedHow::AskedToStop => self.asked += 1,
            AbandonedHow::StopFailed => self.failed += 1,
            AbandonedHow::NotStoppable => self.not_stoppable += 1,
        }
    }

    /// True where there are none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(repeat: u32) -> AttemptKey {
        AttemptKey { key: Digest::of_bytes(b"s::t"), repeat, attempt: 0 }
    }

    #[test]
    fn what_was_begun_twice_and_ended_once_stays_open() {
        let mut at_work = RunningAttempts::default();
        at_work.begin(whose(0));
        at_work.begin(whose(1));
        at_work.end(whose(1));
        at_work.go_on(ContinuationReason::Resumed);
        at_work.begin(whose(0));
        at_work.end(whose(0));
        assert_eq!(at_work.open(), 1, "the one that a kill interrupted");
        at_work.end(whose(0));
        assert_eq!(at_work.open(), 0, "it was found again");
    }

    #[test]
    fn another_run_ends_nothing_of_a_merged_one() {
        let mut at_work = RunningAttempts::default();
        at_work.begin(whose(0));
        at_work.go_on(ContinuationReason::Merged);
        at_work.end(whose(0));
        at_work.go_on(ContinuationReason::Merged);
        assert_eq!(at_work.open(), 1);
    }
}
