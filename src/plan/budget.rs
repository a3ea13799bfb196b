//! Budgets as meant: the run's, of the command line over the profile, and each suite's with its cap.

use std::sync::Arc;
use std::time::Duration;

use crate::base::origin::Place;
use crate::base::units::Money;
use crate::budget::{SpendingLimit, costs_of};
use crate::dify::transcript::RunCap;
use crate::suite::project::ProfileSpec;
use crate::suite::read_budget::BudgetSpec;
use crate::suite::spec::SuiteSpec;

/// What the command line says of the run's budget.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BudgetChoice {
    /// `--budget-tokens`.
    pub tokens: Option<u64>,
    /// `--budget-cost`, once for each currency.
    pub cost: Vec<Money>,
    /// `--max-time`.
    pub time: Option<Duration>,
}

/// The budget of a suite.
#[derive(Debug, Clone, Default)]
pub struct SuiteBudget {
    /// What all its attempts together may use.
    pub allowance: SpendingLimit,
    /// The most that one attempt may use.
    pub cap: RunCap,
    /// Where `per_test` stands; none where there is none.
    pub cap_place: Option<Arc<Place>>,
}

/// The budget of a whole run: a key of the command line stands above the profile's.
pub fn of_run(profile: Option<&ProfileSpec>, choice: &BudgetChoice) -> SpendingLimit {
    let none = BudgetSpec::default();
    let written = profile.and_then(|profile| profile.budget.as_ref()).unwrap_or(&none);
    let cost = if choice.cost.is_empty() { &written.cost } else { &choice.cost };
    SpendingLimit {
        tokens: choice.tokens.or(written.tokens),
        cost: costs_of(cost),
        time: choice.time.or(written.time),
    }
}

/// The budget of a suite.
pub fn of_suite(suite: &SuiteSpec) -> SuiteBudget {
    let Some(written) = &suite.budget else { return SuiteBudget::default() };
    let cap = written.per_test.as_ref();
    SuiteBudget {
        allowance: SpendingLimit {
            tokens: written.tokens,
            cost: costs_of(&written.cost),
            time: written.time,
        },
        cap: cap.map(|cap| RunCap { tokens: cap.tokens, cost: cap.cost.clone() }).unwrap_or_default(),
        cap_place: cap.map(|cap| Arc::new(suite.source.place(cap.mark))),
    }
}
