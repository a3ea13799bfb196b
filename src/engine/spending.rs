//! What the budgets of a run came to.

use std::collections::HashSet;

use crate::budget::{Account, SpendingKind, SpendingLimit, limits, suite_key};
use crate::engine::Engine;
use crate::record::event::{BudgetFacts, CountLimit, PriceLimit};

impl Engine {
    /// The run's budget, then those of its suites in the order of the plan; what others spent that share them included.
    pub(super) fn spending(&self) -> Vec<BudgetFacts> {
        let Some(purse) = &self.purse else { return Vec::new() };
        let facts = purse.ledger().look(|book, elapsed_ms| {
            let of_run = facts(None, &self.plan.budget, (book.run(), elapsed_ms));
            let mut all: Vec<BudgetFacts> = of_run.into_iter().collect();
            let mut told = HashSet::new();
            for suite in self.plan.cases.iter().map(|case| &case.test.suite) {
                if suite.budget.allowance.is_empty() || !told.insert(suite.name.clone()) {
                    continue;
                }
                let none = Account::default();
                let account = book.suite(suite_key(&suite.name)).unwrap_or(&none);
                all.extend(facts(
                    Some(suite.name.to_string()),
                    &suite.budget.allowance,
                    (account, elapsed_ms),
                ));
            }
            all
        });
        // Without its ledger nothing is known of it; what failed is told by `ledger_failure`.
        facts.unwrap_or_default()
    }

    /// Why the ledger of the budgets could not be kept, if so: what it tells is then less than what was spent.
    pub fn ledger_failure(&self) -> Option<String> {
        self.purse.as_ref()?.failure()
    }
}

/// A budget and what is left of it; none where it limits nothing.
fn facts(suite: Option<String>, allowance: &SpendingLimit, at: (&Account, u64)) -> Option<BudgetFacts> {
    let (account, elapsed_ms) = at;
    if allowance.is_empty() {
        return None;
    }
    let unknown = limits(allowance).map(|(kind, _)| account.unknown(kind)).max().unwrap_or(0);
    let mut facts = BudgetFacts { suite, unknown, ..BudgetFacts::default() };
    for (kind, limit) in limits(allowance) {
        let left = account.left(kind, limit);
        match kind {
            SpendingKind::Tokens => {
                let whole = |tokens| u64::try_from(tokens).unwrap_or(u64::MAX);
                facts.tokens =
                    Some(CountLimit { limit: whole(limit), spent: account.spent.tokens, left: whole(left) });
            }
            SpendingKind::Cost(currency) => facts.cost.push(PriceLimit {
                currency: currency.to_string(),
                limit: limit.to_string(),
                spent: account.spent.in_currency(currency).to_string(),
                left: left.to_string(),
            }),
            SpendingKind::Time => {}
        }
    }
    facts.time_ms = allowance.time.map(|time| {
        let limit = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let spent = account.began_ms.map_or(0, |began| elapsed_ms.saturating_sub(began));
        CountLimit { limit, spent, left: limit.saturating_sub(spent) }
    });
    Some(facts)
}
