//! Numbers of a JSON text that a 64-bit integer or a double holds only rounded, or not at all.

use std::ops::Range;

use memchr::memchr2;
use serde_json::Number;

use super::json_path::Step;

/// The most numbers that are kept.
const MOST: usize = 100;

/// A number that cannot be held as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundedNumber {
    /// Where it stands in the value.
    pub place: Vec<Step>,
    /// Where it stands in the text.
    pub span: Range<usize>,
}

/// Finds them in a text that is JSON but for numbers out of range, the first hundred.
pub fn rounded_numbers(text: &str) -> Vec<RoundedNumber> {
    let (mut found, mut path, mut at): (Vec<RoundedNumber>, Vec<Level<'_>>, usize) =
        (Vec::new(), Vec::new(), 0);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at).filter(|_| found.len() < MOST) {
        match byte {
            b'"' => {
                let end = end_of_text(bytes, at);
                if let Some(Level { key: key @ None, is_object: true, .. }) = path.last_mut() {
                    *key = text.get(at..end);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => path.push(Level { is_object: *byte == b'{', index: 0, key: None }),
            b'}' | b']' => drop(path.pop()),
            b',' => {
                if let Some(level) = path.last_mut() {
                    (level.index, level.key) = (level.index + 1, None);
                }
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                if !is_held(&text[at..at + length]) {
                    let place = path.iter().map(Level::step).collect();
                    found.push(RoundedNumber { place, span: at..at + length });
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The text with `null` in the place of these numbers.
pub fn without_numbers(text: &str, numbers: &[RoundedNumber]) -> String {
    let (mut kept, mut after) = (String::with_capacity(text.len()), 0);
    for number in numbers {
        kept.push_str(&text[after..number.span.start]);
        kept.push_str("null");
        after = number.span.end;
    }
    kept.push_str(&text[after..]);
    kept
}

/// True for a number that no double is near.
pub fn is_out_of_range(token: &str) -> bool {
    serde_json::from_str::<Number>(token).is_err()
}

/// An object or a list that is open.
struct Level<'t> {
    is_object: bool,
    /// The item of a list.
    index: usize,
    /// The key of an object's member, in its quotes; none before it.
    key: Option<&'t str>,
}

impl Level<'_> {
    fn step(&self) -> Step {
        match self.is_object {
            true => Step::Name(self.key.and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default()),
            false => Step::Index(self.index),
        }
    }
}

/// Behind the quote that ends the text which begins here.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if bytes[at + next] == b'"' {
            return at + next + 1;
        }
        at += next + 2;
    }
    bytes.len()
}

/// True where the number that is read has the value that is written.
fn is_held(token: &str) -> bool {
    let is_short = token.len() <= 15 && token.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_short
        || serde_json::from_str::<Number>(token).is_ok_and(|number| {
            !number.is_f64()
                || decimal(token).is_some_and(|written| decimal(&number.to_string()) == Some(written))
        })
}

/// Sign, digits and exponent of a decimal, without zeros at either end; none for an exponent beyond all use.
fn decimal(token: &str) -> Option<(bool, String, i64)> {
    let (is_negative, token) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_end_matches('0');
    let exponent: i64 = exponent.parse().ok()?;
    let dropped = i64::try_from(digits.len() - trimmed.len()).ok()?;
    let exponent = exponent.checked_add(dropped)?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let significant = trimmed.trim_start_matches('0').to_owned();
    match significant.is_empty() {
        true => Some((false, significant, 0)),
        false => Some((is_negative, significant, exponent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json_path::show_place;

    fn places(text: &str) -> Vec<String> {
        rounded_numbers(text).iter().map(|number| show_place(&number.place)).collect()
    }

    #[test]
    fn numbers_that_are_held_as_written_are_none() {
        let text = r#"{"a":[1,-2.50,0.1,1e21,1E+2,7.6e-05,9007199254740993,18446744073709551615,-0.0,0e9,
            0.30000000000000004,123456789.123456,1.7976931348623157e308,5e-324],"s":"1e400 \" 0.1000000000000000000001"}"#;
        assert_eq!(places(text), [] as [&str; 0]);
    }

    #[test]
    fn numbers_that_are_rounded_are_found_at_their_place() {
        let text = r#"{"a":[1,{"b \"c":0.1000000000000000000001}],"n":18446744073709551616,"m":{"k":1,"z":1e400},"x":1e-400,"y":12345678901234567891}"#;
        assert_eq!(places(text), [r#"$.a[1]['b "c']"#, "$.n", "$.m.z", "$.x"]);
        let cleared = without_numbers(text, &rounded_numbers(text));
        assert!(
            cleared.contains(r#""n":null,"m":{"k":1,"z":null},"x":null"#)
                && serde_json::from_str::<serde_json::Value>(&cleared).is_ok()
        );
        assert_eq!(places("1e99999999999999999999"), ["$"]);
        assert_eq!(places("123456789012345678901234567891"), ["$"]);
    }
}
