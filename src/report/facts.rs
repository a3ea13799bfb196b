//! What reports show of an attempt: its cause, the findings that add to it, the node path, the run and the `curl` line.

use std::borrow::Cow;
use std::time::Duration;

use crate::base::long_text::tell_end;
use crate::base::plural::plural;
use crate::base::units::format_duration;
use crate::dify::transcript::{RecoveredBy, ReportedStatus};
use crate::record::attempt::{Attempt, NodeFact, WaitTimes};
use crate::record::verdict::{Finding, Truth};
use crate::report::explain::{ExcerptLimits, ExplainedFindings, explain_findings};
use crate::report::text::{ColorUse, LineEnds, ReportText, TextTone, one_line, short, value_line, visible};

/// Shorter waits are not shown on the terminal.
const LEAST_WAIT_MS: f64 = 100.0;
/// Nodes of a path that are named; the rest is counted.
const NODES: usize = 40;

/// Writes everything that explains an attempt which did not pass.
pub(crate) fn explain_attempt(
    text: &mut ReportText,
    attempt: &Attempt,
    which: ExplainedFindings,
    bounds: ExcerptLimits,
) {
    if let Some(cause) = &attempt.cause {
        for line in visible(&cause.message, LineEnds::Kept).lines() {
            text.push("  ").tone(TextTone::Bad, &one_line(line, bounds.width)).end();
        }
        if let Some(hint) = &cause.hint {
            text.push("  help: ").push(&one_line(hint, bounds.width)).end();
        }
    }
    let findings = beyond_cause(attempt);
    explain_findings(text, &findings, which, bounds);
    let unjudged = attempt.findings.len() - findings.len();
    if unjudged > 0 && !findings.is_empty() {
        let assertions = plural(unjudged, "assertion", "assertions");
        text.push(&format!("  {unjudged} {assertions} could not be judged for this reason")).end();
    }
    push_errors(text, attempt, bounds);
    if let Some(path) = node_path(&attempt.facts.nodes) {
        text.push("  nodes   ").push(&path).end();
    }
    if let Some(run) = &attempt.facts.run_id {
        text.push("  run     ").push(&one_line(run, 100));
        if let Some(workflow) = &attempt.facts.workflow_id {
            text.push("  workflow ").push(&one_line(workflow, 100));
        }
        if let Some(version) = &attempt.facts.dify_version {
            text.push("  dify ").push(&one_line(version, 40));
        }
        text.end();
    }
    if let Some(waits) = waits_text(&attempt.waits) {
        text.push("  waited  ").push(&waits).end();
    }
    if let Some(by) = attempt.facts.recovered {
        let lost = attempt.facts.lost.as_deref().unwrap_or_default();
        text.push("  found   by its ")
            .push(recovery_word(by))
            .push(", after: ")
            .push(&one_line(lost, bounds.width))
            .end();
    }
    if !attempt.curl.is_empty() {
        text.push("  again   ").push(&one_line(&attempt.curl, bounds.width.max(2_000))).end();
    }
}

/// Errors of nodes that are shown; the rest is counted.
const NODE_ERRORS: usize = 5;

/// Writes the errors that Dify reported and that are not shown above: the last line of each, in files all lines.
fn push_errors(text: &mut ReportText, attempt: &Attempt, bounds: ExcerptLimits) {
    let facts = &attempt.facts;
    let whole = facts.error.as_deref().filter(|error| error.trim().contains('\n'));
    if let (Some(error), true) = (whole, bounds.width > ExcerptLimits::SCREEN.width) {
        text.push("  error").end();
        for line in visible(&short(error, bounds.width), LineEnds::Kept).lines().take(bounds.lines) {
            text.push("    ").push(line).end();
        }
    }
    let of_run = facts.error.as_deref().unwrap_or_default();
    let errors_of = |node: &NodeFact| {
        let errors: Vec<String> = node.error.iter().chain(&node.retry_errors).cloned().collect();
        errors.into_iter().filter(|error| error != of_run).map(|error| (node.title.clone(), error)).collect()
    };
    let errors: Vec<(String, String)> =
        facts.nodes.iter().flat_map(|node| -> Vec<_> { errors_of(node) }).collect();
    for (title, error) in errors.iter().take(NODE_ERRORS) {
        let line = one_line(&tell_end(error), bounds.width);
        text.push("  error   ").push(&one_line(title, 60)).push(": ").push(&line).end();
    }
    if errors.len() > NODE_ERRORS {
        text.push(&format!("  error   … {} more of other nodes", errors.len() - NODE_ERRORS)).end();
    }
}

/// `1.20 s for a slot, 300 ms for the rate`; `None` where the waits are too short to matter.
pub(crate) fn waits_text(waits: &WaitTimes) -> Option<String> {
    let parts: Vec<String> = waits
        .told()
        .filter(|(_, milliseconds)| *milliseconds >= LEAST_WAIT_MS)
        .map(|(what, milliseconds)| format!("{} {what}", milliseconds_text(milliseconds)))
        .collect();
    (!parts.is_empty()).then(|| format!("{} before it was sent, not counted as latency", parts.join(", ")))
}

/// Milliseconds for people.
pub(crate) fn milliseconds_text(milliseconds: f64) -> String {
    format_duration(Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or_default())
}

/// How a lost run was found again, in a word.
pub(crate) fn recovery_word(by: RecoveredBy) -> &'static str {
    match by {
        RecoveredBy::Events => "events",
        RecoveredBy::Detail => "detail",
        RecoveredBy::Logs => "logs",
    }
}

/// The findings that add to the cause: assertions that are undecided only because of it are left out.
pub(crate) fn beyond_cause(attempt: &Attempt) -> Cow<'_, [Finding]> {
    let Some(cause) = &attempt.cause else { return Cow::Borrowed(&attempt.findings) };
    let informative = attempt.findings.iter().filter(|finding| !repeats(finding, &cause.message));
    let mut findings: Vec<Finding> = informative.cloned().collect();
    findings.iter_mut().for_each(|finding| leave_out(finding, &cause.message));
    Cow::Owned(findings)
}

/// True for an assertion that is undecided for this cause alone, or for a group of such assertions.
fn repeats(finding: &Finding, cause: &str) -> bool {
    let mut open = finding.members.iter().filter(|member| member.truth != Truth::Held).peekable();
    finding.truth == Truth::Undecided
        && match open.peek() {
            Some(_) => open.all(|member| repeats(member, cause)),
            None => finding.message == cause,
        }
}

/// Removes a message that only repeats the cause.
fn leave_out(finding: &mut Finding, cause: &str) {
    if finding.message == cause {
        finding.message.clear();
    }
    finding.members.iter_mut().for_each(|member| leave_out(member, cause));
}

/// The same as plain text for a file, with the run's outputs.
pub(crate) fn plain_explanation(attempt: &Attempt) -> String {
    bounded_explanation(attempt, ExcerptLimits::FILE)
}

/// As [`plain_explanation`], within bounds.
pub(crate) fn bounded_explanation(attempt: &Attempt, bounds: ExcerptLimits) -> String {
    let mut text = ReportText::new(ColorUse::Plain);
    explain_attempt(&mut text, attempt, ExplainedFindings::NotHeld, bounds);
    if let Some(outputs) = &attempt.outputs {
        text.push("  outputs ").push(&value_line(outputs, bounds.width)).end();
    }
    text.out
}

/// The nodes in order of start, those that did not succeed marked: `Start → Classify ✗ failed → Answer … running`.
pub(crate) fn node_path(nodes: &[NodeFact]) -> Option<String> {
    if nodes.is_empty() {
        return None;
    }
    let groups: Vec<&[NodeFact]> =
        nodes.chunk_by(|a, b| a.title == b.title && a.status == b.status).collect();
    let step = |group: &&[NodeFact]| {
        let title = one_line(&group[0].title, 60);
        let times = if group.len() > 1 { format!(" ×{}", group.len()) } else { String::new() };
        match ReportedStatus::of(&group[0].status) {
            ReportedStatus::Succeeded => format!("{title}{times}"),
            ReportedStatus::Running => format!("{title}{times} … running"),
            status => format!("{title}{times} ✗ {}", one_line(status.word(), 40)),
        }
    };
    let mut steps: Vec<String> = groups.iter().take(NODES).map(step).collect();
    if groups.len() > NODES {
        let rest = &groups[NODES..];
        steps.push(format!("… {} more", rest.len()));
        steps.extend(
            rest.iter()
                .filter(|group| ReportedStatus::of(&group[0].status) != ReportedStatus::Succeeded)
                .take(3)
                .map(step),
        );
    }
    Some(steps.join(" → "))
}
