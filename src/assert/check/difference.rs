//! The difference shown with a broken comparison, kept small enough to be recorded.

use serde_json::Value;

use crate::base::diff::{ChangeKind, Diff, EqualOptions, TextDiff, diff_json, diff_text, mask_paths};

use crate::base::clip::clip_to;

/// Most bytes of a text that are compared in detail.
const TEXT: usize = 64 << 10;
/// Most bytes of two JSON values that are compared in detail.
const JSON: usize = 256 << 10;
/// Most places and lines kept.
const PLACES: usize = 50;
const LINES: usize = 200;
/// Most bytes of one value or line kept.
const PIECE: usize = 2 << 10;

/// How two values differ, kept small enough to be shown; `None` where there is nothing to show.
pub fn difference_of(expected: &Value, actual: &Value) -> Option<Diff> {
    of_values(expected, actual, &EqualOptions::default())
}

/// What equality found different; `None` where there is nothing to show.
pub(super) fn of_values(expected: &Value, actual: &Value, options: &EqualOptions) -> Option<Diff> {
    match (expected, actual) {
        (Value::String(expected), Value::String(actual)) => text(expected, actual),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_))
            if size(expected) + size(actual) <= JSON =>
        {
            json(&mask_paths(expected, &options.ignore), &mask_paths(actual, &options.ignore), |_| true)
        }
        _ => None,
    }
}

/// What a subset has that the value lacks.
pub(super) fn of_subset(expected: &Value, actual: &Value, options: &EqualOptions) -> Option<Diff> {
    let both = matches!(
        (expected, actual),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_))
    );
    if !both || size(expected) + size(actual) > JSON {
        return None;
    }
    let lacks = |kind: ChangeKind| matches!(kind, ChangeKind::Removed | ChangeKind::Changed);
    json(&mask_paths(expected, &options.ignore), &mask_paths(actual, &options.ignore), lacks)
}

fn text(expected: &str, actual: &str) -> Option<Diff> {
    let (expected, actual) = (start(expected, TEXT), start(actual, TEXT));
    (expected != actual).then(|| Diff::Text(keep_lines(diff_text(expected, actual))))
}

fn json(expected: &Value, actual: &Value, wanted: impl Fn(ChangeKind) -> bool) -> Option<Diff> {
    let mut changes = diff_json(expected, actual);
    changes.retain(|change| wanted(change.kind));
    changes.truncate(PLACES);
    for change in &mut changes {
        change.expected = change.expected.as_ref().map(|value| clip_to(value, &mut PIECE.to_owned()));
        change.actual = change.actual.as_ref().map(|value| clip_to(value, &mut PIECE.to_owned()));
        change.text = change.text.take().map(keep_lines);
    }
    (!changes.is_empty()).then_some(Diff::Json(changes))
}

fn keep_lines(mut diff: TextDiff) -> TextDiff {
    if diff.lines.len() > LINES {
        diff.lines.truncate(LINES);
        diff.cut = true;
    }
    for piece in diff.lines.iter_mut().flat_map(|line| &mut line.pieces) {
        if piece.text.len() > PIECE {
            piece.text = format!("{}…", start(&piece.text, PIECE));
        }
    }
    diff
}

fn start(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..at]
}

/// About how many bytes a value has as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum(),
        Value::Object(members) => members.iter().map(|(key, member)| key.len() + size(member) + 4).sum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(count: usize) -> Diff {
        let text = |word: &str| (0..count).map(|at| format!("{word} {at}\n")).collect::<String>();
        of_values(&json!(text("a")), &json!(text("b")), &EqualOptions::default()).unwrap()
    }

    #[test]
    fn of_long_texts_the_first_lines_are_kept() {
        let kept = |count| match lines(count) {
            Diff::Text(diff) => (diff.lines.len(), diff.cut),
            other => panic!("{other:?}"),
        };
        assert_eq!((kept(3), kept(100)), ((6, false), (200, false)));
        assert_eq!((kept(101), kept(400)), ((200, true), (200, true)));
        let equal = json!("a");
        assert_eq!(of_values(&equal, &equal, &EqualOptions::default()), None);
    }

    #[test]
    fn of_a_subset_what_the_value_lacks_is_shown() {
        let of = |expected: &Value, actual: &Value| of_subset(expected, actual, &EqualOptions::default());
        let Some(Diff::Json(changes)) = of(&json!({"a": 1, "b": 2}), &json!({"b": 3, "c": 4})) else {
            panic!()
        };
        let places: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(places, ["$['a']", "$['b']"]);
        assert!(of(&json!([1]), &json!([2])).is_some());
        assert_eq!(of(&json!({"a": 1}), &json!({"a": 1, "b": 2})), None);
        for (expected, actual) in [(json!(1), json!(2)), (json!({}), json!([1])), (json!("a"), json!({}))] {
            assert_eq!(of(&expected, &actual), None, "{expected} {actual}");
        }
        let long = |letter: &str| json!({ "a": letter.repeat(JSON / 2) });
        assert_eq!(of(&long("a"), &long("b")), None, "too large to be compared in detail");
    }
}
