//! Assertions on values that were approved before: what was found is cleaned of what varies, compared and, where it differs, kept.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::assert::snapshot::{
    Compare, SnapshotAttempt, SnapshotComparison, SnapshotKeys, SnapshotOptions, TakenSnapshot,
    compare_values, likeness,
};
use crate::base::borrowed_json::BorrowedValue;
use crate::base::diff::{CaseRule, EqualOptions};
use crate::base::effort::EffortError;
use crate::base::json_path::{JsonPath, PathStep};
use crate::base::origin::Place;
use crate::base::similarity::Likeness;
use crate::dify::wire::vary::Varying;

use super::Context;
use super::difference;
use super::ignored_paths::{follow_ignored, nothing_left};
use super::judged::JudgedCondition;
use super::model::{AssertionTarget, Check, NodeAspect, PathRoot, SnapshotCheck, ValueCheck};
use super::operand::snapshot::{parse_key, parse_manner};
use super::shown::show;

/// The deepest value that a file of snapshots can hold, and be read again.
const DEEPEST: usize = 100;

/// Judges the values of one assertion, settled and transformed.
pub(super) fn judge(
    check: &SnapshotCheck,
    values: Vec<Value>,
    options: &EqualOptions,
    context: &Context<'_>,
) -> JudgedCondition {
    let Some(taking) = context.snapshots else {
        return JudgedCondition::undecided("the approved snapshots were not read");
    };
    let (key, manner) = match (check.key.get(context, parse_key), check.manner.get(context, parse_manner)) {
        (Ok(key), Ok(manner)) => (key, manner),
        (Err(why), _) | (_, Err(why)) => return JudgedCondition::undecided(why),
    };
    let found = match <[Value; 1]>::try_from(values) {
        Ok([one]) if !check.is_listed => one,
        Ok([one]) => Value::Array(vec![one]),
        Err(several) => Value::Array(several),
    };
    if !is_within(&found, DEEPEST) {
        return JudgedCondition::undecided(format!(
            "it nests deeper than {DEEPEST} levels, too deep for a snapshot"
        ));
    }
    if !taking.claim(&key) {
        return JudgedCondition::undecided(format!(
            "another assertion of this test has the snapshot `{}` too: give one of them a `label` of its own",
            *key
        ));
    }
    let redacted = manner.redacted(&taking.cleaner.clean(found), context.effort());
    match redacted
        .map_err(|error| error.to_string())
        .and_then(|found| follow_ignored(options, &found, context).map(|()| found))
    {
        Ok(found) => {
            let way = SnapshotWay { manner: &manner, options, taking };
            compare(&key, &found, &way, context)
        }
        Err(why) => JudgedCondition::undecided(why),
    }
}

/// How a value is compared with what was approved.
struct SnapshotWay<'a> {
    manner: &'a SnapshotOptions,
    options: &'a EqualOptions,
    taking: &'a SnapshotAttempt<'a>,
}

fn compare(key: &str, found: &Value, way: &SnapshotWay<'_>, context: &Context<'_>) -> JudgedCondition {
    let SnapshotWay { manner, options, taking } = *way;
    let waits = |judged: JudgedCondition| {
        taking.note(TakenSnapshot { key: key.to_owned(), pending: Some(found.clone()) });
        judged.actual(found)
    };
    let Some(approved) = taking.approved.entries.get(key) else {
        return waits(JudgedCondition::broken(format!(
            "no snapshot `{key}` was approved yet, found {}; look at it and accept it with `flowproof snapshot review`",
            show(found)
        )));
    };
    if let Err(why) = follow_ignored(options, approved, context) {
        return JudgedCondition::undecided(why);
    }
    if let Some(why) = nothing_left(approved, options) {
        return JudgedCondition::undecided(why);
    }
    let approved = match manner.redacted(&taking.cleaner.clean(approved.clone()), context.effort()) {
        Ok(approved) => approved,
        Err(error) => return JudgedCondition::undecided(error.to_string()),
    };
    match compare_values(&approved, found, &manner.compare, options) {
        SnapshotComparison::Same => {
            taking.note(TakenSnapshot { key: key.to_owned(), pending: None });
            JudgedCondition::held()
        }
        SnapshotComparison::Differs(sides) => {
            let diff = difference::of_values(&sides.0, &sides.1, &EqualOptions::default());
            let values = match diff {
                Some(_) => String::new(),
                None => format!(": approved {}, found {}", show(&approved), show(found)),
            };
            let how = how(&manner.compare, &approved, found, options.ignore_case);
            let message = format!(
                "{how} the approved snapshot in {}{values}; if that is meant, accept it with `flowproof snapshot review`",
                taking.approved.shown
            );
            let judged = waits(JudgedCondition::broken(message).expected(&approved));
            JudgedCondition { diff, ..judged }
        }
        SnapshotComparison::Unmeasured(error) => {
            waits(JudgedCondition::undecided(error.to_string()).expected(&approved))
        }
    }
}

/// How a value differs that was compared so.
fn how(compare: &Compare, approved: &Value, found: &Value, case: CaseRule) -> String {
    match (compare, approved, found) {
        (Compare::Exact, _, _) => "differs from".to_owned(),
        (Compare::Structure, _, _) => "has other keys or types than".to_owned(),
        (Compare::Similar(least), Value::String(approved), Value::String(found)) => {
            let found = likeness(approved, found, case).map_or("unknown".to_owned(), Likeness::shown);
            format!("has a likeness of {found}, less than {}, to", least.to_f64())
        }
        (Compare::Similar(least), _, _) => format!("is not like, by {},", least.to_f64()),
        (Compare::Numeric(_), _, _) => "is not near enough to".to_owned(),
    }
}

/// The selected values without what varies by itself in the run, each seen in the whole it is part of.
pub(super) fn settled(
    path: &JsonPath,
    whole: &Value,
    root: PathRoot,
    context: &Context<'_>,
) -> Result<Vec<Value>, EffortError> {
    let none = Varying::default();
    let varying = context.snapshots.and_then(|taking| taking.varying.get()).unwrap_or(&none);
    let all = match (context.node_type, root) {
        (Some(node_type), PathRoot::Outputs) => {
            varying.settle_node(node_type, &BorrowedValue::of(whole)).to_value()
        }
        _ => varying.settle(&BorrowedValue::of(whole)).to_value(),
    };
    let at = |place: &Vec<PathStep>| match value_at(&all, place) {
        Some(value) => value.clone(),
        None => value_at(whole, place)
            .map_or(Value::Null, |value| varying.settle(&BorrowedValue::of(value)).to_value()),
    };
    Ok(path.find_places(whole, context.effort())?.iter().map(at).collect())
}

/// A value once more without what varies: a transform may have brought it to light.
pub(super) fn settled_again(value: Cow<'_, Value>, context: &Context<'_>) -> Value {
    match context.snapshots.and_then(|taking| taking.varying.get()) {
        Some(varying) => varying.settle(&BorrowedValue::of(&value)).to_value(),
        None => value.into_owned(),
    }
}

fn value_at<'v>(value: &'v Value, place: &[PathStep]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match step {
        PathStep::Name(name) => value.get(name.as_str()),
        PathStep::Index(index) => value.get(*index),
    })
}

fn is_within(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => false,
        (Value::Array(items), _) => items.iter().all(|item| is_within(item, levels - 1)),
        (Value::Object(members), _) => members.values().all(|member| is_within(member, levels - 1)),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => true,
    }
}

/// The key of a snapshot that an assertion takes.
pub struct AssertedKey {
    /// The key; `None` where only a run renders it.
    pub key: Option<String>,
    /// The place of the assertion.
    pub place: Arc<Place>,
}

/// The keys of the snapshots that checks take.
pub fn snapshot_keys(checks: &[Check]) -> Vec<AssertedKey> {
    let mut keys = Vec::new();
    checks.iter().for_each(|check| add_keys(check, &mut keys));
    keys
}

fn add_keys(check: &Check, keys: &mut Vec<AssertedKey>) {
    let mut add = |value: &ValueCheck| {
        let key = value.expect.snapshot.as_ref().map(|snapshot| snapshot.key.ready().cloned());
        keys.extend(key.map(|key| AssertedKey { key, place: check.head.place.clone() }));
    };
    match &*check.body {
        AssertionTarget::Value(value) => add(value),
        AssertionTarget::Node(node) => match &node.what {
            NodeAspect::Value(value) => add(value),
            NodeAspect::Facts(_) => {}
        },
        AssertionTarget::Group(group) => group.members.iter().for_each(|member| add_keys(member, keys)),
        AssertionTarget::Run(_) => {}
    }
}

/// The keys of snapshots as one list, for those who look for their files.
pub fn keys_of(checks: &[Check]) -> Option<SnapshotKeys> {
    let keys = snapshot_keys(checks);
    let rendered = keys.iter().any(|asserted| asserted.key.is_none());
    (!keys.is_empty()).then(|| SnapshotKeys {
        written: keys.into_iter().filter_map(|asserted| asserted.key).collect(),
        rendered,
    })
}
