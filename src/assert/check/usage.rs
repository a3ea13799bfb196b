//! Tokens and prices as facts: audited against the nodes, never guessed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;

use crate::base::json_decimal::add_exactly;
use crate::dify::transcript::{AnswerField, NodeRun};
use crate::dify::wire::usage::{NodePrice, may_use_model};
use crate::record::attempt::UsageKind;

use super::UsageAudit;
use super::audit::{audit, said, sum};
use super::doubt::Doubt;
use super::exchange_end::ExchangeEnd;
use super::fact::{Fact, NodeFacts};
use super::view::View;

/// Prices by currency, each exact; `None` where nothing that costs ran.
pub(super) type Prices = Vec<(String, Decimal)>;

impl View<'_> {
    /// Dify's total of tokens, if its nodes do not contradict it.
    pub(super) fn tokens(&self) -> Fact<u64> {
        self.tokens.get_or_init(|| run_tokens(self)).clone()
    }
}

/// Dify's total, if its nodes do not contradict it.
fn run_tokens(view: &View<'_>) -> Fact<u64> {
    match &view.state {
        ExchangeEnd::Rejected { .. } => return Fact::Known(0),
        ExchangeEnd::Unjudged(cause) => return View::unjudged(cause),
        ExchangeEnd::Ran(_) => {}
    }
    let total = match view.run_field(AnswerField::Tokens) {
        Fact::Known(total) => total.as_u64(),
        Fact::Absent => None,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    if let Some(why) = contradicted(&view.transcript.answer.nodes) {
        return unknown(why);
    }
    match (view.usage, total) {
        (UsageAudit::Trust, None) => return unknown("Dify reports no total of tokens"),
        (UsageAudit::Trust, Some(total)) if total > 0 => return Fact::Known(total),
        // 0 is Dify's word for unknown where a model ran: nobody can trust that.
        (UsageAudit::Trust | UsageAudit::Audit, _) => {}
    }
    let total_is_there = total.filter(|total| *total > 0);
    match (view.nodes(), total_is_there) {
        (NodeFacts::Complete(nodes) | NodeFacts::Silent(nodes, _), _) => audited(nodes, total),
        // Events are missing, but the total is what the nodes seen add up to.
        (NodeFacts::Partial(nodes, _), Some(total)) => audited(nodes, Some(total)),
        (NodeFacts::Gap(nodes, _), Some(total)) if sum(nodes) > total => audited(nodes, Some(total)),
        (NodeFacts::Unknown(_) | NodeFacts::Gap(..), Some(total)) => Fact::Known(total),
        (NodeFacts::Partial(_, why) | NodeFacts::Gap(_, why), None) => {
            unknown(format!("{}, and {why}", said(total)))
        }
        (NodeFacts::Unknown(why), None) => unknown(format!("{}, and {why}", said(total))),
    }
}

fn audited(nodes: &[NodeRun], total: Option<u64>) -> Fact<u64> {
    audit(nodes, total).map_or_else(|doubt| unknown(doubt.message), Fact::Known)
}

/// A node's own tokens.
pub(super) fn tokens_of(node: &NodeRun, view: &View<'_>) -> Fact<u64> {
    let (Some(end), Some(told)) = (&node.finished, node.told()) else {
        return unknown(format!("`{}` never finished", node.title));
    };
    let own_total = || end.field(AnswerField::Tokens)?.as_u64().filter(|_| node.is_container());
    let reported = told.tokens.or_else(own_total);
    match reported {
        Some(tokens) if tokens > 0 => Fact::Known(tokens),
        Some(_) | None if uses_model(node, view) => {
            unknown(format!("Dify reports no tokens of `{}`, which uses a model", node.title))
        }
        Some(_) | None => Fact::Known(0),
    }
}

/// Why the usage of a node is not known that says of it two things.
fn contradicted(nodes: &[NodeRun]) -> Option<String> {
    nodes.iter().find_map(|node| {
        let flaw = node.flaws.iter().find(|flaw| flaw.concerns_usage())?;
        Some(format!("of `{}`, {}", node.title, Doubt::of(flaw).message()))
    })
}

/// The sum of the leaves' prices.
pub(super) fn run_cost(view: &View<'_>) -> Fact<Prices> {
    if let (ExchangeEnd::Ran(_), Some(why)) = (&view.state, contradicted(&view.transcript.answer.nodes)) {
        return unknown(why);
    }
    let nodes = match (&view.state, view.nodes()) {
        (ExchangeEnd::Rejected { .. }, _) => return Fact::Known(Prices::new()),
        (ExchangeEnd::Unjudged(cause), _) => return View::unjudged(cause),
        (ExchangeEnd::Ran(_), NodeFacts::Unknown(why)) => return Fact::Unknown(why),
        (ExchangeEnd::Ran(_), NodeFacts::Gap(_, why)) => {
            return unknown(format!("the cost is not known: {why}"));
        }
        (ExchangeEnd::Ran(run), NodeFacts::Complete(nodes) | NodeFacts::Silent(nodes, _)) => {
            match audit(nodes, run.tokens()) {
                // Where the tokens do not add up, a price may be missing or are there twice.
                Err(doubt) if doubt.kind == UsageKind::Difference && view.usage == UsageAudit::Audit => {
                    return unknown(doubt.message);
                }
                // The rest is asked of each node.
                Ok(_) | Err(_) => nodes,
            }
        }
        // What was not seen used no tokens, if those seen account for all of them.
        (ExchangeEnd::Ran(run), NodeFacts::Partial(nodes, why)) => match audit(nodes, run.tokens()) {
            Ok(_) => nodes,
            Err(_) => return unknown(why),
        },
    };
    sum_prices(nodes.iter().filter(|node| !node.is_container()))
}

/// A node's own price; a container's is that of the nodes in it.
pub(super) fn cost_of(node: &NodeRun, view: &View<'_>) -> Fact<Prices> {
    if !node.is_container() {
        return sum_prices([node].into_iter());
    }
    let Some(told) = node.told() else { return unknown(format!("`{}` never finished", node.title)) };
    match told.price.clone() {
        NodePrice::Known { amount, currency } if !currency.is_empty() => {
            Fact::Known(vec![(currency, amount)])
        }
        NodePrice::Known { .. } | NodePrice::Unknown | NodePrice::None if uses_model(node, view) => {
            unknown(format!("no price is known of `{}`, in which a model ran", node.title))
        }
        NodePrice::Known { .. } | NodePrice::Unknown | NodePrice::None => Fact::Known(Prices::new()),
    }
}

fn sum_prices<'t>(nodes: impl Iterator<Item = &'t NodeRun>) -> Fact<Prices> {
    let (mut sums, mut places) = (Prices::new(), HashMap::new());
    let mut tool = None;
    for node in nodes {
        let Some(told) = node.told() else {
            if may_use_model(&node.node_type) {
                return unknown(format!(
                    "`{}` uses a model and never finished: its price is not known",
                    node.title
                ));
            }
            continue;
        };
        let priced = match &told.price {
            NodePrice::Known { amount, currency } if !currency.is_empty() => {
                Some((currency.as_str(), *amount))
            }
            NodePrice::Known { .. } | NodePrice::Unknown => {
                return unknown(format!("no price is known of `{}`", node.title));
            }
            NodePrice::None => None,
        };
        match priced {
            Some((currency, amount)) => {
                let place = *places.entry(currency).or_insert_with(|| {
                    sums.push((currency.to_owned(), Decimal::ZERO));
                    sums.len() - 1
                });
                let Some(total) = add_exactly(sums[place].1, amount) else {
                    return unknown("the prices are too large to be added exactly");
                };
                sums[place].1 = total;
            }
            None if told.tokens.unwrap_or(0) > 0 => {
                return unknown(format!("no price is known of `{}`", node.title));
            }
            None if may_use_model(&node.node_type) => tool = Some(node),
            None => {}
        }
    }
    match tool {
        Some(tool) if sums.is_empty() => unknown(format!("no price is known of the tool `{}`", tool.title)),
        Some(_) | None => Fact::Known(sums),
    }
}

fn uses_model(node: &NodeRun, view: &View<'_>) -> bool {
    if !node.is_container() {
        return may_use_model(&node.node_type);
    }
    let with_model = view.model_containers.get_or_init(|| model_containers(&view.transcript.answer.nodes));
    with_model.contains(node.node_id.as_str()) || with_model.contains(node.id.as_str())
}

fn model_containers(nodes: &[NodeRun]) -> HashSet<&str> {
    let of_models = nodes.iter().filter(|node| may_use_model(&node.node_type));
    of_models.filter_map(|node| Some(node.parent.as_ref()?.container.as_str())).collect()
}

fn unknown<T>(why: impl Into<Cow<'static, str>>) -> Fact<T> {
    Fact::Unknown(why.into())
}
