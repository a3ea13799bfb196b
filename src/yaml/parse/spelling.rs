//! Which plain texts are numbers: those of the core schema of YAML 1.2 (10.3.2), but for leading zeros, which are text here.
//!
//! The library takes more, `0X1F` and `0b11` among it.

use crate::yaml::node::{FilePosition, SourceText};

/// Bytes of the longest tag that is recognised before a number.
const LONGEST_TAG: usize = 256;

/// The text of a number as it is in the source; `None` where a tag or quotes make it one.
pub(super) fn plain_text(source: &SourceText, mark: FilePosition) -> Option<String> {
    let text = marked(source, mark);
    let is_tagged = end_of(source.before(mark))
        .split_whitespace()
        .next_back()
        .is_some_and(|word| word.starts_with('!') || ["[!", "{!", ",!"].iter().any(|tag| word.contains(tag)));
    let text = text.trim();
    (!is_tagged && !text.starts_with(['"', '\'', '!', '&', '*']) && !text.is_empty()).then(|| text.to_owned())
}

/// The end of what is before a number, long enough for any tag: a line may hold many numbers and no blank.
fn end_of(before: &str) -> &str {
    let from = (before.len().saturating_sub(LONGEST_TAG)..).find(|at| before.is_char_boundary(*at));
    &before[from.unwrap_or(before.len())..]
}

/// The text of a number without the quotes that a tag allows.
pub(super) fn bare_text(source: &SourceText, mark: FilePosition) -> String {
    marked(source, mark).trim().trim_matches(['"', '\'']).to_owned()
}

fn marked(source: &SourceText, mark: FilePosition) -> String {
    source.from(mark).chars().take(mark.width as usize).collect()
}

/// True for a number of the core schema.
pub(super) fn is_number(text: &str) -> bool {
    is_integer(text) || is_float(text) || is_not_finite(text)
}

fn is_integer(text: &str) -> bool {
    let all = |digits: &str, is: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is);
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| (b'0'..=b'7').contains(byte));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    all(digits, u8::is_ascii_digit) && !has_leading_zero(digits)
}

/// The digits and the base of an integer in another base than ten.
pub(super) fn based(text: &str) -> Option<(&str, u32)> {
    let based = text.strip_prefix("0x").map(|digits| (digits, 16));
    let based = based.or_else(|| text.strip_prefix("0o").map(|digits| (digits, 8)));
    based.filter(|_| is_integer(text))
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_number = !whole.is_empty() || !fraction.is_empty();
    has_number
        && is_digits(whole)
        && is_digits(fraction)
        && !has_leading_zero(whole)
        && exponent.is_none_or(|digits| !digits.is_empty() && is_digits(digits))
}

/// True for an infinity, and for what is no number.
pub(super) fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However long a line is, no number looks further back than the longest tag.
    #[test]
    fn a_number_looks_back_no_further_than_a_tag_is_long() {
        for item in ["1,", "\u{e9}1,"] {
            let looked_at = |count: usize| {
                let source = SourceText::new("a.yaml", format!("[{}1]", item.repeat(count)));
                let width = item.chars().count() as u32;
                let marks = (0..count as u32).map(|at| FilePosition {
                    line: 1,
                    column: 1 + width * (at + 1),
                    width: 1,
                });
                marks.map(|mark| end_of(source.before(mark)).len()).sum::<usize>()
            };
            let (short, long) = (looked_at(1_000), looked_at(32_000));
            assert!(long <= 32_000 * LONGEST_TAG && long < 40 * short, "{item}: {short} bytes, then {long}");
        }
        let source = SourceText::new("a.yaml", format!("[{}!!str 5]", "1,".repeat(9_000)));
        let mark = FilePosition { line: 1, column: 18_008, width: 1 };
        assert_eq!((source.from(mark), plain_text(&source, mark)), ("5]", None), "a tag is still found");
    }
}
