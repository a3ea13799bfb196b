//! Budgets in reports: what is spent of each, what is left, and what is not known.

use std::time::Duration;

use crate::base::plural::{counted, plural};
use crate::base::units::{format_count, format_duration};
use crate::record::event::BudgetFacts;
use crate::record::journal::RunRecord;
use crate::report::text::{ReportText, TextTone, one_line};

/// Budgets that the terminal shows one by one.
const BUDGETS: usize = 12;

/// Writes a line for each budget.
pub(crate) fn push_budgets(text: &mut ReportText, record: &RunRecord) {
    let budgets = record.end.as_ref().map_or(&[][..], |end| &end.budgets);
    for budget in budgets.iter().take(BUDGETS) {
        let tone = if budget.unknown > 0 { TextTone::Doubt } else { TextTone::Faint };
        text.tone(tone, &one_line(&budget_line(budget), 400)).end();
    }
    if budgets.len() > BUDGETS {
        text.push(&format!("… and {} more, in report.json", counted(budgets.len() - BUDGETS, "budget")))
            .end();
    }
    let skipped = record.totals.over_budget;
    if skipped > 0 {
        let tests = plural(skipped, "test was", "tests were");
        let count = format_count(u64::from(skipped));
        text.tone(TextTone::Doubt, &format!("{count} {tests} not run: the budget is used up")).end();
    }
}

/// `budget of the run: 12,345 of 400,000 tokens spent, 387,655 left · …`.
pub(crate) fn budget_line(budget: &BudgetFacts) -> String {
    let mut parts = Vec::new();
    if let Some(tokens) = &budget.tokens {
        let [spent, limit, left] = [tokens.spent, tokens.limit, tokens.left].map(format_count);
        parts.push(format!("{spent} of {limit} tokens spent, {left} left"));
    }
    for cost in &budget.cost {
        parts.push(format!("{} of {} {} spent, {} left", cost.spent, cost.limit, cost.currency, cost.left));
    }
    if let Some(time) = &budget.time_ms {
        let [spent, limit] = [time.spent, time.limit].map(|ms| format_duration(Duration::from_millis(ms)));
        parts.push(format!("{spent} of {limit} gone"));
    }
    match budget.unknown {
        0 => {}
        count => parts.push(format!(
            "the usage of {} is not known, or in another currency: the {} reserved for {} {} as spent",
            counted(count, "attempt"),
            plural(count, "amount", "amounts"),
            plural(count, "it", "them"),
            plural(count, "counts", "count")
        )),
    }
    match &budget.suite {
        Some(suite) => format!("budget of {suite}: {}", parts.join(" · ")),
        None => format!("budget of the run: {}", parts.join(" · ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{CountLimit, PriceLimit};

    #[test]
    fn a_budget_tells_what_was_spent_what_is_left_and_what_nobody_knows() {
        let budget = BudgetFacts {
            suite: None,
            tokens: Some(CountLimit { limit: 400_000, spent: 12_345, left: 387_655 }),
            cost: vec![PriceLimit {
                currency: "USD".into(),
                limit: "3.00".into(),
                spent: "0.0123".into(),
                left: "2.9877".into(),
            }],
            time_ms: Some(CountLimit { limit: 1_500_000, spent: 62_000, left: 1_438_000 }),
            unknown: 2,
        };
        assert_eq!(
            budget_line(&budget),
            "budget of the run: 12,345 of 400,000 tokens spent, 387,655 left · 0.0123 of 3.00 USD spent, 2.9877 left · \
             1m 02s of 25m 00s gone · the usage of 2 attempts is not known, or in another currency: the amounts reserved for them count as spent"
        );
        let suite = BudgetFacts { suite: Some("triage".into()), unknown: 0, ..budget };
        assert!(budget_line(&suite).starts_with("budget of triage: 12,345 of"));
    }
}
