//! Which letters a terminal shows: all of Unicode, or those of ASCII, where others would be garbage.

use std::borrow::Cow;

/// The letters that can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// All.
    #[default]
    All,
    /// Those of ASCII.
    Ascii,
}

impl Charset {
    /// The text as it can be shown: signs become like ones, other letters their numbers.
    pub fn shown(self, text: &str) -> Cow<'_, str> {
        if self == Self::All || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '✓' => shown.push('+'),
                '✗' | '×' => shown.push('x'),
                '·' => shown.push('|'),
                '→' => shown.push_str("->"),
                '…' => shown.push_str("..."),
                '–' | '—' => shown.push('-'),
                '±' => shown.push_str("+-"),
                letter if letter.is_ascii() => shown.push(letter),
                letter => shown.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            }
        }
        Cow::Owned(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_cannot_show_is_written_out() {
        let text = "✗ failed  S::größe  1 ms · 2 attempts\n  Start → End … 3×";
        assert_eq!(Charset::All.shown(text), text);
        let ascii = "x failed  S::gr\\u{f6}\\u{df}e  1 ms | 2 attempts\n  Start -> End ... 3x";
        assert_eq!(Charset::Ascii.shown(text), ascii);
    }
}
