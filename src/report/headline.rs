//! Why something is not green, in one line: what JUnit viewers, annotations and headings show.

use crate::base::diff::{ChangeKind, Diff, DiffLine, JsonChange, LineSide, TextDiff};
use crate::base::plural::plural;
use crate::record::attempt::Attempt;
use crate::record::journal::CaseRecord;
use crate::record::verdict::{Finding, Severity, Truth, Verdict};
use crate::report::explain::in_order;
use crate::report::named::named_finding;
use crate::report::short_path::short_path;
use crate::report::shown_parts::{ShownParts, shown_parts};
use crate::report::text::{one_line, value_line};

/// The most characters of a value.
const VALUE: usize = 120;

/// Why a case is not green, in one line.
pub(crate) fn headline(case: &CaseRecord) -> String {
    let attempt = case.deciding();
    let text = match (&case.outcome.reason, attempt) {
        (Some(reason), _) => reason.clone(),
        (None, Some(attempt)) => attempt_headline(attempt),
        (None, None) => String::from("nothing was judged"),
    };
    one_line(&text, 300)
}

/// The reason for a case's verdict in one line: why it is not green, why it was not run, or its warning.
pub(crate) fn why(case: &CaseRecord) -> String {
    let outcome = &case.outcome;
    let not_passed = || case.attempts.iter().find(|attempt| attempt.verdict != Verdict::Passed);
    match (outcome.verdict, &outcome.reason) {
        (Verdict::Skipped, Some(reason)) => one_line(reason, 300),
        (Verdict::Flaky, _) => {
            let reasons = not_passed().map(attempt_headline).into_iter().chain(warning(case));
            reasons.collect::<Vec<_>>().join("; ")
        }
        (Verdict::Passed, _) => warning(case).unwrap_or_default(),
        (Verdict::Failed | Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped, _) => headline(case),
    }
}

/// The first warning of a case.
fn warning(case: &CaseRecord) -> Option<String> {
    let first = case.attempts.iter().flat_map(|attempt| &attempt.findings).find(|finding| warns(finding))?;
    Some(one_line(&format!("warning: {}", finding_headline(first, 0)), 300))
}

/// True for an attempt that warns, where the one that did so before did not or was not green as this one is.
pub(crate) fn warns_better(attempt: &Attempt, before: Option<&Attempt>) -> bool {
    let is_green = |attempt: &Attempt| attempt.verdict == Verdict::Passed;
    let is_better = |before: &Attempt| is_green(attempt) && !is_green(before);
    before.is_none_or(is_better) && attempt.findings.iter().any(warns)
}

/// True for a warning that does not hold.
fn warns(finding: &Finding) -> bool {
    finding.severity == Severity::Warn && finding.truth != Truth::Held
}

/// Why an attempt did not pass, in one line.
pub(crate) fn attempt_headline(attempt: &Attempt) -> String {
    let undone: Vec<&Finding> = in_order(&attempt.findings)
        .filter(|finding| finding.severity == Severity::Error && finding.truth != Truth::Held)
        .collect();
    let wanted = match attempt.verdict {
        Verdict::Errored => Truth::Undecided,
        Verdict::Failed | Verdict::Inconclusive | Verdict::Passed | Verdict::Flaky | Verdict::Skipped => {
            Truth::Broken
        }
    };
    let first = undone.iter().find(|finding| finding.truth == wanted).or(undone.first());
    let text = match (&attempt.cause, first) {
        (Some(cause), _) if attempt.verdict == Verdict::Errored => cause.message.clone(),
        (_, Some(finding)) => finding_headline(finding, undone.len() - 1),
        (Some(cause), None) => cause.message.clone(),
        (None, None) => String::from("nothing was judged"),
    };
    one_line(&text, 300)
}

fn finding_headline(finding: &Finding, others: usize) -> String {
    let finding = &*named_finding(finding);
    let mut text = finding.label.clone();
    match (first_difference(finding), &finding.actual, finding.message.is_empty()) {
        (Some(difference), _, _) => text = format!("{text}: {difference}"),
        (None, _, false) => text = format!("{text}: {}", finding.message),
        (None, Some(actual), true) => text = format!("{text}: found {}", value_line(actual, VALUE)),
        (None, None, true) => {}
    }
    if others > 0 {
        text = format!("{text} (and {others} more)");
    }
    text
}

/// The first place that differs, and how many others do; `None` where the finding's message is better.
fn first_difference(finding: &Finding) -> Option<String> {
    match (&finding.diff, shown_parts(finding)) {
        (Some(diff), ShownParts::Difference) => match diff {
            Diff::Json(changes) => {
                let first = changes.first().map(json_change)?;
                Some(and_others(first, changes.len() - 1))
            }
            Diff::Text(diff) => text_change(diff),
        },
        (Some(_) | None, ShownParts::Message | ShownParts::Both) | (None, ShownParts::Difference) => None,
    }
}

fn and_others(first: String, others: usize) -> String {
    match others {
        0 => first,
        _ => format!("{first}; {others} more {}", plural(others, "difference", "differences")),
    }
}

fn json_change(change: &JsonChange) -> String {
    let path = short_path(&change.path);
    let value = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(|| String::from("nothing"), |value| value_line(value, VALUE))
    };
    match change.kind {
        ChangeKind::Changed => match change.text.as_ref().filter(|_| is_long(change)).and_then(text_change) {
            Some(difference) => format!("{path}: {difference}"),
            None => format!("{path}: expected {}, found {}", value(&change.expected), value(&change.actual)),
        },
        ChangeKind::Removed => format!("{path} is missing: expected {}", value(&change.expected)),
        ChangeKind::Added => format!("{path} is not expected: found {}", value(&change.actual)),
        ChangeKind::Moved => {
            format!("{path} was at {}", short_path(change.from.as_deref().unwrap_or("elsewhere")))
        }
    }
}

/// True where a value would be cut, and the difference perhaps with it.
fn is_long(change: &JsonChange) -> bool {
    [&change.expected, &change.actual].into_iter().flatten().any(|value| value.to_string().len() > VALUE)
}

/// The first line that differs, as it should be and as it is.
fn text_change(diff: &TextDiff) -> Option<String> {
    let line = |side: LineSide| diff.lines.iter().find(|line| line.side == side).map(text_of);
    let first = match (line(LineSide::Expected), line(LineSide::Actual)) {
        (Some(expected), Some(actual)) => format!("expected {expected}, found {actual}"),
        (Some(expected), None) => format!("{expected} is missing"),
        (None, Some(actual)) => format!("{actual} is not expected"),
        (None, None) => return None,
    };
    let count = |side: LineSide| diff.lines.iter().filter(|line| line.side == side).count();
    Some(and_others(first, count(LineSide::Expected).max(count(LineSide::Actual)) - 1))
}

/// The line in quotes, from shortly before its first changed word on.
fn text_of(line: &DiffLine) -> String {
    let text: String = line.pieces.iter().map(|piece| piece.text.as_str()).collect();
    let same: usize =
        line.pieces.iter().take_while(|piece| !piece.changed).map(|piece| piece.text.len()).sum();
    if text.chars().count() <= VALUE || same == 0 {
        return one_line(&serde_json::Value::from(text).to_string(), VALUE);
    }
    let before: Vec<(usize, char)> = text[..same].char_indices().rev().take(VALUE / 3).collect();
    let start = before.last().map_or(0, |(start, _)| *start);
    let cut = if start > 0 { "…" } else { "" };
    format!("{cut}{}", one_line(&serde_json::Value::from(&text[start..]).to_string(), VALUE))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::journal::sample;

    fn told(expected: Value, actual: Value) -> String {
        let attempt =
            sample::attempt(0, Verdict::Failed, vec![sample::broken("$ equals …", expected, actual)]);
        attempt_headline(&attempt)
    }

    #[test]
    fn the_change_is_in_the_headline_however_long_the_values_are() {
        let long = |word: &str| format!("{} a {word} is due {}", "before ".repeat(100), "after ".repeat(100));
        let text = told(json!(long("refund")), json!(long("voucher")));
        assert!(text.contains("a refund is due") && text.contains("a voucher is due"), "{text}");
        let text = told(json!({ "a": { "b": long("refund") } }), json!({ "a": { "b": long("voucher") } }));
        assert!(text.contains("$.a.b: ") && text.contains("voucher"), "{text}");
    }

    #[test]
    fn the_first_change_is_told_and_the_others_are_counted() {
        let text = told(json!({ "a": 1, "b": [1], "c": 3 }), json!({ "a": 2, "b": [1, 2] }));
        assert_eq!(text, "$ equals …: $.a: expected 1, found 2; 2 more differences");
        assert_eq!(told(json!({ "c": 3 }), json!({})), "$ equals …: $.c is missing: expected 3");
        assert_eq!(told(json!([1]), json!([1, 2])), "$ equals …: $[1] is not expected: found 2");
        assert_eq!(told(json!("a\nb\n"), json!("a\nc\n")), "$ equals …: expected \"b\", found \"c\"");
        assert_eq!(
            told(json!("a\n"), json!("a\nx\ny\n")),
            "$ equals …: \"x\" is not expected; 1 more difference"
        );
    }
}
