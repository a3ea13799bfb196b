//! A test of a comparison in a few lines: its change, why, how its outputs differ, and which node causes it.

use crate::base::visible::LookAlikes;
use crate::record::compare::{
    Attribution, CaseChange, CaseDetail, CaseRow, NodeChange, NodePresence, PathChange,
};
use crate::report::compare::words;
use crate::report::explain::{ExcerptLimits, json_changes};
use crate::report::text::{ReportText, TextTone, one_line};

/// Nodes of one sort that are named.
const NODES: usize = 5;

/// How a kind of change is marked.
pub(super) struct ChangeSign {
    /// The sign.
    pub sign: &'static str,
    /// Its tone.
    pub tone: TextTone,
}

/// The mark of a kind of change.
pub(super) fn sign_of(kind: CaseChange) -> ChangeSign {
    let (sign, tone) = match kind {
        CaseChange::Regressed => ("✗", TextTone::Bad),
        CaseChange::NotCompared => ("?", TextTone::Doubt),
        CaseChange::OneSided => ("!", TextTone::Doubt),
        CaseChange::Improved => ("✓", TextTone::Good),
        CaseChange::Changed => ("~", TextTone::Doubt),
        CaseChange::Undecided => ("≈", TextTone::Doubt),
        CaseChange::Unchanged => ("=", TextTone::Faint),
    };
    ChangeSign { sign, tone }
}

/// Writes the line that names a test.
pub(super) fn headline(text: &mut ReportText, row: &CaseRow) {
    let ChangeSign { sign, tone } = sign_of(row.kind);
    text.tone(tone, &format!("{sign} {}", words::kind(row.kind))).push("  ");
    text.tone(TextTone::Strong, &one_line(&row.name, 200)).push("  ").push(&words::verdicts(row)).end();
}

/// Writes the explanation of a test.
pub(super) fn explain(
    text: &mut ReportText,
    row: &CaseRow,
    detail: Option<&CaseDetail>,
    bounds: ExcerptLimits,
) {
    if let Some(detail) = detail {
        reasons(text, detail, bounds);
    }
    if let Some(outputs) = words::outputs(row) {
        text.push("  ").push(&outputs).end();
    }
    if let Some(detail) = detail {
        difference(text, detail, bounds);
        nodes(text, &detail.nodes);
    }
    let figures = words::figures(row);
    if !figures.is_empty() {
        text.push("  ").push(&figures.join(" · ")).end();
    }
    if let Some(detail) = detail {
        shares(text, row, &detail.nodes);
    }
}

fn reasons(text: &mut ReportText, detail: &CaseDetail, bounds: ExcerptLimits) {
    let reasons = [("A", &detail.a_reason), ("B", &detail.b_reason)];
    for (side, reason) in reasons.into_iter().filter_map(|(side, reason)| Some((side, reason.as_ref()?))) {
        let reason = LookAlikes::within(reason).name(reason).into_owned();
        text.push("  ").tone(TextTone::Strong, side).push(": ").push(&one_line(&reason, bounds.width)).end();
    }
}

fn difference(text: &mut ReportText, detail: &CaseDetail, bounds: ExcerptLimits) {
    if detail.beyond {
        text.push("  the outputs differ only beyond what is recorded of them").end();
    }
    if !detail.changes.is_empty() {
        text.push("  ").tone(TextTone::Bad, "- A").push("  ").tone(TextTone::Good, "+ B").end();
        json_changes(text, &detail.changes, "  ", bounds);
    }
}

fn nodes(text: &mut ReportText, found: &Attribution) {
    if let Some(first) = found.first_changed.and_then(|place| found.nodes.get(place)) {
        text.push("  first node whose output differs: ").tone(TextTone::Strong, &words::node(first)).end();
    }
    let of = |presence: NodePresence| -> Vec<&NodeChange> {
        found.nodes.iter().filter(|node| node.presence == presence).collect()
    };
    for (word, nodes) in [("only in A", of(NodePresence::Gone)), ("only in B", of(NodePresence::New))] {
        if !nodes.is_empty() {
            text.push(&format!("  nodes {word}: {}", named(&nodes))).end();
        }
    }
    let renamed: Vec<&NodeChange> = found.nodes.iter().filter(|node| node.renamed.is_some()).collect();
    if !renamed.is_empty() {
        text.push(&format!("  renamed: {}", named(&renamed))).end();
    }
    let moved =
        [("in another order", &found.reordered), ("at the same time on one side only", &found.regrouped)];
    for (word, pairs) in moved {
        for (one, other) in pairs.iter().take(NODES) {
            if let (Some(one), Some(other)) = (found.nodes.get(*one), found.nodes.get(*other)) {
                text.push(&format!("  {word}: {} and {}", words::node(one), words::node(other))).end();
            }
        }
    }
}

fn named(nodes: &[&NodeChange]) -> String {
    let mut names: Vec<String> = nodes.iter().take(NODES).map(|node| words::node(node)).collect();
    if nodes.len() > NODES {
        names.push(format!("{} more", nodes.len() - NODES));
    }
    names.join(", ")
}

/// The nodes with the largest share of what changed, where it changed by a tenth and more.
fn shares(text: &mut ReportText, row: &CaseRow, found: &Attribution) {
    let mut shares = Vec::new();
    if changed(row, |means| means.tokens) {
        shares.extend(
            largest(found, |node| node.tokens).map(|(node, tokens)| {
                format!("{} {tokens:+.0} tokens", words::node(node)).replace(" -", " −")
            }),
        );
    }
    if changed(row, |means| means.latency) {
        shares.extend(
            largest(found, |node| node.elapsed_ms)
                .map(|(node, ms)| format!("{} {ms:+.0} ms", words::node(node)).replace(" -", " −")),
        );
    }
    if !shares.is_empty() {
        text.push("  most of it: ").push(&shares.join(" · ")).end();
    }
}

/// True where a mean of both sides differs by a tenth and more.
pub(super) fn changed(row: &CaseRow, of: fn(&crate::record::compare::MeasureMeans) -> Option<f64>) -> bool {
    let means = row.a.as_ref().zip(row.b.as_ref()).and_then(|(a, b)| Some((of(&a.means)?, of(&b.means)?)));
    means.is_some_and(|(a, b)| (b - a).abs() >= 0.1 * a.abs().max(f64::MIN_POSITIVE) && a != b)
}

fn largest(found: &Attribution, of: fn(&NodeChange) -> Option<f64>) -> Option<(&NodeChange, f64)> {
    let known = found.nodes.iter().filter_map(|node| Some((node, of(node)?)));
    known.filter(|(_, change)| change.abs() >= 1.0).max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))
}

/// True where a document shows more of a test than its row: it differs, or its usage does.
pub(super) fn has_details(row: &CaseRow) -> bool {
    let both = row.a.is_some() && row.b.is_some();
    let figures = || {
        changed(row, |means| means.tokens)
            || changed(row, |means| means.cost)
            || changed(row, |means| means.latency)
            || row.way != PathChange::default()
    };
    both && match row.kind {
        CaseChange::Unchanged => figures(),
        CaseChange::Regressed
        | CaseChange::NotCompared
        | CaseChange::OneSided
        | CaseChange::Improved
        | CaseChange::Changed
        | CaseChange::Undecided => true,
    }
}
