//! The budgets of a run: which ledger they draw on, and what earlier runs say of its tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::engine::budget::Purse;
use crate::history::{History, Whose};
use crate::ledger::{Expected, LedgerError, Sharing};
use crate::plan::case::{Plan, TargetKind};
use crate::session::Session;
use crate::settings::Settings;

/// The ledger that several processes share: the one that is named, else that of a run of nextest.
pub fn shared_ledger(settings: &Settings, reports: &Path) -> Option<PathBuf> {
    let of_nextest = settings.nextest.as_ref().map(|nextest| {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let plain: String = nextest.run_id.chars().filter(|letter| is_plain(*letter)).take(64).collect();
        ledger_of(reports, &format!("nextest-{plain}"))
    });
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
    History::read(reports, Whose { target: &plan.target.name, mock }, &names)
}

impl Session {
    /// Opens the ledger, where something limits what may be spent.
    pub(super) fn purse(&self, plan: &Plan) -> Result<Option<Purse>, LedgerError> {
        let of_suites = || plan.cases.iter().any(|case| !case.test.suite.budget.allowance.is_empty());
        if plan.budget.is_empty() && !of_suites() {
            return Ok(None);
        }
        let history = history(plan, &self.reports);
        let expected: HashMap<u32, Expected> =
            history.cases().map(|(case, past)| (case, past.expected())).collect();
        let (path, sharing) = match &self.shared_ledger {
            Some(path) => (path.clone(), Sharing::Several),
            None => (ledger_of(&self.reports, &self.run), Sharing::Alone),
        };
        Purse::open(&path, sharing, plan.budget.clone(), expected).map(Some)
    }
}
