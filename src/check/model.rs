//! What a compiled assertion is made of. Holds no behaviour: `compile` builds it, the families judge it.

use std::sync::Arc;

use crate::base::diff::EqualOptions;
use crate::base::json_path::JsonPath;
use crate::base::origin::Place;
use crate::base::template::Template;
use crate::base::units::Money;
use crate::drift::Manner;
use crate::verdict::Severity;
use regex::Regex;

use super::operand::Operand;
use super::operand::bound::Bound;
use super::operand::test::Test;
use super::operand::words::{Status, Word};

/// One assertion, compiled; judged as often as there are attempts, and cheap to share between tests.
#[derive(Debug, Clone)]
pub struct Check {
    pub(super) head: Head,
    pub(super) body: Arc<Body>,
}

/// How an assertion is reported.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Where it is written.
    pub(super) place: Arc<Place>,
    /// How it counts.
    pub(super) severity: Severity,
    /// In one line, as written.
    pub(super) label: Arc<str>,
    /// The `label`, where it is a template.
    pub(super) late_label: Option<Template>,
}

/// What an assertion looks at.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Values below one of the run's roots.
    Value(Box<ValueCheck>),
    /// Facts of the run; all must hold.
    Run(Vec<Subject>),
    /// Executions of a node.
    Node(NodeCheck),
    /// Other assertions.
    Group(Group),
}

/// How the members of a group are counted.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) rule: GroupRule,
    pub(super) members: Vec<Check>,
}

/// How many members of a group must hold.
#[derive(Debug, Clone)]
pub(super) enum GroupRule {
    Any,
    All,
    /// At least so many.
    AtLeast(Operand<u64>),
}

/// An assertion on a node.
#[derive(Debug, Clone)]
pub(super) struct NodeCheck {
    /// Its title or id.
    pub(super) name: Operand<String>,
    pub(super) execution: Execution,
    pub(super) what: NodeWhat,
}

/// Which of a node's executions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Execution {
    /// There must be exactly one.
    Only,
    First,
    Last,
    Any,
    All,
    /// From 0.
    Index(usize),
}

/// What of a node is looked at.
#[derive(Debug, Clone)]
pub(super) enum NodeWhat {
    Value(Box<ValueCheck>),
    Facts(Vec<Subject>),
}

/// An assertion on the values that a path selects.
#[derive(Debug, Clone)]
pub(super) struct ValueCheck {
    pub(super) root: Root,
    pub(super) path: Operand<JsonPath>,
    pub(super) expect: Expectation,
}

/// Where a path starts; with a node, only the four that a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Outputs,
    Inputs,
    Run,
    Response,
    Text,
    Events,
    ProcessData,
}

/// What must hold of some values.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    pub(super) matching: Match,
    pub(super) transforms: Vec<Transform>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) count: Option<Operand<Bound<u64>>>,
    pub(super) exists: Option<Operand<bool>>,
    pub(super) snapshot: Option<SnapshotCheck>,
    pub(super) equality: Equality,
}

/// A value that was approved before.
#[derive(Debug, Clone)]
pub(super) struct SnapshotCheck {
    /// Under which it is kept among the test's snapshots.
    pub(super) key: Operand<String>,
    pub(super) manner: Operand<Manner>,
    /// True for a list of all the values that the path selects.
    pub(super) is_listed: bool,
}

/// How many of the selected values must satisfy the predicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    One,
    Any,
    All,
    None,
}

/// What comparisons overlook.
#[derive(Debug, Clone, Default)]
pub(super) struct Equality {
    /// With the paths that were written out.
    pub(super) options: EqualOptions,
    /// Further paths to ignore, rendered for each attempt.
    pub(super) late: Vec<Template>,
}

/// A step that makes one value of another before it is judged.
#[derive(Debug, Clone)]
pub(super) enum Transform {
    Json,
    Trim,
    Lower,
    StripThink,
    Regex(Operand<Regex>),
    ToNumber,
    JsonPath(Operand<JsonPath>),
}

/// A condition on one value.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Plain(Word, Operand<Test>),
    /// None of them may hold.
    Not(Vec<Predicate>),
}

/// A fact of a run or a node, and what must hold of it.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Status(Operand<Vec<Status>>),
    Text(TextFact, Box<Expectation>),
    Count(CountFact, Operand<Bound<u64>>),
    Time(TimeFact, Operand<Bound<std::time::Duration>>),
    Cost(Operand<Bound<Money>>),
    Nodes(Box<NodeLists>),
}

/// A fact that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFact {
    Error,
    ErrorCode,
    WorkflowId,
}

/// A fact that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountFact {
    Tokens,
    Steps,
    Exceptions,
    Retries,
}

/// A fact that is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeFact {
    Latency,
    ServerLatency,
    Ttft,
    MaxGap,
}

/// Which nodes must have run, or not, in which order.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeLists {
    pub(super) visited: Option<Operand<Vec<String>>>,
    pub(super) absent: Option<Operand<Vec<String>>>,
    pub(super) order: Option<Operand<Vec<String>>>,
    pub(super) exactly: Option<Operand<Vec<String>>>,
}

impl TextFact {
    /// Its key.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::ErrorCode => "error_code",
            Self::WorkflowId => "workflow_id",
        }
    }
}

impl CountFact {
    /// Its key.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Steps => "steps",
            Self::Exceptions => "exceptions",
            Self::Retries => "retries",
        }
    }
}

impl TimeFact {
    /// Its key.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::ServerLatency => "server_latency",
            Self::Ttft => "ttft",
            Self::MaxGap => "max_gap",
        }
    }
}

impl Root {
    /// Its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Outputs => "outputs",
            Self::Inputs => "inputs",
            Self::Run => "run",
            Self::Response => "response",
            Self::Text => "text",
            Self::Events => "events",
            Self::ProcessData => "process_data",
        }
    }
}
