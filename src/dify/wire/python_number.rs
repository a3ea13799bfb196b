//! Numbers in texts as Dify reads them: by Python's `float()` where the text has a point, otherwise by `int()`.
//!
//! Source: `_validate_inputs` in Dify's `base_app_generator.py`; Python's grammar of `int()` and `float()`.

use serde_json::Number;

/// The digits that Python's `int()` reads at most (`sys.int_info.default_max_str_digits`).
const MOST_DIGITS: usize = 4_300;

/// What Dify makes of a text that is given for a number.
#[derive(Debug, Clone, PartialEq)]
pub enum PythonNumber {
    /// The text is empty or blank: Dify takes it as null.
    Null,
    /// The number, as JSON can hold it.
    Number(Number),
    /// A number that JSON cannot hold, or that has very many digits. Dify takes it.
    TooLarge,
    /// Dify refuses the text.
    Refused,
}

/// Reads a text as Dify does: `" 7 "`, `"1_000"` and `"+1.5e3"` are numbers; `"1e3"`, `"nan"` and `"0x1F"` are not.
pub fn read_number(text: &str) -> PythonNumber {
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
    if text.is_empty() {
        return PythonNumber::Null;
    }
    let Some(plain) = plain_digits(text) else { return PythonNumber::Refused };
    if text.contains('.') {
        return match plain.parse::<f64>() {
            Ok(number) if is_decimal(&plain) => {
                Number::from_f64(number).map_or(PythonNumber::TooLarge, PythonNumber::Number)
            }
            Ok(_) | Err(_) => PythonNumber::Refused,
        };
    }
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return PythonNumber::Refused;
    }
    let spelt = match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits if plain.starts_with('-') => format!("-{digits}"),
        digits => digits.to_owned(),
    };
    let number = Some(spelt).filter(|spelt| spelt.len() <= MOST_DIGITS).and_then(|spelt| spelt.parse().ok());
    number.map_or(PythonNumber::TooLarge, PythonNumber::Number)
}

/// Digits of every script as ASCII, without the underscores that Python allows between two digits; `None` for a stray one.
fn plain_digits(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().map(ascii_digit).collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let mut plain = String::new();
    for (at, c) in chars.iter().enumerate() {
        match c {
            '_' if is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)) => {}
            '_' => return None,
            c => plain.push(*c),
        }
    }
    Some(plain)
}

/// Rust also reads `inf.` forms and the like; Python's floats with a point consist of these characters alone.
fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E'))
}

/// A decimal digit of another script as its ASCII one: the first digits of the blocks that Python's `int()` reads.
fn ascii_digit(c: char) -> char {
    const ZEROS: [u32; 21] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
        0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1810, 0x1946, 0x19D0, 0xFF10,
    ];
    let code = u32::from(c);
    let value = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_python_reads_them() {
        let number = |value: f64| PythonNumber::Number(Number::from_f64(value).unwrap());
        let cases = [
            ("7", PythonNumber::Number(7.into())),
            (" 7 ", PythonNumber::Number(7.into())),
            ("\u{a0}7\n", PythonNumber::Number(7.into())),
            ("+7", PythonNumber::Number(7.into())),
            ("-007", PythonNumber::Number((-7).into())),
            ("1_000", PythonNumber::Number(1000.into())),
            ("１２", PythonNumber::Number(12.into())),
            ("7.0", number(7.0)),
            (".5", number(0.5)),
            ("5.", number(5.0)),
            ("1_0.2_5e+1_0", number(10.25e10)),
            ("-1.5E-3", number(-0.0015)),
            ("1.0e999", PythonNumber::TooLarge),
            (
                "-0123456789012345678901234567890",
                PythonNumber::Number("-123456789012345678901234567890".parse().unwrap()),
            ),
            ("", PythonNumber::Null),
            ("  \t", PythonNumber::Null),
        ];
        for (text, expected) in cases {
            assert_eq!(read_number(text), expected, "{text:?}");
        }
        for text in [
            "abc", "1e3", "nan", "inf", "0x1F", "1__0", "_1", "1_", "1_.5", "1._5", ".", "+", "- 1", "1 000",
            "1,5", "1.5.2", "1.5f", "inf.", "nan.", "1.e", "²",
        ] {
            assert_eq!(read_number(text), PythonNumber::Refused, "{text:?}");
        }
    }
}
