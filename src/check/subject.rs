//! Facts of a run, or of one execution of a node, against what must hold of them.

use std::borrow::Cow;

use serde_json::Value;

use crate::base::long_text::tell_end;
use crate::base::units::Money;
use crate::exchange::{Ending, NodeRun};
use crate::verdict::Severity;

use super::Context;
use super::gap::hidden;
use super::judged::{Judged, verdict};
use super::model::{Body, Check, CountFact, Expectation, Subject, TextFact};
use super::operand::Operand;
use super::operand::bound::{Bare, Bound};
use super::operand::words::{Status, StatusOf, parse_statuses};
use super::times::{node_time, run_time, within};
use super::values::Selection;
use super::view::{Fact, NodeFacts, State, View};
use super::{nodes, usage, values};

/// Judges one fact of the run.
pub(super) fn of_run(subject: &Subject, view: &View<'_>, context: &Context<'_>) -> Judged {
    match subject {
        Subject::Status(wanted) => {
            with(wanted.get(context, |value| parse_statuses(value, StatusOf::Run)), |wanted| {
                run_status(wanted, view)
            })
        }
        Subject::Text(fact, expect) => text(*fact, run_text(*fact, view), expect, context),
        Subject::Count(fact, bound) => count(*fact, bound, run_count(*fact, view), context),
        Subject::Time(fact, bound) => {
            with(bound.get(context, |value| Bound::parse(value, Bare::Most)), |bound| {
                run_time(*fact, bound, view)
            })
        }
        Subject::Cost(bound) => cost(bound, usage::run_cost(view), context),
        Subject::Nodes(lists) => nodes::lists(lists, view, context),
    }
}

/// True where a run that waits is what the checks ask for.
pub(super) fn expects_pause(checks: &[Check], context: &Context<'_>) -> bool {
    let is_pause = |subject: &Subject| match subject {
        Subject::Status(wanted) => wanted
            .get(context, |value| parse_statuses(value, StatusOf::Run))
            .is_ok_and(|wanted| wanted.contains(&Status::Paused)),
        Subject::Text(..) | Subject::Count(..) | Subject::Time(..) | Subject::Cost(_) | Subject::Nodes(_) => {
            false
        }
    };
    checks.iter().filter(|check| check.head.severity == Severity::Error).any(|check| match &*check.body {
        Body::Run(subjects) => subjects.iter().any(is_pause),
        Body::Value(_) | Body::Node(_) | Body::Group(_) => false,
    })
}

/// Judges one fact of a node's execution.
pub(super) fn of_node(subject: &Subject, node: &NodeRun, view: &View<'_>, context: &Context<'_>) -> Judged {
    if let NodeFacts::Unknown(why) = view.nodes() {
        return Judged::undecided(why);
    }
    if let Some(why) = hidden(subject, node, view) {
        return Judged::undecided(why);
    }
    match subject {
        Subject::Status(wanted) => {
            with(wanted.get(context, |value| parse_statuses(value, StatusOf::Node)), |wanted| {
                node_status(wanted, node)
            })
        }
        Subject::Text(fact, expect) => text(*fact, node_error(node), expect, context),
        Subject::Count(CountFact::Retries, bound) => {
            count(CountFact::Retries, bound, Fact::Known(u64::from(node.retries)), context)
        }
        Subject::Count(fact, bound) => count(*fact, bound, usage::tokens_of(node, view), context),
        Subject::Time(fact, bound) => {
            let time = node_time(*fact, node);
            with(bound.get(context, |value| Bound::parse(value, Bare::Most)), |bound| {
                within(*fact, bound, time)
            })
        }
        Subject::Cost(bound) => cost(bound, usage::cost_of(node, view), context),
        Subject::Nodes(_) => Judged::undecided("`nodes` is a fact of the run"),
    }
}

/// An operand that cannot be rendered leaves the assertion undecided.
fn with<T>(operand: Result<T, String>, judge: impl FnOnce(&T) -> Judged) -> Judged {
    match operand {
        Ok(operand) => judge(&operand),
        Err(why) => Judged::undecided(why),
    }
}

fn run_status(wanted: &[Status], view: &View<'_>) -> Judged {
    let found = match &view.state {
        State::Rejected { message, .. } => return status(wanted, "rejected", Some(message)),
        State::Unjudged(_)
            if view.transcript.ending == Ending::Paused && wanted.contains(&Status::Paused) =>
        {
            return Judged::held();
        }
        State::Unjudged(cause) => return Judged::undecided(cause.message.clone()),
        State::Ran(_) if view.transcript.ending == Ending::Paused => return status(wanted, "paused", None),
        State::Ran(run) => run,
    };
    match found["status"].as_str() {
        Some(word) => status(wanted, word, found["error"].as_str()),
        None => Judged::undecided("the run has no status"),
    }
}

fn node_status(wanted: &[Status], node: &NodeRun) -> Judged {
    match node.status() {
        Some(word) => status(wanted, word, node.finished.as_ref().and_then(|data| data["error"].as_str())),
        None => Judged::undecided(format!("`{}` never finished", node.title)),
    }
}

fn status(wanted: &[Status], found: &str, error: Option<&str>) -> Judged {
    if Status::of(found).is_some_and(|found| wanted.contains(&found)) {
        return Judged::held();
    }
    let words: Vec<&str> = wanted.iter().map(|status| status.word()).collect();
    let reason = error
        .filter(|error| !error.is_empty())
        .map(|error| format!(": {}", tell_end(error)))
        .unwrap_or_default();
    let expected = match words.as_slice() {
        [one] => Value::from(*one),
        several => Value::from(several.to_vec()),
    };
    Judged::broken(format!("expected {}, found {found}{reason}", words.join(" or ")))
        .expected(&expected)
        .actual(&Value::from(found))
}

fn run_text<'v>(fact: TextFact, view: &'v View<'_>) -> Fact<Cow<'v, str>> {
    let field = |value: Fact<&'v Value>| match value {
        Fact::Known(Value::String(text)) if !text.is_empty() => Fact::Known(Cow::Borrowed(text.as_str())),
        Fact::Known(Value::Null) | Fact::Absent => Fact::Absent,
        Fact::Known(Value::String(_)) => Fact::Absent,
        Fact::Known(other) => Fact::Known(Cow::Owned(other.to_string())),
        Fact::Unknown(why) => Fact::Unknown(why),
    };
    match (fact, &view.state) {
        (_, State::Unjudged(cause)) => View::unjudged(cause),
        (TextFact::Error, State::Rejected { message, .. }) => Fact::Known(Cow::Borrowed(*message)),
        (TextFact::Error, State::Ran(_)) => field(view.run_field("error")),
        (TextFact::ErrorCode, State::Rejected { code, .. }) => {
            code.map_or(Fact::Absent, |code| Fact::Known(Cow::Borrowed(code)))
        }
        (TextFact::ErrorCode, State::Ran(_)) => Fact::Absent,
        (TextFact::WorkflowId, state) => match (&view.transcript.workflow_id, state) {
            (Some(id), _) => Fact::Known(Cow::Borrowed(id)),
            (None, State::Rejected { .. }) => Fact::Absent,
            (None, State::Ran(_) | State::Unjudged(_)) => {
                Fact::Unknown("Dify did not say which version ran".into())
            }
        },
    }
}

fn node_error(node: &NodeRun) -> Fact<Cow<'_, str>> {
    match node.finished.as_ref().map(|data| &data["error"]) {
        Some(Value::String(text)) if !text.is_empty() => Fact::Known(Cow::Borrowed(text)),
        Some(_) => Fact::Absent,
        None => Fact::Unknown(Cow::Owned(format!("`{}` never finished", node.title))),
    }
}

fn text(fact: TextFact, found: Fact<Cow<'_, str>>, expect: &Expectation, context: &Context<'_>) -> Judged {
    let nothing = || match fact {
        TextFact::Error => "there is no error".to_owned(),
        TextFact::ErrorCode => "there is no error code".to_owned(),
        TextFact::WorkflowId => "no version ran".to_owned(),
    };
    let judge = |values: &[&Value]| {
        let selection = Selection { values, settled: Vec::new(), nothing: &nothing, places: &Vec::new };
        values::judge_selected(expect, &selection, context)
    };
    match found {
        Fact::Known(found) => judge(&[&Value::from(found)]),
        Fact::Absent => judge(&[]),
        Fact::Unknown(why) => Judged::undecided(why),
    }
}

fn run_count(fact: CountFact, view: &View<'_>) -> Fact<u64> {
    let key = match fact {
        CountFact::Tokens => return view.tokens(),
        CountFact::Steps => "total_steps",
        CountFact::Exceptions => "exceptions_count",
        CountFact::Retries => return Fact::Unknown("`retries` is a fact of a node".into()),
    };
    match (&view.state, view.run_field(key)) {
        (State::Rejected { .. }, _) => Fact::Known(0),
        (State::Unjudged(_), Fact::Unknown(why)) => Fact::Unknown(why),
        (State::Ran(_), Fact::Known(value)) if value.is_u64() => Fact::Known(value.as_u64().unwrap_or(0)),
        (State::Ran(_) | State::Unjudged(_), _) => {
            Fact::Unknown(Cow::Owned(format!("Dify's answer has no `{key}`")))
        }
    }
}

fn count(fact: CountFact, bound: &Operand<Bound<u64>>, found: Fact<u64>, context: &Context<'_>) -> Judged {
    let bare = match fact {
        CountFact::Tokens | CountFact::Steps => Bare::Most,
        CountFact::Exceptions | CountFact::Retries => Bare::Exactly,
    };
    with(bound.get(context, |value| Bound::parse(value, bare)), |bound| match found {
        Fact::Known(found) => verdict(bound.holds(&found), || {
            format!("expected {} {}, found {found}", bound.show(), fact.key())
        })
        .map_expected(&Value::from(bound.show()), &Value::from(found)),
        Fact::Absent => Judged::undecided(format!("Dify reports no {}", fact.key())),
        Fact::Unknown(why) => Judged::undecided(why),
    })
}

fn cost(bound: &Operand<Bound<Money>>, found: Fact<usage::Prices>, context: &Context<'_>) -> Judged {
    with(bound.get(context, |value| Bound::parse(value, Bare::Most)), |bound| {
        let prices = match found {
            Fact::Known(prices) => prices,
            Fact::Absent => return Judged::undecided("no price is known"),
            Fact::Unknown(why) => return Judged::undecided(why),
        };
        let Some(currency) = bound.sample().map(|money| money.currency.clone()) else {
            return Judged::undecided("no currency is named");
        };
        if let Some((other, amount)) = prices.iter().find(|(other, _)| **other != *currency) {
            return Judged::undecided(format!(
                "{amount} {other} was spent, which cannot be compared with {currency}"
            ));
        }
        let amount = prices.first().map(|(_, amount)| *amount).unwrap_or_default();
        let found = Money { amount, currency };
        verdict(bound.holds(&found), || format!("expected {}, found {found}", bound.show()))
            .map_expected(&Value::from(bound.show()), &Value::from(found.to_string()))
    })
}
