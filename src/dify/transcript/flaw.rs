//! Parts of an answer that are not known although there is something: keys given twice, numbers beyond all reckoning.

use std::borrow::Cow;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_path::PathStep;
use crate::base::repeated::repeated_keys;
use crate::base::rounded::{RoundedNumber, rounded_numbers, without_numbers};
use crate::dify::transcript::field::AnswerField;

/// A part of an answer that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The event it is in, from 0; `None` for an answer that is one document.
    pub event: Option<usize>,
    /// Where it is in that.
    pub place: Vec<PathStep>,
    /// What is wrong with it.
    pub kind: FlawKind,
}

/// What is wrong with a part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// Its key occurs twice in one object; the last value was taken.
    Repeated,
    /// It is a number whose exponent is beyond all reckoning, which is this.
    Rounded(String),
}

impl Flaw {
    /// Where it is below `data`; `None` where it is elsewhere.
    pub fn in_data(&self) -> Option<&[PathStep]> {
        let (first, rest) = self.place.split_first()?;
        (*first == PathStep::Name("data".to_owned()) && !rest.is_empty()).then_some(rest)
    }

    /// True where it is this field of a node's `data`, and not a part of it.
    pub fn is_of(&self, field: AnswerField) -> bool {
        matches!(self.place.as_slice(), [PathStep::Name(key)] if key == field.key())
    }

    /// True where the usage of a node may be read from it: it is one of its fields, or is where usage is reported.
    pub fn concerns_usage(&self) -> bool {
        let named = |name: &str| self.place.contains(&PathStep::Name(name.to_owned()));
        ["execution_metadata", "usage", "__usage", AnswerField::Tokens.key()].into_iter().any(named)
            || self.place.len() == 1
    }
}

/// A text of JSON as it can be read: numbers beyond all reckoning are null in it.
#[derive(Debug)]
pub struct ReadableText<'t> {
    /// The text.
    pub text: Cow<'t, str>,
    /// These numbers.
    rounded: Vec<(Vec<PathStep>, String)>,
}

impl<'t> ReadableText<'t> {
    /// Looks for numbers that cannot be held.
    pub fn of(text: &'t str) -> Self {
        let numbers = rounded_numbers(text);
        let token = |number: &RoundedNumber| text[number.span.clone()].to_owned();
        let rounded = numbers.iter().map(|number| (number.place.clone(), token(number))).collect();
        let text = match numbers.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without_numbers(text, &numbers)),
        };
        Self { text, rounded }
    }

    /// What of it is not known, once it was read.
    pub fn flaws(&self, json: &BorrowedValue<'_>, event: Option<usize>) -> Vec<Flaw> {
        let repeated = repeated_keys(json).into_iter().map(|place| (place, FlawKind::Repeated));
        let rounded =
            self.rounded.iter().map(|(place, token)| (place.clone(), FlawKind::Rounded(token.clone())));
        repeated.chain(rounded).map(|(place, kind)| Flaw { event, place, kind }).collect()
    }
}
