//! From nodes to budgets as written: those of a profile, and those of a suite with its caps.

use std::time::Duration;

use crate::base::units::{Money, parse_money};
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_project::PROFILE_BUDGET;
use crate::suite::keys::of_suite::{BUDGET, CAP};
use crate::yaml::node::{FilePosition, Node};
use crate::yaml::reader::Reader;

/// The words of `budget.on_exceed`.
const ON_EXCEED: [(&str, ()); 1] = [("stop", ())];
/// The most currencies of one budget: an entry of its ledger has room for no more.
pub const MOST_CURRENCIES: usize = 4;

/// `budget`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BudgetSpec {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Prices, each of a currency of its own.
    pub cost: Vec<Money>,
    /// Time.
    pub time: Option<Duration>,
    /// The most that one attempt may use.
    pub per_test: Option<CapSpec>,
}

/// `budget.per_test`.
#[derive(Debug, Clone, PartialEq)]
pub struct CapSpec {
    /// Where it is.
    pub mark: FilePosition,
    /// Tokens.
    pub tokens: Option<u64>,
    /// A price.
    pub cost: Option<Money>,
}

/// Whose budget is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOf {
    /// A profile's: of the whole run.
    Profile,
    /// A suite's.
    Suite,
}

/// Reads a budget; what is wrong with it is noted in the reader.
pub fn read_budget(reader: &mut Reader<'_>, node: &Node, whose: BudgetOf) -> BudgetSpec {
    let mut budget = BudgetSpec::default();
    let known: &[&str] = match whose {
        BudgetOf::Profile => const { &names(&PROFILE_BUDGET) },
        BudgetOf::Suite => const { &names(&BUDGET) },
    };
    let entries = reader.map(node, "`budget`", known);
    if entries.is_empty() && node.as_map().is_some() {
        reader.problem_with_help(
            node.mark,
            "a budget of nothing limits nothing",
            format!("keys: {}", known.join(", ")),
        );
    }
    for entry in entries {
        let value = &entry.value;
        match entry.key.as_str() {
            "tokens" => budget.tokens = reader.some_tokens(value, "`budget.tokens`"),
            "cost" => budget.cost = read_costs(reader, value),
            "time" => budget.time = reader.positive_duration(value, "`budget.time`"),
            "on_exceed" => drop(reader.choice(value, "`budget.on_exceed`", &ON_EXCEED)),
            "per_test" if whose == BudgetOf::Suite => budget.per_test = Some(read_cap(reader, value)),
            _ => {}
        }
    }
    check_cap(reader, &budget);
    budget
}

fn read_costs(reader: &mut Reader<'_>, node: &Node) -> Vec<Money> {
    let Some(items) = node.as_list() else {
        return reader.some_money(node, "`budget.cost`").into_iter().collect();
    };
    let mut costs: Vec<Money> = Vec::new();
    for item in items {
        let Some(money) = reader.some_money(item, "`budget.cost`") else { continue };
        if costs.iter().any(|known| known.currency == money.currency) {
            reader.problem(item.mark, format!("`budget.cost` has two amounts in {}", money.currency));
        }
        costs.push(money);
    }
    if items.is_empty() || items.len() > MOST_CURRENCIES {
        reader.problem(node.mark, format!("`budget.cost` takes one to {MOST_CURRENCIES} amounts"));
    }
    costs
}

fn read_cap(reader: &mut Reader<'_>, node: &Node) -> CapSpec {
    let mut cap = CapSpec { mark: node.mark, tokens: None, cost: None };
    let entries = reader.map(node, "`budget.per_test`", &names(&CAP));
    if entries.is_empty() && node.as_map().is_some() {
        reader.problem(node.mark, "`budget.per_test` needs `tokens`, `cost` or both");
    }
    for entry in entries {
        match entry.key.as_str() {
            "tokens" => cap.tokens = reader.some_tokens(&entry.value, "`budget.per_test.tokens`"),
            "cost" => cap.cost = reader.some_money(&entry.value, "`budget.per_test.cost`"),
            _ => {}
        }
    }
    cap
}

/// One attempt sets aside its whole cap: a cap above the budget would let none begin.
fn check_cap(reader: &mut Reader<'_>, budget: &BudgetSpec) {
    let Some(cap) = &budget.per_test else { return };
    let help = "one attempt sets aside so much before it is sent: lower `per_test`, or raise the budget";
    if let (Some(most), Some(all)) = (cap.tokens, budget.tokens)
        && most > all
    {
        let message = format!("`budget.per_test.tokens` is more than `budget.tokens`: {most} of {all}");
        reader.problem_with_help(cap.mark, message, help);
    }
    let same = cap.cost.as_ref().and_then(|most| {
        let all = budget.cost.iter().find(|all| all.currency == most.currency)?;
        (most.amount > all.amount).then_some((most, all))
    });
    if let Some((most, all)) = same {
        let message = format!("`budget.per_test.cost` is more than `budget.cost`: {most} of {all}");
        reader.problem_with_help(cap.mark, message, help);
    }
}

impl Reader<'_> {
    fn some_tokens(&mut self, node: &Node, what: &str) -> Option<u64> {
        let tokens = self.count(node, what)?.value;
        if tokens == 0 {
            self.problem(node.mark, format!("{what} must be more than 0: else nothing could run"));
            return None;
        }
        Some(tokens)
    }

    fn some_money(&mut self, node: &Node, what: &str) -> Option<Money> {
        let money = self.parsed(node, what, parse_money)?.value;
        if money.amount.is_zero() {
            self.problem(node.mark, format!("{what} must be more than 0: else nothing could run"));
            return None;
        }
        Some(money)
    }
}
