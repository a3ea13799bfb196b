//! Facts of a run, against what must hold of them.

use std::borrow::Cow;

use serde_json::Value;

use crate::dify::transcript::{AnswerField, Ending};
use crate::record::verdict::Severity;

use super::Context;
use super::exchange_end::ExchangeEnd;
use super::fact::Fact;
use super::judged::JudgedCondition;
use super::model::{AssertionTarget, Check, CheckSubject, CountFact, TextFact};
use super::nodes;
use super::operand::bound::{BareMeaning, QuantityBound};
use super::operand::predicate_kind::{Status, StatusOf, parse_statuses};
use super::subject::{cost, count, status, text, with};
use super::times::run_time;
use super::usage;
use super::view::View;

/// Judges one fact of the run.
pub(super) fn of_run(subject: &CheckSubject, view: &View<'_>, context: &Context<'_>) -> JudgedCondition {
    match subject {
        CheckSubject::Status(wanted) => {
            with(wanted.get(context, |value| parse_statuses(value, StatusOf::Run)), |wanted| {
                run_status(wanted, view)
            })
        }
        CheckSubject::Text(fact, expect) => text(*fact, run_text(*fact, view), expect, context),
        CheckSubject::Count(fact, bound) => count(*fact, bound, run_count(*fact, view), context),
        CheckSubject::Time(fact, bound) => {
            with(bound.get(context, |value| QuantityBound::parse(value, BareMeaning::Most)), |bound| {
                run_time(*fact, bound, view)
            })
        }
        CheckSubject::Cost(bound) => cost(bound, usage::run_cost(view), context),
        CheckSubject::Nodes(lists) => nodes::lists(lists, view, context),
    }
}

/// True where a run that waits is what the checks ask for.
pub(super) fn expects_pause(checks: &[Check], context: &Context<'_>) -> bool {
    let is_pause = |subject: &CheckSubject| match subject {
        CheckSubject::Status(wanted) => wanted
            .get(context, |value| parse_statuses(value, StatusOf::Run))
            .is_ok_and(|wanted| wanted.contains(&Status::Paused)),
        CheckSubject::Text(..)
        | CheckSubject::Count(..)
        | CheckSubject::Time(..)
        | CheckSubject::Cost(_)
        | CheckSubject::Nodes(_) => false,
    };
    checks.iter().filter(|check| check.head.severity == Severity::Error).any(|check| match &*check.body {
        AssertionTarget::Run(subjects) => subjects.iter().any(is_pause),
        AssertionTarget::Value(_) | AssertionTarget::Node(_) | AssertionTarget::Group(_) => false,
    })
}

fn run_status(wanted: &[Status], view: &View<'_>) -> JudgedCondition {
    let found = match &view.state {
        ExchangeEnd::Rejected { message, .. } => {
            return status(wanted, Status::Rejected.into(), Some(message));
        }
        ExchangeEnd::Unjudged(_)
            if view.transcript.ending == Ending::Paused && wanted.contains(&Status::Paused) =>
        {
            return JudgedCondition::held();
        }
        ExchangeEnd::Unjudged(cause) => return JudgedCondition::undecided(cause.message.clone()),
        ExchangeEnd::Ran(_) if view.transcript.ending == Ending::Paused => {
            return status(wanted, Status::Paused.into(), None);
        }
        ExchangeEnd::Ran(run) => run,
    };
    match &found.status() {
        Some(reported) => status(wanted, reported.into(), found.error()),
        None => JudgedCondition::undecided("the run has no status"),
    }
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
        (_, ExchangeEnd::Unjudged(cause)) => View::unjudged(cause),
        (TextFact::Error, ExchangeEnd::Rejected { message, .. }) => Fact::Known(Cow::Borrowed(*message)),
        (TextFact::Error, ExchangeEnd::Ran(_)) => field(view.run_field(AnswerField::Error)),
        (TextFact::ErrorCode, ExchangeEnd::Rejected { code, .. }) => {
            code.map_or(Fact::Absent, |code| Fact::Known(Cow::Borrowed(code)))
        }
        (TextFact::ErrorCode, ExchangeEnd::Ran(_)) => Fact::Absent,
        (TextFact::WorkflowId, state) => match (&view.transcript.answer.ids.workflow, state) {
            (Some(id), _) => Fact::Known(Cow::Borrowed(id)),
            (None, ExchangeEnd::Rejected { .. }) => Fact::Absent,
            (None, ExchangeEnd::Ran(_) | ExchangeEnd::Unjudged(_)) => {
                Fact::Unknown("Dify did not say which version ran".into())
            }
        },
    }
}

fn run_count(fact: CountFact, view: &View<'_>) -> Fact<u64> {
    let field = match fact {
        CountFact::Tokens => return view.tokens(),
        CountFact::Steps => AnswerField::Steps,
        CountFact::Exceptions => AnswerField::Exceptions,
        CountFact::Retries => return Fact::Unknown("`retries` is a fact of a node".into()),
    };
    match (&view.state, view.run_field(field)) {
        (ExchangeEnd::Rejected { .. }, _) => Fact::Known(0),
        (ExchangeEnd::Unjudged(_), Fact::Unknown(why)) => Fact::Unknown(why),
        (ExchangeEnd::Ran(_), Fact::Known(value)) if value.is_u64() => {
            Fact::Known(value.as_u64().unwrap_or(0))
        }
        (ExchangeEnd::Ran(_) | ExchangeEnd::Unjudged(_), _) => {
            Fact::Unknown(Cow::Owned(format!("Dify's answer has no `{}`", field.key())))
        }
    }
}
