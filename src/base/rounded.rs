//! Numbers of a JSON text whose exponent is beyond all reckoning.

use std::ops::Range;

use memchr::memchr2;

use super::exact_decimal::ExactDecimal;
use super::json_path::PathStep;

/// The most numbers that are kept.
const MOST: usize = 100;

/// A number that cannot be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundedNumber {
    /// Where it is in the value.
    pub place: Vec<PathStep>,
    /// Where it is in the text.
    pub span: Range<usize>,
}

/// Finds them in a text that is JSON, the first hundred.
pub fn rounded_numbers(text: &str) -> Vec<RoundedNumber> {
    let (mut found, mut path, mut at): (Vec<RoundedNumber>, Vec<OpenContainer<'_>>, usize) =
        (Vec::new(), Vec::new(), 0);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at).filter(|_| found.len() < MOST) {
        match byte {
            b'"' => {
                let end = end_of_text(bytes, at);
                if let Some(OpenContainer { key: key @ None, is_object: true, .. }) = path.last_mut() {
                    *key = text.get(at..end);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => path.push(OpenContainer { is_object: *byte == b'{', index: 0, key: None }),
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
                    let place = path.iter().map(OpenContainer::step).collect();
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

/// An object or a list that is open.
struct OpenContainer<'t> {
    is_object: bool,
    /// The item of a list.
    index: usize,
    /// The key of an object's member, in its quotes; `None` before it.
    key: Option<&'t str>,
}

impl OpenContainer<'_> {
    fn step(&self) -> PathStep {
        match self.is_object {
            true => {
                PathStep::Name(self.key.and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default())
            }
            false => PathStep::Index(self.index),
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

/// False for a number that cannot be held; what is no number at all is for the reader to refuse.
fn is_held(token: &str) -> bool {
    !token.bytes().any(|byte| matches!(byte, b'e' | b'E'))
        || ExactDecimal::read(token).is_none_or(|number| number.is_held())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json_path::show_place;

    fn places(text: &str) -> Vec<String> {
        rounded_numbers(text).iter().map(|number| show_place(&number.place)).collect()
    }

    #[test]
    fn numbers_that_are_held_are_none() {
        let text = r#"{"a":[1,-2.50,1e21,7.6e-05,18446744073709551616,0.1000000000000000000001,1e400,1e-1000000000,
            0e99999999999999999999],"s":"1e99999999999999999999 \" 1e99999999999999999999"}"#;
        assert_eq!(places(text), [] as [&str; 0]);
        assert_eq!(places("[1-2,1e]"), [] as [&str; 0], "no JSON");
    }

    #[test]
    fn numbers_beyond_all_reckoning_are_found_at_their_place() {
        let text = r#"{"a":[1,{"b \"c":1e99999999999999999999}],"n":-2E+99999999999999999999,"m":{"k":1,"z":1e-99999999999999999999}}"#;
        assert_eq!(places(text), [r#"$.a[1]['b "c']"#, "$.n", "$.m.z"]);
        let cleared = without_numbers(text, &rounded_numbers(text));
        assert!(cleared.contains(r#""n":null,"m":{"k":1,"z":null}"#), "{cleared}");
        assert_eq!(places("1e99999999999999999999"), ["$"]);
    }
}
