//! Durations, counts, money, sizes, shares and rates as people write them, and back to text.
//!
//! Parsing is exact (decimal, never binary floating point, up to the last step) and never panics, whatever the text.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

pub use crate::base::request_rate::RequestRate;

/// The longest duration a suite may name: far beyond any run, far below what overflows a clock.
const LONGEST: Duration = Duration::from_secs(10_000 * 3600);

const DURATION_UNITS: &[(&str, u64)] = &[
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const COUNT_UNITS: &[(&str, u64)] = &[("", 1), ("k", 1_000), ("M", 1_000_000)];
const SIZE_UNITS: &[(&str, u64)] = &[("B", 1), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
/// Why a text is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text does not have the form of the quantity.
    #[error("`{text}` is not {what}; write e.g. `{example}`")]
    Malformed { text: String, what: &'static str, example: &'static str },
    /// A number is alone where a unit is needed.
    #[error("`{text}` has no unit; write e.g. `{example}`")]
    MissingUnit { text: String, example: &'static str },
    /// A share is alone and is more than all there is.
    #[error("`{text}` is more than the whole, which is 1 or 100%; write e.g. `{example}`")]
    MoreThanWhole { text: String, example: &'static str },
    /// The unit is none of those known.
    #[error("`{text}` has the unknown unit `{unit}`, not one of {known}; write e.g. `{example}`")]
    UnknownUnit { text: String, unit: String, known: String, example: &'static str },
    /// The quantity is larger than can be counted.
    #[error("`{text}` is too large: the most is {most}; write e.g. `{example}`")]
    TooLarge { text: String, most: &'static str, example: &'static str },
    /// The quantity is not a whole number of its smallest unit.
    #[error("`{text}` is not a whole number of {what}; write e.g. `{example}`")]
    NotWhole { text: String, what: &'static str, example: &'static str },
    /// The quantity is zero where that means nothing.
    #[error("`{text}` must be more than zero; write e.g. `{example}`")]
    NotPositive { text: String, example: &'static str },
    /// The quantity is smaller than can be kept.
    #[error("`{text}` is too small: the least is {least}; write e.g. `{example}`")]
    TooSmall { text: String, least: &'static str, example: &'static str },
}

/// An exact amount in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount, never negative when parsed; text in JSON, so that no reader rounds it.
    #[serde(with = "exact")]
    pub amount: Decimal,
    /// Three capital letters, as Dify reports them.
    pub currency: Arc<str>,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// A decimal as its text in stored data.
pub(crate) mod exact {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Parses `750ms`, `8s`, `1.5s`, `2m`, `1h`, `7d`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    const FORM: QuantityForm = QuantityForm { what: "a duration", example: "30s" };
    let (number, unit) = FORM.split(text)?;
    let nanos = number.checked_mul(Decimal::from(FORM.factor(text, unit, DURATION_UNITS)?));
    let nanos = nanos.and_then(|nanos| nanos.round().to_u64());
    match nanos.map(Duration::from_nanos) {
        Some(duration) if duration <= LONGEST => Ok(duration),
        Some(_) | None => Err(FORM.too_large(text, "10000h")),
    }
}

/// Parses a duration that is a limit, and therefore more than zero.
pub fn parse_limit(text: &str) -> Result<Duration, UnitError> {
    match parse_duration(text)? {
        Duration::ZERO => Err(UnitError::NotPositive { text: text.to_owned(), example: "90s" }),
        limit => Ok(limit),
    }
}

/// Parses `3000`, `8k`, `1.5M`.
pub fn parse_count(text: &str) -> Result<u64, UnitError> {
    const FORM: QuantityForm = QuantityForm { what: "a count", example: "3000" };
    let (number, unit) = FORM.split(text)?;
    let factor = FORM.factor(text, unit, COUNT_UNITS)?;
    FORM.whole(text, number, factor, "units")
}

/// Parses `512B`, `10MB`, `1.5GB` into bytes; the units are decimal.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    const FORM: QuantityForm = QuantityForm { what: "a size", example: "10MB" };
    let (number, unit) = FORM.split(text)?;
    let factor = FORM.factor(text, unit, SIZE_UNITS)?;
    FORM.whole(text, number, factor, "bytes")
}

/// Parses `0.05 USD`.
pub fn parse_money(text: &str) -> Result<Money, UnitError> {
    const FORM: QuantityForm = QuantityForm { what: "an amount of money", example: "0.05 USD" };
    let (amount, currency) = FORM.split(text)?;
    if currency.is_empty() {
        return Err(FORM.missing_unit(text));
    }
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(FORM.malformed(text));
    }
    Ok(Money { amount, currency: Arc::from(currency) })
}

/// Parses `10%` or `0.1` into a share, 1 being the whole; only a percentage may go beyond 1.
pub fn parse_percent(text: &str) -> Result<f64, UnitError> {
    let share = parse_exact_share(text)?;
    share.to_f64().ok_or_else(|| SHARE.malformed(text))
}

/// The same, exact: for what is compared with it at its very bound.
pub fn parse_exact_share(text: &str) -> Result<Decimal, UnitError> {
    const FORM: QuantityForm = SHARE;
    let (number, unit) = FORM.split(text)?;
    let share = match unit {
        "%" => number.checked_div(Decimal::ONE_HUNDRED),
        "" if number <= Decimal::ONE => Some(number),
        "" => return Err(UnitError::MoreThanWhole { text: text.to_owned(), example: FORM.example }),
        _ => return Err(FORM.malformed(text)),
    };
    share.ok_or_else(|| FORM.malformed(text))
}

/// Parses `5/s`, `300/m` or `100/h`.
pub fn parse_rate(text: &str) -> Result<RequestRate, UnitError> {
    const FORM: QuantityForm = QuantityForm { what: "a rate", example: "5/s" };
    let (number, unit) = FORM.split(text)?;
    let seconds = match unit {
        "/s" => 1.0,
        "/m" => 60.0,
        "/h" => 3600.0,
        "" => return Err(FORM.missing_unit(text)),
        _ => return Err(FORM.malformed(text)),
    };
    let per_second = number.to_f64().ok_or_else(|| FORM.malformed(text))? / seconds;
    let rate = RequestRate { per_second };
    if rate.is_usable() {
        Ok(rate)
    } else if number.is_zero() {
        Err(UnitError::NotPositive { text: text.to_owned(), example: FORM.example })
    } else {
        Err(UnitError::TooSmall { text: text.to_owned(), least: "0.0001/h", example: FORM.example })
    }
}

/// Writes a duration for people: `320 ms`, `1.24 s`, `2m 05s`, `1h 02m`.
pub fn format_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    let millis = (micros + 500) / 1_000;
    let hundredths = (micros + 5_000) / 10_000;
    let seconds = (micros + 500_000) / 1_000_000;
    if micros > 0 && micros < 995 {
        format!("0.{:02} ms", (micros + 5) / 10)
    } else if millis < 1_000 {
        format!("{millis} ms")
    } else if hundredths < 6_000 {
        format!("{}.{:02} s", hundredths / 100, hundredths % 100)
    } else if seconds < 3_600 {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    } else {
        let minutes = (seconds + 30) / 60;
        format!("{}h {:02}m", minutes / 60, minutes % 60)
    }
}

/// Writes a count with commas between the thousands: `12,345`.
pub fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a share in percent, with one decimal where it has some: `90 %`, `94.7 %`.
pub fn format_share(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Writes a number of bytes in decimal units: `512 B`, `1.5 KB`, `10 MB`.
pub fn format_size(bytes: u64) -> String {
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let units = [("KB", 1_000_u64), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let (mut unit, mut tenths) = ("B", u128::from(bytes) * 10);
    for (name, factor) in units {
        if unit != "B" && tenths < 10_000 {
            break;
        }
        unit = name;
        tenths = (u128::from(bytes) * 10 + u128::from(factor) / 2) / u128::from(factor);
    }
    if tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// How shares are written.
const SHARE: QuantityForm = QuantityForm { what: "a share", example: "10%" };

/// What a quantity is called in errors, and how it is written.
#[derive(Debug, Clone, Copy)]
struct QuantityForm {
    what: &'static str,
    example: &'static str,
}

impl QuantityForm {
    /// Splits a text into its number, plain decimal digits without sign or exponent, and its unit.
    fn split<'a>(&self, text: &'a str) -> Result<(Decimal, &'a str), UnitError> {
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (digits, unit) = trimmed.split_at(end);
        let well_formed = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit())
            && digits.matches('.').count() <= 1;
        if !well_formed {
            return Err(self.malformed(text));
        }
        let number = digits.parse::<Decimal>().map_err(|_| self.too_large(text, "28 digits"))?;
        Ok((number, unit.trim_start()))
    }

    fn factor(&self, text: &str, unit: &str, units: &[(&str, u64)]) -> Result<u64, UnitError> {
        if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
            return Ok(*factor);
        }
        if unit.is_empty() {
            return Err(self.missing_unit(text));
        }
        let known: Vec<&str> = units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
        Err(UnitError::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
            known: known.join(", "),
            example: self.example,
        })
    }

    fn whole(&self, text: &str, number: Decimal, factor: u64, what: &'static str) -> Result<u64, UnitError> {
        let product = number.checked_mul(Decimal::from(factor));
        let product = product.ok_or_else(|| self.too_large(text, "18446744073709551615"))?;
        if !product.fract().is_zero() {
            return Err(UnitError::NotWhole { text: text.to_owned(), what, example: self.example });
        }
        product.to_u64().ok_or_else(|| self.too_large(text, "18446744073709551615"))
    }

    fn malformed(&self, text: &str) -> UnitError {
        UnitError::Malformed { text: text.to_owned(), what: self.what, example: self.example }
    }

    fn missing_unit(&self, text: &str) -> UnitError {
        UnitError::MissingUnit { text: text.to_owned(), example: self.example }
    }

    fn too_large(&self, text: &str, most: &'static str) -> UnitError {
        UnitError::TooLarge { text: text.to_owned(), most, example: self.example }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        let millis = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("750ms"), Ok(750));
        assert_eq!(millis("8s"), Ok(8_000));
        assert_eq!(millis("1.5s"), Ok(1_500));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        assert_eq!(millis(" 10 s "), Ok(10_000));
        assert_eq!(millis("0.1s"), Ok(100));
        for bad in [
            "",
            "s",
            "-1s",
            "+1s",
            "1e400s",
            "NaN",
            "inf",
            "NaNs",
            ".5s",
            "5.s",
            "1..2s",
            "1.2.3s",
            "5w",
            "5 S",
            "99999999h",
            "1s2",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        let huge = "9".repeat(400) + "s";
        assert!(matches!(parse_duration(&huge), Err(UnitError::TooLarge { .. })));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0B", 0), ("512 B", 512), ("10MB", 10_000_000), ("1.5KB", 1_500), ("2GB", 2_000_000_000)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_size("50").unwrap_err().to_string(), "`50` has no unit; write e.g. `10MB`");
        for bad in ["", "MB", "0.5B", "1mb", "9999999999999GB", "1e3MB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_duration_without_unit_is_told_how_to_write_it() {
        assert_eq!(parse_duration("30").unwrap_err().to_string(), "`30` has no unit; write e.g. `30s`");
        assert_eq!(
            parse_duration("3w").unwrap_err().to_string(),
            "`3w` has the unknown unit `w`, not one of ms, s, m, h, d; write e.g. `30s`"
        );
    }

    #[test]
    fn counts() {
        assert_eq!(parse_count("3000"), Ok(3000));
        assert_eq!(parse_count("8k"), Ok(8000));
        assert_eq!(parse_count("1.5M"), Ok(1_500_000));
        assert_eq!(parse_count("0.001k"), Ok(1));
        assert_eq!(parse_count("18446744073709551615"), Ok(u64::MAX));
        for bad in ["1.5", "0.0001k", "-1", "18446744073709551616", "1e3", "3m", "3_000"] {
            assert!(parse_count(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn money_is_exact() {
        let money = parse_money("0.05 USD").unwrap();
        assert_eq!((money.amount.to_string().as_str(), &*money.currency), ("0.05", "USD"));
        assert_eq!(parse_money("3.00USD").unwrap().to_string(), "3.00 USD");
        assert_eq!(parse_money("0.0000056 RMB").unwrap().amount.to_string(), "0.0000056");
        let text = serde_json::to_string(&money).unwrap();
        assert_eq!(text, r#"{"amount":"0.05","currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        for bad in ["5", "USD", "-1 USD", "5 usd", "5 US", "5 DOLLARS", "1e-3 USD"] {
            assert!(parse_money(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!(parse_percent("10%"), Ok(0.1));
        assert_eq!(parse_percent("0.1"), Ok(0.1));
        assert_eq!(parse_percent("150%"), Ok(1.5));
        assert_eq!(parse_percent("1"), Ok(1.0));
        for bad in ["10", "-10%", "NaN", "inf", "1e400%", "%", "ten"] {
            assert!(parse_percent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(parse_rate("5/s").unwrap().per_second, 5.0);
        assert_eq!(parse_rate("300/m").unwrap().per_second, 5.0);
        for bad in ["0/s", "0.0/m", "-1/s", "NaN/s", "inf/s", "5", "5/d", "/s"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_for_people() {
        let duration = |micros| format_duration(Duration::from_micros(micros));
        assert_eq!(duration(0), "0 ms");
        assert_eq!(duration(450), "0.45 ms");
        assert_eq!(duration(320_000), "320 ms");
        assert_eq!(duration(999_600), "1.00 s");
        assert_eq!(duration(1_240_000), "1.24 s");
        assert_eq!(duration(59_999_000), "1m 00s");
        assert_eq!(duration(125_000_000), "2m 05s");
        assert_eq!(duration(3_725_000_000), "1h 02m");
        assert_eq!(format_count(0), "0");
        assert_eq!(format_count(999), "999");
        assert_eq!(format_count(12_345), "12,345");
        assert_eq!(format_count(1_000_000), "1,000,000");
        assert_eq!([0.9, 1.0, 0.947_4, 0.0].map(format_share), ["90 %", "100 %", "94.7 %", "0 %"]);
        assert_eq!(format_size(999), "999 B");
        assert_eq!(format_size(1_500), "1.5 KB");
        assert_eq!(format_size(10_000_000), "10 MB");
        assert_eq!(format_size(999_999), "1 MB");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}|[0-9.]{0,40}[a-zA-Z%/ ]{0,4}", nanos in any::<u64>()) {
            let _ = parse_duration(&text);
            let _ = parse_count(&text);
            let _ = parse_money(&text);
            let _ = parse_percent(&text);
            let _ = parse_rate(&text);
            let _ = (format_duration(Duration::from_nanos(nanos)), format_count(nanos), format_size(nanos));
        }

        #[test]
        fn whole_counts_come_back(count in any::<u64>()) {
            prop_assert_eq!(parse_count(&count.to_string()), Ok(count));
        }
    }

    #[test]
    fn a_rate_has_a_gap_that_can_be_waited() {
        assert_eq!(parse_rate("0.0001/h").map(RequestRate::gap), Ok(LONGEST));
        for (text, least) in [("0.00009/h", true), ("0.0000000000000000000001/s", true), ("0/s", false)] {
            let error = parse_rate(text).unwrap_err();
            assert_eq!(matches!(error, UnitError::TooSmall { .. }), least, "{error}");
        }
    }
}
