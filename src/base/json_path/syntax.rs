//! The parts of a path, as RFC 9535 names them.

use regex::Regex;
use serde_json::Value;

/// A path, or one inside a filter.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub start: Start,
    pub segments: Vec<Segment>,
}

/// Where a query begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// `$`.
    Root,
    /// `@`.
    Current,
}

/// One step of a query.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub reach: Reach,
    pub selectors: Vec<Selector>,
}

/// How far down a segment looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// At the children.
    Children,
    /// `..`: at the children of the value and of everything below it.
    Descendants,
}

/// What a segment selects among children.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice(Slice),
    Filter(Logical),
}

/// `start:end:step`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slice {
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub step: Option<i64>,
}

/// A condition in a filter.
#[derive(Debug, Clone)]
pub(super) enum Logical {
    Any(Vec<Logical>),
    All(Vec<Logical>),
    Not(Box<Logical>),
    Exists(Query),
    Compare(Comparison),
    Matches(Matching),
}

/// Two values compared.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub left: Operand,
    pub operator: Operator,
    pub right: Operand,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Something with one value, or none.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Value),
    /// A query that selects one value at most.
    Single(Query),
    /// `length(…)`.
    Length(Box<Operand>),
    /// `count(…)`.
    Count(Query),
    /// `value(…)`.
    ValueOf(Query),
}

/// `match(…)` or `search(…)`.
#[derive(Debug, Clone)]
pub(super) struct Matching {
    pub extent: Extent,
    pub text: Operand,
    pub pattern: Pattern,
}

/// How much of a text a pattern must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Extent {
    /// All of it: `match`.
    Whole,
    /// Any part of it: `search`.
    Part,
}

/// A regular expression of a filter.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Written out.
    Ready(Regex),
    /// Found in the value that is searched.
    Late(Operand),
}

impl Query {
    /// True where it selects one value at most, whatever it is applied to.
    pub fn is_singular(&self) -> bool {
        self.segments.iter().all(Self::is_narrow)
    }

    /// True for a segment that selects one child at most.
    pub fn is_narrow(segment: &Segment) -> bool {
        segment.reach == Reach::Children
            && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
    }
}
