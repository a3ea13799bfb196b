//! Where each line of a journal is: 16 bytes a line, sorted by case.

use std::collections::BTreeSet;

use crate::record::verdict::Verdict;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineMark {
    /// An attempt.
    Attempt,
    /// The outcome of a case.
    Outcome(Verdict),
    /// An inconclusive outcome that the suite takes as a warning.
    Tolerated,
}

/// One line of the journal that belongs to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexEntry {
    /// Byte offset of the line in the upper 56 bits, what it is in the lower 8.
    packed: u64,
    /// The case it belongs to.
    pub case: u32,
    /// Which suite the outcome belongs to; 0 for attempts.
    pub suite: u32,
}

/// The verdicts by their number in a packed entry; 0 stands for an attempt.
const VERDICTS: [Verdict; 6] = [
    Verdict::Passed,
    Verdict::Failed,
    Verdict::Errored,
    Verdict::Inconclusive,
    Verdict::Flaky,
    Verdict::Skipped,
];

/// The number of a tolerated outcome.
const TOLERATED: u64 = 7;

impl IndexEntry {
    /// Notes a line; files of more than 2^56 bytes do not exist.
    pub fn new(offset: u64, mark: LineMark, case: u32, suite: u32) -> Self {
        let low = match mark {
            LineMark::Attempt => 0,
            LineMark::Outcome(Verdict::Passed) => 1,
            LineMark::Outcome(Verdict::Failed) => 2,
            LineMark::Outcome(Verdict::Errored) => 3,
            LineMark::Outcome(Verdict::Inconclusive) => 4,
            LineMark::Outcome(Verdict::Flaky) => 5,
            LineMark::Outcome(Verdict::Skipped) => 6,
            LineMark::Tolerated => TOLERATED,
        };
        Self { packed: (offset << 8) | low, case, suite }
    }

    /// Where the line begins.
    pub fn offset(self) -> u64 {
        self.packed >> 8
    }

    /// What the line is.
    pub fn mark(self) -> LineMark {
        match (self.packed & 0xff) as usize {
            0 => LineMark::Attempt,
            number if number as u64 == TOLERATED => LineMark::Tolerated,
            number => LineMark::Outcome(VERDICTS[number - 1]),
        }
    }
}

/// All lines of all cases, by case and then in file order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct JournalIndex {
    entries: Vec<IndexEntry>,
    /// Where the run was continued.
    parts: Vec<u64>,
}

impl JournalIndex {
    /// Sorts the lines read; the order within a case stays that of the file. Kept of each case are its newest outcome and
    /// the attempts that led to it: those since the outcome before it and since its part of the journal began.
    pub fn new(mut entries: Vec<IndexEntry>, parts: &[u64]) -> Self {
        entries.sort_by_key(|entry| (entry.case, entry.packed));
        let mut kept = 0;
        let mut start = 0;
        while start < entries.len() {
            let case = entries[start].case;
            let end = start + entries[start..].partition_point(|entry| entry.case == case);
            let standing = standing_of(&entries[start..end], parts);
            let (from, length) = (start + standing.start, standing.len());
            entries.copy_within(from..from + length, kept);
            kept += length;
            start = end;
        }
        entries.truncate(kept);
        entries.shrink_to_fit();
        Self { entries, parts: parts.to_vec() }
    }

    /// In which parts of the journal the results are that count, from 0: what came before the run was continued is none.
    pub fn parts_that_count(&self) -> BTreeSet<usize> {
        let part_of = |case: CaseLines<'_>| self.parts.partition_point(|part| *part <= case.outcome.offset());
        self.cases().filter_map(|case| part_of(case).checked_sub(1)).collect()
    }

    /// The lines of each case that has an outcome, in plan order.
    pub fn cases(&self) -> impl Iterator<Item = CaseLines<'_>> {
        self.entries.chunk_by(|a, b| a.case == b.case).filter_map(CaseLines::of)
    }

    /// The lines of one case, if it has an outcome.
    pub fn case(&self, case: u32) -> Option<CaseLines<'_>> {
        let start = self.entries.partition_point(|entry| entry.case < case);
        let end = start + self.entries[start..].partition_point(|entry| entry.case == case);
        CaseLines::of(&self.entries[start..end])
    }

    /// Renumbers the suites by their first case in plan order; gives the old number of each new one. A suite whose cases
    /// were all withdrawn has none.
    pub fn number_suites(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<Option<u32>> = vec![None; count];
        let mut old = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.mark() != LineMark::Attempt) {
            let number = order[entry.suite as usize].get_or_insert_with(|| {
                old.push(entry.suite);
                u32::try_from(old.len() - 1).expect("there are not more suites than cases")
            });
            entry.suite = *number;
        }
        old
    }

    /// Bytes held.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<IndexEntry>()
    }
}

/// Which lines of a case count: its newest outcome, and the attempts that led to it.
fn standing_of(lines: &[IndexEntry], parts: &[u64]) -> std::ops::Range<usize> {
    let is_outcome = |entry: &IndexEntry| entry.mark() != LineMark::Attempt;
    let Some(newest) = lines.iter().rposition(is_outcome) else { return 0..0 };
    let before = lines[..newest].iter().rposition(is_outcome).map_or(0, |outcome| outcome + 1);
    let part = parts.partition_point(|part| *part < lines[newest].offset());
    let since = part.checked_sub(1).map_or(0, |part| parts[part]);
    let in_part = lines.partition_point(|entry| entry.offset() < since);
    before.max(in_part)..newest + 1
}

/// The lines of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct CaseLines<'a> {
    /// Its attempts in file order, then its outcome.
    pub lines: &'a [IndexEntry],
    /// Its newest outcome.
    pub outcome: IndexEntry,
    /// The verdict of that.
    pub verdict: Verdict,
    /// True where that verdict is taken as a warning.
    pub tolerated: bool,
}

impl<'a> CaseLines<'a> {
    fn of(lines: &'a [IndexEntry]) -> Option<Self> {
        lines.iter().rev().find_map(|entry| match entry.mark() {
            LineMark::Outcome(verdict) => Some(Self { lines, outcome: *entry, verdict, tolerated: false }),
            LineMark::Tolerated => {
                Some(Self { lines, outcome: *entry, verdict: Verdict::Inconclusive, tolerated: true })
            }
            LineMark::Attempt => None,
        })
    }
}
