//! The words that all documents of a comparison share: kinds, measures, tests and nodes.

use crate::base::plural::{counted, plural};
use crate::base::units::format_count;
use crate::record::compare::{
    CaseChange, CaseRow, CaseSide, Change, CompareMetric, MissingPairs, NodeChange, OutputDrift,
    RunComparison,
};
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

/// How many tests changed in one way.
pub(super) struct KindCount {
    /// The kind of change.
    pub kind: CaseChange,
    /// How many tests.
    pub count: usize,
}

/// The counts of all kinds, in the order of reports.
pub(super) fn kinds(compared: &RunComparison<'_>) -> [KindCount; 7] {
    let counts = compared.counts;
    [
        KindCount { kind: CaseChange::Regressed, count: counts.regressed },
        KindCount { kind: CaseChange::NotCompared, count: counts.not_compared },
        KindCount { kind: CaseChange::OneSided, count: counts.one_sided },
        KindCount { kind: CaseChange::Improved, count: counts.improved },
        KindCount { kind: CaseChange::Changed, count: counts.changed },
        KindCount { kind: CaseChange::Undecided, count: counts.undecided },
        KindCount { kind: CaseChange::Unchanged, count: counts.unchanged },
    ]
}

/// The word of a kind.
pub(super) fn kind(kind: CaseChange) -> &'static str {
    match kind {
        CaseChange::Regressed => "regressed",
        CaseChange::NotCompared => "not compared",
        CaseChange::OneSided => "on one side only",
        CaseChange::Improved => "improved",
        CaseChange::Changed => "changed",
        CaseChange::Undecided => "undecided",
        CaseChange::Unchanged => "unchanged",
    }
}

/// The name of a measure in a sentence.
pub(super) fn measure(metric: CompareMetric) -> &'static str {
    match metric {
        CompareMetric::PassRate => "pass rate",
        CompareMetric::Tokens => "tokens",
        CompareMetric::Cost => "cost",
        CompareMetric::Latency => "latency",
        CompareMetric::Ttft => "first token",
    }
}

/// `pass rate −5 points`, `tokens +12.3 %`, `latency ±0 %`.
pub(super) fn amount(metric: CompareMetric, worse_by: f64) -> String {
    let rounded = (worse_by * 1000.0).round();
    let (more, less) = match metric {
        CompareMetric::PassRate => ("−", "+"),
        CompareMetric::Tokens | CompareMetric::Cost | CompareMetric::Latency | CompareMetric::Ttft => {
            ("+", "−")
        }
    };
    let sign = if rounded == 0.0 {
        "±"
    } else if rounded > 0.0 {
        more
    } else {
        less
    };
    match metric {
        CompareMetric::PassRate => {
            let points = rounded.abs() / 10.0;
            format!("{sign}{points} {}", plural(points, "point", "points"))
        }
        CompareMetric::Tokens | CompareMetric::Cost | CompareMetric::Latency | CompareMetric::Ttft => {
            format!("{sign}{}", percent(worse_by))
        }
    }
}

/// `cost in USD +12.3 %`, with the currency only where there are several.
pub(super) fn amount_of(change: &Change, all: &[Change]) -> String {
    let is_one = all.iter().filter(|other| other.metric == change.metric).count() == 1;
    let currency = change.currency.as_ref().filter(|_| !is_one);
    let currency = currency.map_or_else(String::new, |name| format!(" in {}", one_line(name, 10)));
    format!("{}{currency}", amount(change.metric, change.worse_by))
}

/// `tokens +12.3 % (95 %: +8 % to +17 %, p 0.003)`.
pub(super) fn change(change: &Change, all: &[Change]) -> String {
    let mut text = format!("{} {}", measure(change.metric), amount_of(change, all));
    let mut doubts = Vec::new();
    let typical = change.typical.map(|typical| amount(change.metric, typical));
    if let Some(typical) = typical.filter(|typical| *typical != amount(change.metric, change.worse_by)) {
        doubts.push(format!("a typical run {typical}"));
    }
    if let Some((low, high)) = change.interval.filter(|(low, high)| low != high) {
        doubts.push(format!("95 %: {} to {}", amount(change.metric, low), amount(change.metric, high)));
    }
    if change.worse_by != 0.0 {
        doubts.push(if change.is_too_small() {
            format!("{}: too few to distinguish from noise", sample(change))
        } else {
            chance(change.test().p)
        });
    }
    doubts.extend(missing(change.missing, change.pairs));
    if !doubts.is_empty() {
        text.push_str(&format!(" ({})", doubts.join(", ")));
    }
    text
}

/// The size of the sample of a change: pairs of repeats, or tests for the pass rate.
fn sample(change: &Change) -> String {
    match change.metric {
        CompareMetric::PassRate => counted(change.cases, "test"),
        CompareMetric::Tokens | CompareMetric::Cost | CompareMetric::Latency | CompareMetric::Ttft => {
            counted(change.pairs, "pair")
        }
    }
}

/// `known of 10 of 50 pairs: 40 lack it on B`.
pub(super) fn missing(missing: MissingPairs, known: usize) -> Option<String> {
    let sides = [(missing.a, "on A"), (missing.b, "on B"), (missing.both, "on both sides")];
    let lacking: Vec<String> = sides
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, side)| format!("{} {side}", format_count(*count as u64)))
        .collect();
    let all = counted(known + missing.pairs(), "pair");
    (!lacking.is_empty()).then(|| format!("of {all} it is not known for {}", lacking.join(", ")))
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
        format!("outputs {} % alike", similarity.percent())
    });
    let unmeasured = row.unmeasured.map(|why| why.to_string());
    let alike =
        alike.into_iter().chain(unmeasured).reduce(|alike, unmeasured| format!("{alike}; {unmeasured}"));
    let doubt = match row.drift {
        OutputDrift::Same => return row.similarity.map(|_| "same outputs".to_owned()),
        OutputDrift::Unknown if row.unmeasured.is_none() => return None,
        OutputDrift::Unknown => None,
        OutputDrift::Changed => None,
        OutputDrift::Noise { p } => Some(format!("no more than each side varies ({})", chance(p))),
        OutputDrift::Drifted { p } => Some(format!("more than each side varies ({})", chance(p))),
        OutputDrift::Undecided { repeats: Some(repeats) } => {
            Some(format!("{repeats} repeats would distinguish that from noise"))
        }
        OutputDrift::Undecided { repeats: None } => Some(
            "with this many tests, no number of repeats distinguishes that from noise: compare fewer"
                .to_owned(),
        ),
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
    let one = |name: &str, of: fn(&CaseSide) -> Option<f64>, say: &dyn Fn(f64) -> String| {
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
