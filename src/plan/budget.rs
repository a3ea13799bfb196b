//! Budgets as meant: the run's, of the command line over the profile, and each suite's with its cap.

use std::sync::Arc;

use crate::base::origin::Place;
use crate::budget::{SpendingLimit, costs_of};
use crate::dify::transcript::RunCap;
use crate::record::event::RunOptions;
use crate::suite::project::ProfileSpec;
use crate::suite::read_budget::BudgetSpec;
use crate::suite::spec::SuiteSpec;

/// The budget of a suite.
#[derive(Debug, Clone, Default)]
pub struct SuiteBudget {
    /// What all its attempts together may use.
    pub allowance: SpendingLimit,
    /// The most that one attempt may use.
    pub cap: RunCap,
    /// Where `per_test` is; `None` where there is none.
    pub cap_place: Option<Arc<Place>>,
}

/// The budget of a whole run: an option is above the same key of the profile.
pub fn of_run(profile: Option<&ProfileSpec>, options: &RunOptions) -> SpendingLimit {
    let none = BudgetSpec::default();
    let written = profile.and_then(|profile| profile.budget.as_ref()).unwrap_or(&none);
    let cost = if options.budget_cost.is_empty() { &written.cost } else { &options.budget_cost };
    SpendingLimit {
        tokens: options.budget_tokens.or(written.tokens),
        cost: costs_of(cost),
        time: options.max_time.or(written.time),
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
