//! Iterations and loops: their own events around those of their children.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::graph_node::{GraphNode, NodeRole};
use super::schedule::{self, RoundTime};
use super::stream_writer::{ContainerRound, StreamWriter};
use crate::dify::mock::reply::node::NodeStatus;
use crate::dify::mock::version::DifyVersion;

/// Writes a container with its rounds; an iteration over nothing sends no event at all.
pub(super) fn write(writer: &mut StreamWriter<'_>, node: &GraphNode) {
    let planned = planned(node);
    if node.role == NodeRole::Iteration && planned == 0 {
        return;
    }
    started(writer, node, planned);
    let times = match node.parallel {
        Some(workers) => at_once(writer, node, workers),
        None => one_by_one(writer, node),
    };
    if node.role == NodeRole::Loop && node.iterations >= planned {
        next(writer, node, node.iterations);
    }
    completed(writer, node, planned, &times);
}

/// Writes rounds one after the other; returns the time of each.
fn one_by_one(writer: &mut StreamWriter<'_>, node: &GraphNode) -> Vec<RoundTime> {
    for index in 0..node.iterations {
        if node.role == NodeRole::Iteration || index > 0 {
            next(writer, node, index);
        }
        round(writer, node, index);
    }
    let each = node.elapsed / node.iterations.max(1) as f64;
    (0..node.iterations).map(|index| RoundTime { index, elapsed: each }).collect()
}

/// Writes parallel rounds: all are announced first, and each is written when it has ended.
fn at_once(writer: &mut StreamWriter<'_>, node: &GraphNode, workers: u64) -> Vec<RoundTime> {
    for index in 0..node.iterations {
        next(writer, node, index);
    }
    let rounds = schedule::parallel_rounds(node, workers, &mut writer.random);
    for time in &rounds {
        round(writer, node, time.index);
    }
    rounds
}

/// Writes one round; a failing child ends it.
fn round(writer: &mut StreamWriter<'_>, node: &GraphNode, index: u64) {
    for child in &node.children {
        writer.child(child, ContainerRound { container: node, index });
        if child.round(index).status == NodeStatus::Failed {
            break;
        }
    }
}

/// How many rounds were planned: by the iterated list or the loop's count, at least the rounds that ran.
fn planned(node: &GraphNode) -> u64 {
    let inputs = &node.rounds[0].inputs;
    let declared = match node.role {
        NodeRole::Loop => inputs.get("loop_count").and_then(Value::as_u64),
        NodeRole::Iteration | NodeRole::Start | NodeRole::Plain | NodeRole::End | NodeRole::Unfinished => {
            inputs.get("iterator_selector").and_then(Value::as_array).map(|items| items.len() as u64)
        }
    };
    declared.unwrap_or(0).max(node.iterations)
}

fn word(node: &GraphNode) -> &'static str {
    if node.role == NodeRole::Loop { "loop" } else { "iteration" }
}

fn head(writer: &mut StreamWriter<'_>, node: &GraphNode, event: &str) {
    writer.events.open(&format!("{}_{event}", word(node)));
    writer.events.value("id", &node.id);
    writer.events.value("node_id", &node.id);
    writer.events.value("node_type", &node.kind);
    writer.events.value("title", &node.title);
}

fn started(writer: &mut StreamWriter<'_>, node: &GraphNode, planned: u64) {
    head(writer, node, "started");
    writer.events.value("created_at", &writer.run.created_at);
    writer.events.raw("extras", "{}");
    writer
        .events
        .value("metadata", &Map::from_iter([(format!("{}_length", word(node)), Value::from(planned))]));
    writer.events.value("inputs", &node.rounds[0].inputs);
    writer.events.raw("inputs_truncated", "false");
    writer.events.close();
}

fn next(writer: &mut StreamWriter<'_>, node: &GraphNode, index: u64) {
    head(writer, node, "next");
    writer.events.value("index", &index);
    writer.events.value("created_at", &writer.run.created_at);
    if node.role == NodeRole::Loop {
        writer.events.raw("pre_loop_output", "{}");
    }
    writer.events.raw("extras", "{}");
    writer.events.close();
}

fn completed(writer: &mut StreamWriter<'_>, node: &GraphNode, planned: u64, times: &[RoundTime]) {
    let round = &node.rounds[0];
    head(writer, node, "completed");
    writer.events.value("outputs", &round.outputs);
    writer.events.raw("outputs_truncated", "false");
    writer.events.value("created_at", &writer.run.created_at);
    writer.events.raw("extras", "{}");
    writer.events.value("inputs", &round.inputs);
    writer.events.raw("inputs_truncated", "false");
    writer.events.word("status", round.status.word());
    writer.events.raw("error", "null");
    writer.events.value("elapsed_time", &node.elapsed);
    writer.events.value("total_tokens", &node.total_tokens());
    writer.events.value("execution_metadata", &metadata(writer, node, planned, times));
    writer.events.value("finished_at", &(writer.run.created_at + node.elapsed as i64));
    writer.events.value("steps", &planned);
    writer.events.close();
}

/// `execution_metadata`: tokens and prices of the children, and the time of each round.
fn metadata(writer: &StreamWriter<'_>, node: &GraphNode, planned: u64, times: &[RoundTime]) -> Value {
    let prices = node.children.iter().filter_map(|child| child.price.as_ref());
    let rounds = Decimal::from(node.iterations);
    let total: Decimal = prices.clone().map(|price| price.amount * rounds).sum();
    let currency = prices.clone().next().map_or("USD", |price| price.currency.as_str());
    let failed = node.rounds[0].status == NodeStatus::Failed;
    let timed = if failed && node.role == NodeRole::Iteration {
        node.iterations.saturating_sub(1)
    } else {
        node.iterations
    };
    let durations = times.iter().filter(|time| time.index < timed);
    let durations: Map<String, Value> =
        durations.map(|time| (time.index.to_string(), json!(time.elapsed))).collect();
    let mut data = Map::new();
    data.insert("total_tokens".to_owned(), Value::from(node.total_tokens()));
    data.insert(
        "total_price".to_owned(),
        Value::from(if total.is_zero() { "0.0".to_owned() } else { total.to_string() }),
    );
    data.insert("currency".to_owned(), Value::from(currency));
    if node.role != NodeRole::Loop {
        data.insert("iteration_duration_map".to_owned(), Value::Object(durations));
        return Value::Object(data);
    }
    let reason = if node.iterations >= planned { "loop_completed" } else { "loop_break" };
    let reason = ("completed_reason".to_owned(), Value::from(reason));
    let variables: Map<String, Value> =
        (0..timed).map(|index| (index.to_string(), loop_variables(node))).collect();
    let maps = [
        ("loop_duration_map".to_owned(), Value::Object(durations)),
        ("loop_variable_map".to_owned(), Value::Object(variables)),
    ];
    match writer.run.version {
        DifyVersion::V1_12 => data.extend(std::iter::once(reason).chain(maps)),
        DifyVersion::V1_14 => data.extend(maps.into_iter().chain(std::iter::once(reason))),
    }
    Value::Object(data)
}

/// The loop's variables: its outputs without the count of rounds.
fn loop_variables(node: &GraphNode) -> Value {
    let variables = node.rounds[0].outputs.iter().filter(|(key, _)| *key != "loop_round");
    Value::Object(variables.map(|(key, value)| (key.clone(), value.clone())).collect())
}
