//! Which checks may take long on a short answer: those that follow paths at every depth, filter, or apply schemas.

use super::model::{Body, Check, NodeWhat, Predicate, Transform, ValueCheck};
use super::operand::Operand;
use super::operand::test::Test;

/// True where judging these checks may take long, whatever the answer.
pub fn may_take_long(checks: &[Check]) -> bool {
    checks.len() > MANY || checks.iter().any(is_heavy)
}

/// More checks than this take long together.
const MANY: usize = 200;

fn is_heavy(check: &Check) -> bool {
    match &*check.body {
        Body::Value(value) => is_heavy_value(value),
        Body::Node(node) => match &node.what {
            NodeWhat::Value(value) => is_heavy_value(value),
            NodeWhat::Facts(_) => false,
        },
        Body::Group(group) => may_take_long(&group.members),
        Body::Run(_) => false,
    }
}

fn is_heavy_value(value: &ValueCheck) -> bool {
    let paths = value.expect.transforms.iter().filter_map(|step| match step {
        Transform::JsonPath(path) => Some(path),
        _ => None,
    });
    let is_wide = |path: &Operand<_>| path.ready().is_none_or(crate::base::json_path::JsonPath::is_wide);
    std::iter::once(&value.path).chain(paths).any(is_wide)
        || value.expect.equality.options.ignore.iter().any(crate::base::json_path::JsonPath::is_wide)
        || value.expect.predicates.iter().any(applies_schema)
}

fn applies_schema(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Plain(_, operand) => matches!(operand.ready(), None | Some(Test::Schema(_))),
        Predicate::Not(inner) => inner.iter().any(applies_schema),
    }
}
