//! The keys of a mock reply and the values of each, checked in place.

use serde_json::Value;

use super::fault::{FaultContext, check_fault};
use crate::dify::mock::reply::node::{chunks, price, statuses};
use crate::dify::mock::reply::{pause, run_status};
use crate::dify::mock::script_value::{
    ValueCheck, beside, checked, count, counts, duration, durations, mapping, mappings, text, texts, times,
    workers,
};
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::Reader;

/// Keys of a reply.
pub const REPLY_KEYS: [(&str, ValueCheck); 14] = [
    ("outputs", |value| checked(mapping(value))),
    ("status", |value| checked(run_status(value))),
    ("error", |value| checked(text(value))),
    ("tokens", |value| checked(count(value))),
    ("steps", |value| checked(count(value))),
    ("elapsed", |value| checked(duration(value))),
    ("text", |value| checked(text(value))),
    ("chunk_size", |value| checked(count(value))),
    ("nodes", list),
    ("workflow_id", |value| checked(text(value))),
    ("reject", |value| checked(mapping(value))),
    ("latency", |value| checked(duration(value))),
    ("pause", forms),
    ("fault", |_| Ok(())),
];

/// Keys of a node.
const NODE_KEYS: [(&str, ValueCheck); 17] = [
    ("id", |value| checked(text(value))),
    ("title", |value| checked(text(value))),
    ("type", |value| checked(text(value))),
    ("inputs", |value| checked(mappings(value))),
    ("process_data", |value| checked(mappings(value))),
    ("outputs", |value| checked(mappings(value))),
    ("status", |value| checked(statuses(value))),
    ("error", |value| checked(texts(value))),
    ("tokens", |value| checked(counts(value))),
    ("price", |value| checked(price(value))),
    ("elapsed", |value| checked(durations(value))),
    ("stream", |value| checked(chunks(value))),
    ("retries", |value| checked(times(value))),
    ("iterations", |value| checked(times(value))),
    ("parallel", |value| checked(workers(value))),
    ("beside", |value| checked(beside(value))),
    ("parent", |value| checked(text(value))),
];

/// Keys of a refusal.
const REJECT_KEYS: [(&str, ValueCheck); 3] = [
    ("http", |value| checked(count(value))),
    ("code", |value| checked(text(value))),
    ("message", |value| checked(text(value))),
];

/// Keys of a pause.
const PAUSE_KEYS: [(&str, ValueCheck); 6] = [
    ("node", |value| checked(text(value))),
    ("actions", |value| checked(pause::actions(value))),
    ("content", |value| checked(text(value))),
    ("inputs", |value| checked(pause::fields(value))),
    ("expires", |value| checked(duration(value))),
    ("delivery", |value| checked(pause::delivery(value))),
];

fn forms(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(_) => Ok(()),
        Value::Array(items) if !items.is_empty() => Ok(()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("must be a mapping, or a list of them".to_owned())
        }
    }
}

fn list(value: &Value) -> Result<(), String> {
    if value.is_array() { Ok(()) } else { Err("must be a list".to_owned()) }
}

/// Reports every problem of a reply at its place.
pub fn check_reply(reader: &mut Reader<'_>, node: &Node) {
    for entry in check_keys(reader, node, "a mock reply", &REPLY_KEYS) {
        match entry.key.as_str() {
            "reject" => {
                check_keys(reader, &entry.value, "`reject`", &REJECT_KEYS);
                check_alone(reader, node);
            }
            "nodes" => check_nodes(reader, &entry.value),
            "pause" => check_pauses(reader, &entry.value),
            "fault" => {
                let beside = node.get("reject").map_or(FaultContext::Run, |_| FaultContext::Refusal);
                check_fault(reader, &entry.value, beside);
            }
            _ => {}
        }
    }
}

/// A refused run has no outputs, nodes or tokens.
fn check_alone(reader: &mut Reader<'_>, node: &Node) {
    let others = node.as_map().into_iter().flatten();
    for entry in others.filter(|entry| !matches!(entry.key.as_str(), "reject" | "latency" | "fault")) {
        reader.problem(entry.mark, format!("`{}` cannot be combined with `reject`: nothing runs", entry.key));
    }
}

fn check_nodes(reader: &mut Reader<'_>, node: &Node) {
    let items = node.as_list().unwrap_or_default();
    for item in items {
        check_keys(reader, item, "a mock node", &NODE_KEYS);
        if item.as_map().is_some() && item.get("id").is_none() && item.get("title").is_none() {
            reader.problem(item.mark, "a mock node needs a `title` or an `id`");
        }
        if let Some(rounds) = item.get("iterations") {
            let kind = item.get("type").and_then(Node::as_text);
            if !matches!(kind, Some("iteration" | "loop")) {
                reader.problem(rounds.mark, "`iterations` belongs to a node of type `iteration` or `loop`");
            }
        }
        check_parent(reader, item, items);
    }
    check_parallel(reader, items);
}

/// Checks what runs in parallel: rounds of an iteration, and a node `beside` the one before it.
fn check_parallel(reader: &mut Reader<'_>, items: &[Node]) {
    let kind = |item: &Node| item.get("type").and_then(Node::as_text).unwrap_or_default().to_owned();
    let mut before: Option<&Node> = None;
    for item in items {
        if let Some(parallel) = item.get("parallel").filter(|_| kind(item) != "iteration") {
            reader.problem(parallel.mark, "`parallel` belongs to a node of type `iteration`");
        }
        let is_child = item.get("parent").is_some();
        if let Some(beside) = item.get("beside") {
            let is_first = before.is_none_or(|before| kind(before) == "start");
            let why = match (is_child, is_first, kind(item).as_str()) {
                (true, _, _) => {
                    Some("cannot be written inside a container: its `parallel` runs rounds at once")
                }
                (_, _, "start" | "end") => Some("cannot be used on a start or an end node"),
                (_, true, _) => Some("has no node before it to run beside"),
                (false, false, _) => None,
            };
            if let Some(why) = why {
                reader.problem(beside.mark, format!("`beside` {why}"));
            }
        }
        if !is_child {
            before = Some(item);
        }
    }
}

/// A pause is a form, or a list of forms; a list inside it holds forms that wait at the same time.
fn check_pauses(reader: &mut Reader<'_>, node: &Node) {
    let Some(items) = node.as_list() else { return check_pause(reader, node) };
    for item in items {
        match item.as_list() {
            Some([]) => reader.problem(item.mark, "`pause` waits here for no form"),
            Some(forms) => forms.iter().for_each(|form| check_pause(reader, form)),
            None => check_pause(reader, item),
        }
    }
}

fn check_pause(reader: &mut Reader<'_>, node: &Node) {
    check_keys(reader, node, "`pause`", &PAUSE_KEYS);
    if node.as_map().is_some() && (node.get("node").is_none() || node.get("actions").is_none()) {
        reader.problem_with_help(
            node.mark,
            "`pause` needs a `node` and its `actions`",
            "{ node: Review, actions: [approve, reject] }",
        );
    }
}

fn check_parent(reader: &mut Reader<'_>, item: &Node, items: &[Node]) {
    let Some(parent) = item.get("parent") else { return };
    let Some(name) = parent.as_text().filter(|name| !name.contains("{{")) else { return };
    let names_it = |other: &&Node| {
        [other.get("id"), other.get("title")].iter().flatten().any(|given| given.as_text() == Some(name))
    };
    let found = items.iter().find(names_it);
    let kind = found.and_then(|node| node.get("type")).and_then(Node::as_text);
    if found.is_none() {
        reader.problem(parent.mark, format!("`parent` names no node of this reply: `{name}`"));
    } else if !matches!(kind, Some("iteration" | "loop")) {
        reader.problem(
            parent.mark,
            format!("`parent` must be a node of type `iteration` or `loop`; `{name}` is none"),
        );
    } else if found.is_some_and(|node| node.get("parent").is_some()) {
        reader.problem(parent.mark, "containers do not nest in mock replies");
    }
}

/// Reports unknown keys and values of the wrong kind; a value with a template is checked once it is rendered.
fn check_keys<'n>(
    reader: &mut Reader<'_>,
    node: &'n Node,
    what: &str,
    keys: &[(&str, ValueCheck)],
) -> &'n [MapEntry] {
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let entries = reader.map(node, what, &names);
    for entry in entries.iter().filter(|entry| !entry.value.has_template()) {
        let Some((_, decode)) = keys.iter().find(|(name, _)| *name == entry.key) else { continue };
        if let Err(error) = decode(&entry.value.to_json()) {
            reader.problem(entry.value.mark, format!("`{}` {error}", entry.key));
        }
    }
    entries
}
