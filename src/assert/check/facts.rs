//! The numbers and ids of a transcript that reports and thresholds use; what is unknown is absent.

use std::time::Duration;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::digest::Digest;
use crate::base::long_text::keep_long;
use crate::dify::transcript::{
    AnswerField, Ending, NodeRun, NodesUsage, ReportedStatus, RunResult, Transcript, varying_of,
};
use crate::dify::wire::usage::NodePrice;
use crate::dify::wire::vary::Varying;
use crate::record::attempt::{NodeFact, ObservedUse, Price, REJECTED, RunFacts};
use rust_decimal::Decimal;

use super::audit::usage_doubt;
use super::exchange_end::ExchangeEnd;
use super::fact::Fact;
use super::model::PathRoot;
use super::usage;
use super::view::View;
use crate::base::clip::clip;

/// Gathers them; nodes are those that were seen, however the exchange ended.
pub(super) fn gather(view: &View<'_>) -> RunFacts {
    let transcript = view.transcript;
    let varying = varying_of(transcript);
    let is_timed = !matches!(view.state, ExchangeEnd::Unjudged(_)) && transcript.recovery.is_none();
    let outputs = transcript.answer.run.as_ref().and_then(RunResult::outputs).map(BorrowedValue::of);
    let settled = outputs.as_ref().map(|outputs| varying.settle(outputs));
    let is_known = view.doubts(PathRoot::Outputs).is_empty();
    RunFacts {
        digest: settled.as_ref().filter(|_| is_known).map(digest),
        settled: settled
            .filter(|settled| outputs.as_ref() != Some(settled))
            .map(|settled| clip(&settled.to_value())),
        run_id: transcript.answer.ids.run.clone(),
        workflow_id: transcript.answer.ids.workflow.clone(),
        dify_version: transcript.dify_version.clone(),
        recovered: transcript.recovered().map(|(by, _)| by),
        lost: transcript.recovered().map(|(_, how)| how.to_owned()),
        status: status(view),
        latency_ms: is_timed.then(|| milliseconds(transcript.elapsed)),
        ttft_ms: transcript.answer.first_token_at.filter(|_| is_timed).map(milliseconds),
        server_ms: known(view.run_field(AnswerField::Elapsed))
            .and_then(|seconds| Some(seconds.as_f64()? * 1000.0)),
        tokens: known(view.tokens()),
        cost: cost(view),
        steps: match &view.state {
            ExchangeEnd::Rejected { .. } => Some(0),
            ExchangeEnd::Ran(_) | ExchangeEnd::Unjudged(_) => {
                known(view.run_field(AnswerField::Steps)).and_then(|steps| steps.as_u64())
            }
        },
        nodes: bounded(transcript.answer.nodes.iter().map(|ran| node(ran, &varying)).collect()),
        usage: usage_doubt(view),
        seen: seen(view),
        error: error(view),
    }
}

/// What Dify said went wrong, whole up to 64 KB.
fn error(view: &View<'_>) -> Option<String> {
    let said = match (&view.transcript.ending, &view.transcript.answer.run) {
        (Ending::Rejected(error) | Ending::ErrorEvent(error), _) => Some(error.message.clone()),
        (_, run) => run.as_ref().and_then(RunResult::error).map(str::to_owned),
    };
    said.filter(|said| !said.trim().is_empty()).map(|said| keep_long(&said).into_owned())
}

/// What a node said went wrong; where an error strategy took over, the cause is in its outputs.
fn node_error(node: &NodeRun) -> Option<String> {
    let status = node.status().filter(|status| **status != ReportedStatus::Succeeded)?;
    let end = node.finished.as_ref()?;
    let has_strategy = *status == ReportedStatus::Exception;
    let cause = has_strategy.then(|| end.exception_cause()).flatten();
    let said = cause.or_else(|| end.error())?;
    (!said.trim().is_empty()).then(|| keep_long(said).into_owned())
}

/// Most bytes of all errors of the nodes of one attempt.
const NODE_ERRORS: usize = 1 << 20;

/// Leaves out the errors of the nodes beyond what is kept of an attempt.
fn bounded(mut nodes: Vec<NodeFact>) -> Vec<NodeFact> {
    let mut left = NODE_ERRORS;
    for text in nodes.iter_mut().flat_map(|node| node.error.iter_mut().chain(&mut node.retry_errors)) {
        if text.len() > left {
            *text = format!("({} bytes, left out: the errors of the nodes are too long)", text.len());
        }
        left = left.saturating_sub(text.len());
    }
    nodes
}

/// What was used for certain where not all of it is known; `None` where tokens and cost say it all.
fn seen(view: &View<'_>) -> Option<ObservedUse> {
    let tokens_known = matches!(view.tokens(), Fact::Known(_));
    let cost_known = matches!(usage::run_cost(view), Fact::Known(_));
    if tokens_known && cost_known {
        return None;
    }
    let ObservedUse { tokens, cost, .. } = seen_at_least(view.transcript);
    let seen = ObservedUse {
        nothing: false,
        tokens: if tokens_known { 0 } else { tokens },
        cost: if cost_known { Vec::new() } else { cost },
        unpriced: tokens_known && !cost_known,
    };
    (seen != ObservedUse::default()).then_some(seen)
}

/// What a run is seen to have used, whatever became of it.
pub fn seen_at_least(transcript: &Transcript) -> ObservedUse {
    let NodesUsage { tokens, prices } = NodesUsage::of(&transcript.answer.nodes);
    let price = |(currency, amount): (String, Decimal)| Price { amount: amount.to_string(), currency };
    ObservedUse {
        tokens: tokens.max(told_total(transcript)),
        cost: prices.into_iter().map(price).collect(),
        ..ObservedUse::default()
    }
}

/// The total of tokens that was reported, judged or not; nodes that were seen in part cannot have reported more.
fn told_total(transcript: &Transcript) -> u64 {
    let told = [&transcript.answer.run, &transcript.told_after].into_iter().flatten();
    told.filter_map(RunResult::tokens).max().unwrap_or(0)
}

fn status(view: &View<'_>) -> Option<String> {
    match &view.state {
        ExchangeEnd::Rejected { .. } => Some(REJECTED.to_owned()),
        ExchangeEnd::Ran(_) => view.transcript.answer.status().map(|status| status.word().to_owned()),
        ExchangeEnd::Unjudged(_) if view.transcript.ending == Ending::Paused => {
            Some(ReportedStatus::Paused.word().to_owned())
        }
        ExchangeEnd::Unjudged(_) => None,
    }
}

fn cost(view: &View<'_>) -> Vec<Price> {
    let prices = known(usage::run_cost(view)).unwrap_or_default();
    prices.into_iter().map(|(currency, amount)| Price { amount: amount.to_string(), currency }).collect()
}

/// Stands for a value: equal values, and hardly any others, have the same; the order of keys does not count.
fn digest(value: &BorrowedValue<'_>) -> String {
    Digest::of_bytes(&value.canonical()).to_string()
}

fn node(node: &NodeRun, varying: &Varying) -> NodeFact {
    let data = node.finished.as_ref().filter(|_| !node.replayed);
    let is_placed = node.parent.as_ref().is_none_or(|round| round.index.is_some());
    let told = node.told().filter(|_| !node.replayed);
    NodeFact {
        id: node.node_id.clone(),
        title: node.title.clone(),
        error: node_error(node),
        retry_errors: node.retry_errors.clone(),
        node_type: node.node_type.clone(),
        status: node.status().unwrap_or(&ReportedStatus::Running).word().to_owned(),
        start_ms: milliseconds(node.started_at),
        end_ms: node.ended_at.map(milliseconds),
        // The replay of a lost run has an order of its own.
        began: node.began.filter(|_| !node.replayed),
        ended: node.ended.filter(|_| !node.replayed),
        elapsed_ms: told.and_then(|told| told.elapsed).map(|seconds| seconds * 1000.0),
        tokens: told.and_then(|told| told.tokens),
        container: node.is_container(),
        round: node.parent.clone().and_then(|round| Some((round.container, round.index?))),
        price: told.and_then(|told| price(&told.price)),
        // What was cut, or belongs to no known round, equals nothing.
        digest: data
            .filter(|_| is_placed && node.flaws.is_empty() && told.is_some_and(|told| !told.is_cut))
            .and_then(|data| {
                data.look_at_outputs(|outputs| digest(&varying.settle_node(&node.node_type, outputs)))
            }),
    }
}

fn price(price: &NodePrice) -> Option<Price> {
    match price {
        NodePrice::Known { amount, currency } => {
            Some(Price { amount: amount.to_string(), currency: currency.clone() })
        }
        NodePrice::None | NodePrice::Unknown => None,
    }
}

fn known<T>(fact: Fact<T>) -> Option<T> {
    match fact {
        Fact::Known(value) => Some(value),
        Fact::Absent | Fact::Unknown(_) => None,
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
