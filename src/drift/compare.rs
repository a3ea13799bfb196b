//! Whether a found value is the approved one, as far as its assertion wants it to be.

use serde_json::{Map, Value};

use crate::base::diff::{CaseRule, EqualOptions, equal, mask_paths};
use crate::base::near::is_near;
use crate::base::similarity;

use super::manner::Compare;

/// How a found value compares with the approved one.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// It is the same, as far as is wanted.
    Same,
    /// It differs: the approved value and the found one, without the differences that are allowed.
    Differs(Box<(Value, Value)>),
}

/// Compares two values, both cleaned and redacted alike.
pub fn compare_values(
    approved: &Value,
    found: &Value,
    compare: &Compare,
    options: &EqualOptions,
) -> Comparison {
    let (approved, found) = (mask_paths(approved, &options.ignore), mask_paths(found, &options.ignore));
    let case = options.ignore_case;
    let (approved, found) = match compare {
        Compare::Exact => (approved, found),
        Compare::Structure => (shape(&approved), shape(&found)),
        Compare::Similar(_) | Compare::Numeric(_) => (allowed(&approved, &found, compare, case), found),
    };
    let bare = EqualOptions { ignore_case: case, ignore: Vec::new() };
    match equal(&approved, &found, &bare) {
        true => Comparison::Same,
        false => Comparison::Differs(Box::new((approved, found))),
    }
}

/// The approved value, with what was found wherever that is near enough.
fn allowed(approved: &Value, found: &Value, compare: &Compare, case: CaseRule) -> Value {
    let inner = |approved: &Value, found: Option<&Value>| match found {
        Some(found) => allowed(approved, found, compare, case),
        None => approved.clone(),
    };
    match (approved, found) {
        (Value::Array(approved), Value::Array(found)) => {
            approved.iter().enumerate().map(|(index, item)| inner(item, found.get(index))).collect()
        }
        (Value::Object(approved), Value::Object(found)) => {
            let members = approved.iter().map(|(key, member)| (key.clone(), inner(member, found.get(key))));
            Value::Object(members.collect())
        }
        _ if is_allowed(approved, found, compare, case) => found.clone(),
        _ => approved.clone(),
    }
}

fn is_allowed(approved: &Value, found: &Value, compare: &Compare, case: CaseRule) -> bool {
    match (compare, approved, found) {
        (Compare::Similar(least), Value::String(approved), Value::String(found)) => {
            likeness(approved, found, case) >= *least
        }
        (Compare::Numeric(tolerance), Value::Number(approved), Value::Number(found)) => {
            is_near(approved, found, tolerance)
        }
        _ => false,
    }
}

/// How alike two texts are, over words, from 0 to 1.
pub(super) fn likeness(approved: &str, found: &str, case: CaseRule) -> f64 {
    match case {
        CaseRule::Exact => similarity::ratio(approved, found),
        CaseRule::Ignore => similarity::ratio(&approved.to_lowercase(), &found.to_lowercase()),
    }
}

/// Keys and types without values; of a list, each shape of its elements once.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => Value::from("true or false"),
        Value::Number(_) => Value::from("number"),
        Value::String(_) => Value::from("text"),
        Value::Array(items) => {
            let mut shapes: Vec<Value> = items.iter().map(shape).collect();
            shapes.sort_by_cached_key(Value::to_string);
            shapes.dedup();
            Value::Array(shapes)
        }
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            let shapes: Map<String, Value> =
                keys.into_iter().map(|key| (key.clone(), shape(&members[key]))).collect();
            Value::Object(shapes)
        }
    }
}
