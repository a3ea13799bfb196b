//! The flags of the run's budget.

use std::time::Duration;

use clap::Args;

use crate::base::units::{Money, UnitError, parse_count, parse_limit, parse_money};
use crate::budget::MOST_CURRENCIES;
use crate::plan::budget::BudgetChoice;

/// The flags of the run's budget: each stands above the same key of the profile.
#[derive(Debug, Clone, Default, Args)]
pub struct BudgetArgs {
    /// Skip the tests that no longer fit so many tokens, such as `400k`.
    #[arg(long, value_name = "N", value_parser = some_tokens)]
    pub budget_tokens: Option<u64>,
    /// Skip the tests that no longer fit this price, such as `3.00USD`; once for each currency.
    #[arg(long, value_name = "M", value_parser = some_money)]
    pub budget_cost: Vec<Money>,
    /// Send nothing more when the run has lasted so long, such as `25m`.
    #[arg(long, value_name = "D", value_parser = parse_limit)]
    pub max_time: Option<Duration>,
}

impl BudgetArgs {
    /// What the flags say; an error names the flag.
    pub fn choice(&self) -> Result<BudgetChoice, String> {
        let cost = &self.budget_cost;
        let again = cost
            .iter()
            .enumerate()
            .find(|(place, money)| cost[..*place].iter().any(|earlier| earlier.currency == money.currency));
        if let Some((_, money)) = again {
            return Err(format!("--budget-cost: there are two amounts in {}; name one", money.currency));
        }
        if cost.len() > MOST_CURRENCIES {
            return Err(format!("--budget-cost: a budget has at most {MOST_CURRENCIES} currencies"));
        }
        Ok(BudgetChoice { tokens: self.budget_tokens, cost: cost.clone(), time: self.max_time })
    }
}

fn some_tokens(text: &str) -> Result<u64, UnitError> {
    match parse_count(text)? {
        0 => Err(UnitError::NotPositive { text: text.to_owned(), example: "400k" }),
        tokens => Ok(tokens),
    }
}

fn some_money(text: &str) -> Result<Money, UnitError> {
    let money = parse_money(text)?;
    if money.amount.is_zero() {
        return Err(UnitError::NotPositive { text: text.to_owned(), example: "3.00USD" });
    }
    Ok(money)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_less_are_no_budgets() {
        assert_eq!(some_tokens("8k"), Ok(8000));
        assert!(["0", "-1", "1.5", "", "0k"].iter().all(|text| some_tokens(text).is_err()));
        assert_eq!(some_money("0.05 USD").unwrap().to_string(), "0.05 USD");
        assert!(["0USD", "0.00 USD", "-1 USD", "5"].iter().all(|text| some_money(text).is_err()));
    }

    #[test]
    fn each_currency_is_named_once() {
        let args = |amounts: &[&str]| {
            let budget_cost = amounts.iter().map(|text| some_money(text).unwrap()).collect();
            BudgetArgs { budget_cost, ..BudgetArgs::default() }.choice()
        };
        assert_eq!(args(&["1 USD", "2 EUR"]).unwrap().cost.len(), 2);
        assert!(args(&["1 USD", "2 USD"]).unwrap_err().contains("two amounts in USD"));
        assert!(args(&["1 AAA", "1 BBB", "1 CCC", "1 DDD", "1 EEE"]).is_err());
    }
}
