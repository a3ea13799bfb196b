//! Decimals in JSON: of numbers, and of texts in which services write them.

use rust_decimal::Decimal;
use serde_json::Number;

use crate::base::borrowed_json::BorrowedValue;

/// Gives the exact decimal of a number or of a decimal text such as `"0.0000056"`.
///
/// `None` for any other value, and for numbers beyond 28 digits or below 28 decimals.
pub fn decimal(value: &BorrowedValue<'_>) -> Option<Decimal> {
    match value {
        BorrowedValue::Number(number) => decimal_text(number.as_str()),
        BorrowedValue::Text(text) => decimal_text(text.trim()),
        BorrowedValue::Null | BorrowedValue::Bool(_) | BorrowedValue::Array(_) | BorrowedValue::Object(_) => {
            None
        }
    }
}

/// Returns whether a value is a number, or the decimal text of one, however long.
pub fn is_decimal(value: &BorrowedValue<'_>) -> bool {
    let is_number = |text: &str| serde_json::from_str::<Number>(text.trim_start_matches('+')).is_ok();
    match value {
        BorrowedValue::Number(_) => true,
        BorrowedValue::Text(text) => is_number(text.trim()),
        BorrowedValue::Null | BorrowedValue::Bool(_) | BorrowedValue::Array(_) | BorrowedValue::Object(_) => {
            false
        }
    }
}

/// Adds two decimals; `None` where the sum has no exact one.
pub fn add_exactly(left: Decimal, right: Decimal) -> Option<Decimal> {
    // A sum with too many digits is rounded, and then the difference is not what was added.
    left.checked_add(right).filter(|sum| *sum - right == left && *sum - left == right)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn decimal(value: &Value) -> Option<Decimal> {
        super::decimal(&BorrowedValue::of(value))
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

    proptest! {
        #[test]
        fn no_decimal_text_panics(text in "[-+0-9.eE]{0,40}") {
            let _ = decimal(&json!(text));
        }
    }
}
