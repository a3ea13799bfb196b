//! Operands: what is read from YAML at load, or from a rendered template for each attempt, by one and the same parser.
//!
//! A parser sees plain JSON and answers with a value or an [`OperandError`] that says where inside the operand it goes wrong.

pub(super) mod bound;
mod least_score;
pub(super) mod matcher;
pub(super) mod near;
pub(super) mod needed;
pub(super) mod operand_keys;
pub(super) mod opinion;
pub(super) mod predicate_kind;
pub(super) mod snapshot;

use std::ops::Deref;

use serde_json::{Number, Value};

use crate::base::json_kind::kind;
use crate::base::json_path::JsonPath;
use crate::base::spelling::did_you_mean;
use crate::base::template::Template;

use super::Context;
use super::shown::{cut, quote};

/// A compiled operand, or the template that yields it.
#[derive(Debug, Clone)]
pub(super) enum PredicateOperand<T> {
    /// Written out: compiled at load.
    Ready(T),
    /// Rendered and compiled for each attempt.
    Late(Template),
}

/// An operand in use.
pub(super) enum ResolvedOperand<'a, T> {
    /// Compiled at load.
    Shared(&'a T),
    /// Compiled for this attempt.
    Fresh(T),
}

impl<T> Deref for ResolvedOperand<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Shared(value) => value,
            Self::Fresh(value) => value,
        }
    }
}

impl<T> PredicateOperand<T> {
    /// Gives the operand; a late one is rendered and parsed, and an error says that the suite is at fault.
    pub(super) fn get(
        &self,
        context: &Context<'_>,
        parse: impl FnOnce(&Value) -> Result<T, OperandError>,
    ) -> Result<ResolvedOperand<'_, T>, String> {
        match self {
            Self::Ready(value) => Ok(ResolvedOperand::Shared(value)),
            Self::Late(template) => {
                let rendered = context.templates.render(template, context.scope);
                let rendered =
                    rendered.map_err(|error| format!("the template cannot be rendered: {error}"))?;
                parse(&rendered).map(ResolvedOperand::Fresh).map_err(|error| error.once_rendered())
            }
        }
    }

    /// The value, where it was written out.
    pub(super) fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Late(_) => None,
        }
    }
}

/// Whether an error is at a key or at its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperandPlace {
    /// At the last key of the way.
    Key,
    /// At the value.
    Value,
}

/// What is wrong with an operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OperandError {
    /// The way from the operand to the fault: keys and indices.
    pub(super) at: Vec<String>,
    /// Whether the last key or its value is at fault.
    pub(super) spot: OperandPlace,
    /// A lower-case fragment.
    pub(super) message: String,
    /// How to repair it.
    pub(super) help: Option<String>,
}

impl OperandError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { at: Vec::new(), spot: OperandPlace::Value, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Moves the fault one step down.
    pub(super) fn under(mut self, step: impl ToString) -> Self {
        self.at.insert(0, step.to_string());
        self
    }

    /// A fault of a key itself.
    pub(super) fn at_key(key: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(message).under(key);
        error.spot = OperandPlace::Key;
        error
    }

    /// An unknown key, with the nearest known one.
    pub(super) fn unknown_key(key: &str, what: &str, known: &[&str]) -> Self {
        let help = did_you_mean(key, known.iter().copied())
            .unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
        Self::at_key(key, format!("unknown key `{key}` in {what}")).help(help)
    }

    fn once_rendered(self) -> String {
        let way = if self.at.is_empty() { String::new() } else { format!(" at `{}`", self.at.join(".")) };
        let help = self.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("the operand, once rendered, is unusable{way}: {}{help}", self.message)
    }
}

/// Text that is not empty.
pub(super) fn parse_text(value: &Value, what: &str) -> Result<String, OperandError> {
    match value {
        Value::String(text) if text.is_empty() => Err(OperandError::new(format!("{what} is empty"))),
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => {
            Err(OperandError::new(format!("{what} must be text, found {}", kind(value)))
                .help("put it in quotes"))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(OperandError::new(format!("{what} must be text, found {}", kind(value))))
        }
    }
}

/// A number.
pub(super) fn parse_number(value: &Value, what: &str) -> Result<Number, OperandError> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::String(_) => Err(OperandError::new(format!("`{what}` must be a number, found text"))
            .help("leave the quotes out; of a CSV cell write `{{ row.x | float }}`")),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(OperandError::new(format!("`{what}` must be a number, found {}", kind(value))))
        }
    }
}

/// `true` or `false`.
pub(super) fn parse_bool(value: &Value, what: &str) -> Result<bool, OperandError> {
    value
        .as_bool()
        .ok_or_else(|| OperandError::new(format!("{what} must be `true` or `false`, found {}", kind(value))))
}

/// A JSONPath.
pub(super) fn parse_path(value: &Value) -> Result<JsonPath, OperandError> {
    let text = parse_text(value, "a path")?;
    JsonPath::parse(&text).map_err(|error| {
        let rest = error.offset.filter(|offset| *offset > 0).and_then(|offset| text.get(offset..));
        let at = match rest {
            Some("") => "at its end: ".to_owned(),
            Some(rest) => format!("at {}: ", quote(rest)),
            None => String::new(),
        };
        let wrong = OperandError::new(format!("`{}` is not a JSONPath: {at}{}", cut(&text), error.message));
        OperandError { help: error.help, ..wrong }
    })
}

/// A list of texts of at least `least` items, none empty.
pub(super) fn parse_texts(value: &Value, what: &str, least: usize) -> Result<Vec<String>, OperandError> {
    let Value::Array(items) = value else {
        return Err(OperandError::new(format!("{what} must be a list, found {}", kind(value))));
    };
    if items.len() < least {
        let message = match (least, items.len()) {
            (1, _) => format!("{what} is empty and would hold for every run"),
            _ => format!("{what} needs at least {least} items, found {}", items.len()),
        };
        return Err(OperandError::new(message));
    }
    let texts = items
        .iter()
        .enumerate()
        .map(|(index, item)| parse_text(item, "a name").map_err(|error| error.under(index)));
    texts.collect()
}
