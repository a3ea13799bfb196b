//! The end of a run on the terminal: each failure so that the change is seen at once, alike errors once, one line of totals.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::base::units::{format_count, format_duration};
use crate::gate::Gates;
use crate::journal::{CaseRecord, JournalError, RunRecord};
use crate::outcome::{Attempt, CaseOutcome, Cause, UseSum};
use crate::report::explain::{Bounds, Which};
use crate::report::facts::{beyond_cause, explain_attempt};
use crate::report::gates::tell_gates;
use crate::report::provenance;
use crate::report::run_facts::tell_run;
use crate::report::spent::{told_use, used};
use crate::report::terminal::undecided::tolerated;
use crate::report::terminal::{Detail, Screen, case_line, duration};
use crate::report::text::{Ink, Lines, Text, Tone, one_line, visible};
use crate::verdict::Verdict;

/// Failures shown in full.
const FULL: u32 = 20;
/// Failures named after that.
pub(super) const NAMED: usize = 30;
/// Different causes that are counted; more of them are shown one by one.
const CAUSES: usize = 1_000;

/// What the command knows besides the record.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// The exit code.
    pub code: u8,
    /// The gate that decided it: "a test failed".
    pub reason: String,
    /// The thresholds of the suites.
    pub gates: Gates,
    /// Where the reports are.
    pub reports: PathBuf,
}

/// The tests that met one cause.
#[derive(Debug)]
struct Group {
    count: u32,
    /// Those of them that were not sent, since others had met it.
    unsent: u32,
    names: Vec<String>,
    /// The first that was sent, else the first.
    told: CaseRecord,
}

impl Group {
    fn new(told: CaseRecord) -> Self {
        Self { count: 0, unsent: 0, names: Vec::new(), told }
    }

    fn add(&mut self, case: CaseRecord) {
        self.count += 1;
        self.unsent += u32::from(case.attempts.is_empty());
        if self.names.len() < 3 {
            self.names.push(case.outcome.name.clone());
        }
        if self.told.attempts.is_empty() && !case.attempts.is_empty() {
            self.told = case;
        }
    }
}

/// Renders failures and totals.
pub(crate) fn render_summary(
    record: &RunRecord,
    screen: Screen,
    ending: &Ending,
) -> Result<String, JournalError> {
    let mut text = Text::new(screen.ink);
    let groups = group_errors(record)?;
    failures(&mut text, record, screen, &groups)?;
    tolerated(&mut text, record)?;
    for damage in record.damage_told() {
        text.tone(Tone::Doubt, &visible(&format!("warning: {damage}"), Lines::One)).end();
    }
    totals(&mut text, record);
    tell_run(&mut text, record)?;
    tell_gates(&mut text, &ending.gates, screen.detail);
    how_it_ended(&mut text, record);
    if record.totals.red() > 0 || record.unfinished() > 0 {
        text.push("reports: ").push(&visible(&ending.reports.display().to_string(), Lines::One)).end();
    }
    if let Some(note) = provenance::note(&record.start, &record.totals) {
        text.tone(Tone::Doubt, &note).end();
    }
    if ending.code != 0 {
        text.tone(Tone::Strong, &format!("exit {}: {}", ending.code, one_line(&ending.reason, 500))).end();
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
        let Some(key) = key_of(&case) else { continue };
        if groups.len() >= CAUSES && !groups.contains_key(&key) {
            continue;
        }
        groups.entry(key).or_insert_with(|| Group::new(case.clone())).add(case);
    }
    groups.retain(|_, group| group.count > 1);
    Ok(groups)
}

/// What errored tests that met one cause have in common; none where a test was judged in part.
fn key_of(case: &CaseRecord) -> Option<String> {
    match case.outcome.verdict {
        Verdict::Errored => match case.deciding() {
            Some(attempt) => attempt.cause.as_ref().map(|cause| cause.message.clone()),
            None => case
                .outcome
                .reason
                .as_deref()
                .map(|reason| Cause::met_before(reason).unwrap_or(reason).to_owned()),
        },
        Verdict::Passed | Verdict::Failed | Verdict::Inconclusive | Verdict::Flaky | Verdict::Skipped => None,
    }
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
        let key = key_of(&case).filter(|key| groups.contains_key(key));
        if let Some(key) = &key
            && told.contains(key)
        {
            continue;
        }
        if full < FULL {
            full += 1;
            match key {
                Some(key) => group(text, &groups[&key]),
                None => failure(text, &case, screen.detail),
            }
            told.extend(key_of(&case));
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
            case_line(text, outcome, &UseSum::default());
        }
        if rest as usize > names.len() {
            let left = format_count(u64::from(rest) - names.len() as u64);
            text.push("… and ").push(&left).push(" more, all in the reports").end();
        }
        text.end();
    }
    Ok(())
}

/// Explains one red test without colour, for a harness that prints it itself.
pub(crate) fn failure_text(outcome: &CaseOutcome, attempt: Option<&Attempt>) -> String {
    let mut text = Text::new(Ink::Plain);
    let mut used = UseSum::default();
    // A price that is no number is told with the run, by the fold.
    let _ = attempt.map_or(Ok(()), |attempt| used.add(&attempt.facts.used()));
    case_line(&mut text, outcome, &used);
    explain(&mut text, outcome, attempt, Which::NotHeld);
    text.out
}

fn failure(text: &mut Text, case: &CaseRecord, detail: Detail) {
    let which = match detail {
        Detail::Quiet | Detail::Normal => Which::NotHeld,
        Detail::Verbose => Which::All,
    };
    text.end();
    case_line(text, &case.outcome, &used(case));
    explain(text, &case.outcome, case.deciding(), which);
}

fn explain(text: &mut Text, outcome: &CaseOutcome, attempt: Option<&Attempt>, which: Which) {
    if attempt.is_none_or(|attempt| beyond_cause(attempt).is_empty()) {
        text.push("  ").tone(Tone::Strong, &visible(&outcome.place.to_string(), Lines::One)).end();
    }
    match attempt {
        Some(attempt) => explain_attempt(text, attempt, which, Bounds::SCREEN),
        None => {
            text.push("  nothing was judged").end();
        }
    }
}

/// Writes a cause that several tests met, with some of their names.
fn group(text: &mut Text, group: &Group) {
    text.end();
    let count = format_count(u64::from(group.count));
    text.tone(Tone::Bad, &format!("! errored {count} tests, all for one cause")).end();
    match (group.told.deciding(), &group.told.outcome.reason) {
        (Some(attempt), _) => explain_attempt(text, attempt, Which::NotHeld, Bounds::SCREEN),
        (None, Some(reason)) => {
            text.push("  ").push(&one_line(reason, Bounds::SCREEN.width)).end();
        }
        (None, None) => {}
    }
    if group.unsent > 0 && group.unsent < group.count {
        let unsent = format_count(u64::from(group.unsent));
        text.push(&format!("  {unsent} of them would only have met it again and were not sent")).end();
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
        (totals.undecided(), "inconclusive", Tone::Doubt),
        (totals.tolerated, "inconclusive (a warning)", Tone::Doubt),
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
    for told in told_use(record) {
        text.push(&format!(" · {told}"));
    }
    if totals.warnings > 0 {
        let plural = if totals.warnings == 1 { "" } else { "s" };
        text.tone(Tone::Doubt, &format!(" · {} warning{plural}", format_count(u64::from(totals.warnings))));
    }
    text.end();
}

fn how_it_ended(text: &mut Text, record: &RunRecord) {
    match &record.end {
        None => {
            text.tone(Tone::Bad, "killed, not recorded, or still going on: this is what had finished").end();
        }
        Some(end) => {
            if end.interrupted {
                text.tone(Tone::Bad, "interrupted: what had not finished was not judged").end();
            }
            if let Some(reason) = &end.stopped_early {
                text.tone(Tone::Doubt, &one_line(reason, 400)).end();
            }
            let accounted_for = end.interrupted || end.stopped_early.is_some();
            if record.unfinished() > 0 && !accounted_for {
                text.tone(Tone::Bad, "records are missing: these tests have no verdict").end();
            }
        }
    }
    if !record.is_complete() {
        let run = one_line(&record.start.run, 80);
        text.tone(Tone::Faint, &format!("to go on: flowproof run --resume {run}")).end();
    }
    if record.start.deselected > 0 {
        let left = format!("{} tests were filtered out", format_count(u64::from(record.start.deselected)));
        text.tone(Tone::Faint, &left).end();
    }
}
