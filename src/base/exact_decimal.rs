//! Decimals of any length, as they are written: compared digit by digit, never expanded.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde_json::Number;

/// The exponents that are reckoned with.
const FARTHEST: i64 = 1_000_000_000_000_000_000;

/// A decimal; equal ones are of equal value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactDecimal<'t> {
    is_negative: bool,
    /// Without zeros at either end; `None` for zero.
    digits: Cow<'t, str>,
    /// The power of ten by which the digits, read as a whole number, are multiplied; 0 for zero.
    exponent: i64,
}

impl<'t> ExactDecimal<'t> {
    /// Reads digits with a sign, a point and an exponent, each of which may be missing; `None` for any other text.
    pub fn read(text: &'t str) -> Option<Self> {
        let (is_negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all: Cow<'t, str> =
            if fraction.is_empty() { whole.into() } else { format!("{whole}{fraction}").into() };
        let kept = all.trim_end_matches('0').len();
        let first = all.len() - all.trim_start_matches('0').len();
        if kept == 0 {
            return Some(Self { is_negative: false, digits: "".into(), exponent: 0 });
        }
        let digits = match &all {
            Cow::Borrowed(all) => Cow::Borrowed(&all[first..kept]),
            Cow::Owned(all) => Cow::Owned(all[first..kept].to_owned()),
        };
        let length = |length: usize| i64::try_from(length).unwrap_or(FARTHEST);
        let exponent =
            exponent.saturating_add(length(all.len() - kept)).saturating_sub(length(fraction.len()));
        Some(Self { is_negative, digits, exponent })
    }

    /// Looks at a number of JSON.
    pub fn of(number: &'t Number) -> Self {
        Self::read(number.as_str()).expect("a number of JSON is a decimal")
    }

    /// True where its exponent is within what is reckoned with.
    pub fn is_held(&self) -> bool {
        self.exponent.abs() < FARTHEST
    }

    /// True where it has no fraction.
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// True below zero.
    pub fn is_negative(&self) -> bool {
        self.is_negative
    }

    /// Its digits without zeros at either end; `None` for zero.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// The power of ten by which the digits, read as a whole number, are multiplied.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Orders by magnitude: by the place of the first digit, then digit by digit.
    fn order_of_magnitude(&self, other: &Self) -> Ordering {
        let place = |of: &Self| i128::from(of.exponent) + of.digits.len() as i128;
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => place(self).cmp(&place(other)).then_with(|| self.digits.cmp(&other.digits)),
            (is_zero, is_other_zero) => is_other_zero.cmp(&is_zero),
        }
    }
}

impl Ord for ExactDecimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.order_of_magnitude(other),
            (true, true) => other.order_of_magnitude(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for ExactDecimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One spelling for each value: `-15e-1`.
impl fmt::Display for ExactDecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        match self.digits.is_empty() {
            true => f.write_str("0"),
            false => write!(f, "{sign}{}e{}", self.digits, self.exponent),
        }
    }
}

/// An exponent; one that is beyond all reckoning is cut to that.
fn read_exponent(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = digits.parse::<i64>().unwrap_or(FARTHEST).min(FARTHEST);
    Some(if is_negative { -exponent } else { exponent })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(left: &str, right: &str) -> Ordering {
        let (left, right) = (ExactDecimal::read(left).unwrap(), ExactDecimal::read(right).unwrap());
        assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
        assert_eq!(left.cmp(&right).is_eq(), left == right);
        left.cmp(&right)
    }

    #[test]
    fn one_value_has_one_spelling() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.00e5", "0"),
            ("1.50", "15e-1"),
            ("-0015e+1", "-15e1"),
            ("100", "1e2"),
            (".5", "5e-1"),
            ("5.", "5e0"),
            ("1e1000000000", "1e1000000000"),
        ] {
            assert_eq!(ExactDecimal::read(text).unwrap().to_string(), expected);
        }
        assert!(!ExactDecimal::read("1e99999999999999999999").unwrap().is_held());
    }

    #[test]
    fn order_is_by_value_whatever_the_length() {
        for (less, greater) in [
            ("0.1", "0.1000000000000000000001"),
            ("-0.1000000000000000000001", "-0.1"),
            ("-1e1000000000", "0"),
            ("0", "1e-1000000000"),
            ("9.9e999999999", "1e1000000000"),
            ("99", "100"),
            ("12", "123"),
        ] {
            assert_eq!(order(less, greater), Ordering::Less, "{less} {greater}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_ordered_as_such(left in any::<i64>(), right in any::<i64>()) {
            prop_assert_eq!(order(&left.to_string(), &right.to_string()), left.cmp(&right));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,40}") {
            let _ = ExactDecimal::read(&text).map(|decimal| decimal.to_string());
        }
    }
}
