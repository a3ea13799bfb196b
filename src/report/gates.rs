//! The thresholds of suites in the documents: what was asked, what was found, and by how much it missed.

use serde::Serialize;

use crate::base::origin::Place;
use crate::gate::{Gate, Gates};
use crate::report::explain::source_line;
use crate::report::terminal::Detail;
use crate::report::text::{Lines, Text, Tone, one_line, visible};
use crate::verdict::Truth;

/// Thresholds that are told one by one on the terminal.
const SHOWN: usize = 50;

/// Writes how many thresholds hold, and each that does not; all of them where all is told.
pub(crate) fn tell_gates(text: &mut Text, gates: &Gates, detail: Detail) {
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
    let wanted = |gate: &&Gate| gate.truth != Truth::Held || detail == Detail::Verbose;
    let mut told: Vec<&Gate> = gates.judged.iter().filter(wanted).collect();
    told.sort_by_key(|gate| match gate.truth {
        Truth::Broken => 0,
        Truth::Undecided => 1,
        Truth::Held => 2,
    });
    for gate in told.iter().take(SHOWN) {
        tell(text, gate);
    }
    if told.len() > SHOWN {
        text.push(&format!("  … and {} more, all in the reports", told.len() - SHOWN)).end();
    }
}

fn tell(text: &mut Text, gate: &Gate) {
    let (sign, tone) = match gate.truth {
        Truth::Held => ("✓", Tone::Good),
        Truth::Broken => ("✗", Tone::Bad),
        Truth::Undecided => ("?", Tone::Doubt),
    };
    text.push("  ").tone(tone, sign).push(" ").push(&one_line(&told(gate), 400)).end();
    if gate.truth != Truth::Held {
        let place = &gate.threshold.place;
        text.push("    ").tone(Tone::Faint, &visible(&place.to_string(), Lines::One)).end();
        source_line(text, place, "    ");
    }
}

/// `triage: latency p95 must be at most 15.00 s: it is 16.20 s, 1.20 s over (25 attempts)`.
pub(crate) fn told(gate: &Gate) -> String {
    format!("{}: {}", gate.title(), gate.message)
}

/// A threshold as `report.json` has it.
#[derive(Serialize)]
pub(super) struct GateDocument<'a> {
    suite: &'a str,
    metric: &'static str,
    statistic: String,
    comparison: crate::suite::thresholds::Comparison,
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
pub(super) fn documents(gates: &Gates) -> Vec<GateDocument<'_>> {
    gates.judged.iter().map(document).collect()
}

fn document(gate: &Gate) -> GateDocument<'_> {
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
