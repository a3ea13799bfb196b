//! What gates found, and what decided, in words.

use crate::base::units::format_count;
use crate::compare::{Comparison, Decision, Gated, Lack, Plain, PlainGated, Ruling, Verdict};
use crate::report::compare::words::{amount, chance, counted};
use crate::report::text::one_line;

/// What the gate of a measure found: `tokens: +12.3 %, at most +10 % may be; p 0.003, alpha 0.05`.
pub(super) fn gate(gated: &Gated) -> String {
    let bound = gated.bound;
    let (name, metric) = (bound.metric.key(), bound.metric);
    let Some(change) = &gated.change else {
        return format!("{name}: no test has it on both sides, so nothing can be said");
    };
    let allowed = if bound.worse_by == 0.0 { "none".to_owned() } else { amount(metric, bound.worse_by) };
    let found = format!("{name}: {}, allowed is {allowed}", amount(metric, change.worse_by));
    match gated.decision {
        Decision::Failed => format!("{found}; {} of alpha {}", chance(gated.p), bound.alpha),
        Decision::Passed if change.worse_by > bound.worse_by => {
            format!("{found}, but that is within noise; {} of alpha {}", chance(gated.p), bound.alpha)
        }
        Decision::Passed => found,
        Decision::Inconclusive(Lack::Pairs) => format!("{name}: no test has it on both sides"),
        Decision::Inconclusive(Lack::Sides(tests)) => format!(
            "{found}, as far as is known; {} told it on one side only, so they could not be compared",
            counted(tests, "test")
        ),
        Decision::Inconclusive(Lack::Repeats(repeats)) => format!(
            "{found}; {} cannot show more than noise at alpha {}: run each test {repeats} times on each side (--repeat {repeats})",
            counted(change.pairs, "pair"),
            bound.alpha
        ),
        Decision::Inconclusive(Lack::Cases(cases)) => format!(
            "{found}; {} can never show a lost rate at alpha {}: at least {cases} tests are needed",
            counted(change.cases, "test"),
            bound.alpha
        ),
    }
}

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
        (Some(gated), _) => Some(format!("gate {}", gate(gated))),
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
