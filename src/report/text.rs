//! Text for people: untrusted values, made harmless and short; marked by colour or by plain signs.

use std::borrow::Cow;

use anstyle::{AnsiColor, Effects, Style};

use crate::base::plural::plural;

pub(crate) use crate::base::visible::{LineEnds, visible};

/// Whether text is coloured, or marked with signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColorUse {
    /// No escape sequences; changed words are marked `[-…-]` and `{+…+}`.
    Plain,
    /// ANSI colours.
    Colour,
}

/// The meaning of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTone {
    /// A name.
    Strong,
    /// A side matter.
    Faint,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Doubtful news.
    Doubt,
    /// A word only in the expected text.
    Removed,
    /// A word only in the found text.
    Added,
}

impl TextTone {
    fn style(self) -> Style {
        let changed = Effects::BOLD | Effects::UNDERLINE;
        match self {
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Doubt => AnsiColor::Yellow.on_default(),
            Self::Removed => AnsiColor::Red.on_default().effects(changed),
            Self::Added => AnsiColor::Green.on_default().effects(changed),
        }
    }

    fn signs(self) -> (&'static str, &'static str) {
        match self {
            Self::Removed => ("[-", "-]"),
            Self::Added => ("{+", "+}"),
            Self::Strong | Self::Faint | Self::Good | Self::Bad | Self::Doubt => ("", ""),
        }
    }
}

/// A text that is being written.
#[derive(Debug)]
pub(crate) struct ReportText {
    /// What was written so far.
    pub out: String,
    ink: ColorUse,
}

impl ReportText {
    /// An empty text.
    pub fn new(ink: ColorUse) -> Self {
        Self { out: String::new(), ink }
    }

    /// Adds text as it is: the caller's own words, or text that was made visible.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.out.push_str(text);
        self
    }

    /// Adds text in a tone.
    pub fn tone(&mut self, tone: TextTone, text: &str) -> &mut Self {
        match self.ink {
            ColorUse::Plain => {
                let (before, after) = tone.signs();
                self.push(before).push(text).push(after)
            }
            ColorUse::Colour => {
                let style = tone.style();
                self.push(&format!("{style}{text}{style:#}"))
            }
        }
    }

    /// Ends the line.
    pub fn end(&mut self) -> &mut Self {
        self.push("\n")
    }
}

/// Cuts a text to this many characters and adds how many are left out.
pub(crate) fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let left = text[end..].chars().count();
            Cow::Owned(format!("{}… ({left} more {})", &text[..end], plural(left, "character", "characters")))
        }
    }
}

/// One line of an untrusted text, visible and short.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    visible(&short(text, most), LineEnds::One).into_owned()
}

/// A JSON value in one line, visible and short.
pub(crate) fn value_line(value: &serde_json::Value, most: usize) -> String {
    one_line(&value.to_string(), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöüß!", 3), "äöü… (2 more characters)");
    }

    #[test]
    fn ink_is_colour_or_signs() {
        let write = |ink| {
            let mut text = ReportText::new(ink);
            text.push("a ").tone(TextTone::Removed, "b").tone(TextTone::Good, "c");
            text.out
        };
        assert_eq!(write(ColorUse::Plain), "a [-b-]c");
        assert_eq!(write(ColorUse::Colour), "a \x1b[1m\x1b[4m\x1b[31mb\x1b[0m\x1b[32mc\x1b[0m");
    }
}
