//! What is left of the budgets of a run.

use std::collections::HashSet;

use crate::budget::{Account, KindLimit, SpendingKind, SpendingLimit, limits, suite_key};
use crate::engine::budget::RunBudgets;
use crate::plan::case::Plan;
use crate::record::event::{BudgetFacts, CountLimit, PriceLimit};

impl RunBudgets {
    /// The run's budget, then those of its suites in the order of the plan; includes what other processes spent that share them.
    pub(super) fn spending(&self, plan: &Plan) -> Vec<BudgetFacts> {
        let facts = self.ledger().look(|book, elapsed_ms| {
            let run_facts = budget_facts(None, &plan.budget, book.run(), elapsed_ms);
            let mut all: Vec<BudgetFacts> = run_facts.into_iter().collect();
            let mut known = HashSet::new();
            for suite in plan.cases.iter().map(|case| &case.test.suite) {
                if suite.budget.allowance.is_empty() || !known.insert(suite.name.clone()) {
                    continue;
                }
                let unused = Account::default();
                let account = book.suite(suite_key(&suite.name)).unwrap_or(&unused);
                let name = Some(suite.name.to_string());
                all.extend(budget_facts(name, &suite.budget.allowance, account, elapsed_ms));
            }
            all
        });
        // Without the ledger nothing is known; `failure` says what failed.
        facts.unwrap_or_default()
    }
}

/// A budget and what is left of it; `None` if it limits nothing.
fn budget_facts(
    suite: Option<String>,
    allowance: &SpendingLimit,
    account: &Account,
    elapsed_ms: u64,
) -> Option<BudgetFacts> {
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
        let found = budget_facts(Some("s".to_owned()), &whole, &account, 5_000).unwrap();
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
        let found = budget_facts(None, &tokens, &account, 5_000).unwrap();
        assert_eq!((found.unknown, found.cost.len(), found.time_ms), (2, 0, None));
        let time = SpendingLimit { time: Some(Duration::from_secs(10)), ..SpendingLimit::default() };
        let found = budget_facts(None, &time, &account, 50_000).unwrap();
        assert_eq!(
            (found.unknown, found.time_ms),
            (0, Some(CountLimit { limit: 10_000, spent: 49_000, left: 0 }))
        );
        let unbegun = Account::default();
        let found = budget_facts(None, &time, &unbegun, 50_000).unwrap().time_ms;
        assert_eq!(found, Some(CountLimit { limit: 10_000, spent: 0, left: 10_000 }));
        assert_eq!(budget_facts(None, &SpendingLimit::default(), &account, 5_000), None);
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
            let engine = engine.with_budgets(Some(purse));
            assert_eq!(engine.ledger_failure(), None);
            engine.close().await;
        });
    }
}
