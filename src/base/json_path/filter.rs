//! Whether a value satisfies a filter (RFC 9535, sections 2.3.5 and 2.4). Numbers are compared by their exact value.

use std::borrow::Cow;
use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::base::effort::EffortError;
use crate::base::json_number;

use super::select::{PathSearch, StepTrail};
use super::syntax::{
    FilterComparison, FilterOperand, LogicalExpression, Operator, PathQuery, Pattern, PatternExtent,
    RegexMatch,
};

/// What compiling a pattern that was found in a value costs.
const COMPILING: u64 = 20_000;
/// The largest compiled pattern, in bytes.
const LARGEST: usize = 1 << 20;
/// The bytes of text that cost a step.
const BYTES: usize = 32;

impl<'v> PathSearch<'v, '_> {
    /// Returns whether a condition holds for a value.
    pub fn holds(&mut self, condition: &LogicalExpression, current: &'v Value) -> Result<bool, EffortError> {
        self.effort.spend(1)?;
        Ok(match condition {
            LogicalExpression::Any(any) => {
                for one in any {
                    if self.holds(one, current)? {
                        return Ok(true);
                    }
                }
                false
            }
            LogicalExpression::All(all) => {
                for one in all {
                    if !self.holds(one, current)? {
                        return Ok(false);
                    }
                }
                true
            }
            LogicalExpression::Not(inner) => !self.holds(inner, current)?,
            LogicalExpression::Exists(query) => !self.nodes(query, current)?.is_empty(),
            LogicalExpression::Compare(comparison) => self.compare(comparison, current)?,
            LogicalExpression::Matches(matching) => self.matches(matching, current)?,
        })
    }

    fn nodes(&mut self, query: &PathQuery, current: &'v Value) -> Result<Vec<&'v Value>, EffortError> {
        let found = self.run(query, current, &mut StepTrail::default())?;
        Ok(found.into_iter().map(|selected| selected.value).collect())
    }

    fn compare(&mut self, comparison: &FilterComparison, current: &'v Value) -> Result<bool, EffortError> {
        let left = self.value(&comparison.left, current)?;
        let right = self.value(&comparison.right, current)?;
        let (left, right) = (left.as_deref(), right.as_deref());
        let is_equal = |search: &Self| match (left, right) {
            (None, None) => Ok(true),
            (Some(left), Some(right)) => search.is_same(left, right),
            (Some(_), None) | (None, Some(_)) => Ok(false),
        };
        let order = match (left, right) {
            (Some(Value::Number(left)), Some(Value::Number(right))) => {
                Some(json_number::compare(left, right))
            }
            (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
            _ => None,
        };
        Ok(match comparison.operator {
            Operator::Equal => is_equal(self)?,
            Operator::NotEqual => !is_equal(self)?,
            Operator::Less => order.is_some_and(Ordering::is_lt),
            Operator::Greater => order.is_some_and(Ordering::is_gt),
            Operator::LessOrEqual => order.is_some_and(Ordering::is_lt) || is_equal(self)?,
            Operator::GreaterOrEqual => order.is_some_and(Ordering::is_gt) || is_equal(self)?,
        })
    }

    fn is_same(&self, left: &Value, right: &Value) -> Result<bool, EffortError> {
        self.effort.spend(1)?;
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => Ok(json_number::compare(left, right).is_eq()),
            (Value::String(left), Value::String(right)) => {
                self.effort.spend((left.len().min(right.len()) / BYTES) as u64)?;
                Ok(left == right)
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                for (left, right) in left.iter().zip(right) {
                    if !self.is_same(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
                for (name, left) in left {
                    let Some(right) = right.get(name) else { return Ok(false) };
                    if !self.is_same(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (left, right) => Ok(left == right),
        }
    }

    /// The value of an operand, if it has one.
    fn value<'o>(
        &mut self,
        operand: &'o FilterOperand,
        current: &'v Value,
    ) -> Result<Option<Cow<'o, Value>>, EffortError>
    where
        'v: 'o,
    {
        Ok(match operand {
            FilterOperand::Literal(value) => Some(Cow::Borrowed(value)),
            FilterOperand::Single(query) | FilterOperand::ValueOf(query) => {
                match self.nodes(query, current)?.as_slice() {
                    [one] => Some(Cow::Borrowed(*one)),
                    _ => None,
                }
            }
            FilterOperand::Length(operand) => {
                let length = match self.value(operand, current)?.as_deref() {
                    Some(Value::String(text)) => {
                        self.effort.spend((text.len() / BYTES) as u64)?;
                        text.chars().count()
                    }
                    Some(Value::Array(items)) => items.len(),
                    Some(Value::Object(members)) => members.len(),
                    Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => return Ok(None),
                };
                Some(Cow::Owned(Value::from(length)))
            }
            FilterOperand::Count(query) => Some(Cow::Owned(Value::from(self.nodes(query, current)?.len()))),
        })
    }

    fn matches(&mut self, matching: &RegexMatch, current: &'v Value) -> Result<bool, EffortError> {
        let text = self.value(&matching.text, current)?;
        let Some(Value::String(text)) = text.as_deref() else { return Ok(false) };
        self.effort.spend((text.len() / BYTES) as u64)?;
        match &matching.pattern {
            Pattern::Ready(regex) => Ok(regex.is_match(text)),
            Pattern::Late(operand) => {
                let pattern = self.value(operand, current)?;
                let Some(Value::String(pattern)) = pattern.as_deref() else { return Ok(false) };
                let key = (pattern.clone(), matching.extent);
                if let Some(known) = self.patterns.get(&key) {
                    return Ok(known.as_ref().is_some_and(|regex| regex.is_match(text)));
                }
                self.effort.spend(COMPILING)?;
                let compiled = match compile_pattern(pattern, matching.extent) {
                    Ok(regex) => Some(regex),
                    Err(regex::Error::CompiledTooBig(_)) => return Err(EffortError::TooMany(LARGEST)),
                    Err(_) => None,
                };
                let found = compiled.as_ref().is_some_and(|regex| regex.is_match(text));
                self.patterns.insert(key, compiled);
                Ok(found)
            }
        }
    }
}

/// Compiles a pattern of RFC 9485, whose `.` matches no line break, for the whole of a text or a part of it.
pub(super) fn compile_pattern(pattern: &str, extent: PatternExtent) -> Result<Regex, regex::Error> {
    let (mut translated, mut in_class, mut escaped) = (String::new(), false, false);
    for character in pattern.chars() {
        match character {
            '.' if !in_class && !escaped => translated.push_str("[^\\n\\r]"),
            other => translated.push(other),
        }
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    let anchored = match extent {
        PatternExtent::Whole => format!(r"\A(?:{translated})\z"),
        PatternExtent::Part => translated,
    };
    RegexBuilder::new(&anchored).size_limit(LARGEST).build()
}
