//! Facts of the run or of a node: `status`, `tokens`, `latency` and their like.

use std::time::Duration;

use serde_json::Value;

use crate::base::units::Money;
use crate::check::model::{Body, CountFact, NodeCheck, NodeLists, NodeWhat, Subject, TextFact, TimeFact};
use crate::check::operand::bound::{BOUND_KEYS, Bare, Bound, Quantity};
use crate::check::operand::words::{StatusOf, parse_statuses};
use crate::check::operand::{Operand, parse_texts};
use crate::suite::node::{Entry, Node, NodeValue};

use super::Compiler;
use super::keys::{Family, family};

impl Compiler<'_, '_, '_> {
    /// Facts in one assertion, all of which must hold.
    pub(super) fn subjects(&mut self, first: &Entry, entries: &[Entry]) -> Option<Body> {
        for entry in entries {
            if matches!(family(&entry.key), Some(Family::Look | Family::Predicate | Family::Modifier)) {
                let message = format!(
                    "`{}` looks at the run, `{}` at a value: two assertions in one",
                    first.key, entry.key
                );
                self.reader.problem_with_help(entry.mark, message, "write two assertions");
            }
        }
        let node = entries.iter().find(|entry| entry.key == "node");
        let of = if node.is_some() { StatusOf::Node } else { StatusOf::Run };
        let wanted = entries.iter().filter(|entry| family(&entry.key) == Some(Family::Subject));
        let subjects: Vec<Subject> = wanted.filter_map(|entry| self.subject(entry, of)).collect();
        let Some((name, execution)) = self.node(entries)? else { return Some(Body::Run(subjects)) };
        Some(Body::Node(NodeCheck { name, execution, what: NodeWhat::Facts(subjects) }))
    }

    fn subject(&mut self, entry: &Entry, of: StatusOf) -> Option<Subject> {
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
            "status" => Subject::Status(self.operand(node, |value| parse_statuses(value, of))?),
            "error" => self.text(node, TextFact::Error)?,
            "error_code" => self.text(node, TextFact::ErrorCode)?,
            "workflow_id" => self.text(node, TextFact::WorkflowId)?,
            "tokens" => Subject::Count(CountFact::Tokens, self.bound(node, Bare::Most)?),
            "steps" => Subject::Count(CountFact::Steps, self.bound(node, Bare::Most)?),
            "exceptions" => Subject::Count(CountFact::Exceptions, self.bound(node, Bare::Exactly)?),
            "retries" => Subject::Count(CountFact::Retries, self.bound(node, Bare::Exactly)?),
            "latency" => Subject::Time(TimeFact::Latency, self.bound::<Duration>(node, Bare::Most)?),
            "server_latency" => Subject::Time(TimeFact::ServerLatency, self.bound(node, Bare::Most)?),
            "ttft" => Subject::Time(TimeFact::Ttft, self.bound(node, Bare::Most)?),
            "max_gap" => Subject::Time(TimeFact::MaxGap, self.bound(node, Bare::Most)?),
            "cost" => Subject::Cost(self.bound::<Money>(node, Bare::Most)?),
            _ => Subject::Nodes(Box::new(self.node_lists(node)?)),
        })
    }

    /// A bound; its keys are checked even where its values are templates.
    pub(super) fn bound<T: Quantity>(&mut self, node: &Node, bare: Bare) -> Option<Operand<Bound<T>>> {
        let operand = self.operand(node, |value: &Value| Bound::parse(value, bare));
        if let Some(Operand::Late(_)) = &operand {
            self.check_keys(node, "a bound", &BOUND_KEYS);
        }
        operand
    }

    /// Predicates on a text; a bare text is what it must equal.
    fn text(&mut self, node: &Node, fact: TextFact) -> Option<Subject> {
        let what = format!("`{}`", fact.key());
        match &node.value {
            NodeValue::Map(_) => Some(Subject::Text(fact, Box::new(self.text_expectation(node, &what)?))),
            NodeValue::Text(_) if fact != TextFact::Error => {
                Some(Subject::Text(fact, Box::new(self.equals_expectation(node)?)))
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
