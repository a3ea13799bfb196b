//! Finds secrets that a difference has split into pieces, where no search of single texts would see them.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::base::diff::{Diff, LineSide, TextDiff, diff_json, diff_text};
use crate::base::redact::Redactor;
use crate::record::attempt::Attempt;
use crate::record::event::Event;
use crate::record::verdict::Finding;

/// The event with each difference that holds a secret made anew from masked values, or left out.
pub(super) fn mend_differences<'a>(event: Cow<'a, Event>, redactor: &Redactor) -> Cow<'a, Event> {
    match event.as_ref() {
        Event::AttemptFinished(attempt) => match mended(attempt, redactor) {
            Some(attempt) => Cow::Owned(Event::AttemptFinished(Arc::new(attempt))),
            None => event,
        },
        Event::RunStarted(_)
        | Event::AttemptStarted(_)
        | Event::AttemptLeft(_)
        | Event::CasesPlanned(_)
        | Event::RunContinued(_)
        | Event::CaseFinished(_)
        | Event::RunFinished(_) => event,
    }
}

/// The attempt with each difference that holds a secret made anew; `None` where no difference does.
///
/// Whoever shows an attempt that did not come from a journal needs this before masking the text made of it.
pub(crate) fn mended(attempt: &Attempt, redactor: &Redactor) -> Option<Attempt> {
    attempt.findings.iter().any(|finding| leaks(finding, redactor)).then(|| {
        let mut attempt = attempt.clone();
        attempt.findings.iter_mut().for_each(|finding| mend(finding, redactor));
        attempt
    })
}

fn leaks(finding: &Finding, redactor: &Redactor) -> bool {
    diff_leaks(finding, redactor) || finding.members.iter().any(|member| leaks(member, redactor))
}

fn diff_leaks(finding: &Finding, redactor: &Redactor) -> bool {
    let held = |value: &Option<Value>| {
        value.as_ref().is_some_and(|value| redactor.contains_secret(&value.to_string()))
    };
    match &finding.diff {
        None => false,
        Some(_) if held(&finding.expected) || held(&finding.actual) => true,
        Some(Diff::Text(diff)) => text_leaks(diff, redactor),
        Some(Diff::Json(changes)) => changes.iter().any(|change| {
            held(&change.expected)
                || held(&change.actual)
                || change.text.as_ref().is_some_and(|diff| text_leaks(diff, redactor))
        }),
    }
}

/// Searches each side of a difference as the text that it was.
fn text_leaks(diff: &TextDiff, redactor: &Redactor) -> bool {
    [LineSide::Expected, LineSide::Actual].into_iter().any(|side| {
        let mut text = String::new();
        for line in diff.lines.iter().filter(|line| line.side == side || line.side == LineSide::Same) {
            line.pieces.iter().for_each(|piece| text.push_str(&piece.text));
            text.push('\n');
        }
        redactor.contains_secret(&text)
    })
}

fn mend(finding: &mut Finding, redactor: &Redactor) {
    if diff_leaks(finding, redactor) {
        [&mut finding.expected, &mut finding.actual]
            .into_iter()
            .flatten()
            .for_each(|value| redactor.json(value));
        finding.diff = match (&finding.expected, &finding.actual) {
            (Some(Value::String(old)), Some(Value::String(new))) => Some(Diff::Text(diff_text(old, new))),
            (Some(old), Some(new)) => Some(Diff::Json(diff_json(old, new))),
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
    }
    finding.members.iter_mut().for_each(|member| mend(member, redactor));
}
