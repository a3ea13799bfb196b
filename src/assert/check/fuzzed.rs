//! What must hold for any schema and any value.

use serde_json::Value;

use super::schema::{CompiledSchema, Conformance, TypeShare};
use crate::base::effort::Effort;

/// The steps of one check.
const STEPS: u64 = 100_000;

/// Checks a value by a schema: what is said of all values of its type holds for it, and the same value gets the same answer.
pub(crate) fn check_schema(schema: &Value, value: &Value) {
    let Ok(compiled) = CompiledSchema::compile(schema, None) else { return };
    let found = compiled.check(value, &Effort::new(STEPS));
    assert_eq!(found, compiled.check(value, &Effort::new(STEPS)), "{schema} on {value}");
    let of_type = match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };
    let share = compiled.shares()[of_type];
    match found {
        Conformance::Conforms => assert!(share.is_some(), "{schema} takes {value}"),
        Conformance::Violates(why) => assert!(share.is_partial(), "{schema} refuses {value}: {why}"),
        Conformance::Unknown(_) => {}
    }
    if let Value::String(_) = value {
        assert_eq!(share == TypeShare::All, compiled.texts() == TypeShare::All);
    }
}
