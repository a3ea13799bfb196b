//! Keeps what is recorded readable: JSON nested deeper than a reader follows is replaced by a word on it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::base::diff::Diff;
use crate::record::attempt::Attempt;
use crate::record::event::Event;
use crate::record::verdict::Finding;

/// serde_json reads 128 levels; the line around a value takes fewer than 24 where groups are nested at most 8 deep.
const DEEPEST: usize = 100;

/// The event with every value that a reader could follow.
pub(super) fn bounded(event: &Event) -> Cow<'_, Event> {
    match event {
        Event::AttemptFinished(attempt) if !is_readable(attempt) => {
            let mut attempt = Attempt::clone(attempt);
            if let Some(outputs) = &mut attempt.outputs {
                bound(outputs);
            }
            attempt.findings.iter_mut().for_each(bound_finding);
            Cow::Owned(Event::AttemptFinished(Arc::new(attempt)))
        }
        Event::AttemptFinished(_)
        | Event::AttemptStarted(_)
        | Event::AttemptLeft(_)
        | Event::RunStarted(_)
        | Event::CasesPlanned(_)
        | Event::RunContinued(_)
        | Event::CaseFinished(_)
        | Event::RunFinished(_) => Cow::Borrowed(event),
    }
}

fn is_readable(attempt: &Attempt) -> bool {
    attempt.outputs.as_ref().is_none_or(|outputs| fits(outputs, DEEPEST))
        && attempt.findings.iter().all(|finding| finding_fits(finding, 8))
}

fn finding_fits(finding: &Finding, groups: usize) -> bool {
    let values = [&finding.expected, &finding.actual];
    groups > 0
        && values.into_iter().flatten().all(|value| fits(value, DEEPEST))
        && finding.members.iter().all(|member| finding_fits(member, groups - 1))
        && match &finding.diff {
            Some(Diff::Json(changes)) => changes.iter().all(|change| {
                [&change.expected, &change.actual].into_iter().flatten().all(|value| fits(value, DEEPEST))
            }),
            Some(Diff::Text(_)) | None => true,
        }
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|field| fits(field, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn bound(value: &mut Value) {
    if !fits(value, DEEPEST) {
        *value = Value::String(format!("(nested more than {DEEPEST} levels deep: not recorded)"));
    }
}

fn bound_finding(finding: &mut Finding) {
    if !finding_fits(finding, 8) {
        finding.diff = None;
        finding.members.clear();
        [&mut finding.expected, &mut finding.actual].into_iter().flatten().for_each(bound);
    }
}
