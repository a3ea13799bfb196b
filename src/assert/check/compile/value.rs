//! Assertions on values: where to look, what must hold, how to count it.

use crate::assert::check::model::{
    AssertionTarget, Execution, Match, NodeAspect, NodeCheck, PathRoot, Transform, ValueCheck,
};
use crate::assert::check::operand::matcher::parse_group_regex;
use crate::assert::check::operand::{PredicateOperand, parse_path, parse_text};
use crate::base::json_path::JsonPath;
use crate::yaml::node::{MapEntry, Node, NodeValue};

use super::Compiler;
use super::keys::{KeyFamily, family};
use super::kinds::Kinds;

const ROOTS: [(&str, PathRoot); 6] = [
    ("outputs", PathRoot::Outputs),
    ("inputs", PathRoot::Inputs),
    ("run", PathRoot::Run),
    ("response", PathRoot::Response),
    ("text", PathRoot::Text),
    ("events", PathRoot::Events),
];
const NODE_ROOTS: [(&str, PathRoot); 4] = [
    ("outputs", PathRoot::Outputs),
    ("inputs", PathRoot::Inputs),
    ("process_data", PathRoot::ProcessData),
    ("run", PathRoot::Run),
];
const MATCHES: [(&str, Match); 4] =
    [("one", Match::One), ("any", Match::Any), ("all", Match::All), ("none", Match::None)];
const EXECUTIONS: [(&str, Execution); 4] = [
    ("first", Execution::First),
    ("last", Execution::Last),
    ("any", Execution::Any),
    ("all", Execution::All),
];

/// Which execution of which node an assertion looks at.
pub(super) struct NodeSelector {
    pub name: PredicateOperand<String>,
    pub execution: Execution,
}

impl Compiler<'_, '_, '_> {
    /// An assertion on the values a path selects.
    pub(super) fn values(&mut self, node: &Node, entries: &[MapEntry]) -> Option<AssertionTarget> {
        if !entries.iter().any(|entry| family(&entry.key) == Some(KeyFamily::Predicate)) {
            let unknown = entries.iter().any(|entry| family(&entry.key).is_none());
            if !unknown {
                let message = "an assertion without a predicate can never be red";
                self.reader.problem_with_help(
                    node.mark,
                    message,
                    "say what must hold, such as `equals`, `contains` or `exists`",
                );
            }
            return None;
        }
        if node.get("path").is_none() && node.get("from").is_none() {
            let message = "a predicate without a `path`: nothing says where to look";
            self.reader.problem_with_help(
                node.mark,
                message,
                "add `path: $.…`, or `path: $` for all outputs",
            );
            return None;
        }
        let selector = self.node(entries)?;
        let roots: &[(&str, PathRoot)] = if selector.is_some() { &NODE_ROOTS } else { &ROOTS };
        let root = self.root(node.get("from"), roots);
        let path = match node.get("path") {
            Some(path) => self.operand(path, parse_path),
            None => JsonPath::parse("$").ok().map(PredicateOperand::Ready),
        };
        let mut expect = self.expectation(entries);
        if let Some(expect) = &mut expect {
            let execution = selector.as_ref().map(|selector| selector.execution);
            expect.snapshot = self.snapshot(node, expect.matching, execution)?;
        }
        if let Some(expect) = &expect {
            let is_whole = node.get("path").is_none_or(|path| path.as_text() == Some("$"));
            let kinds = if root == Some(PathRoot::Text) && is_whole { Kinds::TEXT } else { Kinds::ALL };
            self.check_together(node, entries, expect, kinds);
        }
        self.check_list_predicates(node, path.as_ref());
        let check = ValueCheck { root: root?, path: path?, expect: expect? };
        Some(match selector {
            Some(NodeSelector { name, execution }) => {
                AssertionTarget::Node(NodeCheck { name, execution, what: NodeAspect::Value(Box::new(check)) })
            }
            None => AssertionTarget::Value(Box::new(check)),
        })
    }

    /// `$` selects exactly one value, so that `count` and `exists` say nothing there.
    fn check_list_predicates(&mut self, node: &Node, path: Option<&PredicateOperand<JsonPath>>) {
        let is_root = path.and_then(PredicateOperand::ready).is_some_and(|path| path.as_str().trim() == "$");
        for key in ["count", "exists"] {
            if let Some(value) = node.get(key).filter(|_| is_root) {
                let message = format!("`{key}` says nothing of the path `$`, which always selects one value");
                self.reader.problem_with_help(
                    value.mark,
                    message,
                    "use `length` or `empty`, or a longer path",
                );
            }
        }
    }

    fn root(&mut self, from: Option<&Node>, roots: &[(&str, PathRoot)]) -> Option<PathRoot> {
        let Some(from) = from else { return Some(PathRoot::Outputs) };
        self.reader.choice(from, "`from`", roots).map(|root| root.value)
    }

    /// How many of the selected values must satisfy the predicates.
    pub(super) fn matching(&mut self, node: &Node) -> Option<Match> {
        self.reader.choice(node, "`match`", &MATCHES).map(|choice| choice.value)
    }

    /// The node an assertion looks at, if any; the outer none is a problem.
    pub(super) fn node(&mut self, entries: &[MapEntry]) -> Option<Option<NodeSelector>> {
        let get = |key: &str| entries.iter().find(|entry| entry.key == key);
        let Some(node) = get("node") else {
            if let Some(execution) = get("execution") {
                self.reader.problem_with_help(execution.mark, "`execution` without a node", "add `node`");
                return None;
            }
            return Some(None);
        };
        let name = self.operand(&node.value, |value| parse_text(value, "`node`"))?;
        let execution = match get("execution") {
            Some(execution) => self.execution(&execution.value)?,
            None => Execution::Only,
        };
        Some(Some(NodeSelector { name, execution }))
    }

    fn execution(&mut self, node: &Node) -> Option<Execution> {
        let NodeValue::Number(number) = &node.value else {
            return self.reader.choice(node, "`execution`", &EXECUTIONS).map(|choice| choice.value);
        };
        let index = number.as_u64().and_then(|index| usize::try_from(index).ok());
        if index.is_none() {
            self.reader
                .problem(node.mark, format!("`execution: {number}` is not an index: they count from 0"));
        }
        index.map(Execution::Index)
    }

    /// The steps of `transform`, in order.
    pub(super) fn transforms(&mut self, node: &Node) -> Option<Vec<Transform>> {
        let items = match &node.value {
            NodeValue::List(items) => items.as_slice(),
            NodeValue::Text(_) | NodeValue::Map(_) => std::slice::from_ref(node),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => {
                self.reader.problem(node.mark, format!("`transform` must be a list, found {}", node.kind()));
                return None;
            }
        };
        if items.is_empty() {
            self.reader.problem(node.mark, "`transform` is an empty list");
        }
        items.iter().map(|item| self.transform(item)).collect()
    }

    fn transform(&mut self, node: &Node) -> Option<Transform> {
        if node.as_map().is_none() {
            let words = [
                ("json", PlainTransform::Json),
                ("trim", PlainTransform::Trim),
                ("lower", PlainTransform::Lower),
                ("strip_think", PlainTransform::StripThink),
                ("to_number", PlainTransform::ToNumber),
            ];
            return self.reader.choice(node, "a transform", &words).map(|choice| choice.value.transform());
        }
        let entries = self.reader.map(node, "a transform", &["regex", "jsonpath"]);
        let [entry] = entries else {
            self.reader.problem(node.mark, "a transform is one word, `{ regex: … }` or `{ jsonpath: … }`");
            return None;
        };
        match entry.key.as_str() {
            "regex" => self.operand(&entry.value, parse_group_regex).map(Transform::Regex),
            "jsonpath" => self.operand(&entry.value, parse_path).map(Transform::JsonPath),
            _ => None,
        }
    }
}

/// The transforms that are one word.
#[derive(Debug, Clone, Copy)]
enum PlainTransform {
    Json,
    Trim,
    Lower,
    StripThink,
    ToNumber,
}

impl PlainTransform {
    fn transform(self) -> Transform {
        match self {
            Self::Json => Transform::Json,
            Self::Trim => Transform::Trim,
            Self::Lower => Transform::Lower,
            Self::StripThink => Transform::StripThink,
            Self::ToNumber => Transform::ToNumber,
        }
    }
}
