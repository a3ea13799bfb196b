//! Text for people: what an eye, a terminal or an XML reader would take for something else is named by its code point.
//!
//! The one place that says which characters those are.

mod alike;
mod commands;

use std::borrow::Cow;

use unicode_general_category::{GeneralCategory, get_general_category};

pub use self::alike::LookAlikes;
pub use self::commands::{harmless, harmless_json};

/// Whether line ends and tabs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// They are: the text may have many lines.
    Kept,
    /// They are made visible: the text is one line.
    One,
}

/// The characters that an emoji or a flag is looked for in, before and behind one of its parts.
const NEAR: usize = 8;

/// Names everything that cannot be seen: control characters, escape sequences, turns of the writing direction, characters without
/// width, blanks that are none of the usual, what XML forbids. Joiners and selectors of emoji stay.
pub fn visible(text: &str, lines: LineEnds) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let is_named = |(at, c): (usize, char)| match c {
        '\n' | '\t' => lines == LineEnds::One,
        c => is_hidden(c) && !is_part_of_a_sign(text, at, c),
    };
    let Some(first) = text.char_indices().find(|place| is_named(*place)).map(|(place, _)| place) else {
        return Cow::Borrowed(text);
    };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < first) {
        if is_named((at, c)) { shown.push_str(&named(c)) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The name of a character.
pub fn named(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

/// Whether a character cannot be seen, or looks like a blank and is none of the usual. Line ends and tabs are such too.
pub fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' | '\u{3000}' => false,
        c if c.is_control() || c.is_whitespace() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' => true,
        '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        // Noncharacters: the last two of each plane, and a block of their own.
        c => (u32::from(c) & 0xfffe) == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c),
    }
}

/// Whether a hidden character belongs to a sign that is seen: a joiner or selector of an emoji, a tag of a flag, a variant of a letter.
fn is_part_of_a_sign(text: &str, at: usize, c: char) -> bool {
    let before = || text[..at].chars().rev().take(NEAR);
    let behind = || text[at + c.len_utf8()..].chars().take(NEAR);
    match c {
        '\u{200d}' => {
            let base = before().find(|c| !matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'));
            base.is_some_and(is_picture) && behind().next().is_some_and(is_picture)
        }
        '\u{fe0e}' | '\u{fe0f}' => match before().next() {
            Some('0'..='9' | '#' | '*') => behind().next() == Some('\u{20e3}'),
            Some(base) => is_picture(base),
            None => false,
        },
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => before().next().is_some_and(has_variants),
        '\u{e0020}'..='\u{e007f}' => {
            let is_tag = |c: &char| ('\u{e0020}'..='\u{e007e}').contains(c);
            let ends = c == '\u{e007f}' || behind().find(|c| !is_tag(c)) == Some('\u{e007f}');
            ends && before().find(|c| !is_tag(c)) == Some('\u{1f3f4}')
        }
        _ => false,
    }
}

/// Whether a character is a picture that a selector or joiner may follow.
fn is_picture(c: char) -> bool {
    let category = || get_general_category(c);
    match c {
        'ℹ' | '‼' | '⁉' | '〰' => true,
        c if c.is_ascii() => false,
        _ => matches!(category(), GeneralCategory::OtherSymbol | GeneralCategory::MathSymbol),
    }
}

/// Whether a character has variants that a selector chooses: those of Chinese and its neighbours, and signs.
fn has_variants(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        || is_picture(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_things_are_named() {
        assert_eq!(visible("a\u{1b}[31mb\0\u{fffe}]]>", LineEnds::Kept), "a\\u{1b}[31mb\\u{0}\\u{fffe}]]>");
        assert_eq!(visible("a\nb\tc\r", LineEnds::Kept), "a\nb\tc\\r");
        assert_eq!(visible("a\nb\tc\r", LineEnds::One), "a\\nb\\tc\\r");
        assert_eq!(
            visible("\u{202e}abc\u{9b}\u{85}\u{1ffff}", LineEnds::One),
            "\\u{202e}abc\\u{9b}\\u{85}\\u{1ffff}"
        );
        assert!(matches!(visible("Grüße 🌍\n", LineEnds::Kept), Cow::Borrowed(_)));
    }

    #[test]
    fn what_has_no_width_and_every_odd_blank_is_named() {
        for c in [
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{ad}',
            '\u{180e}',
            '\u{3164}',
            '\u{115f}',
            '\u{1160}',
            '\u{fe0f}',
            '\u{fe00}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0001}',
            '\u{e0100}',
            '\u{feff}',
            '\u{a0}',
            '\u{202f}',
            '\u{2003}',
            '\u{205f}',
            '\u{2800}',
            '\u{34f}',
            '\u{206a}',
            '\u{ffa0}',
        ] {
            let name = format!("\\u{{{:x}}}", u32::from(c));
            assert_eq!(visible(&format!("re{c}fund"), LineEnds::Kept), format!("re{name}fund"));
            assert_eq!(visible(&format!("{c}"), LineEnds::One), name);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "👨‍👩‍👧 🏳️‍🌈 👩🏽‍⚕️ ❤️ ✈︎ 1️⃣ #️⃣ ©️ ℹ️ ⁉️",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿 wins",
            "Cafe\u{301} naïve Ångström",
            "您的退款\u{3000}正在处理中",
            "葛\u{e0100}城市",
            "สวัสดี नमस्ते مرحبا",
        ] {
            assert!(
                matches!(visible(text, LineEnds::Kept), Cow::Borrowed(_)),
                "{}",
                visible(text, LineEnds::Kept)
            );
        }
        // The same characters where they make no sign.
        assert_eq!(
            visible("1\u{fe0f}2 a\u{200d}b 👨\u{200d}x", LineEnds::One),
            "1\\u{fe0f}2 a\\u{200d}b 👨\\u{200d}x"
        );
        assert_eq!(visible("🏴\u{e0067}x", LineEnds::One), "🏴\\u{e0067}x");
    }
}
