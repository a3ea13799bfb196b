//! Facts of one execution of a node, against what must hold of them.

use std::borrow::Cow;

use serde_json::Value;

use crate::base::long_text::tell_end;
use crate::base::units::Money;
use crate::dify::transcript::{NodeEnd, NodeRun, ReportedStatus};

use super::Context;
use super::fact::{Fact, NodeFacts};
use super::gap::hidden;
use super::judged::{JudgedCondition, verdict};
use super::model::{CheckSubject, CountFact, Expectation, TextFact};
use super::operand::PredicateOperand;
use super::operand::bound::{BareMeaning, QuantityBound};
use super::operand::predicate_kind::{Status, StatusOf, parse_statuses};
use super::times::{node_time, within};
use super::usage;
use super::values;
use super::values::SelectedValues;
use super::view::View;

/// Judges one fact of a node's execution.
pub(super) fn of_node(
    subject: &CheckSubject,
    node: &NodeRun,
    view: &View<'_>,
    context: &Context<'_>,
) -> JudgedCondition {
    if let NodeFacts::Unknown(why) = view.nodes() {
        return JudgedCondition::undecided(why);
    }
    if let Some(why) = hidden(subject, node, view) {
        return JudgedCondition::undecided(why);
    }
    match subject {
        CheckSubject::Status(wanted) => {
            with(wanted.get(context, |value| parse_statuses(value, StatusOf::Node)), |wanted| {
                node_status(wanted, node)
            })
        }
        CheckSubject::Text(fact, expect) => text(*fact, node_error(node), expect, context),
        CheckSubject::Count(CountFact::Retries, bound) => {
            count(CountFact::Retries, bound, Fact::Known(u64::from(node.retries)), context)
        }
        CheckSubject::Count(fact, bound) => count(*fact, bound, usage::tokens_of(node, view), context),
        CheckSubject::Time(fact, bound) => {
            let time = node_time(*fact, node);
            with(bound.get(context, |value| QuantityBound::parse(value, BareMeaning::Most)), |bound| {
                within(*fact, bound, time)
            })
        }
        CheckSubject::Cost(bound) => cost(bound, usage::cost_of(node, view), context),
        CheckSubject::Nodes(_) => JudgedCondition::undecided("`nodes` is a fact of the run"),
    }
}

/// An operand that cannot be rendered leaves the assertion undecided.
pub(super) fn with<T>(
    operand: Result<T, String>,
    judge: impl FnOnce(&T) -> JudgedCondition,
) -> JudgedCondition {
    match operand {
        Ok(operand) => judge(&operand),
        Err(why) => JudgedCondition::undecided(why),
    }
}

fn node_status(wanted: &[Status], node: &NodeRun) -> JudgedCondition {
    match node.status() {
        Some(reported) => status(wanted, reported.into(), node.finished.as_ref().and_then(NodeEnd::error)),
        None => JudgedCondition::undecided(format!("`{}` never finished", node.title)),
    }
}

/// A status that was found, and Dify's word for it or ours.
pub(super) struct FoundStatus<'w> {
    status: Option<Status>,
    word: &'w str,
}

impl From<Status> for FoundStatus<'_> {
    fn from(status: Status) -> Self {
        Self { status: Some(status), word: status.word() }
    }
}

impl<'w> From<&'w ReportedStatus> for FoundStatus<'w> {
    fn from(reported: &'w ReportedStatus) -> Self {
        Self { status: Status::of(reported), word: reported.word() }
    }
}

pub(super) fn status(wanted: &[Status], found: FoundStatus<'_>, error: Option<&str>) -> JudgedCondition {
    if found.status.is_some_and(|found| wanted.contains(&found)) {
        return JudgedCondition::held();
    }
    let found = found.word;
    let words: Vec<&str> = wanted.iter().map(|status| status.word()).collect();
    let reason = error
        .filter(|error| !error.is_empty())
        .map(|error| format!(": {}", tell_end(error)))
        .unwrap_or_default();
    let expected = match words.as_slice() {
        [one] => Value::from(*one),
        several => Value::from(several.to_vec()),
    };
    JudgedCondition::broken(format!("expected {}, found {found}{reason}", words.join(" or ")))
        .expected(&expected)
        .actual(&Value::from(found))
}

fn node_error(node: &NodeRun) -> Fact<Cow<'_, str>> {
    match node.finished.as_ref().map(NodeEnd::error) {
        Some(Some(text)) if !text.is_empty() => Fact::Known(Cow::Borrowed(text)),
        Some(_) => Fact::Absent,
        None => Fact::Unknown(Cow::Owned(format!("`{}` never finished", node.title))),
    }
}

pub(super) fn text(
    fact: TextFact,
    found: Fact<Cow<'_, str>>,
    expect: &Expectation,
    context: &Context<'_>,
) -> JudgedCondition {
    let nothing = || match fact {
        TextFact::Error => "there is no error".to_owned(),
        TextFact::ErrorCode => "there is no error code".to_owned(),
        TextFact::WorkflowId => "no version ran".to_owned(),
    };
    let judge = |values: &[&Value]| {
        let selection = SelectedValues { values, settled: Vec::new(), nothing: &nothing, places: &Vec::new };
        values::judge_selected(expect, &selection, context)
    };
    match found {
        Fact::Known(found) => judge(&[&Value::from(found)]),
        Fact::Absent => judge(&[]),
        Fact::Unknown(why) => JudgedCondition::undecided(why),
    }
}

pub(super) fn count(
    fact: CountFact,
    bound: &PredicateOperand<QuantityBound<u64>>,
    found: Fact<u64>,
    context: &Context<'_>,
) -> JudgedCondition {
    let bare = match fact {
        CountFact::Tokens | CountFact::Steps => BareMeaning::Most,
        CountFact::Exceptions | CountFact::Retries => BareMeaning::Exactly,
    };
    with(bound.get(context, |value| QuantityBound::parse(value, bare)), |bound| match found {
        Fact::Known(found) => verdict(bound.holds(&found), || {
            format!("expected {} {}, found {found}", bound.show(), fact.key())
        })
        .map_expected(&Value::from(bound.show()), &Value::from(found)),
        Fact::Absent => JudgedCondition::undecided(format!("Dify reports no {}", fact.key())),
        Fact::Unknown(why) => JudgedCondition::undecided(why),
    })
}

pub(super) fn cost(
    bound: &PredicateOperand<QuantityBound<Money>>,
    found: Fact<usage::Prices>,
    context: &Context<'_>,
) -> JudgedCondition {
    with(bound.get(context, |value| QuantityBound::parse(value, BareMeaning::Most)), |bound| {
        let prices = match found {
            Fact::Known(prices) => prices,
            Fact::Absent => return JudgedCondition::undecided("no price is known"),
            Fact::Unknown(why) => return JudgedCondition::undecided(why),
        };
        let Some(currency) = bound.sample().map(|money| money.currency.clone()) else {
            return JudgedCondition::undecided("no currency is named");
        };
        if let Some((other, amount)) = prices.iter().find(|(other, _)| **other != *currency) {
            return JudgedCondition::undecided(format!(
                "{amount} {other} was spent, which cannot be compared with {currency}"
            ));
        }
        let amount = prices.first().map(|(_, amount)| *amount).unwrap_or_default();
        let found = Money { amount, currency };
        verdict(bound.holds(&found), || format!("expected {}, found {found}", bound.show()))
            .map_expected(&Value::from(bound.show()), &Value::from(found.to_string()))
    })
}
