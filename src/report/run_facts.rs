//! What reports show of a run as a whole besides its counts: the versions that ran, the fallen limit, deviations from the contract,
//! and doubtful tokens.

use crate::base::plural::{counted, plural};
use crate::base::units::format_count;
use crate::record::event::{FallenLimit, RanVersion, RateAdherence};
use crate::record::journal::{JournalError, LeftRuns, RunRecord};
use crate::report::budget::{budget_line, push_budgets};
use crate::report::facts::milliseconds_text;
use crate::report::judges::push_judges;
use crate::report::property::ReportProperty;
use crate::report::repeats::savings_line;
use crate::report::text::{ReportText, TextTone, one_line};

/// Versions that the terminal shows one by one.
const VERSIONS: usize = 8;
/// Doubts that the terminal shows one by one.
const DOUBTS: usize = 3;

/// Writes the facts of the run as a whole, besides its counts.
pub(crate) fn push_run_facts(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    push_versions(text, record);
    if let Some(left) = left_runs_line(&record.totals.left) {
        text.tone(TextTone::Doubt, &left).end();
    }
    if let Some(limit) = record.end.as_ref().and_then(|end| end.limit) {
        text.tone(TextTone::Doubt, &limit_line(limit)).end();
    }
    for rate in record.end.iter().flat_map(|end| &end.rates) {
        let tone = if is_kept(rate) { TextTone::Faint } else { TextTone::Doubt };
        text.tone(tone, &rate_line(rate)).end();
    }
    push_budgets(text, record);
    if let Some(saved) = savings_line(record.totals.saved) {
        text.tone(TextTone::Faint, &saved).end();
    }
    push_contract(text, record)?;
    push_judges(text, &record.totals.judges);
    push_usage_doubts(text, record)
}

/// `runs that were given up: 1 could not be stopped, …`; `None` where none were given up.
pub(crate) fn left_runs_line(left: &LeftRuns) -> Option<String> {
    if left.is_none() {
        return None;
    }
    let mut parts = Vec::new();
    if left.asked > 0 {
        parts.push(format!(
            "Dify was asked to stop {}, where nodes that had started may still finish",
            left.asked
        ));
    }
    if left.failed > 0 {
        parts.push(format!(
            "for {} the request to stop failed, so that they may go on and cost something",
            left.failed
        ));
    }
    if left.not_stoppable > 0 {
        parts.push(format!(
            "{} could not be stopped, since they are blocking or named no task, and may go on and cost something",
            left.not_stoppable
        ));
    }
    if left.killed > 0 {
        parts.push(format!(
            "{} were running when the run was killed, and their usage is not known",
            left.killed
        ));
    }
    Some(format!("runs that were given up: {}", parts.join("; ")))
}

/// The facts of the run as a whole as properties: given-up runs, versions, the fallen limit, rates, budgets.
pub(super) fn run_properties(record: &RunRecord) -> Vec<ReportProperty> {
    let left = left_runs_line(&record.totals.left).map(|left| ReportProperty::new("flowproof.left", left));
    let Some(end) = &record.end else { return left.into_iter().collect() };
    let versions = end.versions.iter().map(|ran| ReportProperty::new("flowproof.ran", version_line(ran)));
    let limit = end.limit.map(|limit| ReportProperty::new("flowproof.limit", limit_line(limit)));
    let budgets =
        end.budgets.iter().map(|budget| ReportProperty::new("flowproof.budget", budget_line(budget)));
    let rates = end.rates.iter().map(|rate| ReportProperty::new("flowproof.rate", rate_line(rate)));
    left.into_iter().chain(versions).chain(limit).chain(rates).chain(budgets).collect()
}

/// Writes in one line how answers deviate from the contract.
fn push_contract(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    let notes = &record.watched.contract;
    let Some((case, first)) = notes.first() else { return Ok(()) };
    let name = name_of(record, *case)?;
    let differences = plural(notes.len(), "difference", "differences");
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

/// Writes a line for each version that ran; the mock's invented versions appear only in the documents.
fn push_versions(text: &mut ReportText, record: &RunRecord) {
    let versions = record.end.as_ref().map_or(&[][..], |end| &end.versions);
    if record.start.mock {
        return;
    }
    for ran in versions.iter().take(VERSIONS) {
        text.tone(TextTone::Faint, &one_line(&version_line(ran), 300)).end();
    }
    if versions.len() > VERSIONS {
        text.tone(TextTone::Faint, &format!("… and {} more", counted(versions.len() - VERSIONS, "version")))
            .end();
    }
}

/// `triage: version 7c3e… ran on Dify 1.14.2`.
pub(crate) fn version_line(ran: &RanVersion) -> String {
    let app = if ran.app.is_empty() { String::new() } else { format!("{}: ", ran.app) };
    let dify = match &ran.dify_version {
        Some(version) => format!("Dify {version}"),
        None => "a Dify of unknown version".to_owned(),
    };
    match &ran.workflow_id {
        Some(id) => format!("{app}version {id} ran on {dify}"),
        None => format!("{app}{dify} refused the request, so the published version is not known"),
    }
}

/// `7 requests were refused as too many: attempts at once fell from 8 to 2, and were 5 at the end`.
pub(crate) fn limit_line(limit: FallenLimit) -> String {
    let FallenLimit { most, lowest, last, refusals } = limit;
    let count = format_count(u64::from(refusals));
    let requests = plural(refusals, "request was", "requests were");
    let fall = match most {
        1 => String::from("one attempt at once is already the minimum"),
        _ => format!("attempts at once fell from {most} to {lowest}, and were {last} at the end"),
    };
    format!("{count} {requests} refused as too many: {fall}")
}

/// True where no start was later than the time between two starts: nothing queued up.
fn is_kept(rate: &RateAdherence) -> bool {
    rate.late_ms.max <= 1000.0 / rate.rate
}

/// `rate 20/s: kept by all of 1,200 starts`, or how far it was missed.
pub(crate) fn rate_line(rate: &RateAdherence) -> String {
    let per_second = |rate: f64| format!("{}/s", (rate * 100.0).round() / 100.0);
    let intended = per_second(rate.rate);
    let starts = format_count(rate.starts);
    if is_kept(rate) {
        return format!("rate {intended}: kept by all of {starts} starts");
    }
    let late = rate.late_ms;
    let times = [late.p50, late.p95, late.max].map(milliseconds_text);
    let [median, p95, max] = times;
    let latency = rate.latency_ms.map(|found| {
        let [median, p95] = [found.p50, found.p95].map(milliseconds_text);
        format!("; latency from the intended start: median {median}, p95 {p95}")
    });
    format!(
        "rate {intended}: {} was kept; {starts} starts were late by {median} at the median, {p95} at p95 and {max} at most{}",
        per_second(rate.kept),
        latency.unwrap_or_default()
    )
}

/// Writes which totals of tokens are in doubt; trusted ones appear only in the documents.
fn push_usage_doubts(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    let watched = &record.watched;
    let untrusted = watched.doubted - watched.trusted;
    if untrusted == 0 {
        return Ok(());
    }
    let attempts = counted(untrusted, "attempt");
    let head = format!("usage: the tokens of {attempts} are in doubt");
    text.tone(TextTone::Doubt, &head).end();
    let shown: Vec<_> = watched.doubts.iter().filter(|(_, doubt)| !doubt.trusted).take(DOUBTS).collect();
    for (case, doubt) in &shown {
        let name = name_of(record, *case)?;
        text.push(&format!("  {}: {}", one_line(&name, 120), one_line(&doubt.message, 300))).end();
    }
    let left = u64::from(untrusted) - shown.len() as u64;
    if left > 0 {
        text.push(&format!("  … and {} more, in report.json", format_count(left))).end();
    }
    Ok(())
}

/// A case's name; empty where the run was killed before the test ended.
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
    fn a_missed_rate_is_shown_with_its_numbers() {
        let late_ms = RankSpread { p50: 20.0, p95: 45.0, max: 50.0 };
        let kept =
            RateAdherence { rate: 20.0, kept: 19.95, starts: 1_200, late_ms, latency_ms: Some(late_ms) };
        assert_eq!(rate_line(&kept), "rate 20/s: kept by all of 1,200 starts");
        let late_ms = RankSpread { p50: 1_200.0, p95: 2_950.0, max: 3_100.0 };
        let latency_ms = Some(RankSpread { p50: 1_500.0, p95: 3_250.0, max: 3_400.0 });
        let late = RateAdherence { kept: 12.3456, late_ms, latency_ms, ..kept };
        assert_eq!(
            rate_line(&late),
            "rate 20/s: 12.35/s was kept; 1,200 starts were late by 1.20 s at the median, 2.95 s at p95 and 3.10 s at most; \
             latency from the intended start: median 1.50 s, p95 3.25 s"
        );
    }
}
