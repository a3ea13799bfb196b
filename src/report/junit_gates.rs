//! Thresholds and repeats in `junit.xml`: a testcase `thresholds` in each suite that misses one, and properties.

use std::io::{self, Write};

use crate::record::attempt::RepeatFacts;
use crate::record::thresholds::{ThresholdGate, ThresholdGates};
use crate::record::verdict::Truth;
use crate::report::gates::gate_line;
use crate::report::property::ReportProperty;
use crate::report::xml::Xml;

/// Suites that miss a threshold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RedSuites {
    /// Suites of which a threshold failed.
    pub failed: u32,
    /// Suites of which no threshold failed, and one was not decided.
    pub errored: u32,
}

/// Counts the suites that miss a threshold.
pub(super) fn red_suites(gates: &ThresholdGates, wanted: impl Fn(&ThresholdGate) -> bool) -> RedSuites {
    let red: Vec<&ThresholdGate> = gates.judged.iter().filter(|gate| gate.is_red() && wanted(gate)).collect();
    let suites = red.chunk_by(|a, b| a.suite == b.suite);
    suites.fold(RedSuites::default(), |counts, suite| match deciding(suite) {
        Truth::Broken => RedSuites { failed: counts.failed + 1, ..counts },
        Truth::Held | Truth::Undecided => RedSuites { errored: counts.errored + 1, ..counts },
    })
}

/// The truth of several thresholds: broken wins over undecided.
fn deciding(red: &[&ThresholdGate]) -> Truth {
    red.iter().map(|gate| gate.truth).fold(Truth::Held, Truth::and)
}

/// Adds the testcase of a suite that misses a threshold.
pub(super) fn push_thresholds<W: Write>(
    xml: &mut Xml<W>,
    gates: &ThresholdGates,
    suite: &str,
) -> io::Result<()> {
    let red: Vec<&ThresholdGate> =
        gates.judged.iter().filter(|gate| gate.suite == suite && gate.is_red()).collect();
    let Some(first) = red.iter().find(|gate| gate.truth == deciding(&red)) else { return Ok(()) };
    let (element, kind) = match first.truth {
        Truth::Broken => ("failure", "threshold"),
        Truth::Held | Truth::Undecided => ("error", "not decided"),
    };
    let place = &first.threshold.place;
    xml.open("testcase")?
        .attribute("classname", suite)?
        .attribute("name", "thresholds")?
        .attribute("time", "0.000")?
        .attribute("file", &place.file)?
        .attribute("line", &place.line.to_string())?;
    let lines: Vec<String> =
        red.iter().map(|gate| format!("{}\n  {}", gate.threshold.place, gate_line(gate))).collect();
    xml.open(element)?
        .attribute("message", &gate_line(first))?
        .attribute("type", kind)?
        .text(&lines.join("\n"))?
        .close()?
        .close()?;
    Ok(())
}

/// The properties of a repeated test.
pub(super) fn repeat_properties(repeats: &RepeatFacts) -> Vec<ReportProperty> {
    let mut properties = vec![
        ReportProperty::new("repeats", (repeats.passed + repeats.failed + repeats.errored).to_string()),
        ReportProperty::new("repeats_passed", repeats.passed.to_string()),
    ];
    if repeats.errored > 0 {
        properties.push(ReportProperty::new("repeats_not_judged", repeats.errored.to_string()));
    }
    if let Some(rate) = repeats.rate {
        properties.push(ReportProperty::new("pass_rate", format!("{:.4}", rate.observed)));
        properties.push(ReportProperty::new("pass_rate_low", format!("{:.4}", rate.low)));
        properties.push(ReportProperty::new("pass_rate_high", format!("{:.4}", rate.high)));
    }
    let sequential = repeats.sequential.as_ref();
    if let Some(saved) = sequential.and_then(|sequential| sequential.saved_runs) {
        properties.push(ReportProperty::new("saved_runs", saved.to_string()));
    }
    if let Some(saved) = sequential.and_then(|sequential| sequential.saved_tokens) {
        properties.push(ReportProperty::new("saved_tokens", saved.to_string()));
    }
    properties
}
