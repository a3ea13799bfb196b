//! The end of a run on the terminal: each failure so that the change is seen at once, alike errors once, one line of totals.

use std::collections::HashMap;
use std::path::Path;

use crate::base::units::{format_count, format_duration};
use crate::journal::{CaseRecord, JournalError, RunRecord};
use crate::outcome::Cause;
use crate::report::explain::{Bounds, Which};
use crate::report::facts::explain_attempt;
use crate::report::junit::MOCK_NOTE;
use crate::report::terminal::{Detail, Screen, case_line, duration};
use crate::report::text::{Lines, Text, Tone, one_line, visible};
use crate::verdict::Verdict;

/// Failures shown in full.
const FULL: u32 = 20;
/// Failures named after that.
const NAMED: usize = 30;
/// Different causes that are counted; more of them are shown one by one.
const CAUSES: usize = 1_000;

/// What the command knows besides the record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Closing<'a> {
    /// Where the reports are.
    pub reports: Option<&'a Path>,
    /// The gate that decided: "exit 100: a test failed".
    pub gate: Option<&'a str>,
}

/// The tests that met one cause.
#[derive(Debug, Default)]
struct Group {
    count: u32,
    names: Vec<String>,
}

/// Renders failures and totals.
pub(crate) fn render_summary(
    record: &RunRecord,
    screen: Screen,
    closing: &Closing<'_>,
) -> Result<String, JournalError> {
    let mut text = Text::new(screen.ink);
    let groups = group_errors(record)?;
    failures(&mut text, record, screen, &groups)?;
    for damage in &record.damage {
        let line = format!("warning: line {} of {} {}", damage.line, record.path().display(), damage.reason);
        text.tone(Tone::Doubt, &visible(&line, Lines::One)).end();
    }
    totals(&mut text, record);
    if record.totals.red() > 0
        && let Some(reports) = closing.reports
    {
        text.push("reports: ").push(&visible(&reports.display().to_string(), Lines::One)).end();
    }
    if record.start.mock {
        text.tone(Tone::Doubt, MOCK_NOTE).end();
    }
    if let Some(gate) = closing.gate {
        text.tone(Tone::Strong, gate).end();
    }
    Ok(text.out)
}

/// Counts the causes of errored tests, so that one met often is told once.
fn group_errors(record: &RunRecord) -> Result<HashMap<String, Group>, JournalError> {
    let mut groups: HashMap<String, Group> = HashMap::new();
    if record.totals.errored < 2 {
        return Ok(groups);
    }
    for case in record.failures() {
        let case = case?;
        let Some(key) = cause_of(&case).map(cause_key) else { continue };
        if groups.len() >= CAUSES && !groups.contains_key(&key) {
            continue;
        }
        let group = groups.entry(key).or_default();
        group.count += 1;
        if group.names.len() < 3 {
            group.names.push(case.outcome.name);
        }
    }
    groups.retain(|_, group| group.count > 1);
    Ok(groups)
}

/// Why an errored test has nothing to judge; none where it was judged in part.
fn cause_of(case: &CaseRecord) -> Option<&Cause> {
    match case.outcome.verdict {
        Verdict::Errored => case.deciding()?.cause.as_ref(),
        Verdict::Passed | Verdict::Failed | Verdict::Inconclusive | Verdict::Flaky | Verdict::Skipped => None,
    }
}

fn cause_key(cause: &Cause) -> String {
    format!("{}\n{}", cause.message, cause.hint.as_deref().unwrap_or_default())
}

/// Writes the red cases in plan order: the first in full, alike errors as one, the rest by name.
fn failures(
    text: &mut Text,
    record: &RunRecord,
    screen: Screen,
    groups: &HashMap<String, Group>,
) -> Result<(), JournalError> {
    let mut told: Vec<String> = Vec::new();
    let (mut full, mut rest, mut names) = (0, 0_u32, Vec::new());
    for case in record.failures() {
        let case = case?;
        let key = cause_of(&case).map(cause_key).filter(|key| groups.contains_key(key));
        if let Some(key) = &key
            && told.contains(key)
        {
            continue;
        }
        if full < FULL {
            full += 1;
            match key {
                Some(key) => group(text, &case, &groups[&key]),
                None => failure(text, &case, screen.detail),
            }
            told.extend(cause_of(&case).map(cause_key));
        } else {
            rest += 1;
            if names.len() < NAMED {
                names.push(case.outcome);
            }
        }
    }
    if rest > 0 {
        text.tone(Tone::Strong, &format!("{} more tests are red:", format_count(u64::from(rest)))).end();
        for outcome in &names {
            case_line(text, outcome, None);
        }
        if rest as usize > names.len() {
            let left = format_count(u64::from(rest) - names.len() as u64);
            text.push("… and ").push(&left).push(" more, all in the reports").end();
        }
        text.end();
    }
    Ok(())
}

fn failure(text: &mut Text, case: &CaseRecord, detail: Detail) {
    let which = match detail {
        Detail::Quiet | Detail::Normal => Which::NotHeld,
        Detail::Verbose => Which::All,
    };
    text.end();
    case_line(text, &case.outcome, case.tokens());
    match case.deciding() {
        Some(attempt) => {
            let place = visible(&case.outcome.place.to_string(), Lines::One).into_owned();
            if attempt.findings.is_empty() {
                text.push("  ").tone(Tone::Strong, &place).end();
            }
            explain_attempt(text, attempt, which, Bounds::SCREEN);
        }
        None => {
            let place = visible(&case.outcome.place.to_string(), Lines::One).into_owned();
            text.push("  ").tone(Tone::Strong, &place).push("  nothing was judged").end();
        }
    }
}

/// Writes a cause that several tests met, with some of their names.
fn group(text: &mut Text, case: &CaseRecord, group: &Group) {
    let Some(attempt) = case.deciding() else { return };
    text.end();
    let count = format_count(u64::from(group.count));
    text.tone(Tone::Bad, &format!("! errored {count} tests, all for one cause")).end();
    explain_attempt(text, attempt, Which::NotHeld, Bounds::SCREEN);
    let names: Vec<String> = group.names.iter().map(|name| one_line(name, 120)).collect();
    text.push("  tests   ").push(&names.join(", "));
    let left = u64::from(group.count).saturating_sub(names.len() as u64);
    if left > 0 {
        text.push(&format!(" and {} more", format_count(left)));
    }
    text.end();
}

/// `12 tests: 10 passed, 1 failed, 1 errored in 1.2 s · 4,210 tokens · 0.0123 USD`.
fn totals(text: &mut Text, record: &RunRecord) {
    let totals = &record.totals;
    let tests = totals.cases() + record.unfinished();
    text.end().push(&format!(
        "{} {}: ",
        format_count(u64::from(tests)),
        if tests == 1 { "test" } else { "tests" }
    ));
    let counts = [
        (totals.passed, "passed", Tone::Good),
        (totals.failed, "failed", Tone::Bad),
        (totals.errored, "errored", Tone::Bad),
        (totals.inconclusive, "inconclusive", Tone::Doubt),
        (totals.flaky, "flaky", Tone::Doubt),
        (totals.skipped, "skipped", Tone::Faint),
        (record.unfinished(), "not finished", Tone::Bad),
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
    if totals.tokens > 0 {
        let more = if totals.tokens_unknown > 0 { " or more" } else { "" };
        text.push(&format!(" · {} tokens{more}", format_count(totals.tokens)));
    }
    for (currency, amount) in &totals.cost {
        text.push(&format!(" · {} {}", amount.normalize(), one_line(currency, 10)));
    }
    if totals.warnings > 0 {
        let plural = if totals.warnings == 1 { "" } else { "s" };
        text.tone(Tone::Doubt, &format!(" · {} warning{plural}", format_count(u64::from(totals.warnings))));
    }
    text.end();
    ending(text, record);
}

fn ending(text: &mut Text, record: &RunRecord) {
    match &record.end {
        None => {
            text.tone(Tone::Bad, "the run was killed or still goes on: this is what had finished").end();
        }
        Some(end) => {
            if end.interrupted {
                text.tone(Tone::Bad, "interrupted: what had not finished was not judged").end();
            }
            if let Some(reason) = &end.stopped_early {
                text.tone(Tone::Doubt, &format!("stopped early: {}", one_line(reason, 400))).end();
            }
        }
    }
    if record.start.deselected > 0 {
        let left = format!("{} tests were filtered out", format_count(u64::from(record.start.deselected)));
        text.tone(Tone::Faint, &left).end();
    }
}
