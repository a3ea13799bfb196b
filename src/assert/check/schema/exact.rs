//! The keywords of JSON Schema that look at numbers, by their exact value; pure.

use std::cmp::Ordering;
use std::collections::HashSet;

use jsonschema::error::ValidationError;
use jsonschema::{Keyword, ValidationOptions};
use serde_json::{Map, Number, Value};

use crate::base::borrowed_json::BorrowedValue;
use crate::base::diff::{EqualOptions, equal};
use crate::base::json_number::{compare, is_integer};
use crate::base::near::is_multiple;

/// These keywords.
pub(super) const EXACT: [&str; 9] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "const",
    "enum",
    "type",
    "uniqueItems",
];

/// Puts them in the place of the library's.
pub(super) fn exactly(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    EXACT.iter().fold(options, |options, word| {
        options.with_keyword(*word, move |parent: &Map<String, Value>, operand: &Value, _| {
            Ok(Box::new(ExactKeyword::of(word, operand, parent)) as Box<dyn for<'i> Keyword<'i>>)
        })
    })
}

/// One of them with what it demands.
struct ExactKeyword {
    demand: Demand,
    /// In words.
    said: String,
}

enum Demand {
    /// Whatever is no number holds.
    Bound(Number, fn(Ordering) -> bool),
    Multiple(Number),
    /// One of these values.
    Choice(Vec<Value>),
    Type(Vec<String>),
    Unique,
    /// Nothing; `exclusiveMinimum: true` of draft 4 is read with `minimum`.
    Nothing,
}

impl ExactKeyword {
    fn of(word: &str, operand: &Value, parent: &Map<String, Value>) -> Self {
        let is_strict = |keyword: &str| parent.get(keyword) == Some(&Value::Bool(true));
        let (demand, said) = match (word, operand) {
            ("minimum", Value::Number(limit)) if is_strict("exclusiveMinimum") => {
                (Demand::Bound(limit.clone(), Ordering::is_gt), format!("more than {limit}"))
            }
            ("maximum", Value::Number(limit)) if is_strict("exclusiveMaximum") => {
                (Demand::Bound(limit.clone(), Ordering::is_lt), format!("less than {limit}"))
            }
            ("minimum", Value::Number(limit)) => {
                (Demand::Bound(limit.clone(), Ordering::is_ge), format!("at least {limit}"))
            }
            ("maximum", Value::Number(limit)) => {
                (Demand::Bound(limit.clone(), Ordering::is_le), format!("at most {limit}"))
            }
            ("exclusiveMinimum", Value::Number(limit)) => {
                (Demand::Bound(limit.clone(), Ordering::is_gt), format!("more than {limit}"))
            }
            ("exclusiveMaximum", Value::Number(limit)) => {
                (Demand::Bound(limit.clone(), Ordering::is_lt), format!("less than {limit}"))
            }
            ("multipleOf", Value::Number(unit)) => {
                (Demand::Multiple(unit.clone()), format!("a multiple of {unit}"))
            }
            ("const", value) => (Demand::Choice(vec![value.clone()]), operand.to_string()),
            ("enum", Value::Array(values)) => (Demand::Choice(values.clone()), format!("one of {operand}")),
            ("type", Value::String(name)) => {
                (Demand::Type(vec![name.clone()]), format!("of the type {name}"))
            }
            ("type", Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
                (Demand::Type(names.collect()), format!("of one of the types {operand}"))
            }
            ("uniqueItems", Value::Bool(true)) => (Demand::Unique, "a list without equal items".to_owned()),
            _ => (Demand::Nothing, String::new()),
        };
        Self { demand, said }
    }

    fn holds(&self, value: &Value) -> bool {
        match (&self.demand, value) {
            (Demand::Bound(limit, holds), Value::Number(number)) => holds(compare(number, limit)),
            // `Validators` gives up before numbers that cannot be divided.
            (Demand::Multiple(unit), Value::Number(number)) => is_multiple(number, unit) == Some(true),
            (Demand::Choice(values), value) => {
                values.iter().any(|choice| equal(choice, value, &EqualOptions::default()))
            }
            (Demand::Type(names), value) => names.iter().any(|name| is_of_type(name, value)),
            (Demand::Unique, Value::Array(items)) => {
                let mut seen = HashSet::new();
                items.iter().all(|item| seen.insert(BorrowedValue::of(item).canonical()))
            }
            (Demand::Bound(..) | Demand::Multiple(_) | Demand::Unique | Demand::Nothing, _) => true,
        }
    }
}

impl<'i> Keyword<'i> for ExactKeyword {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.holds(value) {
            true => Ok(()),
            false => Err(ValidationError::custom(format!("value is not {}", self.said))),
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.holds(value)
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => is_integer(number),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::CompiledSchema;
    use super::super::Conformance;
    use crate::base::borrowed_json::BorrowedValue;
    use crate::base::effort::Effort;

    fn conforms(schema: &str, value: &str) -> Conformance {
        let [schema, value] = [schema, value].map(|text| BorrowedValue::read_value(text.as_bytes()).unwrap());
        CompiledSchema::compile(&schema, None).unwrap().check(&value, &Effort::default())
    }

    #[test]
    fn numbers_of_any_length_are_judged_by_their_exact_value() {
        for (schema, held, broken) in [
            (r#"{"const":0.1}"#, "0.10", "0.1000000000000000000001"),
            (r#"{"const":0.1000000000000000000001}"#, "0.10000000000000000000010", "0.1"),
            (r#"{"enum":[1,18446744073709551616]}"#, "18446744073709551616.0", "18446744073709551617"),
            (r#"{"minimum":0.1000000000000000000001}"#, "0.1000000000000000000001", "0.1"),
            (r#"{"maximum":0.1}"#, "0.0999999999999999999999999", "0.1000000000000000000001"),
            (
                r#"{"exclusiveMaximum":18446744073709551616}"#,
                "18446744073709551615.5",
                "18446744073709551616",
            ),
            (r#"{"exclusiveMinimum":0.1}"#, "0.1000000000000000000001", "0.09999999999999999999999"),
            (
                r#"{"multipleOf":0.1}"#,
                "123456789012345678901234567890.1",
                "123456789012345678901234567890.15",
            ),
            (r#"{"multipleOf":3}"#, "3e400", "123456789012345678901234567891"),
            (r#"{"type":"integer"}"#, "1e400", "1.0000000000000000000001"),
            (r#"{"not":{"type":"integer"}}"#, "9007199254740993.5", "123456789012345678901234567890"),
            (r#"{"items":{"type":"integer"}}"#, "[1,123456789012345678901]", "[1,9007199254740993.5]"),
            (
                r#"{"uniqueItems":true}"#,
                "[0.1,0.1000000000000000000001]",
                "[0.1000000000000000000001,0.10000000000000000000010]",
            ),
            (
                r#"{"properties":{"a":{"minimum":1}},"required":["a"]}"#,
                r#"{"a":1.0000000000000000000001}"#,
                r#"{"a":0.9999999999999999999999}"#,
            ),
        ] {
            assert_eq!(conforms(schema, held), Conformance::Conforms, "{schema} {held}");
            assert!(matches!(conforms(schema, broken), Conformance::Violates(_)), "{schema} {broken}");
        }
    }

    #[test]
    fn a_number_with_too_many_digits_is_not_divided() {
        let schema = r#"{"multipleOf":7}"#;
        assert!(matches!(conforms(schema, "[1e1000000000]"), Conformance::Unknown(_)));
        assert_eq!(conforms(r#"{"minimum":7}"#, "1e1000000000"), Conformance::Conforms);
    }

    #[test]
    fn the_draft_with_exclusive_flags_is_known() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true
        });
        let schema = schema.to_string();
        assert_eq!(conforms(&schema, "1.0000000000000000000001"), Conformance::Conforms);
        assert!(matches!(conforms(&schema, "0.9999999999999999999999"), Conformance::Violates(_)));
    }
}
