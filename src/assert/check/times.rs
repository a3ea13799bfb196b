//! Times of a run, or of one execution of a node, against their bounds.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use crate::dify::transcript::{AnswerField, Ending, NodeRun};

use super::exchange_end::ExchangeEnd;
use super::fact::Fact;
use super::judged::{JudgedCondition, verdict};
use super::model::TimeFact;
use super::operand::bound::{QuantityBound, show_duration};
use super::shown::show;
use super::view::View;

/// Judges a time of the run by the client's clock, or by Dify's.
pub(super) fn run_time(fact: TimeFact, bound: &QuantityBound<Duration>, view: &View<'_>) -> JudgedCondition {
    let transcript = view.transcript;
    if let (TimeFact::Latency | TimeFact::Ttft | TimeFact::MaxGap, Some(why)) = (fact, view.gap()) {
        return JudgedCondition::undecided(why);
    }
    let timed_out = matches!((fact, &transcript.ending), (TimeFact::Latency, Ending::TimedOut { .. }));
    if timed_out && bound.is_passed(&transcript.elapsed) {
        let so_far = show_duration(transcript.elapsed);
        let message = format!("expected {}, and it had not ended after {so_far}", bound.show());
        return JudgedCondition::broken(message).expected(&Value::from(bound.show()));
    }
    if let ExchangeEnd::Unjudged(cause) = &view.state {
        return JudgedCondition::undecided(cause.message.clone());
    }
    let time = match fact {
        TimeFact::Latency => Fact::Known(transcript.elapsed),
        TimeFact::ServerLatency => match view.run_field(AnswerField::Elapsed) {
            Fact::Known(seconds) => duration(seconds, "the run"),
            Fact::Absent => Fact::Unknown("Dify's answer has no `elapsed_time`".into()),
            Fact::Unknown(why) => Fact::Unknown(why),
        },
        TimeFact::Ttft => match (&transcript.answer.text_doubt, transcript.answer.first_token_at) {
            (Some(why), _) => Fact::Unknown(Cow::Owned(why.clone())),
            (None, Some(at)) => Fact::Known(at),
            (None, None) => Fact::Unknown("no text of a model was streamed".into()),
        },
        TimeFact::MaxGap => transcript
            .answer
            .max_gap
            .map_or_else(|| Fact::Unknown("no events came between which to measure".into()), Fact::Known),
    };
    within(fact, bound, time)
}

/// Finds a time of one execution of a node.
pub(super) fn node_time(fact: TimeFact, node: &NodeRun) -> Fact<Duration> {
    match fact {
        TimeFact::Latency => match &node.finished {
            Some(end) => duration(end.field(AnswerField::Elapsed).unwrap_or(&Value::Null), &node.title),
            None => Fact::Unknown(Cow::Owned(format!("`{}` never finished", node.title))),
        },
        TimeFact::Ttft if node.retries > 0 && node.first_token_at.is_some() => Fact::Unknown(Cow::Owned(
            format!("`{}` was tried again: which of its tries gave the first text is not known", node.title),
        )),
        TimeFact::Ttft => node.first_token_at.map_or_else(
            || Fact::Unknown(Cow::Owned(format!("`{}` streamed no text", node.title))),
            Fact::Known,
        ),
        TimeFact::ServerLatency | TimeFact::MaxGap => Fact::Unknown("this is a fact of the run".into()),
    }
}

fn duration(seconds: &Value, whose: &str) -> Fact<Duration> {
    match seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(duration) => Fact::Known(duration),
        None => {
            Fact::Unknown(Cow::Owned(format!("the `elapsed_time` of {whose} is no time: {}", show(seconds))))
        }
    }
}

/// Judges a time that was found.
pub(super) fn within(
    fact: TimeFact,
    bound: &QuantityBound<Duration>,
    found: Fact<Duration>,
) -> JudgedCondition {
    match found {
        Fact::Known(found) => {
            let shown = show_duration(found);
            verdict(bound.holds(&found), || format!("expected {}, took {shown}", bound.show()))
                .map_expected(&Value::from(bound.show()), &Value::from(shown.as_str()))
        }
        Fact::Absent => JudgedCondition::undecided(format!("there is no {}", fact.key())),
        Fact::Unknown(why) => JudgedCondition::undecided(why),
    }
}
