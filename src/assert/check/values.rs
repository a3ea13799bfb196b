//! Assertions on the values a path selects: how many there must be, and how many must satisfy the predicates.

use serde_json::Value;

use crate::base::json_path::show_place;
use crate::record::verdict::Truth;

use super::Context;
use super::doubt::{Doubt, doubt_read_by};
use super::fact::Fact;
use super::header_names::respelled_headers;
use super::ignored_paths::{self, unfollowed};
use super::judged::{ConditionGrade, JudgedCondition, any, verdict};
use super::model::{Expectation, Match, PathRoot, SnapshotCheck, ValueCheck};
use super::operand::bound::{BareMeaning, QuantityBound};
use super::operand::{parse_bool, parse_path};
use super::predicate::judge_all;
use super::shown::{cut, show};
use super::snapshot;
use super::transform;

/// Further broken values of one assertion that are named; the rest is counted.
const NAMED: usize = 3;

/// The JSON in which a path starts, and what of it is given twice.
pub(super) struct DoubtedRoot<'a> {
    pub(super) value: Fact<&'a Value>,
    pub(super) doubts: &'a [Doubt],
}

/// Judges a check on one root; `place` names the root in messages.
pub(super) fn judge(
    check: &ValueCheck,
    root: DoubtedRoot<'_>,
    place: &dyn Fn() -> String,
    context: &Context<'_>,
) -> JudgedCondition {
    let path = match check.path.get(context, parse_path) {
        Ok(path) => path,
        Err(why) => return JudgedCondition::undecided(why),
    };
    let DoubtedRoot { value: root, doubts } = root;
    match root {
        Fact::Unknown(why) => JudgedCondition::undecided(why),
        Fact::Absent => {
            let nothing =
                || format!("there is nothing to look into: {} {} missing", place(), are(check.root));
            judge_selected(
                &check.expect,
                &SelectedValues { values: &[], settled: Vec::new(), nothing: &nothing, places: &Vec::new },
                context,
            )
        }
        Fact::Known(value) => {
            let respelled =
                (check.root == PathRoot::Response).then(|| respelled_headers(value, path.as_str())).flatten();
            let value = respelled.as_ref().unwrap_or(value);
            let response = (check.root == PathRoot::Response).then_some(value);
            let context = &Context { response, ..*context };
            if let Some(doubt) = doubt_read_by(&path, value, doubts) {
                return JudgedCondition::undecided(format!("in {}, {}", place(), doubt.message()));
            }
            let nothing =
                || format!("`{}` selects nothing in {}{}", path.as_str(), place(), keys(value, check.root));
            let places = || {
                let places = path.find_places(value, context.effort()).unwrap_or_default();
                places.iter().map(|place| show_place(place)).collect()
            };
            let settled = match &check.expect.snapshot {
                Some(_) => snapshot::settled(&path, value, check.root, context),
                None => Ok(Vec::new()),
            };
            let selected = path.select_values(value, context.effort());
            let (values, settled) = match (selected, settled) {
                (Ok(values), Ok(settled)) => (values, settled),
                (Err(error), _) | (_, Err(error)) => {
                    return JudgedCondition::undecided(unfollowed(&path, error));
                }
            };
            let selection = SelectedValues { values: &values, settled, nothing: &nothing, places: &places };
            judge_selected(&check.expect, &selection, context)
        }
    }
}

/// Values already selected, and the words for them.
pub(super) struct SelectedValues<'s> {
    pub(super) values: &'s [&'s Value],
    /// The same without what varies by itself, where there is a snapshot of them.
    pub(super) settled: Vec<Value>,
    /// Why there is none.
    pub(super) nothing: &'s dyn Fn() -> String,
    /// Where each is; asked for only when one must be named.
    pub(super) places: &'s dyn Fn() -> Vec<String>,
}

/// Judges values already selected.
pub(super) fn judge_selected(
    expect: &Expectation,
    selection: &SelectedValues<'_>,
    context: &Context<'_>,
) -> JudgedCondition {
    let list = count(expect, selection.values, context).and(exists(expect, selection, context));
    if expect.predicates.is_empty() && expect.snapshot.is_none() {
        return list;
    }
    if let Some(amiss) = amiss(expect, selection) {
        return list.and(amiss);
    }
    let judged = match expect.predicates.is_empty() {
        true => list,
        false => list.and(matching(expect, selection, context)),
    };
    match &expect.snapshot {
        Some(check) => judged.and(as_approved(check, expect, selection, context)),
        None => judged,
    }
}

/// Values that are absent satisfy nothing, whatever `match` says; without `match` there must be one.
fn amiss(expect: &Expectation, selection: &SelectedValues<'_>) -> Option<JudgedCondition> {
    match (selection.values, expect.matching) {
        ([], _) => Some(JudgedCondition::broken((selection.nothing)())),
        ([_], _) | (_, Match::Any | Match::All | Match::None) => None,
        (several, Match::One) => Some(JudgedCondition::broken(format!(
            "selects {} values{}; say `match: any`, `all` or `none`",
            several.len(),
            sample(several)
        ))),
    }
}

fn as_approved(
    check: &SnapshotCheck,
    expect: &Expectation,
    selection: &SelectedValues<'_>,
    context: &Context<'_>,
) -> JudgedCondition {
    let options = match ignored_paths::options(&expect.equality, context) {
        Ok(options) => options,
        Err(why) => return JudgedCondition::undecided(why),
    };
    let mut values = Vec::with_capacity(selection.settled.len());
    for value in &selection.settled {
        match transform::apply(&expect.transforms, value, context) {
            Ok(value) if expect.transforms.is_empty() => values.push(value.into_owned()),
            Ok(value) => values.push(snapshot::settled_again(value, context)),
            Err(judged) => return *judged,
        }
    }
    snapshot::judge(check, values, &options, context)
}

fn count(expect: &Expectation, selected: &[&Value], context: &Context<'_>) -> JudgedCondition {
    let Some(bound) = &expect.count else { return JudgedCondition::held() };
    match bound.get(context, |value| QuantityBound::parse(value, BareMeaning::Exactly)) {
        Ok(bound) => {
            let found = selected.len() as u64;
            verdict(bound.holds(&found), || {
                format!("expected {} values, found {found}{}", bound.show(), sample(selected))
            })
            .map_expected(&Value::from(bound.show()), &Value::from(found))
        }
        Err(why) => JudgedCondition::undecided(why),
    }
}

fn exists(expect: &Expectation, selection: &SelectedValues<'_>, context: &Context<'_>) -> JudgedCondition {
    let Some(wanted) = &expect.exists else { return JudgedCondition::held() };
    match wanted.get(context, |value| parse_bool(value, "`exists`")) {
        Ok(wanted) => match (*wanted, selection.values) {
            (true, []) => JudgedCondition::broken((selection.nothing)()),
            (false, [first, ..]) => {
                JudgedCondition::broken(format!("expected nothing, found {}", show(first))).actual(first)
            }
            (true, [_, ..]) | (false, []) => JudgedCondition::held(),
        },
        Err(why) => JudgedCondition::undecided(why),
    }
}

fn matching(expect: &Expectation, selection: &SelectedValues<'_>, context: &Context<'_>) -> JudgedCondition {
    let one = |value: &Value| match transform::apply(&expect.transforms, value, context) {
        Ok(value) => judge_all(&expect.predicates, &value, &expect.equality, context),
        Err(judged) => *judged,
    };
    let values = selection.values;
    match (expect.matching, values) {
        (Match::One, [value]) => one(value),
        (Match::One | Match::All, _) => every(selection, one),
        (Match::Any, _) => any(
            values.iter().map(|value| one(value)),
            &format!("none of the {} values satisfies it", values.len()),
        ),
        (Match::None, _) => every(selection, |value| match one(value) {
            judged if judged.grade == ConditionGrade::Held => {
                JudgedCondition::broken(format!("should not satisfy it, but does: {}", show(value)))
                    .actual(value)
            }
            judged if judged.grade == ConditionGrade::Broken => JudgedCondition::held(),
            judged => judged,
        }),
    }
}

/// Every value must hold: the worst is reported, with its place and those of the others that are broken.
fn every(selection: &SelectedValues<'_>, judge: impl Fn(&Value) -> JudgedCondition) -> JudgedCondition {
    let mut worst = (0, JudgedCondition::held());
    let mut broken: Vec<usize> = Vec::new();
    for (index, value) in selection.values.iter().enumerate() {
        let judged = judge(value);
        if judged.truth() == Truth::Broken {
            broken.push(index);
        }
        if judged.grade > worst.1.grade {
            worst = (index, judged);
        }
    }
    let (index, mut judged) = worst;
    if judged.grade == ConditionGrade::Held {
        return judged;
    }
    let places = (selection.places)();
    let place = |index: usize| match places.get(index) {
        Some(place) => format!("`{}`", cut(place)),
        None => format!("value {} of {}", index + 1, selection.values.len()),
    };
    let others: Vec<usize> = broken.into_iter().filter(|other| *other != index).collect();
    judged.message = format!("{}: {}", place(index), judged.message);
    if !others.is_empty() {
        let named: Vec<String> = others.iter().take(NAMED).map(|other| place(*other)).collect();
        judged.message.push_str(&format!("; also broken: {}", named.join(", ")));
    }
    if others.len() > NAMED {
        judged.message.push_str(&format!(" and {} more", others.len() - NAMED));
    }
    judged
}

/// The first few values, for a message.
fn sample(selected: &[&Value]) -> String {
    if selected.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = selected.iter().take(3).map(|value| show(value)).collect();
    let more = if selected.len() > 3 { ", …" } else { "" };
    format!(": {}{more}", cut(&shown.join(", ")))
}

/// The verb that goes with the word for a root.
fn are(root: PathRoot) -> &'static str {
    match root {
        PathRoot::Outputs | PathRoot::Inputs | PathRoot::Events => "are",
        PathRoot::Run | PathRoot::Response | PathRoot::Text | PathRoot::ProcessData => "is",
    }
}

/// The keys there are, which mostly explain why a path found nothing.
fn keys(value: &Value, root: PathRoot) -> String {
    let is = are(root);
    let has = if is == "are" { "have" } else { "has" };
    match value {
        Value::Object(members) if members.is_empty() => format!(", which {is} empty"),
        Value::Object(members) => {
            let keys: Vec<&str> = members.keys().take(10).map(String::as_str).collect();
            let more = if members.len() > 10 { ", …" } else { "" };
            format!(", which {has} {}{more}", cut(&keys.join(", ")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => String::new(),
    }
}
