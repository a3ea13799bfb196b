//! What reports tell of a run as a whole besides its counts: which versions ran, how far the limit fell, what Dify is not known to send, and whose tokens are in doubt.

use crate::base::units::format_count;
use crate::record::event::{FallenLimit, RanVersion, RateAdherence};
use crate::record::journal::{JournalError, LeftRuns, RunRecord};
use crate::report::budget::{tell_budgets, told_budget};
use crate::report::facts::told_ms;
use crate::report::judges::tell_judges;
use crate::report::repeats::told_savings;
use crate::report::text::{ReportText, TextTone, one_line};

/// Versions that are told one by one on the terminal.
const VERSIONS: usize = 8;
/// Doubts that are told one by one on the terminal.
const DOUBTS: usize = 3;

/// Writes what the run as a whole came to, besides its counts.
pub(crate) fn tell_run(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    tell_versions(text, record);
    if let Some(left) = told_left(&record.totals.left) {
        text.tone(TextTone::Doubt, &left).end();
    }
    if let Some(limit) = record.end.as_ref().and_then(|end| end.limit) {
        text.tone(TextTone::Doubt, &told_limit(limit)).end();
    }
    for rate in record.end.iter().flat_map(|end| &end.rates) {
        let tone = if is_kept(rate) { TextTone::Faint } else { TextTone::Doubt };
        text.tone(tone, &told_rate(rate)).end();
    }
    tell_budgets(text, record);
    if let Some(saved) = told_savings(record.totals.saved) {
        text.tone(TextTone::Faint, &saved).end();
    }
    tell_contract(text, record)?;
    tell_judges(text, &record.totals.judges);
    tell_usage(text, record)
}

/// `runs given up: Dify was asked to stop 1; 1 has no task to stop: they may go on at Dify, and cost`; none where there are none.
pub(crate) fn told_left(left: &LeftRuns) -> Option<String> {
    if left.is_none() {
        return None;
    }
    let mut told = Vec::new();
    if left.asked > 0 {
        told.push(format!("Dify was asked to stop {}, where what had begun may go on", left.asked));
    }
    if left.failed > 0 {
        told.push(format!("for {} the request to stop failed, so that they may go on and cost", left.failed));
    }
    if left.not_stoppable > 0 {
        told.push(format!(
            "{} could not be stopped, as blocking runs and those that told no task, and may go on and cost",
            left.not_stoppable
        ));
    }
    if left.killed > 0 {
        told.push(format!(
            "{} were at work when the run was killed, and what they used is not known",
            left.killed
        ));
    }
    Some(format!("runs that were given up: {}", told.join("; ")))
}

/// What documents tell of a run as a whole: versions, the limit that fell, budgets, each under the name of its property.
pub(crate) fn told_run(record: &RunRecord) -> Vec<(&'static str, String)> {
    let left = told_left(&record.totals.left).map(|left| ("flowproof.left", left));
    let Some(end) = &record.end else { return left.into_iter().collect() };
    let versions = end.versions.iter().map(|ran| ("flowproof.ran", told_version(ran)));
    let limit = end.limit.map(|limit| ("flowproof.limit", told_limit(limit)));
    let budgets = end.budgets.iter().map(|budget| ("flowproof.budget", told_budget(budget)));
    let rates = end.rates.iter().map(|rate| ("flowproof.rate", told_rate(rate)));
    left.into_iter().chain(versions).chain(limit).chain(rates).chain(budgets).collect()
}

/// Writes in one line how answers differ from what Dify is known to send.
fn tell_contract(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    let notes = &record.watched.contract;
    let Some((case, first)) = notes.first() else { return Ok(()) };
    let name = name_of(record, *case)?;
    let differences = if notes.len() == 1 { "difference" } else { "differences" };
    let rest = if notes.len() > 1 { "; all of them in report.json" } else { "" };
    let line = format!(
        "contract: {} {differences} from Dify {} as it was recorded: {}, first in {}{rest}",
        notes.len(),
        one_line(&first.known, 20),
        one_line(&first.message, 300),
        one_line(&name, 120)
    );
    text.tone(TextTone::Doubt, &line).end();
    Ok(())
}

/// Writes a line for each version that ran; those of the mock are made up and told only in the documents.
fn tell_versions(text: &mut ReportText, record: &RunRecord) {
    let versions = record.end.as_ref().map_or(&[][..], |end| &end.versions);
    if record.start.mock {
        return;
    }
    for ran in versions.iter().take(VERSIONS) {
        text.tone(TextTone::Faint, &one_line(&told_version(ran), 300)).end();
    }
    if versions.len() > VERSIONS {
        text.tone(TextTone::Faint, &format!("… and {} versions more", versions.len() - VERSIONS)).end();
    }
}

/// `triage: version 7c3e… ran on Dify 1.14.2`.
pub(crate) fn told_version(ran: &RanVersion) -> String {
    let app = if ran.app.is_empty() { String::new() } else { format!("{}: ", ran.app) };
    let dify = match &ran.dify_version {
        Some(version) => format!("Dify {version}"),
        None => "a Dify that does not tell its version".to_owned(),
    };
    match &ran.workflow_id {
        Some(id) => format!("{app}version {id} ran on {dify}"),
        None => format!("{app}{dify} refused before it named a version"),
    }
}

/// `7 requests were refused as too many: attempts at once fell from 8 to 2, and were 5 at the end`.
pub(crate) fn told_limit(limit: FallenLimit) -> String {
    let FallenLimit { most, lowest, last, refusals } = limit;
    let count = format_count(u64::from(refusals));
    let requests = if refusals == 1 { "request was" } else { "requests were" };
    let fall = match most {
        1 => String::from("one attempt at once is the least there is"),
        _ => format!("attempts at once fell from {most} to {lowest}, and were {last} at the end"),
    };
    format!("{count} {requests} refused as too many: {fall}")
}

/// True where the last start was no later than a gap: nothing queued up.
fn is_kept(rate: &RateAdherence) -> bool {
    rate.late_ms.max <= 1000.0 / rate.rate
}

/// `rate 20/s: it was kept`, or how far it was not.
pub(crate) fn told_rate(rate: &RateAdherence) -> String {
    let per_second = |rate: f64| format!("{}/s", (rate * 100.0).round() / 100.0);
    let asked = per_second(rate.rate);
    let starts = format_count(rate.starts);
    if is_kept(rate) {
        return format!("rate {asked}: kept by all of {starts} starts");
    }
    let late = rate.late_ms;
    let times = [late.p50, late.p95, late.max].map(told_ms);
    let [median, p95, max] = times;
    let latency = rate.latency_ms.map(|found| {
        let [median, p95] = [found.p50, found.p95].map(told_ms);
        format!("; latency from the intended start: median {median}, p95 {p95}")
    });
    format!(
        "rate {asked}: {} was kept; {starts} starts were late by {median} at the median, {p95} at p95 and {max} at most{}",
        per_second(rate.kept),
        latency.unwrap_or_default()
    )
}

/// Writes which totals of tokens are in doubt; those that are trusted stand only in the documents.
fn tell_usage(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    let watched = &record.watched;
    let told = watched.doubted - watched.trusted;
    if told == 0 {
        return Ok(());
    }
    let attempts = if told == 1 { "attempt" } else { "attempts" };
    let head = format!("usage: the tokens of {} {attempts} are in doubt", format_count(u64::from(told)));
    text.tone(TextTone::Doubt, &head).end();
    let shown: Vec<_> = watched.doubts.iter().filter(|(_, doubt)| !doubt.trusted).take(DOUBTS).collect();
    for (case, doubt) in &shown {
        let name = name_of(record, *case)?;
        text.push(&format!("  {}: {}", one_line(&name, 120), one_line(&doubt.message, 300))).end();
    }
    let left = u64::from(told) - shown.len() as u64;
    if left > 0 {
        text.push(&format!("  … and {} more, in report.json", format_count(left))).end();
    }
    Ok(())
}

/// A case's name; empty where the run was killed before its test had ended.
fn name_of(record: &RunRecord, case: u32) -> Result<String, JournalError> {
    let mut name = String::new();
    record.read_cases(&[case], |case, _| name = case.outcome.name)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::RankSpread;

    #[test]
    fn a_rate_that_queued_up_is_told_with_its_numbers() {
        let late_ms = RankSpread { p50: 20.0, p95: 45.0, max: 50.0 };
        let kept =
            RateAdherence { rate: 20.0, kept: 19.95, starts: 1_200, late_ms, latency_ms: Some(late_ms) };
        assert_eq!(told_rate(&kept), "rate 20/s: kept by all of 1,200 starts");
        let late_ms = RankSpread { p50: 1_200.0, p95: 2_950.0, max: 3_100.0 };
        let latency_ms = Some(RankSpread { p50: 1_500.0, p95: 3_250.0, max: 3_400.0 });
        let late = RateAdherence { kept: 12.3456, late_ms, latency_ms, ..kept };
        assert_eq!(
            told_rate(&late),
            "rate 20/s: 12.35/s was kept; 1,200 starts were late by 1.20 s at the median, 2.95 s at p95 and 3.10 s at most; \
             latency from the intended start: median 1.50 s, p95 3.25 s"
        );
    }
}
