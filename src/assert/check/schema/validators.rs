//! The validator of a schema, and the one that takes its place where a number has more digits than a double: the library compares
//! numbers as doubles.

use std::fmt;

use jsonschema::{PatternOptions, Registry, Validator};
use serde_json::{Number, Value};

use crate::assert::check::operand::OperandError;
use crate::base::exact_decimal::ExactDecimal;
use crate::base::json_number::{holds_long, is_long};

use super::exact::{EXACT, exactly};
use super::failure::{cut, failed};
use super::files::ReferenceReach;
use super::graph::SchemaGraph;

/// After this many steps a search by trying gives up.
const BACKTRACKS: usize = 250_000;
/// The largest automaton of a pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;
/// The most digits of a number that is divided and of the one that divides it, together.
const MOST_DIGITS: u64 = 10_000;

/// The validators of a schema.
pub(super) struct Validators {
    usual: Validator,
    /// For numbers of any length; `None` where the schema says nothing of numbers.
    exact: Option<Validator>,
    /// True where the schema itself holds a long number.
    is_long: bool,
    /// The digits of the longest number that others are divided by; `None` where nothing is divided.
    divisor: Option<u64>,
}

/// Where the references of a schema begin.
pub(super) struct SchemaBase<'a, 'r> {
    pub registry: &'a Registry<'r>,
    pub uri: &'a str,
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validators")
    }
}

impl Validators {
    /// Compiles a schema.
    pub(super) fn of(
        schema: &Value,
        graph: &SchemaGraph<'_>,
        base: SchemaBase<'_, '_>,
        reach: &ReferenceReach,
    ) -> Result<Self, OperandError> {
        let SchemaBase { registry, uri } = base;
        let options = || {
            let options = jsonschema::options().with_registry(registry).with_base_uri(uri);
            let options = options.with_retriever(reach.clone()).with_pattern_options(patterns());
            options.should_validate_formats(true)
        };
        let says = |keyword: &str| graph.nodes.iter().any(|node| node.schema.get(keyword).is_some());
        let exact = EXACT.iter().any(|keyword| says(keyword)).then(|| exactly(options()).build(schema));
        Ok(Self {
            usual: options().build(schema).map_err(|error| failed(&error))?,
            exact: exact.transpose().map_err(|error| failed(&error))?,
            is_long: has_long(graph),
            divisor: divisors(graph).map(digits).max(),
        })
    }

    /// The one for a value; an error where a number and what divides it have too many digits.
    pub(super) fn of_value(&self, value: &Value) -> Result<&Validator, String> {
        let Some(exact) = self.exact.as_ref().filter(|_| self.is_long || holds_long(value)) else {
            return Ok(&self.usual);
        };
        let longest = longest(value);
        match (self.divisor, longest) {
            (Some(divisor), Some(number)) if divisor.saturating_add(digits(number)) > MOST_DIGITS => {
                Err(format!(
                    "the number {} is not divided: it and the number of `multipleOf` have more than {MOST_DIGITS} digits together",
                    cut(&number.to_string())
                ))
            }
            (Some(_) | None, _) => Ok(exact),
        }
    }
}

/// True where a schema holds a number that no double writes.
pub(super) fn has_long(graph: &SchemaGraph<'_>) -> bool {
    let mut words = graph.nodes.iter().filter_map(|node| node.schema.as_object()).flatten();
    words.any(|(keyword, word)| match word {
        Value::Number(number) => is_long(number),
        Value::Array(_) | Value::Object(_) => {
            ["const", "enum"].contains(&keyword.as_str()) && holds_long(word)
        }
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    })
}

/// How patterns are searched.
pub(super) fn patterns() -> PatternOptions<jsonschema::FancyRegex> {
    PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS).size_limit(LARGEST_PATTERN)
}

/// The numbers that others are divided by.
fn divisors<'g>(graph: &'g SchemaGraph<'_>) -> impl Iterator<Item = &'g Number> {
    let words = graph.nodes.iter().filter_map(|node| node.schema.get("multipleOf"));
    words.filter_map(Value::as_number)
}

/// How many digits a number has where it is written without an exponent, about.
fn digits(number: &Number) -> u64 {
    let decimal = ExactDecimal::of(number);
    decimal.exponent().unsigned_abs().saturating_add(decimal.digits().len() as u64)
}

/// The number of a value with the most digits.
fn longest(value: &Value) -> Option<&Number> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => None,
        Value::Number(number) => Some(number),
        Value::Array(items) => items.iter().filter_map(longest).max_by_key(|number| digits(number)),
        Value::Object(members) => members.values().filter_map(longest).max_by_key(|number| digits(number)),
    }
}
