//! `flowproof run --dry-run`: what would be sent, and what earlier runs say it will use.

use std::collections::HashSet;
use std::time::Duration;

use crate::app::Session;
use crate::app::budget::history;
use crate::app::forecast::forecast;
use crate::app::forecast::{AttemptRange, DecidingRepeats, Forecast, PlanForecast, UsageForecast};
use crate::base::plural::{counted, plural};
use crate::base::units::{format_count, format_duration, format_share};
use crate::budget::{Costs, SpendingLimit, limits, told};
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::plan::case::{Plan, TargetKind};
use crate::report::terminal::Verbosity;
use crate::report::text::one_line;

/// Prints the plan; sends and writes nothing.
pub fn print(plan: &Plan, session: &Session, detail: Verbosity) -> Exit {
    let history = history(plan, &session.reports);
    let (mut tests, mut whole) = (String::new(), PlanForecast::default());
    let mut decisions: Vec<DecidingRepeats> = Vec::new();
    for test in forecast(plan, &history) {
        whole.add(&test);
        decisions.extend(test.decides.filter(|decides| test.skip.is_none() && !decisions.contains(decides)));
        if detail != Verbosity::Quiet {
            tests.push_str(&line_of(&test));
        }
    }
    let whole = whole.finish(plan);
    let text = head(plan, &whole)
        + &tests
        + &totals(plan, &whole, history.runs)
        + &repeats(&decisions)
        + &budgets(plan);
    say::bytes(session.redactor.text(&text).as_bytes())
}

/// `plan: 12 tests, 36 to 120 attempts, … on staging (profile ci); nothing is sent`.
fn head(plan: &Plan, whole: &PlanForecast) -> String {
    let skipped = if whole.skipped > 0 {
        format!(" ({} more {} skipped)", format_count(whole.skipped), plural(whole.skipped, "is", "are"))
    } else {
        String::new()
    };
    let place = match &plan.target.kind {
        TargetKind::Mock(_) => "the mock".to_owned(),
        TargetKind::Live { .. } => plan.target.name.to_string(),
        TargetKind::Replay { .. } => format!("recordings of {}", plan.target.name),
    };
    format!(
        "plan: {}{skipped}, {}, {}, on {place}, profile {}; nothing is sent\n",
        counted(whole.tests, "test"),
        counted_span(&whole.expected.attempts, "attempt"),
        counted_span(&whole.expected.requests, "request"),
        plan.target.profile,
    )
}

/// One test: its attempts, and what each is expected to use.
fn line_of(test: &Forecast) -> String {
    let name = one_line(&test.name, 300);
    if let Some(reason) = &test.skip {
        return format!("  {name}  skipped: {}\n", one_line(reason, 200));
    }
    let attempts = counted_span(&test.expected.attempts, "attempt");
    let uses = match test.learnt_from {
        0 => "no history".to_owned(),
        count => {
            let earlier = counted(count, "earlier attempt");
            format!("{}, from {earlier}", used(&test.expected))
        }
    };
    format!("  {name}  {attempts}: {uses}\n")
}

/// `1,200 tokens · 0.0034 USD`; says so if attempts ran and reported nothing.
fn used(expected: &UsageForecast) -> String {
    let mut parts = Vec::new();
    if let Some(tokens) = &expected.tokens {
        parts.push(counted_span(
            &AttemptRange { least: rounded(tokens.least), most: rounded(tokens.most) },
            "token",
        ));
    }
    parts.extend(prices(&expected.cost));
    if parts.is_empty() {
        parts.push("tokens and price not known".to_owned());
    }
    parts.join(" · ")
}

fn prices(cost: &AttemptRange<Costs>) -> Vec<String> {
    let price = |price: &rust_decimal::Decimal| price.round_dp(6).normalize();
    let most = cost.most.iter().map(|(currency, most)| {
        let least = cost.least.get(currency).copied().unwrap_or_default();
        match least == *most {
            true => format!("{} {currency}", price(most)),
            false => format!("{} to {} {currency}", price(&least), price(most)),
        }
    });
    most.collect()
}

/// The sums, how long it takes, and of how many tests nothing is known.
fn totals(plan: &Plan, whole: &PlanForecast, runs: usize) -> String {
    if whole.tests == 0 {
        return String::new();
    }
    if whole.unknown == whole.tests {
        return format!("expected: not known, since no test has history on {}\n", plan.target.name);
    }
    let mut text = format!("expected: {}", used(&whole.expected));
    if let Some(wall) = &whole.wall {
        let [least, most] =
            [wall.least, wall.most].map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let time = match least == most {
            true => format_duration(most),
            false => format!("{} to {}", format_duration(least), format_duration(most)),
        };
        text.push_str(&format!(" · about {time} with {} at once", plan.target.concurrency));
    }
    let runs = counted(runs, "run");
    text.push_str(&format!("; means of {runs}, retries not counted\n"));
    if whole.unknown > 0 {
        let tests = counted(whole.unknown, "test");
        text.push_str(&format!("  {tests} without history on {} not counted in it\n", plan.target.name));
    }
    text
}

/// How many repeats distinguish the rates.
fn repeats(decisions: &[DecidingRepeats]) -> String {
    let line = |decides: &DecidingRepeats| {
        let fixed = match decides.fixed {
            Some(fixed) => format!("; a plan of a fixed number takes {}", format_count(u64::from(fixed))),
            None => String::new(),
        };
        format!(
            "repeats: {} is told from {} ({} sure) by {} straight passes or {} straight failures{fixed}\n",
            format_share(decides.pass_rate),
            format_share(decides.fail_below),
            format_share(decides.confidence),
            decides.passes,
            decides.failures,
        )
    };
    decisions.iter().map(line).collect()
}

/// The budgets that hold.
fn budgets(plan: &Plan) -> String {
    let mut text = budget("budget of the run", &plan.budget);
    let mut seen = HashSet::new();
    for suite in plan.cases.iter().map(|case| &case.test.suite) {
        if seen.insert(&suite.name) {
            text.push_str(&budget(
                &format!("budget of {}", one_line(&suite.name, 120)),
                &suite.budget.allowance,
            ));
        }
    }
    text
}

fn budget(whose: &str, allowance: &SpendingLimit) -> String {
    if allowance.is_empty() {
        return String::new();
    }
    let mut parts: Vec<String> = limits(allowance).map(|one| told(one.kind, one.limit)).collect();
    parts.extend(allowance.time.map(format_duration));
    format!("{whose}: {}\n", parts.join(" · "))
}

/// `1 test`, `3 to 40 attempts`.
fn counted_span(span: &AttemptRange<u64>, what: &str) -> String {
    let most = counted(span.most, what);
    match span.least == span.most {
        true => most,
        false => format!("{} to {most}", format_count(span.least)),
    }
}

/// A mean as a whole number; `as` ends at the bounds.
fn rounded(value: f64) -> u64 {
    value.round() as u64
}
