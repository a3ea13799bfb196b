//! The decisions of gates, and the decision of the comparison, in words.

use rust_decimal::prelude::ToPrimitive;

use crate::base::plural::counted;
use crate::base::units::format_count;
use crate::record::compare::{
    Change, CompareVerdict, DecidedGate, DecidingTests, GateDecision, MissingEvidence, PlainDecision,
    PlainGated, Ruling, RunComparison,
};
use crate::report::compare::words::{amount, amount_of, chance, missing};
use crate::report::text::one_line;

/// What the gate of a measure found: `tokens: +12.3 %, allowed is +10 %; p 0.003 of alpha 0.05`.
pub(super) fn gate(gated: &DecidedGate, changes: &[Change]) -> String {
    let (bound, name) = (gated.bound, gated.bound.metric.key());
    let seen: Vec<&Change> = changes.iter().filter(|change| change.metric == bound.metric).collect();
    let Some(first) = seen.first() else {
        return format!("{name}: no test has it on both sides, so it cannot be compared");
    };
    let allowed = match bound.worse_by.to_f64() {
        Some(worse_by) if worse_by > 0.0 => amount(bound.metric, worse_by),
        Some(_) | None => "none".to_owned(),
    };
    let found: Vec<String> = seen.iter().map(|change| amount_of(change, changes)).collect();
    let found = format!("{name}: {}, allowed is {allowed}", found.join(" and "));
    let p = format!("{} of alpha {}", chance(gated.p), bound.alpha);
    match gated.decision {
        GateDecision::Failed => format!("{found}; {p}"),
        GateDecision::Passed => found,
        GateDecision::Inconclusive(MissingEvidence::Noise(repeats)) => {
            format!("{found}, but by no more than chance ({p}): {}", enough(repeats))
        }
        GateDecision::Inconclusive(MissingEvidence::Pairs) => format!("{name}: no test has it on both sides"),
        GateDecision::Inconclusive(MissingEvidence::Missing(lacking)) => {
            let lacking = missing(lacking, first.pairs).unwrap_or_default();
            format!("{found} where it is known; {lacking}, which could change the decision")
        }
        GateDecision::Inconclusive(MissingEvidence::Currencies) => {
            format!("{found}: beyond it in one currency and not in another, and their rate is not known")
        }
        GateDecision::Inconclusive(MissingEvidence::Repeats(repeats)) => format!(
            "{found}; {} cannot show more than noise at alpha {}: run each test {repeats} times on each side (--repeat {repeats})",
            counted(first.pairs, "pair"),
            bound.alpha
        ),
        GateDecision::Inconclusive(MissingEvidence::Cases(cases)) => format!(
            "{found}; {} can never show a lost rate at alpha {}: at least {cases} tests are needed",
            counted(first.cases, "test"),
            bound.alpha
        ),
    }
}

/// How many repeats would distinguish a change near its bound from chance.
fn enough(repeats: usize) -> String {
    match repeats {
        0..=MOST_REPEATS => {
            format!("about {repeats} runs of each test on each side would decide it (--repeat {repeats})")
        }
        _ => format!(
            "it is so near that not even {} runs of each test would decide it",
            format_count(MOST_REPEATS as u64)
        ),
    }
}

/// The most repeats that can be asked for.
const MOST_REPEATS: usize = 1_000;

/// What a plain gate found.
pub(super) fn plain(gated: &PlainGated) -> String {
    format!("{}: {}", gated.key, gated.found)
}

/// The word of a decision.
pub(super) fn decision(decision: GateDecision) -> &'static str {
    match decision {
        GateDecision::Passed => "holds",
        GateDecision::Failed => "failed",
        GateDecision::Inconclusive(_) => "inconclusive",
    }
}

/// The word of a plain gate's decision.
pub(super) fn plain_decision(decision: PlainDecision) -> &'static str {
    match decision {
        PlainDecision::Passed => "holds",
        PlainDecision::Failed => "failed",
        PlainDecision::Inconclusive => "inconclusive",
    }
}

/// What decided, in one line.
pub(super) fn ruling(compared: &RunComparison<'_>, ruling: &Ruling<'_>) -> String {
    let gate = || match (ruling.gate, ruling.plain) {
        (Some(gated), _) => Some(format!("gate {}", gate(gated, &compared.changes))),
        (None, Some(gated)) => Some(format!("gate {}", plain(gated))),
        (None, None) => None,
    };
    let tests = |what: &str| {
        ruling.tests.map_or_else(String::new, |DecidingTests { first, count }| {
            let more = if count > 1 {
                format!(" and {} more", format_count(count as u64 - 1))
            } else {
                String::new()
            };
            format!("{} {what}: `{}`{more}", counted(count, "test"), one_line(&first.name, 120))
        })
    };
    match ruling.verdict {
        CompareVerdict::NothingInCommon => {
            "no test ran on both sides, so there is nothing to compare".to_owned()
        }
        CompareVerdict::Unjudged => "no test was judged on both sides".to_owned(),
        CompareVerdict::Unfinished => {
            "a side has not run to its end, so not every test was compared".to_owned()
        }
        CompareVerdict::Errored => tests("could not be judged on B"),
        CompareVerdict::Regressed if ruling.tests.is_some_and(|tests| tests.first.a.is_none()) => {
            tests("new on B and red")
        }
        CompareVerdict::Regressed => tests("red on B and not on A"),
        CompareVerdict::Gate => gate().unwrap_or_default(),
        CompareVerdict::OverBudget => tests("skipped for a budget that was used up"),
        CompareVerdict::Undecided => gate().unwrap_or_else(|| tests("could not be compared")),
        CompareVerdict::Holds => holds(compared),
    }
}

fn holds(compared: &RunComparison<'_>) -> String {
    match compared.gates.len() + compared.plain.len() {
        0 => "no test regressed; no gate was set".to_owned(),
        1 => "the gate holds".to_owned(),
        gates => format!("all {gates} gates hold"),
    }
}
