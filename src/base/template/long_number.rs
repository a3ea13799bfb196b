//! Numbers with more digits than the engine calculates with: templates pass them on whole, and do nothing else with them.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};
use serde_json::Number;

use crate::base::json_number::{is_long, read_number};

/// Ends the names of templates that pass values on and do not calculate or compare.
pub(super) const PASSING: &str = "-passing";

/// A number that neither a whole number of 128 bits nor a double writes.
#[derive(Debug)]
pub(super) struct LongNumber(pub(super) Number);

impl LongNumber {
    /// Takes such a number; `None` for any other.
    pub(super) fn of(number: &Number) -> Option<Self> {
        (number.as_i128().is_none() && is_long(number)).then(|| Self(number.clone()))
    }
}

impl Object for LongNumber {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What is said of a number that a template would calculate with or compare.
pub(super) fn too_long(number: impl fmt::Display) -> String {
    format!("{number} has more digits than a template calculates with or compares: it can only be passed on")
}

/// True for such a number, and for a value that holds one.
pub(super) fn holds_long(value: &Value) -> Option<String> {
    if let Some(LongNumber(number)) = value.downcast_object_ref() {
        return Some(too_long(number));
    }
    let items = value.as_object().filter(|object| object.repr() != ObjectRepr::Plain)?.try_iter_pairs()?;
    items.into_iter().find_map(|(_, item)| holds_long(&item))
}

/// The filter `float`, which keeps all digits of a text.
pub(super) fn float(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let number = value.as_str().and_then(read_number);
    match number.as_ref().and_then(LongNumber::of) {
        Some(long) if state.name().ends_with(PASSING) => Ok(Value::from_object(long)),
        Some(LongNumber(number)) => Err(Error::new(ErrorKind::InvalidOperation, too_long(number))),
        None => minijinja::filters::float(state, value, default, kwargs),
    }
}
