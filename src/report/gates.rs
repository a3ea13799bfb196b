//! The thresholds of suites in the documents: the limit, the value, and by how much it misses.

use serde::Serialize;

use crate::base::origin::Place;
use crate::record::thresholds::{RunConclusion, ThresholdGate, ThresholdGates};
use crate::record::verdict::Truth;
use crate::report::source_line::source_line;
use crate::report::terminal::screen::Verbosity;
use crate::report::text::{LineEnds, ReportText, TextTone, one_line, visible};

/// Thresholds that the terminal shows one by one.
const SHOWN: usize = 50;

/// Writes how many thresholds hold, and each that does not; all of them with `-v`.
pub(crate) fn push_gates(text: &mut ReportText, gates: &ThresholdGates, detail: Verbosity) {
    if gates.judged.is_empty() {
        return;
    }
    let count = |truth: Truth| gates.judged.iter().filter(|gate| gate.truth == truth).count();
    let counts = [(Truth::Held, "held"), (Truth::Broken, "failed"), (Truth::Undecided, "not decided")];
    let words: Vec<String> = counts
        .into_iter()
        .map(|(truth, word)| (count(truth), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    text.push(&format!("thresholds: {}", words.join(", "))).end();
    let wanted = |gate: &&ThresholdGate| gate.truth != Truth::Held || detail == Verbosity::Verbose;
    let mut shown: Vec<&ThresholdGate> = gates.judged.iter().filter(wanted).collect();
    shown.sort_by_key(|gate| match gate.truth {
        Truth::Broken => 0,
        Truth::Undecided => 1,
        Truth::Held => 2,
    });
    for gate in shown.iter().take(SHOWN) {
        push_gate(text, gate);
    }
    if shown.len() > SHOWN {
        text.push(&format!("  … and {} more, all in the reports", shown.len() - SHOWN)).end();
    }
}

/// Writes one threshold, with its place where it does not hold.
fn push_gate(text: &mut ReportText, gate: &ThresholdGate) {
    let (sign, tone) = match gate.truth {
        Truth::Held => ("✓", TextTone::Good),
        Truth::Broken => ("✗", TextTone::Bad),
        Truth::Undecided => ("?", TextTone::Doubt),
    };
    text.push("  ").tone(tone, sign).push(" ").push(&one_line(&gate_line(gate), 400)).end();
    if gate.truth != Truth::Held {
        let place = &gate.threshold.place;
        text.push("    ").tone(TextTone::Faint, &visible(&place.to_string(), LineEnds::One)).end();
        source_line(text, place, "    ");
    }
}

/// Why a run ends as it does, with the threshold that decided.
pub(crate) fn conclusion_text(conclusion: RunConclusion, gates: &ThresholdGates) -> String {
    let gate = match conclusion {
        RunConclusion::Gate => gates.broken(),
        RunConclusion::Undecided => gates.undecided(),
        RunConclusion::Passed
        | RunConclusion::NothingHere
        | RunConclusion::NoTestsAllowed
        | RunConclusion::NoTests
        | RunConclusion::Unusable
        | RunConclusion::Red
        | RunConclusion::Unfinished
        | RunConclusion::OverBudget
        | RunConclusion::Inconclusive
        | RunConclusion::Unrecorded
        | RunConclusion::Interrupted => None,
    };
    match gate {
        Some(gate) => format!("{}: {}", conclusion.reason(), gate_line(gate)),
        None => conclusion.reason().to_owned(),
    }
}

/// `triage: latency p95 must be at most 15.00 s: it is 16.20 s, 1.20 s over (25 attempts)`.
pub(crate) fn gate_line(gate: &ThresholdGate) -> String {
    format!("{}: {}", gate.title(), gate.message)
}

/// A threshold as `report.json` has it.
#[derive(Serialize)]
pub(super) struct GateDocument<'a> {
    suite: &'a str,
    metric: &'static str,
    statistic: String,
    comparison: crate::suite::thresholds::ThresholdComparison,
    limit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    truth: Truth,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
    attempts: u64,
    unknown: u64,
    left_out: u32,
    message: &'a str,
    place: &'a Place,
}

/// The thresholds for `report.json`.
pub(super) fn documents(gates: &ThresholdGates) -> Vec<GateDocument<'_>> {
    gates.judged.iter().map(document).collect()
}

fn document(gate: &ThresholdGate) -> GateDocument<'_> {
    let threshold = &gate.threshold;
    GateDocument {
        suite: &gate.suite,
        metric: threshold.metric.word(),
        statistic: threshold.statistic.to_string(),
        comparison: threshold.comparison,
        limit: threshold.limit.normalize().to_string(),
        currency: threshold.currency.as_deref(),
        truth: gate.truth,
        actual: gate.actual.map(|value| value.round_dp(12).normalize().to_string()),
        attempts: gate.attempts,
        unknown: gate.unknown,
        left_out: gate.left_out,
        message: &gate.message,
        place: &threshold.place,
    }
}
