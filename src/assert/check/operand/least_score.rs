//! The least score that an operand asks for.

use serde_json::{Map, Number, Value};

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_decimal;
use crate::base::similarity::Likeness;

use super::predicate_kind::Word;
use super::{OperandError, parse_number};

/// The least score: above 0, at most 1.
pub(super) fn parse_min(word: Word, entries: &Map<String, Value>) -> Result<Number, OperandError> {
    let noun = if word == Word::Similar { "text" } else { "value" };
    let min = entries
        .get("min")
        .ok_or_else(|| OperandError::new(format!("`{}` needs `min`, above 0 and at most 1", word.key())))?;
    let min = parse_number(min, "min").map_err(|error| error.under("min"))?;
    if share(&min) <= 0.0 {
        return Err(OperandError::new(format!("`min: {min}` holds for every {}", noun)).under("min"));
    }
    if share(&min) > 1.0 {
        return Err(OperandError::new(format!("`min: {min}` can never hold: the most is 1")).under("min"));
    }
    Ok(min)
}

/// A least score as the number that scores of judges are compared with.
pub(super) fn share(min: &Number) -> f64 {
    min.as_f64().unwrap_or(0.0)
}

/// A least likeness by its exact value, not by the double next to it.
pub(super) fn least_likeness(min: &Number) -> Result<Likeness, OperandError> {
    let decimal = json_decimal::decimal(&BorrowedValue::of(&Value::Number(min.clone())));
    decimal.and_then(Likeness::of_decimal).ok_or_else(|| {
        OperandError::new(format!("`{min}` has more decimals than a likeness can have: at most 28"))
    })
}
