//! The parts of a path, as RFC 9535 names them.

use regex::Regex;
use serde_json::Value;

/// A path, or one inside a filter.
#[derive(Debug, Clone)]
pub(super) struct PathQuery {
    pub start: QueryStart,
    pub segments: Vec<QuerySegment>,
}

/// Where a query begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryStart {
    /// `$`.
    Root,
    /// `@`.
    Current,
}

/// One step of a query.
#[derive(Debug, Clone)]
pub(super) struct QuerySegment {
    pub reach: SegmentReach,
    pub selectors: Vec<Selector>,
}

/// How far down a segment looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentReach {
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
    Slice(SliceSelector),
    Filter(LogicalExpression),
}

/// `start:end:step`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SliceSelector {
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub step: Option<i64>,
}

/// A condition in a filter.
#[derive(Debug, Clone)]
pub(super) enum LogicalExpression {
    Any(Vec<LogicalExpression>),
    All(Vec<LogicalExpression>),
    Not(Box<LogicalExpression>),
    Exists(PathQuery),
    Compare(FilterComparison),
    Matches(RegexMatch),
}

/// Two values compared.
#[derive(Debug, Clone)]
pub(super) struct FilterComparison {
    pub left: FilterOperand,
    pub operator: Operator,
    pub right: FilterOperand,
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
pub(super) enum FilterOperand {
    Literal(Value),
    /// A query that selects one value at most.
    Single(PathQuery),
    /// `length(…)`.
    Length(Box<FilterOperand>),
    /// `count(…)`.
    Count(PathQuery),
    /// `value(…)`.
    ValueOf(PathQuery),
}

/// `match(…)` or `search(…)`.
#[derive(Debug, Clone)]
pub(super) struct RegexMatch {
    pub extent: PatternExtent,
    pub text: FilterOperand,
    pub pattern: Pattern,
}

/// How much of a text a pattern must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PatternExtent {
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
    Late(FilterOperand),
}

impl PathQuery {
    /// True where it selects one value at most, whatever it is applied to.
    pub fn is_singular(&self) -> bool {
        self.segments.iter().all(Self::is_narrow)
    }

    /// True for a segment that selects one child at most.
    pub fn is_narrow(segment: &QuerySegment) -> bool {
        segment.reach == SegmentReach::Children
            && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
    }
}
