//! When a number is near enough to another; exact where decimals can hold both.

use rust_decimal::Decimal;
use serde_json::Number;

use super::json_number;
use super::lean::Lean;

/// How far off a number may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Tolerance {
    /// By this much.
    Absolute(Number),
    /// By this share of the expected value.
    Relative(Number),
}

/// Tells whether a number is near enough to what is expected.
pub fn is_near(expected: &Number, actual: &Number, tolerance: &Tolerance) -> bool {
    is_near_exactly(expected, actual, tolerance)
        .unwrap_or_else(|| is_roughly_near(expected, actual, tolerance))
}

/// In decimals; none where one of the numbers, or their difference, has no exact one.
fn is_near_exactly(expected: &Number, actual: &Number, tolerance: &Tolerance) -> Option<bool> {
    let decimal = |number: &Number| json_number::decimal(&Lean::Number(number.clone()));
    let (expected, actual) = (decimal(expected)?, decimal(actual)?);
    let allowed: Decimal = match tolerance {
        Tolerance::Absolute(abs) => decimal(abs)?,
        Tolerance::Relative(rel) => decimal(rel)?.checked_mul(expected.abs())?,
    };
    Some(actual.checked_sub(expected)?.abs() <= allowed)
}

fn is_roughly_near(expected: &Number, actual: &Number, tolerance: &Tolerance) -> bool {
    let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    let expected = float(expected);
    let allowed = match tolerance {
        Tolerance::Absolute(abs) => float(abs),
        Tolerance::Relative(rel) => float(rel) * expected.abs(),
    };
    (float(actual) - expected).abs() <= allowed
}
