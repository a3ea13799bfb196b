//! When a number is near enough to another, and when it is a multiple, exactly.

use num_bigint::BigInt;
use serde_json::Number;

use super::exact_decimal::ExactDecimal;

/// The most digits that numbers may have which are subtracted and multiplied.
const MOST_DIGITS: i64 = 10_000;

/// How far off a number may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Tolerance {
    /// By this much.
    Absolute(Number),
    /// By this share of the expected value.
    Relative(Number),
}

/// Returns whether a number is near enough to what is expected; `None` where they lie too many digits apart.
pub fn is_near(expected: &Number, actual: &Number, tolerance: &Tolerance) -> Option<bool> {
    let [expected, actual] = [expected, actual].map(ExactDecimal::of);
    let (off, unit) = match tolerance {
        Tolerance::Absolute(off) => (ExactDecimal::of(off), None),
        Tolerance::Relative(off) => (ExactDecimal::of(off), Some(&expected)),
    };
    let power = off.exponent().checked_add(unit.map_or(0, ExactDecimal::exponent))?;
    let least = expected.exponent().min(actual.exponent()).min(power);
    let allowed = match unit {
        Some(unit) => scaled(&off, off.exponent())? * magnitude(scaled(unit, unit.exponent())?),
        None => scaled(&off, off.exponent())?,
    };
    let allowed = allowed * power_of_ten(power.checked_sub(least)?)?;
    Some(magnitude(scaled(&expected, least)? - scaled(&actual, least)?) <= allowed)
}

/// Returns whether a number is a whole multiple of another; `None` where they lie too many digits apart.
pub fn is_multiple(number: &Number, unit: &Number) -> Option<bool> {
    let [number, unit] = [number, unit].map(ExactDecimal::of);
    let least = number.exponent().min(unit.exponent());
    let unit = scaled(&unit, least)?;
    (unit != BigInt::ZERO).then_some(())?;
    Some(scaled(&number, least)? % unit == BigInt::ZERO)
}

/// Gives the number that digits in base 16 or 8 stand for; `None` for other digits, and for too many.
pub fn read_radix(digits: &str, radix: u32) -> Option<Number> {
    (digits.len() as i64 <= MOST_DIGITS).then_some(())?;
    BigInt::parse_bytes(digits.as_bytes(), radix)?.to_string().parse().ok()
}

/// How many times a decimal holds a power of ten that is at most its own.
fn scaled(decimal: &ExactDecimal<'_>, exponent: i64) -> Option<BigInt> {
    let length = i64::try_from(decimal.digits().len()).ok().filter(|length| *length <= MOST_DIGITS)?;
    if length == 0 {
        return Some(BigInt::ZERO);
    }
    let digits: BigInt = decimal.digits().parse().ok()?;
    let scaled = digits * power_of_ten(decimal.exponent().checked_sub(exponent)?)?;
    Some(if decimal.is_negative() { -scaled } else { scaled })
}

fn power_of_ten(exponent: i64) -> Option<BigInt> {
    let exponent = u32::try_from(exponent).ok().filter(|exponent| i64::from(*exponent) <= MOST_DIGITS)?;
    Some(BigInt::from(10).pow(exponent))
}

fn magnitude(number: BigInt) -> BigInt {
    if number < BigInt::ZERO { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn other_bases_are_read_by_value() {
        assert_eq!(read_radix("FFFFFFFFFFFFFFFFF", 16), Some(number("295147905179352825855")));
        assert_eq!(read_radix("2000000000000000000000", 8), Some(number("18446744073709551616")));
        assert_eq!((read_radix("8", 8), read_radix("", 16)), (None, None));
        let most = MOST_DIGITS as usize;
        assert!(
            read_radix(&"f".repeat(most), 16).is_some() && read_radix(&"f".repeat(most + 1), 16).is_none()
        );
    }

    #[test]
    fn multiples_are_exact() {
        for (text, unit, holds) in [
            ("0.3", "0.1", Some(true)),
            ("0.30000000000000000000001", "0.1", Some(false)),
            ("-7e30", "7", Some(true)),
            ("1e30", "7", Some(false)),
            ("0", "7e400", Some(true)),
            ("1e1000000000", "7", None),
            ("1", "0", None),
        ] {
            assert_eq!(is_multiple(&number(text), &number(unit)), holds, "{text} {unit}");
        }
    }

    #[test]
    fn nearness_is_exact_at_its_bound_whatever_the_length() {
        let absolute = |off: &str| Tolerance::Absolute(number(off));
        let relative = |off: &str| Tolerance::Relative(number(off));
        for (expected, actual, tolerance, holds) in [
            ("0.3", "0.1", absolute("0.2"), Some(true)),
            ("1", "1.1", relative("0.1"), Some(true)),
            ("1", "1.1000000000000000000001", relative("0.1"), Some(false)),
            ("-10", "-9", relative("1e-1"), Some(true)),
            ("-10", "-8.9999999999999999999999999999999999", relative("1e-1"), Some(false)),
            ("0", "0", absolute("0"), Some(true)),
            ("0", "1e-400", absolute("0"), Some(false)),
            ("123456789012345678901234567890", "123456789012345678901234567891", absolute("1"), Some(true)),
            ("123456789012345678901234567890", "123456789012345678901234567892", absolute("1"), Some(false)),
            ("1e400", "1.01e400", relative("0.01"), Some(true)),
            ("1e1000000000", "1.01e1000000000", relative("0.01"), Some(true)),
            ("1e1000000000", "1", absolute("1"), None),
        ] {
            let found = is_near(&number(expected), &number(actual), &tolerance);
            assert_eq!(found, holds, "{expected} {actual} {tolerance:?}");
        }
    }
}
