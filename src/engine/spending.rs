//! What the budgets of a run came to.

use std::collections::HashSet;

use crate::budget::{Account, KindLimit, SpendingKind, SpendingLimit, limits, suite_key};
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
    let unknown = limits(allowance).map(|one| account.unknown(one.kind)).max().unwrap_or(0);
    let mut facts = BudgetFacts { suite, unknown, ..BudgetFacts::default() };
    for KindLimit { kind, limit } in limits(allowance) {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::budget::{Amount, Currency, LedgerSharing};
    use crate::engine::budget::RunBudgets;
    use crate::engine::sample::{engine, plan};

    #[test]
    fn a_budget_says_what_is_spent_and_left_and_of_how_many_attempts_it_is_not_known() {
        let usd = Currency::of("USD").unwrap();
        let amount = |tokens, cost: &str| Amount { tokens, cost: [(usd, cost.parse().unwrap())].into() };
        let account = Account {
            spent: amount(700, "0.5"),
            reserved: amount(200, "0.2"),
            began_ms: Some(1_000),
            unknown_tokens: 2,
            unknown_cost: 3,
            ..Account::default()
        };
        let whole = SpendingLimit {
            tokens: Some(1_000),
            cost: [(usd, "1".parse().unwrap())].into(),
            time: Some(Duration::from_secs(10)),
        };
        let found = facts(Some("s".to_owned()), &whole, (&account, 5_000)).unwrap();
        assert_eq!((found.suite.as_deref(), found.unknown), (Some("s"), 3));
        assert_eq!(found.tokens, Some(CountLimit { limit: 1_000, spent: 700, left: 100 }));
        let price = |limit: &str, spent: &str, left: &str| PriceLimit {
            currency: "USD".to_owned(),
            limit: limit.to_owned(),
            spent: spent.to_owned(),
            left: left.to_owned(),
        };
        assert_eq!(found.cost, [price("1", "0.5", "0.3")]);
        assert_eq!(found.time_ms, Some(CountLimit { limit: 10_000, spent: 4_000, left: 6_000 }));
        // Only what is limited can be unknown.
        let tokens = SpendingLimit { tokens: Some(1_000), ..SpendingLimit::default() };
        let found = facts(None, &tokens, (&account, 5_000)).unwrap();
        assert_eq!((found.unknown, found.cost.len(), found.time_ms), (2, 0, None));
        let time = SpendingLimit { time: Some(Duration::from_secs(10)), ..SpendingLimit::default() };
        let found = facts(None, &time, (&account, 50_000)).unwrap();
        assert_eq!(
            (found.unknown, found.time_ms),
            (0, Some(CountLimit { limit: 10_000, spent: 49_000, left: 0 }))
        );
        let unbegun = Account::default();
        let found = facts(None, &time, (&unbegun, 50_000)).unwrap().time_ms;
        assert_eq!(found, Some(CountLimit { limit: 10_000, spent: 0, left: 10_000 }));
        assert_eq!(facts(None, &SpendingLimit::default(), (&account, 5_000)), None);
    }

    #[test]
    fn a_ledger_that_could_be_kept_has_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let limit = SpendingLimit { tokens: Some(1_000), ..SpendingLimit::default() };
        let path = folder.path().join("ledger");
        let purse = RunBudgets::open(&path, LedgerSharing::Alone, limit, HashMap::new()).unwrap();
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
            let (engine, _) = engine(plan(
                "",
                "tests: [{ name: t, mock: { outputs: {} }, assert: [{ status: succeeded }] }]\n",
            ));
            let engine = Arc::into_inner(engine).unwrap();
            assert_eq!(engine.ledger_failure(), None, "without a budget");
            let engine = engine.paid_from(Some(purse));
            assert_eq!(engine.ledger_failure(), None);
            engine.close().await;
        });
    }
}
