//! How the parts of a continued run ended, as one end.

use crate::record::event::{BudgetFacts, ContinuationReason, FallenLimit, RanVersion, RunEnd};

/// The ends of all parts so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PartEnds {
    /// Those of the parts before the last one.
    earlier: Option<RunEnd>,
    last: Option<RunEnd>,
}

impl PartEnds {
    /// The run ended.
    pub fn finish(&mut self, end: RunEnd) {
        self.last = Some(match self.last.take() {
            Some(other) => beside(other, end),
            None => end,
        });
    }

    /// The run goes on: it has no end for now.
    pub fn go_on(&mut self, how: ContinuationReason) {
        if let Some(last) = self.last.take() {
            self.earlier = Some(joined(self.earlier.take(), last));
        }
        // Runs that were merged had ledgers of their own: what one of them spent is not what all did.
        if let (ContinuationReason::Merged, Some(earlier)) = (how, &mut self.earlier) {
            earlier.budgets.clear();
        }
    }

    /// The end of the whole run; `None` while its last part has none.
    pub fn all(self) -> Option<RunEnd> {
        let Self { earlier, last } = self;
        last.map(|last| joined(earlier, last))
    }
}

/// The end of two processes that wrote one record side by side: the longer time, and what either of them says.
fn beside(one: RunEnd, other: RunEnd) -> RunEnd {
    let duration_ms = one.duration_ms.max(other.duration_ms);
    let interrupted = one.interrupted || other.interrupted;
    let stopped_early = one.stopped_early.clone().or(other.stopped_early.clone());
    let unrecorded = one.unrecorded.clone().or(other.unrecorded.clone());
    RunEnd { duration_ms, interrupted, stopped_early, unrecorded, ..joined(Some(one), other) }
}

/// Times and counts add up; how it ended is what the later part says.
fn joined(earlier: Option<RunEnd>, later: RunEnd) -> RunEnd {
    let Some(mut earlier) = earlier else { return later };
    for ran in later.versions {
        add_version(&mut earlier.versions, ran);
    }
    for budget in later.budgets {
        set_budget(&mut earlier.budgets, budget);
    }
    RunEnd {
        duration_ms: earlier.duration_ms + later.duration_ms,
        versions: earlier.versions,
        budgets: earlier.budgets,
        limit: match (earlier.limit, later.limit) {
            (Some(one), Some(two)) => Some(FallenLimit {
                most: two.most,
                lowest: one.lowest.min(two.lowest),
                last: two.last,
                refusals: one.refusals.saturating_add(two.refusals),
            }),
            (one, two) => two.or(one),
        },
        rates: [earlier.rates, later.rates].concat(),
        interrupted: later.interrupted,
        stopped_early: later.stopped_early,
        // What an earlier part could not write is kept, and the later one takes it up.
        unrecorded: later.unrecorded,
        fields: {
            let mut fields = [earlier.fields, later.fields].concat();
            fields.sort_unstable();
            fields.dedup();
            fields
        },
    }
}

/// What a budget came to later counts: its ledger continues from part to part.
fn set_budget(all: &mut Vec<BudgetFacts>, budget: BudgetFacts) {
    match all.iter_mut().find(|known| known.suite == budget.suite) {
        Some(known) => *known = budget,
        None => all.push(budget),
    }
}

fn add_version(all: &mut Vec<RanVersion>, ran: RanVersion) {
    let is_same = |known: &&mut RanVersion| {
        (&known.app, &known.workflow_id, &known.dify_version)
            == (&ran.app, &ran.workflow_id, &ran.dify_version)
    };
    match all.iter_mut().find(is_same) {
        Some(known) => known.attempts = known.attempts.saturating_add(ran.attempts),
        None => all.push(ran),
    }
}
