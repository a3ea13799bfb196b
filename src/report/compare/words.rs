//! The words that all documents of a comparison have in common: sides, changes, gates, and what it comes to.

use std::collections::BTreeSet;

use crate::base::units::format_count;
use crate::compare::{
    ALPHA, CaseRow, Change, Comparison, Decision, Gated, Kind, Lack, Metric, NodeChange, OutputDrift, Plain,
    PlainGated, Ruling, Side, Verdict,
};
use crate::journal::RunRecord;
use crate::report::provenance;
use crate::report::text::one_line;

/// A share as a percentage of at most one decimal, without its sign.
pub(super) fn percent(share: f64) -> String {
    let tenths = (share.abs() * 1000.0).round() / 10.0;
    format!("{tenths} %")
}

/// A chance, as exact as it is of use.
pub(super) fn chance(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p {:.3}", (p * 1000.0).ceil() / 1000.0) }
}

/// `staging, version wf-1 (Dify 1.14.2), run 2026…: 12 tests, 36 attempts`.
pub(super) fn side(record: &RunRecord) -> String {
    let start = &record.start;
    let mut text = one_line(&start.target, 80);
    let ran = || record.end.iter().flat_map(|end| &end.versions);
    let versions: BTreeSet<&str> = ran().filter_map(|ran| ran.workflow_id.as_deref()).collect();
    let difys: BTreeSet<&str> = ran().filter_map(|ran| ran.dify_version.as_deref()).collect();
    match versions.len() {
        0 => {}
        1 => {
            versions.iter().for_each(|version| text.push_str(&format!(", version {}", one_line(version, 60))))
        }
        many => text.push_str(&format!(", {many} versions")),
    }
    for dify in difys.iter().take(3) {
        text.push_str(&format!(", Dify {}", one_line(dify, 20)));
    }
    let totals = &record.totals;
    let (tests, attempts) = (totals.cases() + record.unfinished(), totals.attempts);
    text.push_str(&format!(
        ", run {}: {}, {}",
        one_line(&start.run, 60),
        counted(tests as usize, "test"),
        counted(attempts as usize, "attempt")
    ));
    text
}

/// `1 test`, `2 tests`.
pub(super) fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {word}{plural}", format_count(count as u64))
}

/// What must not be overlooked about the sides: no live workflow, records that are not whole, tests left out.
pub(super) fn warnings(compared: &Comparison<'_>) -> Vec<String> {
    let mut told = Vec::new();
    for (name, record) in [("A", compared.a), ("B", compared.b)] {
        if let Some(note) = provenance::note(&record.start, &record.totals) {
            told.push(format!("{name} ran {note}"));
        }
        if record.end.is_none() {
            told.push(format!("{name} was killed or still goes on: this is what had finished"));
        } else if record.end.as_ref().is_some_and(|end| end.interrupted) {
            told.push(format!("{name} was interrupted: this is what had finished"));
        } else if record.unfinished() > 0 {
            let unfinished = record.unfinished() as usize;
            told.push(format!("{name} has {} without a verdict", counted(unfinished, "test")));
        }
        if record.has_losses() {
            told.push(format!("{name} has lines in its journal that cannot be read: facts are lost"));
        }
    }
    if compared.same_run() {
        told.push(String::from("A and B are the same run: nothing can differ"));
    }
    told
}

/// What else differs: the way through the graph, and what Dify itself sends.
pub(super) fn remarks(compared: &Comparison<'_>) -> Vec<String> {
    let mut told = Vec::new();
    let ways: [(&str, fn(&CaseRow) -> bool); 3] = [
        ("ran other nodes", |row| row.way.one_sided > 0),
        ("ran nodes in another order", |row| row.way.reordered > 0),
        ("ran nodes at the same time on one side only", |row| row.way.regrouped > 0),
    ];
    for (what, is) in ways {
        let mut rows = compared.rows.iter().filter(|row| is(row));
        if let Some(first) = rows.next() {
            let count = 1 + rows.count();
            told.push(format!("{} {what}, such as `{}`", counted(count, "test"), one_line(&first.name, 120)));
        }
    }
    told.extend(fields(compared));
    told
}

/// The fields that only one side's events have.
fn fields(compared: &Comparison<'_>) -> Vec<String> {
    let of = |record: &RunRecord| -> Vec<String> {
        record.end.as_ref().map(|end| end.fields.clone()).unwrap_or_default()
    };
    let (a, b) = (of(compared.a), of(compared.b));
    // A record of an older flowproof, or a run without answers, has none.
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let only = |name: &str, one: &[String], other: &[String]| {
        let alone: Vec<String> =
            one.iter().filter(|field| !other.contains(field)).map(|field| one_line(field, 80)).collect();
        let left = alone.len().saturating_sub(FIELDS);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        let shown = alone.iter().take(FIELDS).cloned().collect::<Vec<_>>().join(", ");
        (!alone.is_empty()).then(|| format!("only Dify of {name} sends {shown}{more}"))
    };
    only("A", &a, &b).into_iter().chain(only("B", &b, &a)).collect()
}

/// Fields of one side that are named.
const FIELDS: usize = 12;

/// The kinds in the order of reports, each with its word and number.
pub(super) fn kinds(compared: &Comparison<'_>) -> [(Kind, &'static str, usize); 6] {
    let counts = compared.counts;
    [
        (Kind::Regressed, "regressed", counts.regressed),
        (Kind::NotCompared, "not compared", counts.not_compared),
        (Kind::OneSided, "on one side only", counts.one_sided),
        (Kind::Improved, "improved", counts.improved),
        (Kind::Changed, "changed", counts.changed),
        (Kind::Unchanged, "unchanged", counts.unchanged),
    ]
}

/// The word of a kind.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Regressed => "regressed",
        Kind::NotCompared => "not compared",
        Kind::OneSided => "on one side only",
        Kind::Improved => "improved",
        Kind::Changed => "changed",
        Kind::Unchanged => "unchanged",
    }
}

/// What stands for a measure in a sentence.
pub(super) fn measure(metric: Metric) -> &'static str {
    match metric {
        Metric::PassRate => "pass rate",
        Metric::Tokens => "tokens",
        Metric::Cost => "cost",
        Metric::Latency => "latency",
        Metric::Ttft => "first token",
    }
}

/// `pass rate −5 points`, `tokens +12.3 %`, `latency ±0 %`.
pub(super) fn amount(metric: Metric, worse_by: f64) -> String {
    let rounded = (worse_by * 1000.0).round();
    let (more, less) = match metric {
        Metric::PassRate => ("−", "+"),
        Metric::Tokens | Metric::Cost | Metric::Latency | Metric::Ttft => ("+", "−"),
    };
    let sign = if rounded == 0.0 {
        "±"
    } else if rounded > 0.0 {
        more
    } else {
        less
    };
    match metric {
        Metric::PassRate => {
            let points = rounded.abs() / 10.0;
            format!("{sign}{points} point{}", if points == 1.0 { "" } else { "s" })
        }
        Metric::Tokens | Metric::Cost | Metric::Latency | Metric::Ttft => {
            format!("{sign}{}", percent(worse_by))
        }
    }
}

/// `tokens +12.3 % (95 %: +8 % to +17 %, p 0.003)`.
pub(super) fn change(change: &Change) -> String {
    let mut text = format!("{} {}", measure(change.metric), amount(change.metric, change.worse_by));
    let mut doubts = Vec::new();
    if let Some((low, high)) = change.interval.filter(|(low, high)| low != high) {
        doubts.push(format!("95 %: {} to {}", amount(change.metric, low), amount(change.metric, high)));
    }
    if change.worse_by > 0.0 && change.test.attainable <= ALPHA {
        doubts.push(chance(change.test.p));
    } else if change.worse_by > 0.0 {
        doubts.push(format!("{}: too few to tell from noise", counted(change.pairs, "pair")));
    }
    if !doubts.is_empty() {
        text.push_str(&format!(" ({})", doubts.join(", ")));
    }
    text
}

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

/// `passed → failed`, or what one side had.
pub(super) fn verdicts(row: &CaseRow) -> String {
    match (&row.a, &row.b) {
        (Some(a), Some(b)) if a.verdict == b.verdict => a.verdict.word().to_owned(),
        (Some(a), Some(b)) => format!("{} → {}", a.verdict.word(), b.verdict.word()),
        (Some(a), None) => format!("{}, only in A", a.verdict.word()),
        (None, Some(b)) => format!("{}, only in B", b.verdict.word()),
        (None, None) => String::new(),
    }
}

/// What is known of the outputs of a test: how alike they are, and whether that is noise.
pub(super) fn outputs(row: &CaseRow) -> Option<String> {
    let alike = row.similarity.map(|similarity| {
        // Never rounded up to a likeness that outputs that differ do not have.
        format!("outputs {} % alike", (similarity * 1000.0 + 1e-9).floor() / 10.0)
    });
    let doubt = match row.drift {
        OutputDrift::Same => return row.similarity.map(|_| "same outputs".to_owned()),
        OutputDrift::Unknown => return None,
        OutputDrift::Changed => None,
        OutputDrift::Noise { p } => Some(format!("no more than each side varies ({})", chance(p))),
        OutputDrift::Drifted { p } => Some(format!("more than each side varies ({})", chance(p))),
        OutputDrift::Undecided { repeats } => Some(format!("{repeats} repeats would tell that from noise")),
    };
    let parts: Vec<String> = alike.into_iter().chain(doubt).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `tokens 421 → 610 (+45 %)`, for each measure that both sides know and that changed.
pub(super) fn figures(row: &CaseRow) -> Vec<String> {
    let (Some(a), Some(b)) = (&row.a, &row.b) else { return Vec::new() };
    let milliseconds = |value: f64| format!("{} ms", format_count(value.round() as u64));
    let plain = |value: f64| format_count(value.round() as u64);
    let currency = a.currency.as_deref().unwrap_or_default();
    let money =
        |value: f64| format!("{} {}", significant(value), one_line(currency, 10)).trim_end().to_owned();
    let one = |name: &str, of: fn(&Side) -> Option<f64>, say: &dyn Fn(f64) -> String| {
        let (one, other) = (of(a)?, of(b)?);
        let (before, after) = (say(one), say(other));
        (before != after).then(|| format!("{name} {before} → {after}{}", ratio(one, other)))
    };
    [
        one("tokens", |side| side.means.tokens, &plain),
        one("cost", |side| side.means.cost, &money),
        one("latency", |side| side.means.latency, &milliseconds),
        one("first token", |side| side.means.ttft, &milliseconds),
        one("steps", |side| side.means.steps, &plain),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ratio(a: f64, b: f64) -> String {
    if a <= 0.0 {
        return String::new();
    }
    let percent = ((b / a - 1.0) * 100.0).round();
    if percent == 0.0 { String::new() } else { format!(" ({percent:+} %)").replace('-', "−") }
}

/// A small number with three digits that count.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return String::from("0");
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A node by title and type.
pub(super) fn node(node: &NodeChange) -> String {
    let title = one_line(&node.title, 120);
    let renamed =
        node.renamed.as_ref().map_or_else(String::new, |name| format!(", now `{}`", one_line(name, 120)));
    format!("`{title}` ({}{renamed})", one_line(&node.node_type, 40))
}
