//! Which checks may take long on a short answer: those that follow paths at every depth, filter, or apply schemas.

use super::model::{AssertionTarget, Check, NodeAspect, Predicate, Transform, ValueCheck};
use super::operand::PredicateOperand;
use super::operand::matcher::Matcher;

/// True where judging these checks may take long, whatever the answer.
pub fn may_take_long(checks: &[Check]) -> bool {
    checks.len() > MANY || checks.iter().any(is_heavy)
}

/// More checks than this take long together.
const MANY: usize = 200;

fn is_heavy(check: &Check) -> bool {
    match &*check.body {
        AssertionTarget::Value(value) => is_heavy_value(value),
        AssertionTarget::Node(node) => match &node.what {
            NodeAspect::Value(value) => is_heavy_value(value),
            NodeAspect::Facts(_) => false,
        },
        AssertionTarget::Group(group) => may_take_long(&group.members),
        AssertionTarget::Run(_) => false,
    }
}

fn is_heavy_value(value: &ValueCheck) -> bool {
    let paths = value.expect.transforms.iter().filter_map(|step| match step {
        Transform::JsonPath(path) => Some(path),
        _ => None,
    });
    let is_wide =
        |path: &PredicateOperand<_>| path.ready().is_none_or(crate::base::json_path::JsonPath::is_wide);
    std::iter::once(&value.path).chain(paths).any(is_wide)
        || value.expect.equality.options.ignore.iter().any(crate::base::json_path::JsonPath::is_wide)
        || value.expect.predicates.iter().any(applies_schema)
}

fn applies_schema(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Plain(_, operand) => matches!(operand.ready(), None | Some(Matcher::Schema(_))),
        Predicate::Not(inner) => inner.iter().any(applies_schema),
    }
}
