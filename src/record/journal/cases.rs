//! What is known of each case while a journal is folded: its number, whether it was planned, and its newest result.
//!
//! A case is the same in all processes that write one journal when the hash of its full name is the same (`key`); the
//! number in its lines is that of the writing process only. Journals of schema 1 have one writer and no keys: there the
//! number is the identity. Dropped when the fold is finished: about 80 bytes a case.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use crate::base::digest::Digest;
use crate::record::event::PlannedCase;
use crate::record::journal::totals::SavedRepeats;

/// All cases that were planned or mentioned.
#[derive(Debug, Clone, Default)]
pub(super) struct Cases {
    numbers: HashMap<Digest, u32>,
    /// By number, which is the order of the plan.
    known: BTreeMap<u32, KnownCase>,
    /// From which byte on the lines of a case count, where earlier ones were withdrawn.
    since: HashMap<u32, u64>,
}

/// One case.
#[derive(Debug, Clone, Copy)]
struct KnownCase {
    /// What it sends and asserts; `None` where that is not known.
    print: Digest,
    state: CaseState,
}

/// How far a case is.
#[derive(Debug, Clone, Copy)]
enum CaseState {
    /// It is to be run.
    Planned,
    /// It is no longer in the suites.
    Withdrawn,
    /// It has a result.
    Finished(CaseContribution),
}

/// What the newest result of a case adds to the totals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CaseContribution {
    /// How long it took, milliseconds.
    pub duration_ms: f64,
    /// Its warnings.
    pub warnings: u32,
    /// True when it was skipped, since it no longer fit its budget.
    pub over_budget: bool,
    /// What its repeats saved.
    pub saved: SavedRepeats,
}

/// A planned case, with what the fold needs.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct PlannedLine {
    key: Digest,
    print: Digest,
}

impl From<&PlannedCase> for PlannedLine {
    fn from(case: &PlannedCase) -> Self {
        Self { key: case.key, print: case.print }
    }
}

impl Cases {
    /// The number of a case in this record: the order in which cases were planned, else in which they were reported.
    pub fn number(&mut self, key: Digest, case: u32) -> u32 {
        if key.is_none() {
            return case;
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(key).or_insert(next)
    }

    /// Notes that a case will be run; what was reported about it before `offset` counts only if it sent and asserted the same.
    pub fn plan(&mut self, case: PlannedLine, offset: u64) {
        let number = self.number(case.key, 0);
        let planned = KnownCase { print: case.print, state: CaseState::Planned };
        match self.known.get_mut(&number) {
            None => drop(self.known.insert(number, planned)),
            Some(known) if !known.is_withdrawn() && same(known.print, case.print) => {}
            Some(known) => {
                *known = planned;
                self.since.insert(number, offset);
            }
        }
    }

    /// Notes that a case is gone; says whether it was known.
    pub fn withdraw(&mut self, key: Digest, offset: u64) -> bool {
        let Some(number) = self.numbers.get(&key) else { return false };
        let Some(known) = self.known.get_mut(number) else { return false };
        let counted = !known.is_withdrawn();
        known.state = CaseState::Withdrawn;
        self.since.insert(*number, offset);
        counted
    }

    /// Notes a result; false when it does not count, because its case was planned otherwise or withdrawn.
    pub fn finish(&mut self, number: u32, print: Digest, standing: CaseContribution) -> bool {
        let finished = KnownCase { print, state: CaseState::Finished(standing) };
        match self.known.get_mut(&number) {
            None => drop(self.known.insert(number, finished)),
            Some(known) if known.is_withdrawn() || !same(known.print, print) => return false,
            Some(known) => known.state = finished.state,
        }
        true
    }

    /// The newest result of a case.
    pub fn standing(&self, number: u32) -> Option<CaseContribution> {
        match self.known.get(&number)?.state {
            CaseState::Finished(standing) => Some(standing),
            CaseState::Planned | CaseState::Withdrawn => None,
        }
    }

    /// True when a line of the case still counts.
    pub fn counts(&self, number: u32, offset: u64) -> bool {
        self.since.get(&number).is_none_or(|since| offset > *since)
    }

    /// How many cases were planned and are not withdrawn.
    pub fn count(&self) -> u32 {
        let known = self.known.values().filter(|known| !known.is_withdrawn()).count();
        u32::try_from(known).unwrap_or(u32::MAX)
    }

    /// How many planned cases have no result.
    pub fn unfinished(&self) -> u32 {
        let open = self.known.values().filter(|known| matches!(known.state, CaseState::Planned)).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }
}

impl KnownCase {
    fn is_withdrawn(&self) -> bool {
        matches!(self.state, CaseState::Withdrawn)
    }
}

/// Two fingerprints do not differ where one of them is not known.
fn same(one: Digest, other: Digest) -> bool {
    one == other || one.is_none() || other.is_none()
}

/// The planned cases of an event, as their line has them.
pub(super) fn planned(cases: &Arc<[PlannedCase]>) -> impl Iterator<Item = PlannedLine> + '_ {
    cases.iter().map(PlannedLine::from)
}
