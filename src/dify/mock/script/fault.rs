//! The faults of a mock reply, checked in place.

use crate::dify::mock::fault::{FaultError, NAMES, OPTIONS, check_entry, decode_faults};
use crate::yaml::node::{FilePosition, Node, NodeValue};
use crate::yaml::reader::Reader;

/// The reply that a fault belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultContext {
    /// A reply that runs.
    Run,
    /// A refusal: nothing runs.
    Refusal,
}

/// Reports every problem of a `fault`: a name, a mapping, or a list of these.
pub fn check_fault(reader: &mut Reader<'_>, node: &Node, context: FaultContext) {
    match &node.value {
        NodeValue::List(items) if !items.is_empty() => {
            items.iter().for_each(|item| check_one(reader, item, context));
        }
        NodeValue::List(_)
        | NodeValue::Map(_)
        | NodeValue::Null
        | NodeValue::Bool(_)
        | NodeValue::Number(_)
        | NodeValue::Text(_) => check_one(reader, node, context),
    }
}

fn check_one(reader: &mut Reader<'_>, node: &Node, context: FaultContext) {
    let before = reader.problems.len();
    if node.as_map().is_some() {
        check_entries(reader, node);
    }
    if node.has_template() || reader.problems.len() > before {
        return;
    }
    match decode_faults(&node.to_json()) {
        Ok(specs) if context == FaultContext::Refusal => {
            if !specs.iter().all(|spec| spec.fault.acts_without_run()) {
                reader.problem(node.mark, "this fault cannot be combined with `reject`: nothing runs");
            }
        }
        Ok(_) => {}
        Err(error) => report(reader, node.mark, error),
    }
}

/// Checks each entry by itself, so that each problem is reported at its place.
fn check_entries(reader: &mut Reader<'_>, node: &Node) {
    let known: Vec<&str> = NAMES.into_iter().chain(OPTIONS).collect();
    for entry in reader.map(node, "a fault", &known) {
        if !known.contains(&entry.key.as_str()) || entry.value.has_template() {
            continue;
        }
        if let Err(error) = check_entry(&entry.key, &entry.value.to_json()) {
            report(reader, entry.value.mark, error);
        }
    }
}

fn report(reader: &mut Reader<'_>, mark: FilePosition, error: FaultError) {
    match error.help {
        Some(help) => reader.problem_with_help(mark, error.message, help),
        None => reader.problem(mark, error.message),
    }
}
