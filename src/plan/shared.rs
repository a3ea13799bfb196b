//! A suite's default assertions, compiled once for all its tests where nothing in them depends on the test.

use crate::check::Check;
use crate::suite::node::{Node, NodeValue};

/// The default assertions compiled so far.
pub struct SharedChecks<'n> {
    defaults: &'n [Node],
    checks: Vec<Option<Check>>,
}

impl<'n> SharedChecks<'n> {
    /// None is compiled yet.
    pub fn of(defaults: &'n [Node]) -> Self {
        Self { defaults, checks: vec![None; defaults.len()] }
    }

    /// What a default became before; none for anything else, whatever it says.
    pub fn find(&self, node: &Node) -> Option<&Check> {
        self.checks[self.position(node)?].as_ref()
    }

    /// Keeps what a default became, unless a template in it sees names that each test has of its own.
    pub fn keep(&mut self, node: &Node, check: &Check) {
        if let Some(position) = self.position(node).filter(|_| !has_template(node)) {
            self.checks[position] = Some(check.clone());
        }
    }

    fn position(&self, node: &Node) -> Option<usize> {
        self.defaults.iter().position(|default| std::ptr::eq(default, node))
    }
}

fn has_template(node: &Node) -> bool {
    match &node.value {
        NodeValue::Text(text) => text.contains("{{"),
        NodeValue::List(items) => items.iter().any(has_template),
        NodeValue::Map(entries) => entries.iter().any(|entry| has_template(&entry.value)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => false,
    }
}
