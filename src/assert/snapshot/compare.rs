//! Whether a found value is the approved one, by the comparison that its assertion asks for.

use serde_json::{Map, Value};

use crate::base::diff::{CaseRule, EqualOptions, equal, mask_paths};
use crate::base::near::is_near;
use crate::base::similarity::{Likeness, LikenessError, Method};

use super::manner::Compare;

/// How a found value compares with the approved one.
#[derive(Debug, Clone, PartialEq)]
pub enum SnapshotComparison {
    /// It is the same, by the comparison that is asked for.
    Same,
    /// It differs: the approved value and the found one, without the differences that are allowed.
    Differs(Box<(Value, Value)>),
    /// Nothing else differs than texts whose likeness was not measured.
    Unmeasured(LikenessError),
}

/// Compares two values, both cleaned and redacted alike.
pub fn compare_values(
    approved: &Value,
    found: &Value,
    compare: &Compare,
    options: &EqualOptions,
) -> SnapshotComparison {
    let (approved, found) = (mask_paths(approved, &options.ignore), mask_paths(found, &options.ignore));
    let case = options.ignore_case;
    let mut allowance = PermittedDifferences { compare, case, unmeasured: None };
    let (approved, found) = match compare {
        Compare::Exact => (approved, found),
        Compare::Structure => (shape(&approved), shape(&found)),
        Compare::Similar(_) | Compare::Numeric(_) => (allowance.apply(&approved, &found), found),
    };
    let bare = EqualOptions { ignore_case: case, ignore: Vec::new() };
    match (equal(&approved, &found, &bare), allowance.unmeasured) {
        (true, None) => SnapshotComparison::Same,
        (true, Some(error)) => SnapshotComparison::Unmeasured(error),
        (false, _) => SnapshotComparison::Differs(Box::new((approved, found))),
    }
}

/// What may differ, and what of it is not known.
struct PermittedDifferences<'a> {
    compare: &'a Compare,
    case: CaseRule,
    unmeasured: Option<LikenessError>,
}

impl PermittedDifferences<'_> {
    /// The approved value, with what was found wherever that is near enough, or may be.
    fn apply(&mut self, approved: &Value, found: &Value) -> Value {
        match (approved, found) {
            (Value::Array(approved), Value::Array(found)) => {
                let items = approved.iter().enumerate();
                items.map(|(index, item)| self.inner(item, found.get(index))).collect()
            }
            (Value::Object(approved), Value::Object(found)) => {
                let members = approved.iter();
                let members = members.map(|(key, member)| (key.clone(), self.inner(member, found.get(key))));
                Value::Object(members.collect())
            }
            _ if self.allows(approved, found) => found.clone(),
            _ => approved.clone(),
        }
    }

    fn inner(&mut self, approved: &Value, found: Option<&Value>) -> Value {
        found.map_or_else(|| approved.clone(), |found| self.apply(approved, found))
    }

    fn allows(&mut self, approved: &Value, found: &Value) -> bool {
        match (self.compare, approved, found) {
            (Compare::Similar(least), Value::String(approved), Value::String(found)) => {
                likeness(approved, found, self.case).map_or_else(
                    |error| {
                        self.unmeasured = Some(error);
                        true
                    },
                    |likeness| likeness >= *least,
                )
            }
            (Compare::Numeric(tolerance), Value::Number(approved), Value::Number(found)) => {
                is_near(approved, found, tolerance) == Some(true)
            }
            _ => false,
        }
    }
}

/// How alike an approved text and a found one are, over words.
pub fn likeness(approved: &str, found: &str, case: CaseRule) -> Result<Likeness, LikenessError> {
    match case {
        CaseRule::Exact => Method::Ratio.measure(approved, found),
        CaseRule::Ignore => Method::Ratio.measure(&approved.to_lowercase(), &found.to_lowercase()),
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
