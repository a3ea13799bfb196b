//! Compiles one operand: written out it is read at once, templated it is read for each attempt.

use serde_json::Value;

use crate::assert::check::operand::{OperandError, OperandPlace, PredicateOperand};
use crate::base::template::Template;
use crate::yaml::node::{FilePosition, Node, NodeValue};

use super::Compiler;

impl Compiler<'_, '_, '_> {
    /// An operand, or a problem at the part of it that is wrong.
    pub(super) fn operand<T>(
        &mut self,
        node: &Node,
        parse: impl FnOnce(&Value) -> Result<T, OperandError>,
    ) -> Option<PredicateOperand<T>> {
        match self.template(node)? {
            Template::Literal(value) => match parse(&value) {
                Ok(value) => Some(PredicateOperand::Ready(value)),
                Err(error) => {
                    self.operand_problem(node, error);
                    None
                }
            },
            late @ (Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_)) => {
                Some(PredicateOperand::Late(late))
            }
        }
    }

    /// The templates of a node; `None` when one of them is a problem.
    pub(super) fn template(&mut self, node: &Node) -> Option<Template> {
        let before = self.reader.problems.len();
        let template = self.reader.template(node, self.context.templates, self.context.known);
        (self.reader.problems.len() == before).then_some(template)
    }

    /// Notes what is wrong with an operand, at the place inside it.
    pub(super) fn operand_problem(&mut self, node: &Node, error: OperandError) {
        let mark = locate(node, &error.at, error.spot);
        match error.help {
            Some(help) => self.reader.problem_with_help(mark, error.message, help),
            None => self.reader.problem(mark, error.message),
        }
    }

    /// Notes keys of a mapping operand that are not known, before any template is rendered.
    pub(super) fn check_keys(&mut self, node: &Node, what: &str, known: &[&str]) {
        let unknown: Vec<_> = node
            .as_map()
            .unwrap_or_default()
            .iter()
            .filter(|entry| !known.contains(&entry.key.as_str()))
            .collect();
        for entry in unknown {
            self.reader.unknown_key(entry, what, known);
        }
    }
}

/// Where the fault is; the deepest node that exists on the way.
fn locate(node: &Node, at: &[String], spot: OperandPlace) -> FilePosition {
    let Some((step, rest)) = at.split_first() else { return node.mark };
    match &node.value {
        NodeValue::Map(entries) => match entries.iter().find(|entry| entry.key == *step) {
            Some(entry) if rest.is_empty() && spot == OperandPlace::Key => entry.mark,
            Some(entry) => locate(&entry.value, rest, spot),
            None => node.mark,
        },
        NodeValue::List(items) => match step.parse::<usize>().ok().and_then(|index| items.get(index)) {
            Some(item) => locate(item, rest, spot),
            None => node.mark,
        },
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => node.mark,
    }
}
