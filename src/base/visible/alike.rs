//! Words that look the same and are not: composed and decomposed letters, letters of another script, blanks of another kind.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use super::{LineEnds, is_hidden, named, visible};

/// The most spellings of one look that are kept: more only cost time.
const SPELLINGS: usize = 8;

/// Words of one text that look like another word of the other text, each with the letters named that distinguish them.
///
/// What looks the same is said by Unicode's table of confusables (UTS #39).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookAlikes {
    names: BTreeMap<String, String>,
}

impl LookAlikes {
    /// Those between two sides, each of several texts.
    pub fn between(one: &[&str], other: &[&str]) -> Self {
        if one.iter().chain(other).all(|text| text.is_ascii()) {
            return Self::default();
        }
        let (one, other) = (pieces(one), pieces(other));
        let mut found = Self::default();
        for (side, against) in [(&one, &other), (&other, &one)] {
            let spellings = spellings(against);
            for word in side.iter().filter(|word| !word.is_ascii()) {
                let is_other = |like: &&&str| {
                    // A letter or sign that both sides have both ways does not distinguish them.
                    let are_shared =
                        [*word, **like].iter().all(|word| one.contains(word) && other.contains(word));
                    **like != *word && !(are_shared && is_single(word))
                };
                if let Some(like) = spellings.get(&look(word)).and_then(|likes| likes.iter().find(is_other)) {
                    let name = told_apart(word, like);
                    found.names.extend((name != *word).then(|| ((*word).to_owned(), name)));
                }
            }
        }
        found
    }

    /// Those within one text, of several letters each.
    pub fn within(text: &str) -> Self {
        if text.is_ascii() {
            return Self::default();
        }
        let mut found = Self::between(&[text], &[text]);
        found.names.retain(|word, _| !is_single(word));
        found
    }

    /// With those of another pair of texts.
    pub fn and(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        self
    }

    /// True where no word looks like another.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Each word with its name.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(word, name)| (word.as_str(), name.as_str()))
    }

    /// The text with these words named.
    pub fn name<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let name = |piece: &str| self.names.get(piece).map_or_else(|| piece.to_owned(), String::clone);
        Cow::Owned(text.split_word_bounds().map(name).collect())
    }

    /// The text with these words named, and everything that cannot be seen.
    pub fn show(&self, text: &str, lines: LineEnds) -> String {
        visible(&self.name(text), lines).into_owned()
    }
}

fn pieces<'t>(texts: &[&'t str]) -> HashSet<&'t str> {
    // Signs in a row may be one word with a joiner, and several without.
    let pieces = |text: &&'t str| text.split_word_bounds().chain(text.split_whitespace());
    texts.iter().flat_map(pieces).collect()
}

/// The words of each look.
fn spellings<'t>(words: &HashSet<&'t str>) -> HashMap<String, Vec<&'t str>> {
    let mut spellings: HashMap<String, Vec<&str>> = HashMap::new();
    for word in words {
        let likes = spellings.entry(look(word)).or_default();
        if likes.len() < SPELLINGS {
            likes.push(word);
        }
    }
    spellings
}

/// What a word looks like: all that look the same have the same look.
fn look(word: &str) -> String {
    if word.chars().all(char::is_whitespace) {
        return " ".to_owned();
    }
    let seen: String = word.chars().filter(|c| !is_hidden(*c)).collect();
    skeleton(&seen).collect()
}

/// Whether a word is one character, as it is seen.
fn is_single(word: &str) -> bool {
    word.graphemes(true).nth(1).is_none()
}

/// A word with those letters named that the other one lacks.
fn told_apart(word: &str, like: &str) -> String {
    let letters = |word: &str| word.chars().filter(|c| !c.is_ascii()).collect::<HashSet<char>>();
    let (mine, others) = (letters(word), letters(like));
    // The same letters in another order, or another number of them: all are named.
    let is_named = |c: char| mine.contains(&c) && (mine == others || !others.contains(&c));
    word.chars().map(|c| if is_named(c) { named(c) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(one: &str, other: &str) -> [String; 2] {
        let alike = LookAlikes::between(&[one], &[other]);
        [one, other].map(|text| alike.show(text, LineEnds::One))
    }

    #[test]
    fn what_tells_two_texts_apart_is_named_on_both_sides() {
        for (one, other, expected) in [
            ("Café", "Cafe\u{301}", ["Caf\\u{e9}", "Cafe\\u{301}"]),
            ("to paypal now", "to p\u{430}ypal now", ["to paypal now", "to p\\u{430}ypal now"]),
            ("A", "\u{391}", ["A", "\\u{391}"]),
            ("❤", "❤\u{fe0f}", ["❤", "❤\\u{fe0f}"]),
            ("a b", "a\u{3000}b", ["a b", "a\\u{3000}b"]),
            ("金", "\u{f90a}", ["\\u{91d1}", "\\u{f90a}"]),
            ("😀😀", "😀\u{200d}😀", ["😀😀", "😀\\u{200d}😀"]),
            ("it's", "it’s", ["it's", "it\\u{2019}s"]),
        ] {
            assert_eq!(shown(one, other), expected);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for (one, other) in [
            ("Café au lait", "Café noir"),
            ("❤️ naïve", "❤️ Ångström"),
            ("一月 — 二月", "一月 — 三月"),
            ("three", "five"),
            ("l", "I"),
        ] {
            assert_eq!(shown(one, other), [one, other]);
        }
        assert!(LookAlikes::within("ニュース 二つ — 一つ ー").is_empty());
    }

    #[test]
    fn one_message_may_hold_both() {
        let message = "unknown key `n\u{430}me`; did you mean `name`?";
        let alike = LookAlikes::within(message);
        assert_eq!(alike.show(message, LineEnds::One), "unknown key `n\\u{430}me`; did you mean `name`?");
        assert!(LookAlikes::within("Grüße an alle").is_empty());
    }
}
