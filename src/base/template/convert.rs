//! Values across the border between JSON and MiniJinja, both ways, numbers exact.

use minijinja::value::ValueKind;
use serde_json::{Map, Number, Value};

use super::errors::{TemplateError, UNDEFINED};
use super::long_number::LongNumber;

/// The deepest nesting a rendered value may have, that of JSON texts we read.
const DEEPEST: usize = 128;
/// The most parts a rendered value may have.
const MOST: usize = 1_000_000;

/// Gives a JSON value as templates see it.
pub(super) fn from_json(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(truth) => minijinja::Value::from(*truth),
        Value::Number(number) => from_number(number),
        Value::String(text) => minijinja::Value::from(text.as_str()),
        Value::Array(items) => items.iter().map(from_json).collect(),
        Value::Object(members) => minijinja::Value::from_pairs(
            members.iter().map(|(key, member)| (key.as_str(), from_json(member))),
        ),
    }
}

/// Whole numbers of 128 bits and doubles are what templates calculate with; they pass on every other number.
fn from_number(number: &Number) -> minijinja::Value {
    match (number.as_i64(), number.as_u64(), number.as_i128(), LongNumber::of(number)) {
        (Some(signed), _, _, _) => minijinja::Value::from(signed),
        (None, Some(unsigned), _, _) => minijinja::Value::from(unsigned),
        (None, None, Some(whole), _) => minijinja::Value::from(whole),
        (None, None, None, Some(long)) => minijinja::Value::from_object(long),
        (None, None, None, None) => minijinja::Value::from(number.as_f64().unwrap_or_default()),
    }
}

/// Gives what a template yielded as JSON; undefined values, NaN, infinities and bottomless nesting are errors.
pub(super) fn to_json(value: &minijinja::Value) -> Result<Value, TemplateError> {
    convert(value, &mut Budget { depth: DEEPEST, values: MOST })
}

/// How much may still be converted: a small template can share one list so often that its JSON would fill the world.
struct Budget {
    depth: usize,
    values: usize,
}

impl Budget {
    fn spend(&mut self) -> Result<(), &'static str> {
        self.values = self.values.checked_sub(1).ok_or("the value has more than 1,000,000 parts")?;
        Ok(())
    }

    fn below(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<Value, TemplateError>,
    ) -> Result<Value, TemplateError> {
        self.depth =
            self.depth.checked_sub(1).ok_or_else(|| failure("the value nests deeper than 128 levels"))?;
        let converted = value(self);
        self.depth += 1;
        converted
    }
}

fn failure(message: &str) -> TemplateError {
    TemplateError { message: message.to_owned(), span: None }
}

fn convert(value: &minijinja::Value, budget: &mut Budget) -> Result<Value, TemplateError> {
    budget.spend().map_err(failure)?;
    if let Some(LongNumber(number)) = value.downcast_object_ref() {
        return Ok(Value::Number(number.clone()));
    }
    match value.kind() {
        ValueKind::Undefined => Err(failure(UNDEFINED)),
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => number(value),
        ValueKind::String => Ok(Value::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Seq | ValueKind::Iterable => budget.below(|budget| {
            let items = value.try_iter().map_err(|_| failure("the value cannot be listed"))?;
            items.map(|item| convert(&item, budget)).collect()
        }),
        ValueKind::Map => budget.below(|budget| {
            let keys = value.try_iter().map_err(|_| failure("the value cannot be listed"))?;
            let member = |key: minijinja::Value| {
                Ok((key.to_string(), convert(&value.get_item(&key).unwrap_or_default(), budget)?))
            };
            keys.map(member).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }),
        ValueKind::Invalid => Err(failure(&value.to_string())),
        // Bytes, functions and the like, and kinds that a later MiniJinja may add.
        kind => Err(failure(&format!("a value of type {kind} has no JSON form"))),
    }
}

fn number(value: &minijinja::Value) -> Result<Value, TemplateError> {
    let number = if !value.is_integer() {
        f64::try_from(value.clone()).ok().and_then(Number::from_f64)
    } else if let Ok(signed) = i128::try_from(value.clone()) {
        Number::from_i128(signed)
    } else {
        u128::try_from(value.clone()).ok().and_then(Number::from_u128)
    };
    let message = || format!("the number {value} has no JSON form: it is not finite");
    number.map(Value::Number).ok_or_else(|| failure(&message()))
}
