//! The budgets of a run: which ledger they draw on, and what earlier runs say of its tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::app::forecast::{History, PastScope};
use crate::app::nextest;
use crate::app::session::Session;
use crate::app::settings::Settings;
use crate::base::digest::Digest;
use crate::budget::{Amount, Currency, ImportedUsage, LedgerError, LedgerSharing, suite_key};
use crate::engine::budget::RunBudgets;
use crate::plan::case::{Plan, TargetKind};
use crate::record::journal::{JournalError, RunRecord};

/// The ledger that several processes share: the one that is named, else that of a run of nextest.
pub fn shared_ledger(settings: &Settings, reports: &Path) -> Option<PathBuf> {
    let of_nextest = settings.nextest.as_ref().map(|of| ledger_of(reports, &nextest::run_of(of)));
    settings.ledger.as_ref().map(|path| settings.working_dir.join(path)).or(of_nextest)
}

/// The ledger of a run: `<reports>/runs/<run>/ledger`.
fn ledger_of(reports: &Path, run: &str) -> PathBuf {
    reports.join("runs").join(run).join("ledger")
}

/// What earlier runs say of the tests of a plan.
pub fn history(plan: &Plan, reports: &Path) -> History {
    let names: HashMap<&str, u32> = plan.cases.iter().map(|case| (&*case.name, case.ordinal)).collect();
    let mock = matches!(plan.target.kind, TargetKind::Mock(_));
    History::read(reports, PastScope { target: &plan.target.name, mock }, &names)
}

/// What earlier parts of a run used, as its journal reports it.
#[derive(Debug, Default)]
pub struct UsageBefore {
    /// By suite.
    past: Vec<(u64, ImportedUsage)>,
    /// How long the parts that ended took.
    elapsed_ms: u64,
}

impl UsageBefore {
    /// Reads it, where the plan has a budget. Runs that were merged had budgets of their own.
    pub(super) fn of(plan: &Plan, record: &RunRecord) -> Result<Self, JournalError> {
        if !has_budget(plan) || !record.start.merged.is_empty() {
            return Ok(Self::default());
        }
        let suites: HashMap<Digest, u64> =
            plan.cases.iter().map(|case| (case.key, suite_key(&case.test.suite.name))).collect();
        let mut past: HashMap<u64, ImportedUsage> = HashMap::new();
        for (test, spent) in record.spent()? {
            // What was spent on tests that are in no suite any more is spent all the same.
            let suite = suites.get(&test).copied().unwrap_or_else(|| suite_key(""));
            let past = past.entry(suite).or_default();
            let cost = spent.cost.into_iter();
            let cost = cost.filter_map(|(name, price)| Some((Currency::of(&name)?, price))).collect();
            past.amount.add(&Amount { tokens: spent.tokens, cost });
            past.unknown = past.unknown.saturating_add(spent.unknown);
            past.largest = past.largest.max(spent.largest);
        }
        let took = record.end.as_ref().map_or(0.0, |end| end.duration_ms.max(0.0));
        Ok(Self { past: past.into_iter().collect(), elapsed_ms: took as u64 })
    }
}

fn has_budget(plan: &Plan) -> bool {
    let of_suites = || plan.cases.iter().any(|case| !case.test.suite.budget.allowance.is_empty());
    !plan.budget.is_empty() || of_suites()
}

impl Session {
    /// Opens the ledger of a resumed run: what its journal records and the ledger does not know is spent as well.
    pub(super) fn purse_again(
        &self,
        plan: &Plan,
        before: &UsageBefore,
    ) -> Result<Option<RunBudgets>, LedgerError> {
        let purse = self.purse(plan)?;
        // A shared ledger contains more than this run, and knows only what was imported into it.
        if let (Some(purse), None) = (&purse, &self.shared_ledger) {
            purse.ledger().carry(&before.past, before.elapsed_ms)?;
        }
        Ok(purse)
    }

    /// Opens the ledger, where something limits what may be spent.
    pub(super) fn purse(&self, plan: &Plan) -> Result<Option<RunBudgets>, LedgerError> {
        if !has_budget(plan) {
            return Ok(None);
        }
        let expected = history(plan, &self.reports).expected();
        let (path, sharing) = match &self.shared_ledger {
            Some(path) => (path.clone(), LedgerSharing::Several),
            None => (ledger_of(&self.reports, &self.run), LedgerSharing::Alone),
        };
        RunBudgets::open(&path, sharing, plan.budget.clone(), expected).map(Some)
    }
}
