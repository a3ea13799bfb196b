//! The keys of an assertion, by what they are for.

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFamily {
    /// Where to look: a node, whatever of it.
    Node,
    /// Where to look: values.
    Look,
    /// What must hold on values.
    Predicate,
    /// A modifier of predicates.
    Modifier,
    /// A fact of the run or node with what must hold.
    Subject,
    /// Other assertions.
    Group,
    /// How it is reported.
    Report,
}

/// Every key an assertion may have.
pub(super) const ALL_KEYS: [&str; 53] = [
    "path",
    "node",
    "execution",
    "from",
    "match",
    "transform",
    "equals",
    "one_of",
    "contains",
    "contains_any",
    "contains_all",
    "includes",
    "starts_with",
    "ends_with",
    "regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "approx",
    "length",
    "count",
    "exists",
    "empty",
    "type",
    "format",
    "schema",
    "similar",
    "llm_rubric",
    "snapshot",
    "not",
    "ignore_case",
    "ignore",
    "severity",
    "label",
    "status",
    "error",
    "error_code",
    "tokens",
    "cost",
    "latency",
    "server_latency",
    "ttft",
    "max_gap",
    "steps",
    "exceptions",
    "nodes",
    "retries",
    "workflow_id",
    "any_of",
    "all_of",
    "at_least",
];

/// What a key is for; `None` for an unknown one.
pub(super) fn family(key: &str) -> Option<KeyFamily> {
    Some(match key {
        "node" | "execution" => KeyFamily::Node,
        "path" | "from" | "match" | "transform" => KeyFamily::Look,
        "ignore_case" | "ignore" => KeyFamily::Modifier,
        "severity" | "label" => KeyFamily::Report,
        "status" | "error" | "error_code" | "tokens" | "cost" | "latency" | "server_latency" | "ttft"
        | "max_gap" | "steps" => KeyFamily::Subject,
        "exceptions" | "nodes" | "retries" | "workflow_id" => KeyFamily::Subject,
        "any_of" | "all_of" | "at_least" => KeyFamily::Group,
        known if ALL_KEYS.contains(&known) => KeyFamily::Predicate,
        _ => return None,
    })
}

/// True for the subjects by which a test's own assertion replaces a default.
pub(super) fn is_replaced(key: &str) -> bool {
    matches!(key, "status" | "tokens" | "cost" | "latency" | "ttft" | "max_gap" | "steps")
}
