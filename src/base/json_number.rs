//! Exact logic on JSON numbers: 64-bit integers and doubles are compared by the value they stand for, never through a rounding.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::Number;

use crate::base::lean::Lean;

/// Compares two numbers by value: `1` equals `1.0`, `9007199254740993` exceeds `9007199254740992.0`.
pub fn compare(left: &Number, right: &Number) -> Ordering {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_mixed(left, float(right)),
        (None, Some(right)) => compare_mixed(right, float(left)).reverse(),
        (None, None) => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

/// Gives the exact decimal of a number or of a decimal text such as `"0.0000056"`.
///
/// `None` for any other value, and for numbers beyond 28 digits or below 28 decimals.
pub fn decimal(value: &Lean<'_>) -> Option<Decimal> {
    match value {
        Lean::Number(number) => decimal_text(&number.to_string()),
        Lean::Text(text) => decimal_text(text.trim()),
        Lean::Null | Lean::Bool(_) | Lean::Array(_) | Lean::Object(_) => None,
    }
}

/// Adds two decimals; none where the sum has no exact one.
pub fn add_exactly(left: Decimal, right: Decimal) -> Option<Decimal> {
    // A sum with too many digits is rounded, and then the difference is not what was added.
    left.checked_add(right).filter(|sum| *sum - right == left && *sum - left == right)
}

/// Tells whether a value is a number, or the decimal text of one, however long.
pub fn is_decimal(value: &Lean<'_>) -> bool {
    let is_number = |text: &str| serde_json::from_str::<Number>(text.trim_start_matches('+')).is_ok();
    match value {
        Lean::Number(_) => true,
        Lean::Text(text) => is_number(text.trim()),
        Lean::Null | Lean::Bool(_) | Lean::Array(_) | Lean::Object(_) => false,
    }
}

/// Tells whether a number has no fraction; `1.0` has none.
pub fn is_integer(number: &Number) -> bool {
    integer(number).is_some() || float(number).fract() == 0.0
}

fn decimal_text(text: &str) -> Option<Decimal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    match text.split_once(['e', 'E']) {
        // The digits first: what has too many of them would be rounded.
        Some((digits, _)) => {
            Decimal::from_str_exact(digits).ok()?;
            Decimal::from_scientific(text).ok()
        }
        None => Decimal::from_str_exact(text).ok(),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Gives the double of a number; JSON knows no NaN and no infinity, so neither arises.
fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// Compares an integer of at most 64 bits with a finite double: first the whole parts, exactly, then the fraction.
fn compare_mixed(integer: i128, float: f64) -> Ordering {
    if float >= 1e30 {
        return Ordering::Less;
    }
    if float <= -1e30 {
        return Ordering::Greater;
    }
    let floor = float.floor();
    match integer.cmp(&(floor as i128)) {
        Ordering::Equal if float > floor => Ordering::Less,
        order @ (Ordering::Less | Ordering::Equal | Ordering::Greater) => order,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn decimal(value: &Value) -> Option<Decimal> {
        super::decimal(&Lean::of(value))
    }

    fn order(left: &Value, right: &Value) -> Ordering {
        let (Value::Number(left), Value::Number(right)) = (left, right) else { panic!("numbers only") };
        assert_eq!(compare(left, right), compare(right, left).reverse());
        compare(left, right)
    }

    #[test]
    fn numbers_compare_by_exact_value() {
        let cases = [
            (json!(1), json!(1.0), Ordering::Equal),
            (json!(0), json!(-0.0), Ordering::Equal),
            (json!(9007199254740993_i64), json!(9007199254740992.0), Ordering::Greater),
            (json!(9007199254740992_i64), json!(9007199254740992.0), Ordering::Equal),
            (json!(u64::MAX), json!(u64::MAX - 1), Ordering::Greater),
            (json!(u64::MAX), json!(18446744073709551616.0), Ordering::Less),
            (json!(i64::MIN), json!(-9223372036854775808.0), Ordering::Equal),
            (json!(-1), json!(u64::MAX), Ordering::Less),
            (json!(-1), json!(-1.5), Ordering::Greater),
            (json!(1), json!(1.5), Ordering::Less),
            (json!(2), json!(1.5), Ordering::Greater),
            (json!(5), json!(1e308), Ordering::Less),
            (json!(5), json!(-1e308), Ordering::Greater),
            (json!(0.1), json!(0.2), Ordering::Less),
            (json!(0), json!(5e-324), Ordering::Less),
        ];
        for (left, right, expected) in cases {
            assert_eq!(order(&left, &right), expected, "{left} {right}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(&json!("0.0000056")).unwrap().to_string(), "0.0000056");
        assert_eq!(decimal(&json!(0.1)).unwrap().to_string(), "0.1");
        assert_eq!(decimal(&json!(5.6e-6)).unwrap().to_string(), "0.0000056");
        assert_eq!(decimal(&json!(u64::MAX)).unwrap().to_string(), "18446744073709551615");
        for bad in [
            json!(null),
            json!(true),
            json!(""),
            json!("abc"),
            json!("1e400"),
            json!(1e308),
            json!([1]),
            json!("NaN"),
            json!("1_000"),
        ] {
            assert_eq!(decimal(&bad), None, "{bad}");
        }
    }

    #[test]
    fn integers_are_told_by_value() {
        for (value, expected) in [
            (json!(1), true),
            (json!(1.0), true),
            (json!(1.5), false),
            (json!(u64::MAX), true),
            (json!(1e300), true),
        ] {
            assert_eq!(is_integer(value.as_number().unwrap()), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_integers(left in any::<i64>(), right in any::<i64>()) {
            prop_assert_eq!(order(&json!(left), &json!(right)), left.cmp(&right));
        }

        #[test]
        fn doubles_that_stand_for_integers_equal_them(value in -9_007_199_254_740_992_i64..=9_007_199_254_740_992) {
            prop_assert_eq!(order(&json!(value), &json!(value as f64)), Ordering::Equal);
        }

        #[test]
        fn no_decimal_text_panics(text in "[-+0-9.eE]{0,40}") {
            let _ = decimal(&json!(text));
        }
    }
}
