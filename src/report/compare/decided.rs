//! What gates found, and what decided, in words.

use rust_decimal::prelude::ToPrimitive;

use crate::base::units::format_count;
use crate::compare::{Change, Comparison, Decision, Gated, Lack, Plain, PlainGated, Ruling, Verdict};
use crate::report::compare::words::{amount, amount_of, chance, counted, missing};
use crate::report::text::one_line;

/// What the gate of a measure found: `tokens: +12.3 %, allowed is +10 %; p 0.003 of alpha 0.05`.
pub(super) fn gate(gated: &Gated, changes: &[Change]) -> String {
    let (bound, name) = (gated.bound, gated.bound.metric.key());
    let seen: Vec<&Change> = changes.iter().filter(|change| change.metric == bound.metric).collect();
    let Some(first) = seen.first() else {
        return format!("{name}: no test has it on both sides, so nothing can be said");
    };
    let allowed = match bound.worse_by.to_f64() {
        Some(worse_by) if worse_by > 0.0 => amount(bound.metric, worse_by),
        Some(_) | None => "none".to_owned(),
    };
    let found: Vec<String> = seen.iter().map(|change| amount_of(change, changes)).collect();
    let found = format!("{name}: {}, allowed is {allowed}", found.join(" and "));
    let p = format!("{} of alpha {}", chance(gated.p), bound.alpha);
    match gated.decision {
        Decision::Failed => format!("{found}; {p}"),
        Decision::Passed => found,
        Decision::Inconclusive(Lack::Noise(repeats)) => {
            format!("{found}, but by no more than chance ({p}): {}", enough(repeats))
        }
        Decision::Inconclusive(Lack::Pairs) => format!("{name}: no test has it on both sides"),
        Decision::Inconclusive(Lack::Missing(lacking)) => {
            let lacking = missing(lacking, first.pairs).unwrap_or_default();
            format!("{found}, as far as is known: {lacking}, which could tip it")
        }
        Decision::Inconclusive(Lack::Currencies) => {
            format!("{found}: beyond it in one currency and not in another, and their rate is not known")
        }
        Decision::Inconclusive(Lack::Repeats(repeats)) => format!(
            "{found}; {} cannot show more than noise at alpha {}: run each test {repeats} times on each side (--repeat {repeats})",
            counted(first.pairs, "pair"),
            bound.alpha
        ),
        Decision::Inconclusive(Lack::Cases(cases)) => format!(
            "{found}; {} can never show a lost rate at alpha {}: at least {cases} tests are needed",
            counted(first.cases, "test"),
            bound.alpha
        ),
    }
}

/// How many repeats would tell what is near its bound from chance.
fn enough(repeats: usize) -> String {
    match repeats {
        0..=MOST_REPEATS => {
            format!("about {repeats} runs of each test on each side would tell (--repeat {repeats})")
        }
        _ => format!(
            "it is so near that not even {} runs of each test would tell",
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
pub(super) fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Passed => "holds",
        Decision::Failed => "failed",
        Decision::Inconclusive(_) => "inconclusive",
    }
}

/// The word of a plain gate's decision.
pub(super) fn plain_decision(decision: Plain) -> &'static str {
    match decision {
        Plain::Passed => "holds",
        Plain::Failed => "failed",
        Plain::Inconclusive => "inconclusive",
    }
}

/// What decided, in one line.
pub(super) fn ruling(compared: &Comparison<'_>, ruling: &Ruling<'_>) -> String {
    let gate = || match (ruling.gate, ruling.plain) {
        (Some(gated), _) => Some(format!("gate {}", gate(gated, &compared.changes))),
        (None, Some(gated)) => Some(format!("gate {}", plain(gated))),
        (None, None) => None,
    };
    let tests = |what: &str| {
        ruling.tests.map_or_else(String::new, |(row, count)| {
            let more = if count > 1 {
                format!(" and {} more", format_count(count as u64 - 1))
            } else {
                String::new()
            };
            format!("{} {what}: `{}`{more}", counted(count, "test"), one_line(&row.name, 120))
        })
    };
    match ruling.verdict {
        Verdict::NothingInCommon => "no test ran on both sides, so there is nothing to compare".to_owned(),
        Verdict::Unjudged => "no test was judged on both sides".to_owned(),
        Verdict::Unfinished => "a side has not run to its end, so not every test was compared".to_owned(),
        Verdict::Errored => tests("could not be judged on B"),
        Verdict::Regressed if ruling.tests.is_some_and(|(row, _)| row.a.is_none()) => {
            tests("new on B and red")
        }
        Verdict::Regressed => tests("red on B and not on A"),
        Verdict::Gate => gate().unwrap_or_default(),
        Verdict::OverBudget => tests("skipped for a budget that was used up"),
        Verdict::Undecided => gate().unwrap_or_else(|| tests("could not be compared")),
        Verdict::Holds => holds(compared),
    }
}

fn holds(compared: &Comparison<'_>) -> String {
    match compared.gates.len() + compared.plain.len() {
        0 => "no test regressed; no gate was set".to_owned(),
        1 => "the gate holds".to_owned(),
        gates => format!("all {gates} gates hold"),
    }
}
