//! Two sides with names for characters that look alike, and for blanks at the end of a line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::base::diff::{ChangeKind, Diff, DiffLine, JsonChange, LineSide, TextDiff};
use crate::base::visible::{LookAlikes, named};
use crate::record::verdict::Finding;
use crate::report::shown_parts::{ShownParts, shown_parts};

/// The texts of two sides.
#[derive(Debug, Default)]
struct Sides<'a> {
    expected: Vec<&'a str>,
    actual: Vec<&'a str>,
}

/// The words of a finding that look like others and are not them.
pub(crate) fn look_alikes(finding: &Finding) -> LookAlikes {
    let mut sides = Sides::default();
    for (value, side) in [(&finding.expected, &mut sides.expected), (&finding.actual, &mut sides.actual)] {
        value.iter().for_each(|value| add_value(value, side));
    }
    match &finding.diff {
        Some(Diff::Text(diff)) => sides.add_text(diff),
        Some(Diff::Json(changes)) => sides.add_changes(changes),
        None => {}
    }
    LookAlikes::between(&sides.expected, &sides.actual).and(LookAlikes::within(&finding.message))
}

/// A finding with these letters and blanks named; a message that only names both values again is left out.
pub(crate) fn named_finding(finding: &Finding) -> Cow<'_, Finding> {
    let alike = look_alikes(finding);
    let has_end = match &finding.diff {
        Some(Diff::Text(diff)) => diff.lines.iter().any(ends_in_blank),
        Some(Diff::Json(changes)) => changes.iter().any(has_line_that_ends_in_blank),
        None => false,
    };
    if alike.is_empty() && !has_end {
        return Cow::Borrowed(finding);
    }
    let message = match shown_parts(finding) {
        ShownParts::Difference => String::new(),
        ShownParts::Message | ShownParts::Both => alike.name(&finding.message).into_owned(),
    };
    let value = |value: &Option<Value>| value.as_ref().map(|value| name_value(value, &alike));
    Cow::Owned(Finding {
        message,
        expected: value(&finding.expected),
        actual: value(&finding.actual),
        diff: finding.diff.as_ref().map(|diff| match diff {
            Diff::Text(diff) => Diff::Text(name_text(diff, &alike)),
            Diff::Json(changes) => {
                Diff::Json(changes.iter().map(|change| name_change(change, &alike)).collect())
            }
        }),
        ..finding.clone()
    })
}

/// Changes with these letters and blanks named.
pub(crate) fn named_changes(changes: &[JsonChange]) -> Cow<'_, [JsonChange]> {
    let alike = look_alikes_of_changes(changes);
    if alike.is_empty() && !changes.iter().any(has_line_that_ends_in_blank) {
        return Cow::Borrowed(changes);
    }
    changes.iter().map(|change| name_change(change, &alike)).collect()
}

/// The words of changes that look like others and are not them.
pub(crate) fn look_alikes_of_changes(changes: &[JsonChange]) -> LookAlikes {
    let mut sides = Sides::default();
    sides.add_changes(changes);
    LookAlikes::between(&sides.expected, &sides.actual)
}

impl<'a> Sides<'a> {
    fn add_text(&mut self, diff: &'a TextDiff) {
        for line in &diff.lines {
            let texts = line.pieces.iter().map(|piece| piece.text.as_str());
            match line.side {
                LineSide::Same => {}
                LineSide::Expected => self.expected.extend(texts),
                LineSide::Actual => self.actual.extend(texts),
            }
        }
    }

    fn add_changes(&mut self, changes: &'a [JsonChange]) {
        for change in changes {
            match change.kind {
                ChangeKind::Removed => self.expected.push(&change.path),
                ChangeKind::Added => self.actual.push(&change.path),
                ChangeKind::Changed | ChangeKind::Moved => {}
            }
            change.expected.iter().for_each(|value| add_value(value, &mut self.expected));
            change.actual.iter().for_each(|value| add_value(value, &mut self.actual));
            change.text.iter().for_each(|diff| self.add_text(diff));
        }
    }
}

fn add_value<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| add_value(item, texts)),
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            texts.push(key);
            add_value(member, texts);
        }),
    }
}

fn name_value(value: &Value, alike: &LookAlikes) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => Value::from(alike.name(text)),
        Value::Array(items) => items.iter().map(|item| name_value(item, alike)).collect(),
        Value::Object(members) => {
            let named =
                members.iter().map(|(key, member)| (alike.name(key).into_owned(), name_value(member, alike)));
            Value::Object(named.collect::<Map<_, _>>())
        }
    }
}

fn name_change(change: &JsonChange, alike: &LookAlikes) -> JsonChange {
    let value = |value: &Option<Value>| value.as_ref().map(|value| name_value(value, alike));
    JsonChange {
        path: alike.name(&change.path).into_owned(),
        expected: value(&change.expected),
        actual: value(&change.actual),
        text: change.text.as_ref().map(|diff| name_text(diff, alike)),
        ..change.clone()
    }
}

fn name_text(diff: &TextDiff, alike: &LookAlikes) -> TextDiff {
    let mut diff = diff.clone();
    for line in diff.lines.iter_mut().filter(|line| line.side != LineSide::Same) {
        for piece in &mut line.pieces {
            piece.text = alike.name(&piece.text).into_owned();
        }
        if ends_in_blank(line)
            && let Some(last) = line.pieces.last_mut()
        {
            last.text.pop();
            last.text.push_str(&named(' '));
        }
    }
    diff
}

/// Whether only this side has a blank at the end of a line, where nobody would see it.
fn ends_in_blank(line: &DiffLine) -> bool {
    let last = line.pieces.last();
    line.side != LineSide::Same && last.is_some_and(|piece| piece.changed && piece.text.ends_with(' '))
}

fn has_line_that_ends_in_blank(change: &JsonChange) -> bool {
    change.text.iter().any(|diff| diff.lines.iter().any(ends_in_blank))
}
