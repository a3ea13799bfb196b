//! What `junit.xml` tells of thresholds and repeats: a testcase `thresholds` in each suite that misses one, and properties.

use std::io::{self, Write};

use crate::record::attempt::RepeatFacts;
use crate::record::thresholds::{ThresholdGate, ThresholdGates};
use crate::record::verdict::Truth;
use crate::report::gates::told;
use crate::report::xml::Xml;

/// In how many suites a threshold failed, and in how many none failed but one was not decided.
pub(super) fn red_suites(gates: &ThresholdGates, wanted: impl Fn(&ThresholdGate) -> bool) -> (u32, u32) {
    let red: Vec<&ThresholdGate> = gates.judged.iter().filter(|gate| gate.is_red() && wanted(gate)).collect();
    let suites = red.chunk_by(|a, b| a.suite == b.suite);
    suites.fold((0, 0), |(failed, errored), suite| match deciding(suite) {
        Truth::Broken => (failed + 1, errored),
        Truth::Held | Truth::Undecided => (failed, errored + 1),
    })
}

/// Broken wins over undecided.
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
        red.iter().map(|gate| format!("{}\n  {}", gate.threshold.place, told(gate))).collect();
    xml.open(element)?
        .attribute("message", &told(first))?
        .attribute("type", kind)?
        .text(&lines.join("\n"))?
        .close()?
        .close()?;
    Ok(())
}

/// The properties of a repeated test.
pub(super) fn repeat_properties(repeats: &RepeatFacts) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("repeats", (repeats.passed + repeats.failed + repeats.errored).to_string()),
        ("repeats_passed", repeats.passed.to_string()),
    ];
    if repeats.errored > 0 {
        properties.push(("repeats_not_judged", repeats.errored.to_string()));
    }
    if let Some(rate) = repeats.rate {
        properties.push(("pass_rate", format!("{:.4}", rate.observed)));
        properties.push(("pass_rate_low", format!("{:.4}", rate.low)));
        properties.push(("pass_rate_high", format!("{:.4}", rate.high)));
    }
    let sequential = repeats.sequential.as_ref();
    if let Some(saved) = sequential.and_then(|sequential| sequential.saved_runs) {
        properties.push(("saved_runs", saved.to_string()));
    }
    if let Some(saved) = sequential.and_then(|sequential| sequential.saved_tokens) {
        properties.push(("saved_tokens", saved.to_string()));
    }
    properties
}
