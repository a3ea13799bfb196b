//! The two sides of a comparison in words: what ran, warnings, and how the sides differ as a whole.

use std::collections::BTreeSet;

use crate::base::plural::counted;
use crate::base::units::{format_count, format_duration};
use crate::record::compare::{CaseRow, RunComparison};
use crate::record::event::FIELDS_WATCHED;
use crate::record::journal::RunRecord;
use crate::report::compare::words::{chance, measure};
use crate::report::provenance;
use crate::report::text::one_line;

/// `staging, version wf-1 (Dify 1.14.2), run 2026…: 12 tests, 36 attempts`.
pub(super) fn side(record: &RunRecord) -> String {
    let start = &record.start;
    let mut text = one_line(&start.target, 80);
    let ran = || record.end.iter().flat_map(|end| &end.versions);
    let versions: BTreeSet<&str> = ran().filter_map(|ran| ran.workflow_id.as_deref()).collect();
    let difys: BTreeSet<&str> = ran().filter_map(|ran| ran.dify_version.as_deref()).collect();
    match versions.len() {
        0 => {}
        1 => {
            versions.iter().for_each(|version| text.push_str(&format!(", version {}", one_line(version, 60))))
        }
        many => text.push_str(&format!(", {many} versions")),
    }
    for dify in difys.iter().take(3) {
        text.push_str(&format!(", Dify {}", one_line(dify, 20)));
    }
    let totals = &record.totals;
    let (tests, attempts) = (totals.cases() + record.unfinished(), totals.attempts);
    text.push_str(&format!(
        ", run {}: {}, {}",
        one_line(&start.run, 60),
        counted(tests, "test"),
        counted(attempts, "attempt")
    ));
    text
}

/// Warnings about the sides: no live workflow, incomplete records, tests without a verdict.
pub(super) fn warnings(compared: &RunComparison<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, record) in [("A", compared.a), ("B", compared.b)] {
        if let Some(note) = provenance::note(&record.start, &record.totals) {
            notes.push(format!("{name} ran {note}"));
        }
        if record.end.is_none() {
            notes.push(format!("{name} was killed or is still running: only finished tests are compared"));
        } else if record.end.as_ref().is_some_and(|end| end.interrupted) {
            notes.push(format!("{name} was interrupted: only finished tests are compared"));
        } else if record.unfinished() > 0 {
            let unfinished = record.unfinished() as usize;
            notes.push(format!("{name} has {} without a verdict", counted(unfinished, "test")));
        }
        if record.has_losses() {
            notes.push(format!("{name} has lines in its journal that cannot be read: facts are lost"));
        }
    }
    let mut rewritten = compared.rows.iter().filter(|row| row.rewritten);
    if let Some(first) = rewritten.next() {
        let count = counted(1 + rewritten.count(), "test");
        let name = one_line(&first.name, 120);
        notes.push(format!(
            "{count} with other inputs, assertions or repeats on B than on A, such as `{name}`: a difference may come from the suite"
        ));
    }
    if compared.same_run() {
        notes.push(String::from("A and B are the same run: nothing can differ"));
    }
    notes
}

/// A change of the way through the graph in words, and whether a test shows it.
type PathChangeText = (&'static str, fn(&CaseRow) -> bool);

/// What else differs: the way through the graph, and what Dify itself sends.
pub(super) fn remarks(compared: &RunComparison<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let ways: [PathChangeText; 3] = [
        ("ran other nodes", |row| row.way.one_sided > 0),
        ("ran nodes in another order", |row| row.way.reordered > 0),
        ("ran nodes at the same time on one side only", |row| row.way.regrouped > 0),
    ];
    for (what, is) in ways {
        let mut rows = compared.rows.iter().filter(|row| is(row));
        if let Some(first) = rows.next() {
            let count = 1 + rows.count();
            notes.push(format!(
                "{} {what}, such as `{}`",
                counted(count, "test"),
                one_line(&first.name, 120)
            ));
        }
    }
    notes.extend(fields(compared));
    notes.extend(dependence(compared));
    notes
}

/// Doubts about the assumptions of the statistics: that repeats are independent, and that both sides run at the same time.
fn dependence(compared: &RunComparison<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(apart) = compared.apart().filter(|_| !compared.same_run()) {
        notes.push(format!(
            "B did not run next to A: {} lay between them; load, time of day or a model that changed behind its name look like a \
             change here, which no statistic of finished runs can rule out: name two targets to run both sides next to each other",
            format_duration(apart)
        ));
    }
    for ((name, record), answers) in [("A", compared.a), ("B", compared.b)].into_iter().zip(&compared.answers)
    {
        if answers.constant > 0 && !record.start.mock {
            notes.push(format!(
                "{name} answered {} of {} with the same words in every repeat (a cache, or a model that leaves nothing to \
                 chance): such repeats prove no more than one",
                format_count(answers.constant as u64),
                counted(answers.repeated, "test")
            ));
        }
        if let Some(p) = answers.sticks {
            notes.push(format!(
                "answers of {name} depend on the ones before them ({}), as with a cache: repeats are assumed to be independent, so \
                 what is called significant may not be",
                chance(p)
            ));
        }
    }
    for change in compared.changes.iter().filter_map(|change| Some((change, change.sticks?))) {
        let (change, p) = change;
        notes.push(format!(
            "{}: differences depend on the ones before them in time ({}), so its interval is too narrow",
            measure(change.metric),
            chance(p)
        ));
    }
    notes
}

/// The fields that only one side's events have, of the events that both sides sent.
fn fields(compared: &RunComparison<'_>) -> Vec<String> {
    let of = |record: &RunRecord| -> Vec<String> {
        record.end.as_ref().map(|end| end.fields.clone()).unwrap_or_default()
    };
    let (a, b) = (of(compared.a), of(compared.b));
    let is_sample = [compared.a, compared.b].iter().any(|record| record.totals.attempts > FIELDS_WATCHED);
    // A record of an older flowproof, or of a run without answers, has no fields.
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let sends = |fields: &[String], event: &str| fields.iter().any(|field| event_of(field) == event);
    let only = |name: &str, one: &[String], other: &[String]| {
        // Nothing is known of an event that the other side never sent, such as a lost or a rare one.
        let is_alone = |field: &&String| !other.contains(field) && sends(other, event_of(field));
        let alone: Vec<String> = one.iter().filter(is_alone).map(|field| one_line(field, 80)).collect();
        let left = alone.len().saturating_sub(FIELDS);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        let shown = alone.iter().take(FIELDS).cloned().collect::<Vec<_>>().join(", ");
        let scope = if is_sample {
            format!(", in the first {FIELDS_WATCHED} attempts of each side")
        } else {
            String::new()
        };
        (!alone.is_empty()).then(|| format!("only Dify of {name} sends {shown}{more}{scope}"))
    };
    only("A", &a, &b).into_iter().chain(only("B", &b, &a)).collect()
}

/// The event of `event.field`.
fn event_of(field: &str) -> &str {
    field.split_once('.').map_or(field, |(event, _)| event)
}

/// Fields of one side that are named.
const FIELDS: usize = 12;
