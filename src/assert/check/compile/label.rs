//! An assertion in one line, as it was written.

use crate::base::plural::counted;
use crate::yaml::node::{MapEntry, Node, NodeValue};

use super::keys::{KeyFamily, family};
use super::written::written;

/// The longest operand shown.
const LONGEST: usize = 60;

/// Such as `Classify: $.class_name equals "refund"`.
pub(super) fn describe(node: &Node) -> String {
    let entries = node.as_map().unwrap_or_default();
    let said: Vec<String> = entries.iter().filter_map(describe_entry).collect();
    format!("{}{}", node_and_place(node), said.join(" and "))
}

/// What an assertion looks at, without what must hold: `Classify: $.class_name`.
pub(super) fn subject(node: &Node) -> String {
    match node_and_place(node).trim_end() {
        "" => "$".to_owned(),
        subject => subject.to_owned(),
    }
}

fn node_and_place(node: &Node) -> String {
    let mut line = String::new();
    if let Some(name) = node.get("node").and_then(Node::as_text) {
        line.push_str(name);
        if let Some(execution) = node.get("execution") {
            line.push_str(&format!(" ({})", bare(execution)));
        }
        line.push_str(": ");
    }
    line.push_str(&place(node));
    line
}

/// The root, how to count, and the path: "any of text $.x ".
fn place(node: &Node) -> String {
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let mut line = String::new();
    if let Some(matching) = text("match").filter(|word| *word != "one") {
        line.push_str(&format!("{matching} of "));
    }
    if let Some(from) = text("from") {
        line.push_str(&format!("{from} "));
    }
    if let Some(path) = text("path") {
        line.push_str(&format!("{path} "));
    }
    line
}

fn describe_entry(entry: &MapEntry) -> Option<String> {
    let key = entry.key.as_str();
    match family(key)? {
        KeyFamily::Predicate => Some(describe_predicate(key, &entry.value)),
        KeyFamily::Subject => Some(describe_subject(key, &entry.value)),
        KeyFamily::Group => Some(describe_group(key, &entry.value)),
        KeyFamily::Node | KeyFamily::Look | KeyFamily::Modifier | KeyFamily::Report => None,
    }
}

fn describe_predicate(key: &str, value: &Node) -> String {
    match (key, &value.value) {
        ("snapshot", _) => "is as approved".to_owned(),
        ("exists", NodeValue::Bool(true)) => "exists".to_owned(),
        ("exists", NodeValue::Bool(false)) => "does not exist".to_owned(),
        ("empty", NodeValue::Bool(true)) => "is empty".to_owned(),
        ("empty", NodeValue::Bool(false)) => "is not empty".to_owned(),
        ("not", NodeValue::Map(entries)) => {
            let inner: Vec<String> =
                entries.iter().map(|entry| describe_predicate(&entry.key, &entry.value)).collect();
            format!("not {}", inner.join(" or "))
        }
        _ => format!("{key} {}", shown(value)),
    }
}

fn describe_subject(key: &str, value: &Node) -> String {
    match (key, &value.value) {
        ("status", NodeValue::List(items)) => {
            let words: Vec<&str> = items.iter().filter_map(Node::as_text).collect();
            format!("status is {}", words.join(" or "))
        }
        ("status" | "workflow_id" | "error_code", NodeValue::Text(text)) => format!("{key} is {text}"),
        ("error" | "workflow_id" | "error_code", NodeValue::Map(entries)) => {
            let inner: Vec<String> = entries
                .iter()
                .filter(|entry| entry.key != "ignore_case")
                .map(|entry| describe_predicate(&entry.key, &entry.value))
                .collect();
            format!("{key} {}", inner.join(" and "))
        }
        ("exceptions" | "retries", NodeValue::Number(_) | NodeValue::Text(_)) => {
            format!("{key} exactly {}", bare(value))
        }
        (_, NodeValue::Number(_) | NodeValue::Text(_)) => format!("{key} at most {}", bare(value)),
        _ => format!("{key} {}", shown(value)),
    }
}

fn describe_group(key: &str, value: &Node) -> String {
    let members = |node: &Node| node.as_list().map_or(0, <[Node]>::len);
    match key {
        "any_of" => format!("any of {}", counted(members(value), "assertion")),
        "all_of" => format!("all of {}", counted(members(value), "assertion")),
        _ => {
            let needed = value.get("n").map(bare).unwrap_or_default();
            format!("at least {needed} of {}", counted(value.get("of").map_or(0, members), "assertion"))
        }
    }
}

fn bare(node: &Node) -> String {
    match node.as_text() {
        Some(text) => text.to_owned(),
        None => shown(node),
    }
}

fn shown(node: &Node) -> String {
    written(node, LONGEST)
}
