//! What counts as a word, by Unicode's rules (UAX #29); in scripts that put no blanks between words, each character is one.

use std::collections::BTreeSet;

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

/// What a piece between two word boundaries is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WordPiece {
    Blank,
    /// Letters, digits and their marks.
    Word,
    /// The same, in a script that puts no blanks between words.
    Unspaced,
    /// An emoji, an arrow or another picture.
    Picture,
    /// Any other sign.
    Sign(char),
}

/// The words of a text, in order. Signs belong to the word before them, at a beginning to the one behind; a picture is a word.
///
/// So an address, or JSON on one line, is many words, and signs that all JSON shares are none.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut open = GrowingWord::default();
    for (start, piece) in text.split_word_bound_indices() {
        let end = start + piece.len();
        match kind(piece) {
            WordPiece::Blank => words.extend(open.close(text)),
            WordPiece::Picture => {
                words.extend(open.close(text));
                words.push(piece);
            }
            WordPiece::Word => words.extend(open.word(text, start, end)),
            WordPiece::Unspaced => {
                for (at, character) in piece.grapheme_indices(true) {
                    words.extend(open.word(text, start + at, start + at + character.len()));
                }
            }
            WordPiece::Sign(_) => open.sign(start, end),
        }
    }
    words.extend(open.close(text));
    words
}

/// The word that may still grow.
#[derive(Debug, Default)]
struct GrowingWord {
    /// Where it begins and ends; none between words.
    range: Option<(usize, usize)>,
    /// Whether it has more than signs.
    is_word: bool,
}

impl GrowingWord {
    fn close<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        self.is_word = false;
        self.range.take().map(|(start, end)| &text[start..end])
    }

    /// Begins a word, with the signs before it; gives the one that ends here.
    fn word<'t>(&mut self, text: &'t str, start: usize, end: usize) -> Option<&'t str> {
        let ended = if self.is_word { self.close(text) } else { None };
        let start = self.range.map_or(start, |(start, _)| start);
        (self.range, self.is_word) = (Some((start, end)), true);
        ended
    }

    fn sign(&mut self, start: usize, end: usize) {
        self.range = Some((self.range.map_or(start, |(start, _)| start), end));
    }
}

/// The words of a text without order, repetition and case; punctuation between them does not count, but where there is nothing else.
///
/// A run of a script without blanks is one word. Signs that say something stay with their word: currencies, shares, signs of
/// mathematics, the minus of a number, `C#`, `AT&T`.
pub(super) fn set_of_words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let pieces: Vec<&str> = text.split_word_bounds().collect();
    let mut words = BTreeSet::new();
    let mut word = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let around = SignNeighbours {
            before: at.checked_sub(1).map(|before| pieces[before]),
            behind: pieces.get(at + 1).copied(),
        };
        match kind(piece) {
            WordPiece::Word | WordPiece::Unspaced => word.push_str(piece),
            WordPiece::Sign(sign) if says_something(sign, around) => word.push_str(piece),
            WordPiece::Picture => {
                words.insert(std::mem::take(&mut word));
                words.insert((*piece).to_owned());
            }
            WordPiece::Blank | WordPiece::Sign(_) => {
                words.insert(std::mem::take(&mut word));
            }
        }
    }
    words.insert(word);
    words.remove("");
    if words.is_empty() { text.split_whitespace().map(str::to_owned).collect() } else { words }
}

/// The pieces before and behind a sign.
#[derive(Clone, Copy)]
struct SignNeighbours<'t> {
    before: Option<&'t str>,
    behind: Option<&'t str>,
}

/// Whether a sign is more than punctuation, by the pieces before and behind it.
fn says_something(sign: char, around: SignNeighbours<'_>) -> bool {
    let SignNeighbours { before, behind } = around;
    let is_word = |piece: Option<&str>| {
        piece.is_some_and(|piece| matches!(kind(piece), WordPiece::Word | WordPiece::Unspaced))
    };
    match sign {
        '%' | '‰' | '‱' | '٪' | '％' | '﹪' => true,
        '#' | '@' | '&' | '§' | '†' | '‡' => is_word(before) || is_word(behind),
        '-' | '−' | '－' => is_word(behind) && !is_word(before),
        // Of tables and other Markdown.
        '|' | '~' | '^' | '`' => false,
        _ => matches!(
            get_general_category(sign),
            GeneralCategory::CurrencySymbol
                | GeneralCategory::MathSymbol
                | GeneralCategory::ModifierSymbol
                | GeneralCategory::OtherSymbol
                | GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
                | GeneralCategory::EnclosingMark
        ),
    }
}

fn kind(piece: &str) -> WordPiece {
    let Some(first) = piece.chars().next() else { return WordPiece::Blank };
    if piece.chars().all(char::is_whitespace) {
        return WordPiece::Blank;
    }
    match piece.chars().find(|c| c.is_alphanumeric()) {
        Some(letter) if is_unspaced(letter) => WordPiece::Unspaced,
        Some(_) => WordPiece::Word,
        // Below are the signs of degrees, numbers and rights, which belong to a word.
        None if first >= '\u{2190}' && get_general_category(first) == GeneralCategory::OtherSymbol => {
            WordPiece::Picture
        }
        None => WordPiece::Sign(first),
    }
}

/// Whether the script of a letter is written without blanks between words.
fn is_unspaced(letter: char) -> bool {
    use Script::{
        Ahom, Balinese, Bopomofo, Han, Hiragana, Javanese, Katakana, Khmer, Lao, Myanmar, New_Tai_Lue,
    };
    use Script::{Tai_Le, Tai_Tham, Tai_Viet, Thai, Tibetan, Yi};
    let script = letter.script();
    matches!(script, Han | Hiragana | Katakana | Bopomofo | Yi | Thai | Lao | Khmer | Myanmar | Tibetan)
        || matches!(script, Tai_Le | New_Tai_Lue | Tai_Tham | Tai_Viet | Ahom | Javanese | Balinese)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Vec<String> {
        set_of_words(text).into_iter().collect()
    }

    #[test]
    fn words_are_unicodes_words_with_their_signs() {
        for (text, expected) in [
            ("Hello,  world! (don't)", &["Hello,", "world!", "(don't)"][..]),
            ("https://a.example/b?c=1", &["https://", "a.example/", "b?", "c=", "1"]),
            (r#"{"a":1,"b":[2]}"#, &["{\"a\":", "1,\"", "b\":[", "2]}"]),
            ("well-known 3.14 5€", &["well-", "known", "3.14", "5€"]),
            ("预计三天，iPhone用", &["预", "计", "三", "天，", "iPhone", "用"]),
            ("コーヒー", &["コ", "ー", "ヒ", "ー"]),
            ("ไม่ได้", &["ไ", "ม่", "ไ", "ด้"]),
            ("सत्य है", &["सत्य", "है"]),
            ("👍👎🏽 done👨‍👩‍👧", &["👍", "👎🏽", "done", "👨‍👩‍👧"]),
            ("... ?!", &["...", "?!"]),
            (" \n", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn sets_keep_what_says_something() {
        for (text, expected) in [
            ("Mets, York new NEW", &["mets", "new", "york"][..]),
            ("you get €5", &["get", "you", "€5"]),
            ("10% off (-5 °C)", &["-5", "10%", "off", "°c"]),
            ("C# at AT&T, 10-20", &["10", "20", "at", "at&t", "c#"]),
            ("# Title | **bold**", &["bold", "title"]),
            ("ไม่ได้ ได้", &["ได้", "ไม่ได้"]),
            ("सत्य", &["सत्य"]),
            ("您的退款，三天", &["三天", "您的退款"]),
            ("ok👍 👍", &["ok", "👍"]),
            ("... ?! ...", &["...", "?!"]),
            (" ", &[]),
        ] {
            assert_eq!(set(text), expected, "{text}");
        }
    }
}
