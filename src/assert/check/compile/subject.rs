//! Facts of the run or of a node: `status`, `tokens`, `latency` and their like.

use std::time::Duration;

use serde_json::Value;

use crate::assert::check::model::{
    AssertionTarget, CheckSubject, CountFact, NodeAspect, NodeCheck, NodeLists, TextFact, TimeFact,
};
use crate::assert::check::operand::bound::{BOUND_KEYS, BareMeaning, Quantity, QuantityBound};
use crate::assert::check::operand::predicate_kind::{StatusOf, parse_statuses};
use crate::assert::check::operand::{PredicateOperand, parse_texts};
use crate::base::units::Money;
use crate::yaml::node::{MapEntry, Node, NodeValue};

use super::Compiler;
use super::keys::{KeyFamily, family};
use super::value::NodeSelector;

impl Compiler<'_, '_, '_> {
    /// Facts in one assertion, all of which must hold.
    pub(super) fn subjects(&mut self, first: &MapEntry, entries: &[MapEntry]) -> Option<AssertionTarget> {
        for entry in entries {
            if matches!(
                family(&entry.key),
                Some(KeyFamily::Look | KeyFamily::Predicate | KeyFamily::Modifier)
            ) {
                let message = format!(
                    "`{}` looks at the run, `{}` at a value: two assertions in one",
                    first.key, entry.key
                );
                self.reader.problem_with_help(entry.mark, message, "write two assertions");
            }
        }
        let node = entries.iter().find(|entry| entry.key == "node");
        let of = if node.is_some() { StatusOf::Node } else { StatusOf::Run };
        let wanted = entries.iter().filter(|entry| family(&entry.key) == Some(KeyFamily::Subject));
        let subjects: Vec<CheckSubject> = wanted.filter_map(|entry| self.subject(entry, of)).collect();
        let Some(NodeSelector { name, execution }) = self.node(entries)? else {
            return Some(AssertionTarget::Run(subjects));
        };
        Some(AssertionTarget::Node(NodeCheck { name, execution, what: NodeAspect::Facts(subjects) }))
    }

    fn subject(&mut self, entry: &MapEntry, of: StatusOf) -> Option<CheckSubject> {
        let (key, node) = (entry.key.as_str(), &entry.value);
        if of == StatusOf::Node
            && matches!(
                key,
                "error_code"
                    | "server_latency"
                    | "max_gap"
                    | "steps"
                    | "exceptions"
                    | "nodes"
                    | "workflow_id"
            )
        {
            self.reader.problem(entry.mark, format!("`{key}` is a fact of the run, not of a node"));
            return None;
        }
        if of == StatusOf::Run && key == "retries" {
            self.reader.problem_with_help(entry.mark, "`retries` is a fact of a node", "add `node`");
            return None;
        }
        Some(match key {
            "status" => CheckSubject::Status(self.operand(node, |value| parse_statuses(value, of))?),
            "error" => self.text(node, TextFact::Error)?,
            "error_code" => self.text(node, TextFact::ErrorCode)?,
            "workflow_id" => self.text(node, TextFact::WorkflowId)?,
            "tokens" => CheckSubject::Count(CountFact::Tokens, self.bound(node, BareMeaning::Most)?),
            "steps" => CheckSubject::Count(CountFact::Steps, self.bound(node, BareMeaning::Most)?),
            "exceptions" => {
                CheckSubject::Count(CountFact::Exceptions, self.bound(node, BareMeaning::Exactly)?)
            }
            "retries" => CheckSubject::Count(CountFact::Retries, self.bound(node, BareMeaning::Exactly)?),
            "latency" => {
                CheckSubject::Time(TimeFact::Latency, self.bound::<Duration>(node, BareMeaning::Most)?)
            }
            "server_latency" => {
                CheckSubject::Time(TimeFact::ServerLatency, self.bound(node, BareMeaning::Most)?)
            }
            "ttft" => CheckSubject::Time(TimeFact::Ttft, self.bound(node, BareMeaning::Most)?),
            "max_gap" => CheckSubject::Time(TimeFact::MaxGap, self.bound(node, BareMeaning::Most)?),
            "cost" => CheckSubject::Cost(self.bound::<Money>(node, BareMeaning::Most)?),
            _ => CheckSubject::Nodes(Box::new(self.node_lists(node)?)),
        })
    }

    /// A bound; its keys are checked even where its values are templates.
    pub(super) fn bound<T: Quantity>(
        &mut self,
        node: &Node,
        bare: BareMeaning,
    ) -> Option<PredicateOperand<QuantityBound<T>>> {
        let operand = self.operand(node, |value: &Value| QuantityBound::parse(value, bare));
        if let Some(PredicateOperand::Late(_)) = &operand {
            self.check_keys(node, "a bound", &BOUND_KEYS);
        }
        operand
    }

    /// Predicates on a text; a bare text is what it must equal.
    fn text(&mut self, node: &Node, fact: TextFact) -> Option<CheckSubject> {
        let what = format!("`{}`", fact.key());
        match &node.value {
            NodeValue::Map(_) => {
                Some(CheckSubject::Text(fact, Box::new(self.text_expectation(node, &what)?)))
            }
            NodeValue::Text(_) if fact != TextFact::Error => {
                Some(CheckSubject::Text(fact, Box::new(self.equals_expectation(node)?)))
            }
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_) => {
                let message = format!("{what} must be a mapping of predicates, found {}", node.kind());
                self.reader.problem_with_help(
                    node.mark,
                    message,
                    format!("write `{}: {{ contains: … }}`", fact.key()),
                );
                None
            }
        }
    }

    fn node_lists(&mut self, node: &Node) -> Option<NodeLists> {
        let entries = self.reader.map(node, "`nodes`", &["visited", "absent", "order", "exactly"]);
        if entries.is_empty() && node.as_map().is_some() {
            self.reader.problem(node.mark, "`nodes` says nothing: it would hold for every run");
        }
        let mut lists = NodeLists::default();
        for entry in entries {
            let (slot, least) = match entry.key.as_str() {
                "visited" => (&mut lists.visited, 1),
                "absent" => (&mut lists.absent, 1),
                "order" => (&mut lists.order, 2),
                "exactly" => (&mut lists.exactly, 0),
                _ => continue,
            };
            let what = format!("`{}`", entry.key);
            *slot = self.operand(&entry.value, |value| parse_texts(value, &what, least));
        }
        let none =
            [&lists.visited, &lists.absent, &lists.order, &lists.exactly].iter().all(|list| list.is_none());
        (!none).then_some(lists)
    }
}
