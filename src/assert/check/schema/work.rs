//! How much work it is to apply a schema to a value: counted before the validator begins, since it cannot be interrupted.

use serde_json::Value;

use crate::base::effort::{Effort, EffortError};

use super::children::EdgeReach;
use super::graph::SchemaGraph;

/// The most schemas and parts of a value that may lie within each other.
const DEEPEST: usize = 1_000;
/// What a pattern costs that is searched by trying, which the validator gives up after a while.
const SEARCH: u64 = 10_000;
/// The bytes of text that cost a step.
const BYTES: usize = 32;

/// The steps of each schema of a graph, by its number.
#[derive(Debug)]
pub(super) struct SchemaWork {
    nodes: Vec<NodeWork>,
}

#[derive(Debug)]
struct NodeWork {
    /// Whatever the value.
    steps: u64,
    /// For a text, besides its length.
    text_steps: u64,
    /// For each name of a member.
    name_steps: u64,
    is_unique: bool,
    /// How often schemas for the same value are applied.
    times: usize,
    edges: Vec<WorkEdge>,
}

#[derive(Debug)]
struct WorkEdge {
    to: usize,
    reach: EdgeReach,
    name: Option<Box<str>>,
}

/// What the work on one value comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkAmount {
    pub steps: u64,
    /// How many schemas lie within each other.
    pub depth: usize,
}

/// Takes steps at a depth.
type TakeSteps<'s> = dyn FnMut(u64, usize) -> Result<(), EffortError> + 's;

/// Why the work is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum WorkError {
    #[error(transparent)]
    Effort(#[from] EffortError),
    #[error("the schema applies to itself more than {DEEPEST} levels deep")]
    TooDeep,
}

impl SchemaWork {
    /// Notes what each schema of a graph takes.
    pub fn of(graph: &SchemaGraph<'_>) -> Self {
        let nodes = graph.nodes.iter().map(|node| {
            let get = |keyword: &str| node.schema.get(keyword);
            let searched = |pattern: &str| if is_searched(pattern) { SEARCH } else { 1 };
            let names = get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            let edges = node.edges.iter().filter(|edge| edge.reach != EdgeReach::Nothing);
            let has_rest = get("unevaluatedProperties").or(get("unevaluatedItems")).is_some();
            NodeWork {
                steps: 1 + get("enum").and_then(Value::as_array).map_or(0, Vec::len) as u64,
                text_steps: get("pattern").and_then(Value::as_str).map_or(0, searched),
                name_steps: names.map(|(pattern, _)| searched(pattern)).sum(),
                is_unique: get("uniqueItems") == Some(&Value::Bool(true)),
                times: if has_rest { 2 } else { 1 },
                edges: edges
                    .map(|edge| WorkEdge {
                        to: edge.to,
                        reach: edge.reach,
                        name: edge.step.filter(|_| edge.reach == EdgeReach::Member).map(Box::from),
                    })
                    .collect(),
            }
        });
        Self { nodes: nodes.collect() }
    }

    /// Counts what a value takes; an error where there are too many steps, or they lie too deep.
    pub fn count(&self, value: &Value, effort: &Effort<'_>) -> Result<WorkAmount, WorkError> {
        let mut amount = WorkAmount { steps: 0, depth: 0 };
        self.walk(0, value, 0, &mut |more, depth| {
            amount.steps += more;
            amount.depth = amount.depth.max(depth);
            effort.spend(more)
        })?;
        Ok(amount)
    }

    fn walk(
        &self,
        index: usize,
        value: &Value,
        depth: usize,
        spend: &mut TakeSteps<'_>,
    ) -> Result<(), WorkError> {
        if depth > DEEPEST {
            return Err(WorkError::TooDeep);
        }
        let node = &self.nodes[index];
        spend(node.steps, depth)?;
        let mut spend_here = |steps: u64| spend(steps, depth);
        match value {
            Value::String(text) => spend_here(node.text_steps + (text.len() / BYTES) as u64)?,
            Value::Object(members) => spend_here(node.name_steps.saturating_mul(members.len() as u64))?,
            Value::Array(items) if node.is_unique => {
                for item in items {
                    spend_all(item, &mut spend_here)?;
                }
            }
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        for edge in &node.edges {
            let mut apply = |value: &Value| self.walk(edge.to, value, depth + 1, spend);
            match (edge.reach, value) {
                (EdgeReach::Same, value) => {
                    for _ in 0..node.times {
                        apply(value)?;
                    }
                }
                (EdgeReach::Member, Value::Object(members)) => {
                    if let Some(member) = edge.name.as_deref().and_then(|name| members.get(name)) {
                        apply(member)?;
                    }
                }
                (EdgeReach::EveryMember, Value::Object(members)) => members.values().try_for_each(apply)?,
                (EdgeReach::MemberNames, Value::Object(members)) => {
                    members.keys().try_for_each(|name| apply(&Value::from(name.as_str())))?;
                }
                (EdgeReach::Item(index), Value::Array(items)) => items.get(index).map_or(Ok(()), apply)?,
                (EdgeReach::EveryItem, Value::Array(items)) => items.iter().try_for_each(apply)?,
                (EdgeReach::Member | EdgeReach::EveryMember | EdgeReach::MemberNames, _) => {}
                (EdgeReach::Item(_) | EdgeReach::EveryItem | EdgeReach::Nothing, _) => {}
            }
        }
        Ok(())
    }
}

/// Spends a step for each part of a value that is compared with others.
fn spend_all(
    value: &Value,
    spend: &mut dyn FnMut(u64) -> Result<(), EffortError>,
) -> Result<(), EffortError> {
    match value {
        Value::Array(items) => {
            spend(1)?;
            items.iter().try_for_each(|item| spend_all(item, spend))
        }
        Value::Object(members) => {
            spend(1)?;
            members.values().try_for_each(|member| spend_all(member, spend))
        }
        Value::String(text) => spend(1 + (text.len() / BYTES) as u64),
        Value::Null | Value::Bool(_) | Value::Number(_) => spend(1),
    }
}

/// True for a pattern with something in it that no automaton knows: a look around, a reference back, a possessive repeat.
fn is_searched(pattern: &str) -> bool {
    const MARKS: [&str; 10] = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "\\k", "*+", "++", "?+", "}+"];
    let refers_back = pattern.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
    refers_back || MARKS.iter().any(|mark| pattern.contains(mark))
}
