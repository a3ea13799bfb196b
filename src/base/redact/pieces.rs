//! Finds what is left of a secret that was cut in two: its beginning right before an ellipsis, or its end right after one.

use std::ops::Range;

/// What stands where a text was cut.
const CUT: char = '…';
/// Shorter pieces tell nothing and occur by chance.
const SHORTEST: usize = 4;
/// May stand between a piece and the ellipsis.
const QUOTES: [char; 2] = ['"', '\\'];

/// Finds the places of pieces, in order, those that overlap or touch joined into one.
pub(super) fn pieces(forms: &[String], text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    for (at, cut) in text.match_indices(CUT) {
        let before = text[..at].trim_end_matches(QUOTES);
        let after = text[at + cut.len()..].trim_start_matches(QUOTES);
        let begun = forms.iter().map(|form| beginning(form, before)).max().unwrap_or(0);
        let ended = forms.iter().map(|form| end(form, after)).max().unwrap_or(0);
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

/// The length of the longest part of a form, but not all of it, with which it begins and a text ends.
fn beginning(form: &str, text: &str) -> usize {
    let fits = |length: usize| length >= SHORTEST && text.as_bytes().ends_with(&form.as_bytes()[..length]);
    lengths(form).rev().find(|length| fits(*length)).unwrap_or(0)
}

/// The length of the longest part of a form, but not all of it, with which it ends and a text begins.
fn end(form: &str, text: &str) -> usize {
    let rest = |length: &usize| form.len() - length;
    let fits = |length: usize| {
        length >= SHORTEST && text.as_bytes().starts_with(&form.as_bytes()[form.len() - length..])
    };
    lengths(form).map(|length| rest(&length)).find(|length| fits(*length)).unwrap_or(0)
}

/// Where a form can be divided, from its beginning on.
fn lengths(form: &str) -> impl DoubleEndedIterator<Item = usize> + '_ {
    form.char_indices().map(|(at, _)| at).filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let forms = ["app-123456".to_owned(), "gehßheim".to_owned()];
        pieces(&forms, text).into_iter().map(|place| &text[place]).collect()
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
}
