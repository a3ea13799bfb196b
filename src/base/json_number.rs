//! Exact logic on JSON numbers: what is written counts, as a decimal of any length; nothing is compared through a rounding.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::base::exact_decimal::ExactDecimal;

/// The key of which `serde_json` makes an object, as it hands over a number that is no 64-bit integer.
pub const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Gives the number that a decimal text stands for; `None` for any other text, and for an exponent of more than 18 digits.
///
/// What a 64-bit integer or a double writes is spelt as they do, `1e2` as `100.0`, and stays so from version to version;
/// every other number keeps all its digits.
pub fn read_number(text: &str) -> Option<Number> {
    let is_short = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let written = ExactDecimal::read(text).filter(ExactDecimal::is_held)?;
    let whole = || text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    if text != "-0"
        && let Ok(whole) = whole()
    {
        return Some(whole);
    }
    match text.parse().ok().and_then(Number::from_f64) {
        Some(double) if is_short || ExactDecimal::of(&double) == written => Some(double),
        // YAML also knows `+5`, `.5` and `5.`.
        Some(_) | None => text.parse().ok().or_else(|| written.to_string().parse().ok()),
    }
}

/// True for a number that neither a 64-bit integer nor a double writes.
pub fn is_long(number: &Number) -> bool {
    let is_double = |double: Number| ExactDecimal::of(&double) == ExactDecimal::of(number);
    !number.is_i64() && !number.is_u64() && !number.as_f64().and_then(Number::from_f64).is_some_and(is_double)
}

/// True for a value with such a number in it.
pub fn holds_long(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => false,
        Value::Number(number) => is_long(number),
        Value::Array(items) => items.iter().any(holds_long),
        Value::Object(members) => members.values().any(holds_long),
    }
}

/// Writes a number alike however it came: `2`, `2.0`.
pub fn canonical(number: &Number) -> String {
    let held = if is_long(number) { None } else { read_number(number.as_str()) };
    let whole = held.as_ref().filter(|held| held.is_f64()).and_then(Number::as_f64);
    match (whole.filter(|double| double.fract() == 0.0 && double.abs() < 1e30), held) {
        (Some(whole), _) => (whole as i128).to_string(),
        (None, Some(held)) => held.to_string(),
        (None, None) => ExactDecimal::of(number).to_string(),
    }
}

/// Compares two numbers by value: `1` equals `1.0`, `0.1000000000000000000001` exceeds `0.1`.
pub fn compare(left: &Number, right: &Number) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_) | None, Some(_) | None) => ExactDecimal::of(left).cmp(&ExactDecimal::of(right)),
    }
}

/// Returns whether a number has no fraction; `1.0` has none.
pub fn is_integer(number: &Number) -> bool {
    ExactDecimal::of(number).is_integer()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn order(left: &Value, right: &Value) -> Ordering {
        let (Value::Number(left), Value::Number(right)) = (left, right) else { panic!("numbers only") };
        assert_eq!(compare(left, right), compare(right, left).reverse());
        compare(left, right)
    }

    fn read(text: &str) -> Value {
        Value::Number(read_number(text).unwrap())
    }

    #[test]
    fn numbers_are_spelt_as_integers_and_doubles_where_these_hold_them() {
        for (text, expected) in [
            ("7", "7"),
            ("-0", "-0.0"),
            ("1.50", "1.5"),
            ("1e2", "100.0"),
            ("1E+21", "1e+21"),
            ("100000000000000000000000", "1e+23"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "18446744073709551616"),
            ("0.1000000000000000000001", "0.1000000000000000000001"),
            ("1e400", "1e+400"),
            ("1e-400", "1e-400"),
            ("+5", "5"),
            (".5", "0.5"),
            ("+.1000000000000000000001", "1000000000000000000001e-22"),
        ] {
            assert_eq!(read_number(text).map(|number| number.to_string()).as_deref(), Some(expected));
        }
        for text in
            ["", "-", ".", "e5", "1e", "1e+", "nan", "inf", "0x10", "1_0", "1 ", "1e1000000000000000000"]
        {
            assert_eq!(read_number(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_exact_value() {
        let cases = [
            (json!(1), json!(1.0), Ordering::Equal),
            (json!(0), json!(-0.0), Ordering::Equal),
            (json!(9007199254740993_i64), json!(9007199254740992.0), Ordering::Greater),
            (json!(9007199254740992_i64), json!(9007199254740992.0), Ordering::Equal),
            (json!(u64::MAX), json!(u64::MAX - 1), Ordering::Greater),
            (json!(u64::MAX), read("18446744073709551616"), Ordering::Less),
            (json!(i64::MIN), read("-9223372036854775808.0"), Ordering::Equal),
            (read("0.1000000000000000000001"), json!(0.1), Ordering::Greater),
            (read("-0.1000000000000000000001"), json!(-0.1), Ordering::Less),
            (
                read("123456789012345678901234567890"),
                read("1.2345678901234567890123456789e29"),
                Ordering::Equal,
            ),
            (read("1e400"), read("1e401"), Ordering::Less),
            (read("1e-400"), json!(0), Ordering::Greater),
            (read("1e1000000000"), read("9.99e999999999"), Ordering::Greater),
            (json!(1e2), json!(100), Ordering::Equal),
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
    fn integers_are_told_by_value() {
        for (value, expected) in [
            (json!(1), true),
            (json!(1.0), true),
            (json!(1.5), false),
            (json!(u64::MAX), true),
            (json!(1e300), true),
            (read("9007199254740993.5"), false),
            (read("1.5e400"), true),
            (read("1e-400"), false),
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
    }
}
