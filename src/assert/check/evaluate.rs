//! From checks to findings: assertions of the run, of nodes, and groups of them by three-valued logic.

use serde_json::Value;

use crate::assert::snapshot::SnapshotAttempt;
use crate::base::effort::Effort;
use crate::base::json_path::show_place;
use crate::dify::transcript::{FlawKind, Transcript, varying_of};
use crate::record::attempt::{Cause, RunFacts};
use crate::record::verdict::{Finding, Severity, Truth};

use super::Context;
use super::exchange_end::ExchangeEnd;
use super::fact::Fact;
use super::facts;
use super::judged::{ConditionGrade, JudgedCondition};
use super::model::{AssertionTarget, Check, GroupRule, MemberGroup};
use super::nodes;
use super::operand::needed::parse_needed;
use super::run_subject;
use super::values;
use super::view::View;

/// What an attempt's transcript comes to.
#[derive(Debug)]
pub struct CheckResult {
    /// Why nothing can be judged; `None` where there is a run or a rejection.
    pub cause: Option<Cause>,
    /// One a check, in the order of the checks; then the warnings of those that hold.
    pub findings: Vec<Finding>,
    /// What reports and thresholds use.
    pub facts: RunFacts,
}

/// Judges every check against a transcript, whatever fails, and gathers its facts, in one look at it.
pub fn examine(checks: &[Check], transcript: &Transcript, context: &Context<'_>) -> CheckResult {
    let own = Effort::default();
    let context = &context.within(context.effort.unwrap_or(&own));
    let view = if run_subject::expects_pause(checks, context) {
        View::of_pause(transcript, context.usage)
    } else {
        View::new(transcript, context.usage)
    };
    if let Some(taking) = context.snapshots {
        // Set once: a look is for one attempt.
        let _ = taking.varying.set(varying_of(transcript));
    }
    let mut notes = Vec::new();
    let mut findings: Vec<Finding> = Vec::with_capacity(checks.len());
    for check in checks {
        let before = notes.len();
        let finding = judge(check, &view, context, &mut notes);
        // What is red needs no warning beside it.
        if finding.truth != Truth::Held {
            notes.truncate(before);
        }
        findings.push(finding);
    }
    findings.extend(notes);
    findings.extend(repeated(transcript, checks));
    let facts = facts::gather(&view);
    let cause = match view.state {
        ExchangeEnd::Unjudged(cause) => Some(cause),
        ExchangeEnd::Ran(_) | ExchangeEnd::Rejected { .. } => None,
    };
    CheckResult { cause, findings, facts }
}

/// Warns of keys that the answer gives twice, at the first assertion.
fn repeated(transcript: &Transcript, checks: &[Check]) -> Option<Finding> {
    let mut repeated = transcript.answer.flaws.iter().filter(|flaw| flaw.kind == FlawKind::Repeated);
    let key = repeated.next()?;
    let place = show_place(&key.place);
    let whose = match key.event {
        Some(event) => format!("event {}", event + 1),
        None => "the answer".to_owned(),
    };
    let more = match repeated.count() {
        0 => String::new(),
        more => format!(", and {more} more keys of the answer occur twice"),
    };
    Some(Finding {
        truth: Truth::Broken,
        severity: Severity::Warn,
        place: checks.first()?.head.place.clone(),
        label: "each key of the answer is given once".to_owned(),
        message: format!("{whose} gives `{place}` twice{more}; what is asserted of it is undecided"),
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    })
}

fn judge(check: &Check, view: &View<'_>, context: &Context<'_>, notes: &mut Vec<Finding>) -> Finding {
    if let Err(error) = context.effort().renew() {
        return finding(check, JudgedCondition::undecided(error.to_string()), Vec::new(), context);
    }
    let JudgedAssertion { judged, members } = match &*check.body {
        AssertionTarget::Value(value) => {
            let place = || format!("the {}", value.root.word());
            let root = view.root(value.root);
            let doubts = if matches!(root, Fact::Known(_)) { view.doubts(value.root) } else { Vec::new() };
            let root = values::DoubtedRoot { value: root, doubts: &doubts };
            JudgedAssertion::of(values::judge(value, root, &place, context))
        }
        AssertionTarget::Run(subjects) => {
            let judged = subjects.iter().fold(JudgedCondition::held(), |so_far, fact| {
                so_far.and(run_subject::of_run(fact, view, context))
            });
            JudgedAssertion::of(judged)
        }
        AssertionTarget::Node(node) => JudgedAssertion::of(nodes::judge(node, view, context)),
        AssertionTarget::Group(group) => {
            let taken = context.snapshots.map_or(0, SnapshotAttempt::count);
            let mut group = judge_group(group, view, context, notes);
            group.members.iter_mut().for_each(|member| inherit(member, check.head.severity));
            if let (Some(taking), ConditionGrade::Held) = (context.snapshots, group.judged.grade) {
                taking.forget_since(taken);
            }
            group
        }
    };
    let warnings = judged.notes.iter().map(|note| JudgedCondition::broken(note.clone()));
    notes.extend(
        warnings.map(|warning| Finding {
            severity: Severity::Warn,
            ..finding(check, warning, Vec::new(), context)
        }),
    );
    finding(check, judged, members, context)
}

/// What became of an assertion, and of its members.
struct JudgedAssertion {
    judged: JudgedCondition,
    members: Vec<Finding>,
}

impl JudgedAssertion {
    /// One without members.
    fn of(judged: JudgedCondition) -> Self {
        Self { judged, members: Vec::new() }
    }
}

fn judge_group(
    group: &MemberGroup,
    view: &View<'_>,
    context: &Context<'_>,
    notes: &mut Vec<Finding>,
) -> JudgedAssertion {
    let members: Vec<Finding> =
        group.members.iter().map(|member| judge(member, view, context, notes)).collect();
    let truths = || members.iter().map(|member| member.truth);
    let judged = match &group.rule {
        GroupRule::Any => count_truths(truths(), 1),
        GroupRule::All => count_truths(truths(), members.len() as u64),
        GroupRule::AtLeast(needed) => {
            match needed.get(context, |value| parse_needed(value, members.len() as u64)) {
                Ok(needed) => count_truths(truths(), *needed),
                Err(why) => JudgedCondition::undecided(why),
            }
        }
    };
    JudgedAssertion { judged, members }
}

/// Members have the severity of their group.
fn inherit(finding: &mut Finding, severity: Severity) {
    finding.severity = severity;
    finding.members.iter_mut().for_each(|member| inherit(member, severity));
}

/// Held once enough are held; broken once too few can be.
fn count_truths(truths: impl Iterator<Item = Truth>, needed: u64) -> JudgedCondition {
    let (mut held, mut undecided, mut all) = (0_u64, 0_u64, 0_u64);
    for truth in truths {
        all += 1;
        match truth {
            Truth::Held => held += 1,
            Truth::Undecided => undecided += 1,
            Truth::Broken => {}
        }
    }
    let said = |rest: &str| format!("{held} of {all} hold, {needed} must{rest}");
    if needed == 0 || all == 0 {
        JudgedCondition::undecided("the group has no members")
    } else if held >= needed {
        JudgedCondition::held()
    } else if held + undecided >= needed {
        JudgedCondition::undecided(said(&format!("; {undecided} cannot be decided")))
    } else {
        JudgedCondition::broken(said("")).expected(&Value::from(needed)).actual(&Value::from(held))
    }
}

fn finding(check: &Check, judged: JudgedCondition, members: Vec<Finding>, context: &Context<'_>) -> Finding {
    let label = match &check.head.late_label {
        None => check.head.label.to_string(),
        Some(template) => {
            let rendered = context.templates.render_text(template, context.scope);
            rendered.unwrap_or_else(|_| check.head.label.to_string())
        }
    };
    let truth = judged.truth();
    let held = judged.grade == ConditionGrade::Held;
    Finding {
        truth,
        severity: check.head.severity,
        place: check.head.place.clone(),
        label,
        message: if held { String::new() } else { judged.message },
        expected: judged.expected,
        actual: judged.actual,
        diff: judged.diff,
        members,
    }
}
