//! What a compiled assertion is made of. Holds no behaviour: `compile` builds it, the families judge it.

use std::sync::Arc;

use crate::assert::snapshot::SnapshotOptions;
use crate::base::diff::EqualOptions;
use crate::base::json_path::JsonPath;
use crate::base::origin::Place;
use crate::base::template::Template;
use crate::base::units::Money;
use crate::dify::transcript::AnswerField;
use crate::record::verdict::Severity;
use regex::Regex;

use super::operand::PredicateOperand;
use super::operand::bound::QuantityBound;
use super::operand::matcher::Matcher;
use super::operand::predicate_kind::{Status, Word};

/// One assertion, compiled; judged as often as there are attempts, and cheap to share between tests.
#[derive(Debug, Clone)]
pub struct Check {
    pub(super) head: AssertionHead,
    pub(super) body: Arc<AssertionTarget>,
}

/// How an assertion is reported.
#[derive(Debug, Clone)]
pub(super) struct AssertionHead {
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
pub(super) enum AssertionTarget {
    /// Values below one of the run's roots.
    Value(Box<ValueCheck>),
    /// Facts of the run; all must hold.
    Run(Vec<CheckSubject>),
    /// Executions of a node.
    Node(NodeCheck),
    /// Other assertions.
    Group(MemberGroup),
}

/// How the members of a group are counted.
#[derive(Debug, Clone)]
pub(super) struct MemberGroup {
    pub(super) rule: GroupRule,
    pub(super) members: Vec<Check>,
}

/// How many members of a group must hold.
#[derive(Debug, Clone)]
pub(super) enum GroupRule {
    Any,
    All,
    /// At least this many.
    AtLeast(PredicateOperand<u64>),
}

/// An assertion on a node.
#[derive(Debug, Clone)]
pub(super) struct NodeCheck {
    /// Its title or id.
    pub(super) name: PredicateOperand<String>,
    pub(super) execution: Execution,
    pub(super) what: NodeAspect,
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
pub(super) enum NodeAspect {
    Value(Box<ValueCheck>),
    Facts(Vec<CheckSubject>),
}

/// An assertion on the values that a path selects.
#[derive(Debug, Clone)]
pub(super) struct ValueCheck {
    pub(super) root: PathRoot,
    pub(super) path: PredicateOperand<JsonPath>,
    pub(super) expect: Expectation,
}

/// Where a path starts; with a node, only the four that a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathRoot {
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
    pub(super) count: Option<PredicateOperand<QuantityBound<u64>>>,
    pub(super) exists: Option<PredicateOperand<bool>>,
    pub(super) snapshot: Option<SnapshotCheck>,
    pub(super) equality: Equality,
}

/// A value that was approved before.
#[derive(Debug, Clone)]
pub(super) struct SnapshotCheck {
    /// Under which it is kept among the test's snapshots.
    pub(super) key: PredicateOperand<String>,
    pub(super) manner: PredicateOperand<SnapshotOptions>,
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
    Regex(PredicateOperand<Regex>),
    ToNumber,
    JsonPath(PredicateOperand<JsonPath>),
}

/// A condition on one value.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Plain(Word, PredicateOperand<Matcher>),
    /// None of them may hold.
    Not(Vec<Predicate>),
}

/// A fact of a run or a node, and what must hold of it.
#[derive(Debug, Clone)]
pub(super) enum CheckSubject {
    Status(PredicateOperand<Vec<Status>>),
    Text(TextFact, Box<Expectation>),
    Count(CountFact, PredicateOperand<QuantityBound<u64>>),
    Time(TimeFact, PredicateOperand<QuantityBound<std::time::Duration>>),
    Cost(PredicateOperand<QuantityBound<Money>>),
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
    pub(super) visited: Option<PredicateOperand<Vec<String>>>,
    pub(super) absent: Option<PredicateOperand<Vec<String>>>,
    pub(super) order: Option<PredicateOperand<Vec<String>>>,
    pub(super) exactly: Option<PredicateOperand<Vec<String>>>,
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

impl PathRoot {
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

    /// The field of a run's or a node's `data` in which it starts; `None` where it starts elsewhere.
    pub(super) fn field(self) -> Option<AnswerField> {
        match self {
            Self::Outputs => Some(AnswerField::Outputs),
            Self::Inputs => Some(AnswerField::Inputs),
            Self::ProcessData => Some(AnswerField::ProcessData),
            Self::Run | Self::Response | Self::Text | Self::Events => None,
        }
    }
}
