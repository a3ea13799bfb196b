//! The end of a run on the terminal: each failure with its difference, equal errors once, one line of totals.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::base::plural::{counted, plural};
use crate::base::units::{format_count, format_duration};
use crate::record::attempt::{Attempt, CaseOutcome, UsageTotals};
use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::record::thresholds::ThresholdGates;
use crate::record::verdict::Verdict;
use crate::report::explain::{ExcerptLimits, ExplainedFindings};
use crate::report::facts::{beyond_cause, explain_attempt};
use crate::report::gates::push_gates;
use crate::report::provenance;
use crate::report::run_facts::push_run_facts;
use crate::report::spent::{usage_texts, used};
use crate::report::terminal::cause_group::{CauseGroup, group_errors, key_of};
use crate::report::terminal::line::{case_line, duration};
use crate::report::terminal::screen::{ScreenOptions, Verbosity};
use crate::report::text::{ColorUse, LineEnds, ReportText, TextTone, one_line, visible};

/// Failures shown in full.
const FULL: u32 = 20;
/// Failures named after that.
const NAMED: usize = 30;

/// What the command knows besides the record.
#[derive(Debug, Clone)]
pub(crate) struct SummaryContext {
    /// The exit code.
    pub code: u8,
    /// The gate that decided it: "a test failed".
    pub reason: String,
    /// The thresholds of the suites.
    pub gates: ThresholdGates,
    /// Where the reports are.
    pub reports: PathBuf,
}

/// Renders failures and totals.
pub(crate) fn render_summary(
    record: &RunRecord,
    screen: ScreenOptions,
    ending: &SummaryContext,
) -> Result<String, JournalError> {
    let mut text = ReportText::new(screen.ink);
    let groups = group_errors(record)?;
    failures(&mut text, record, screen, &groups)?;
    tolerated(&mut text, record)?;
    for damage in record.damage_told() {
        text.tone(TextTone::Doubt, &visible(&format!("warning: {damage}"), LineEnds::One)).end();
    }
    totals(&mut text, record);
    push_run_facts(&mut text, record)?;
    push_gates(&mut text, &ending.gates, screen.detail);
    push_ending(&mut text, record);
    if record.totals.red() > 0 || record.unfinished() > 0 {
        text.push("reports: ").push(&visible(&ending.reports.display().to_string(), LineEnds::One)).end();
    }
    if let Some(note) = provenance::note(&record.start, &record.totals) {
        text.tone(TextTone::Doubt, &note).end();
    }
    if ending.code != 0 {
        text.tone(TextTone::Strong, &format!("exit {}: {}", ending.code, one_line(&ending.reason, 500)))
            .end();
    }
    Ok(text.out)
}

/// Writes the red cases in plan order: the first in full, equal errors together, the rest by name.
fn failures(
    text: &mut ReportText,
    record: &RunRecord,
    screen: ScreenOptions,
    groups: &HashMap<String, CauseGroup>,
) -> Result<(), JournalError> {
    let mut shown: Vec<String> = Vec::new();
    let (mut full, mut rest, mut names) = (0, 0_u32, Vec::new());
    for case in record.failures() {
        let case = case?;
        let key = key_of(&case).filter(|key| groups.contains_key(key));
        if let Some(key) = &key
            && shown.contains(key)
        {
            continue;
        }
        if full < FULL {
            full += 1;
            match key {
                Some(key) => group(text, &groups[&key]),
                None => failure(text, &case, screen.detail),
            }
            shown.extend(key_of(&case));
        } else {
            rest += 1;
            if names.len() < NAMED {
                names.push(case.outcome);
            }
        }
    }
    if rest > 0 {
        text.tone(
            TextTone::Strong,
            &format!("{} more {} red:", format_count(u64::from(rest)), plural(rest, "test is", "tests are")),
        )
        .end();
        for outcome in &names {
            case_line(text, outcome, &UsageTotals::default());
        }
        if rest as usize > names.len() {
            let left = format_count(u64::from(rest) - names.len() as u64);
            text.push("… and ").push(&left).push(" more, all in the reports").end();
        }
        text.end();
    }
    Ok(())
}

/// Names the tests whose repeats did not decide, where the suite takes that as a warning.
fn tolerated(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    if record.totals.tolerated == 0 {
        return Ok(());
    }
    text.end().tone(TextTone::Doubt, "not decided, which is a warning:").end();
    let wanted = [Verdict::Inconclusive];
    let cases =
        record.cases_with(&wanted).filter(|case| case.as_ref().map_or(true, |case| case.outcome.tolerated));
    for case in cases.take(NAMED) {
        case_line(text, &case?.outcome, &UsageTotals::default());
    }
    let left = (record.totals.tolerated as usize).saturating_sub(NAMED);
    if left > 0 {
        text.push(&format!("… and {} more, all in the reports", format_count(left as u64))).end();
    }
    Ok(())
}

/// Explains one red test without colour, for a harness that prints it itself.
pub(crate) fn failure_text(outcome: &CaseOutcome, attempt: Option<&Attempt>) -> String {
    let mut text = ReportText::new(ColorUse::Plain);
    let mut used = UsageTotals::default();
    // The fold reports a price that is not a number.
    let _ = attempt.map_or(Ok(()), |attempt| used.add(&attempt.facts.used()));
    case_line(&mut text, outcome, &used);
    explain(&mut text, outcome, attempt, ExplainedFindings::NotHeld);
    text.out
}

fn failure(text: &mut ReportText, case: &CaseRecord, detail: Verbosity) {
    let which = match detail {
        Verbosity::Quiet | Verbosity::Normal => ExplainedFindings::NotHeld,
        Verbosity::Verbose => ExplainedFindings::All,
    };
    text.end();
    case_line(text, &case.outcome, &used(case));
    explain(text, &case.outcome, case.deciding(), which);
}

fn explain(
    text: &mut ReportText,
    outcome: &CaseOutcome,
    attempt: Option<&Attempt>,
    which: ExplainedFindings,
) {
    if attempt.is_none_or(|attempt| beyond_cause(attempt).is_empty()) {
        text.push("  ").tone(TextTone::Strong, &visible(&outcome.place.to_string(), LineEnds::One)).end();
    }
    match attempt {
        Some(attempt) => explain_attempt(text, attempt, which, ExcerptLimits::SCREEN),
        None => {
            text.push("  nothing was judged").end();
        }
    }
}

/// Writes a cause that several tests met, with some of their names.
fn group(text: &mut ReportText, group: &CauseGroup) {
    text.end();
    let count = format_count(u64::from(group.count));
    text.tone(TextTone::Bad, &format!("! errored {count} tests, all for one cause")).end();
    match (group.example.deciding(), &group.example.outcome.reason) {
        (Some(attempt), _) => {
            explain_attempt(text, attempt, ExplainedFindings::NotHeld, ExcerptLimits::SCREEN)
        }
        (None, Some(reason)) => {
            text.push("  ").push(&one_line(reason, ExcerptLimits::SCREEN.width)).end();
        }
        (None, None) => {}
    }
    if group.unsent > 0 && group.unsent < group.count {
        let unsent = format_count(u64::from(group.unsent));
        text.push(&format!("  {unsent} of them were not sent, since they would have met it again")).end();
    }
    let names: Vec<String> = group.names.iter().map(|name| one_line(name, 120)).collect();
    text.push("  tests   ").push(&names.join(", "));
    let left = u64::from(group.count).saturating_sub(names.len() as u64);
    if left > 0 {
        text.push(&format!(" and {} more", format_count(left)));
    }
    text.end();
}

/// `12 tests: 10 passed, 1 failed, 1 errored in 1.2 s · 4,210 tokens · 0.0123 USD`.
fn totals(text: &mut ReportText, record: &RunRecord) {
    let totals = &record.totals;
    let tests = totals.cases() + record.unfinished();
    text.end().push(&format!("{}: ", counted(tests, "test")));
    let counts = [
        (totals.passed, "passed", TextTone::Good),
        (totals.failed, "failed", TextTone::Bad),
        (totals.errored, "errored", TextTone::Bad),
        (totals.undecided(), "inconclusive", TextTone::Doubt),
        (totals.tolerated, "inconclusive (a warning)", TextTone::Doubt),
        (totals.flaky, "flaky", TextTone::Doubt),
        (totals.skipped, "skipped", TextTone::Faint),
        (record.unfinished(), "not finished", TextTone::Bad),
    ];
    let shown = counts.iter().filter(|(count, _, _)| *count > 0);
    for (place, (count, word, tone)) in shown.enumerate() {
        text.push(if place > 0 { ", " } else { "" });
        text.tone(*tone, &format!("{} {word}", format_count(u64::from(*count))));
    }
    if tests == 0 {
        text.push("none ran");
    }
    if let Some(end) = &record.end {
        text.push(&format!(" in {}", format_duration(duration(end.duration_ms))));
    }
    for usage in usage_texts(record) {
        text.push(&format!(" · {usage}"));
    }
    if totals.warnings > 0 {
        let warnings = counted(totals.warnings, "warning");
        text.tone(TextTone::Doubt, &format!(" · {warnings}"));
    }
    text.end();
}

fn push_ending(text: &mut ReportText, record: &RunRecord) {
    match &record.end {
        None => {
            text.tone(TextTone::Bad, "killed, not recorded, or still running: only finished tests are shown")
                .end();
        }
        Some(end) => {
            if end.interrupted {
                text.tone(TextTone::Bad, "interrupted: unfinished tests were not judged").end();
            }
            if let Some(reason) = &end.stopped_early {
                text.tone(TextTone::Doubt, &one_line(reason, 400)).end();
            }
            let accounted_for = end.interrupted || end.stopped_early.is_some();
            if record.unfinished() > 0 && !accounted_for {
                text.tone(TextTone::Bad, "records are missing: these tests have no verdict").end();
            }
        }
    }
    if !record.is_complete() {
        let run = one_line(&record.start.run, 80);
        text.tone(TextTone::Faint, &format!("to continue: flowproof run --resume {run}")).end();
    }
    if record.start.deselected > 0 {
        let out = record.start.deselected;
        let tests = counted(out, "test");
        let left = format!("{tests} {} filtered out", plural(out, "was", "were"));
        text.tone(TextTone::Faint, &left).end();
    }
}
