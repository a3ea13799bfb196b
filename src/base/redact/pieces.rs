//! Finds what is left of a secret that was cut in two: its beginning right before an ellipsis, or its end right after one.
//!
//! The pieces are sorted by the bytes next to the cut, so that an ellipsis without a piece beside it costs one look.

use std::collections::HashMap;
use std::ops::Range;

/// What is where a text was cut.
const CUT: char = '…';
/// Shorter pieces say nothing and occur by chance.
const SHORTEST: usize = 4;
/// May be between a piece and the ellipsis.
const QUOTES: [char; 2] = ['"', '\\'];

/// The pieces that each set of forms can leave beside a cut.
#[derive(Debug, Default)]
pub(super) struct SecretParts {
    /// Beginnings of forms, by their last bytes, the longest first.
    begun: HashMap<[u8; SHORTEST], Vec<SecretPart>>,
    /// Ends of forms, by their first bytes, the longest first.
    ended: HashMap<[u8; SHORTEST], Vec<SecretPart>>,
}

/// A part of a form, but not all of it.
#[derive(Debug)]
struct SecretPart {
    form: usize,
    part: Range<usize>,
}

impl SecretPart {
    fn bytes<'f>(&self, forms: &'f [String]) -> &'f [u8] {
        &forms[self.form].as_bytes()[self.part.clone()]
    }
}

impl SecretParts {
    /// Cuts every form wherever it can be cut.
    pub fn of(forms: &[String]) -> Self {
        let mut pieces = Self::default();
        for (form, text) in forms.iter().enumerate() {
            let cuts = text.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
            for cut in cuts {
                let (begun, ended) = text.as_bytes().split_at(cut);
                if let Some(last) = begun.last_chunk::<SHORTEST>() {
                    pieces.begun.entry(*last).or_default().push(SecretPart { form, part: 0..cut });
                }
                if let Some(first) = ended.first_chunk::<SHORTEST>() {
                    pieces.ended.entry(*first).or_default().push(SecretPart { form, part: cut..text.len() });
                }
            }
        }
        for found in pieces.begun.values_mut().chain(pieces.ended.values_mut()) {
            found.sort_by(|a, b| {
                b.part.len().cmp(&a.part.len()).then_with(|| a.bytes(forms).cmp(b.bytes(forms)))
            });
            found.dedup_by(|a, b| a.bytes(forms) == b.bytes(forms));
        }
        pieces
    }

    /// Finds the places of pieces, in order, those that overlap or touch joined into one.
    pub fn find(&self, forms: &[String], text: &str) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        for (at, cut) in text.match_indices(CUT) {
            let before = text[..at].trim_end_matches(QUOTES);
            let after = text[at + cut.len()..].trim_start_matches(QUOTES);
            let begun = self.begun_before(before).iter().map(|piece| piece.bytes(forms));
            let begun = longest(begun, |piece| before.as_bytes().ends_with(piece));
            let ended = self.ended_after(after).iter().map(|piece| piece.bytes(forms));
            let ended = longest(ended, |piece| after.as_bytes().starts_with(piece));
            let start = text.len() - after.len();
            for place in [before.len() - begun..before.len(), start..start + ended] {
                match places.last_mut() {
                    _ if place.is_empty() => {}
                    Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                    Some(_) | None => places.push(place),
                }
            }
        }
        places
    }

    /// The pieces that may end a text.
    fn begun_before(&self, text: &str) -> &[SecretPart] {
        let last = text.as_bytes().last_chunk::<SHORTEST>();
        last.and_then(|last| self.begun.get(last)).map_or(&[], Vec::as_slice)
    }

    /// The pieces that may begin a text.
    fn ended_after(&self, text: &str) -> &[SecretPart] {
        let first = text.as_bytes().first_chunk::<SHORTEST>();
        first.and_then(|first| self.ended.get(first)).map_or(&[], Vec::as_slice)
    }
}

/// The length of the first piece that fits, the longest being first.
fn longest<'f>(mut pieces: impl Iterator<Item = &'f [u8]>, fits: impl Fn(&[u8]) -> bool) -> usize {
    pieces.find(|piece| fits(piece)).map_or(0, <[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let forms = ["app-123456".to_owned(), "gehßheim".to_owned()];
        SecretParts::of(&forms).find(&forms, text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn pieces_stand_beside_an_ellipsis() {
        assert_eq!(found("x app-1234… (99 bytes)"), ["app-1234"]);
        assert_eq!(found("found \"x app-12\"…"), ["app-12"]);
        assert_eq!(found("\\\"app-12345\\\"… and app-12345"), ["app-12345"]);
        assert_eq!(found("ends with …\"3456 and more"), ["3456"]);
        assert_eq!(found("app-1…3456"), ["app-1", "3456"]);
        assert_eq!(found("gehß…"), ["gehß"]);
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in
            ["", "…", "app…", "app-1234 …", "123456", "app-123 and so on", "…456", "ßh…", "\u{fffd}…\u{fffd}"]
        {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn an_ellipsis_costs_a_look_and_half_a_key_a_comparison() {
        let forms: Vec<String> =
            (0..50).map(|number| format!("app-key-{number:03}-abcdefghijklmnop")).collect();
        let pieces = SecretParts::of(&forms);
        let looks = |text: &str| -> usize {
            let looks_at = |(at, cut): (usize, &str)| {
                pieces.begun_before(&text[..at]).len() + pieces.ended_after(&text[at + cut.len()..]).len()
            };
            text.match_indices(CUT).map(looks_at).sum()
        };
        assert_eq!(looks(&"…".repeat(10_000)), 0);
        assert_eq!(looks(&"***…".repeat(10_000)), 0);
        // The same beginning of all fifty is one piece, and each end has one for each of them.
        assert_eq!(looks(&"app-key-…".repeat(1_000)), 1_000);
        assert_eq!(looks(&"app-key-007-abc… ".repeat(1_000)), 50 * 1_000);
    }
}
