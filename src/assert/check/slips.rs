//! Names of nodes that are nearly those of nodes that ran: a slip in a name makes an assertion of absence hold by mistake.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::base::spelling::{edit_distance, nearest};
use crate::dify::transcript::NodeRun;

/// Shorter names differ from each other by a letter or two without being slips.
const LEAST: usize = 4;

/// A node that ran, and whose name is nearly the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NearMiss<'t> {
    /// The names differ only by blanks, accents or case.
    Spelling(&'t str),
    /// The names differ by a letter or two.
    Letters(&'t str),
}

/// The node that ran whose name is nearly this one; `None` where a node of this very name ran.
pub(super) fn slip_of<'t>(name: &str, nodes: &'t [NodeRun]) -> Option<NearMiss<'t>> {
    let names = || nodes.iter().flat_map(|node| [node.title.as_str(), node.node_id.as_str()]);
    if names().any(|ran| ran == name) {
        return None;
    }
    let folded = fold(name);
    if let Some(ran) = names().find(|ran| !folded.is_empty() && fold(ran) == folded) {
        return Some(NearMiss::Spelling(ran));
    }
    let titles = nodes.iter().map(|node| node.title.as_str());
    let near =
        nearest(name, titles.filter(|title| title.chars().count() >= LEAST && !is_enumerated(name, title)));
    near.filter(|near| name.chars().count() >= LEAST && is_within_two(name, near)).map(NearMiss::Letters)
}

/// A name without what a reader overlooks: case, accents, blanks and invisible characters.
fn fold(name: &str) -> String {
    let is_shown = |c: &char| !c.is_whitespace() && !is_combining_mark(*c) && !is_invisible(*c);
    name.nfkd().flat_map(char::to_lowercase).nfkd().filter(is_shown).collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// True for names that count: they differ only in one word, which is a number or a single letter in both.
fn is_enumerated(name: &str, other: &str) -> bool {
    let is_word_break = |c: char| !c.is_alphanumeric();
    let words = |text: &str| -> Vec<String> {
        let mut words = Vec::new();
        for part in text.split(is_word_break).filter(|part| !part.is_empty()) {
            let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
            words.extend([stem, &part[stem.len()..]].map(str::to_owned));
        }
        words
    };
    let (name, other) = (words(name), words(other));
    let counts = |word: &str| word.parse::<u64>().is_ok() || word.chars().count() <= 1;
    name.len() == other.len() && name.iter().zip(&other).all(|(a, b)| a == b || counts(a) && counts(b))
}

/// True where a letter or two were changed, left out, added or swapped.
fn is_within_two(name: &str, near: &str) -> bool {
    edit_distance(name, near) <= 2 && name.chars().count().abs_diff(near.chars().count()) <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(name: &str, ran: &str) -> Option<bool> {
        let nodes = [NodeRun { title: ran.into(), node_id: "n1".into(), ..NodeRun::default() }];
        slip_of(name, &nodes).map(|slip| match slip {
            NearMiss::Spelling(of) => {
                assert_eq!(of, ran);
                true
            }
            NearMiss::Letters(of) => {
                assert_eq!(of, ran);
                false
            }
        })
    }

    #[test]
    fn blanks_accents_and_case_are_overlooked() {
        for (name, ran) in [
            ("escalate", "Escalate"),
            (" Escalate", "Escalate"),
            ("Send  mail", "Send mail"),
            ("Send\u{a0}mail", "Send mail"),
            ("Prufen", "Pr\u{fc}fen"),
            ("Pr\u{75}\u{308}fen", "Pr\u{fc}fen"),
            ("Esca\u{200b}late", "Escalate"),
            ("ＬＬＭ", "LLM"),
        ] {
            assert_eq!(slip(name, ran), Some(true), "{name} {ran}");
        }
    }

    #[test]
    fn a_letter_or_two_are_a_slip_and_another_name_is_none() {
        for (name, ran) in [("Escalaet", "Escalate"), ("Clasify", "Classify"), ("Escalates", "Escalate")] {
            assert_eq!(slip(name, ran), Some(false), "{name} {ran}");
        }
        for (name, ran) in [
            ("Refund", "Escalate"),
            ("Escalate", "Escalate"),
            ("Code 1", "Code 2"),
            ("Branch A", "Branch B"),
            ("LLM2", "LLM3"),
            ("End", "And"),
            ("Send mail", "Read mails"),
            ("Summarise it", "Summarise all"),
            ("Classify", "Classify again"),
            ("", ""),
        ] {
            assert_eq!(slip(name, ran), None, "{name} {ran}");
        }
    }
}
