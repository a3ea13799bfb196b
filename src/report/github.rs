//! Annotations for GitHub Actions: one line for each red test, shown at the assertion's line in the change.

use std::fmt::Write;

use crate::base::origin::Place;
use crate::base::plural::plural;
use crate::base::visible::harmless;
use crate::record::attempt::Attempt;
use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::record::thresholds::{self, RunConclusion};
use crate::record::verdict::{Finding, Severity, Truth, Verdict};
use crate::report::gates::gate_line;
use crate::report::headline::headline;
use crate::report::text::{LineEnds, visible};

/// GitHub shows at most ten errors per step and cuts the rest, so the last annotation counts the others.
const MOST: usize = 10;

/// Renders the annotations; a record that cannot be read becomes an annotation that says so.
pub(crate) fn annotations(record: &RunRecord) -> String {
    let mut out = String::new();
    if let Err(error) = write_annotations(&mut out, record) {
        writeln!(out, "::error title=flowproof::{}", message(&error.to_string()))
            .expect("a String takes text");
    }
    out
}

fn write_annotations(out: &mut String, record: &RunRecord) -> Result<(), JournalError> {
    let red = record.totals.red() as usize;
    let shown = if red > MOST { MOST - 1 } else { MOST };
    for case in record.failures().take(shown) {
        annotation(out, &case?);
    }
    let gates = thresholds::judge(record)?;
    for gate in gates.judged.iter().filter(|gate| gate.is_red()).take(MOST) {
        let place = &gate.threshold.place;
        let (file, title) = (property(&place.file), property(&format!("{}::thresholds", gate.suite)));
        let text = message(&gate_line(gate));
        writeln!(out, "::error file={file},line={},col={},title={title}::{text}", place.line, place.column)
            .expect("a String takes text");
    }
    if let Some(beyond) = RunConclusion::of(record, &gates).beyond_tests(record) {
        writeln!(out, "::error title=flowproof::{}", message(&beyond)).expect("a String takes text");
    }
    if red > shown {
        let rest = red - shown;
        let tests = plural(rest, "test is", "tests are");
        writeln!(out, "::error title=flowproof::{rest} more {tests} red: see the summary")
            .expect("a String takes text");
    }
    Ok(())
}

fn annotation(out: &mut String, case: &CaseRecord) {
    let broken = case.deciding().and_then(deciding_finding);
    let place: &Place = broken.map_or(&case.outcome.place, |finding| &finding.place);
    let file = property(&place.file);
    let title = property(&format!("{} {}", case.outcome.name, case.outcome.verdict.word()));
    let position =
        if place.line > 0 { format!(",line={},col={}", place.line, place.column) } else { String::new() };
    let message = message(&headline(case));
    writeln!(out, "::error file={file}{position},title={title}::{message}").expect("a String takes text");
}

/// The first broken assertion; an undecided one only where no cause makes all of them so.
fn deciding_finding(attempt: &Attempt) -> Option<&Finding> {
    let wanted = |finding: &&Finding| match finding.truth {
        Truth::Broken => true,
        Truth::Undecided => attempt.verdict == Verdict::Errored && attempt.cause.is_none(),
        Truth::Held => false,
    };
    attempt.findings.iter().filter(|finding| finding.severity == Severity::Error).find(wanted).and_then(worst)
}

/// A broken assertion, in a group its first broken member.
fn worst(finding: &Finding) -> Option<&Finding> {
    match finding.truth {
        Truth::Broken | Truth::Undecided => Some(finding.members.iter().find_map(worst).unwrap_or(finding)),
        Truth::Held => None,
    }
}

/// Escapes a message as GitHub's toolkit does (`escapeData`); no command is left in it.
fn message(text: &str) -> String {
    let text = visible(text, LineEnds::Kept);
    harmless(&text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property as GitHub's toolkit does (`escapeProperty`).
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
