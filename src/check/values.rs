//! Assertions on the values a path selects: how many there must be, and how many must satisfy the predicates.

use serde_json::Value;

use super::Context;
use super::judged::{Grade, Judged, any, cut, show, verdict};
use super::model::{Expectation, Match, ValueCheck};
use super::operand::bound::{Bare, Bound};
use super::operand::{parse_bool, parse_path};
use super::predicate::judge_all;
use super::transform;
use super::view::Fact;

/// Judges a check on one root; `place` names the root in messages.
pub(super) fn judge(
    check: &ValueCheck,
    root: Fact<&Value>,
    place: &dyn Fn() -> String,
    context: &Context<'_>,
) -> Judged {
    let path = match check.path.get(context, parse_path) {
        Ok(path) => path,
        Err(why) => return Judged::undecided(why),
    };
    match root {
        Fact::Unknown(why) => Judged::undecided(why),
        Fact::Absent => {
            let nothing = || format!("there is nothing to look into: {} is missing", place());
            judge_selected(&check.expect, &[], &nothing, context)
        }
        Fact::Known(root) => {
            let nothing = || format!("`{}` selects nothing in {}{}", path.as_str(), place(), keys(root));
            judge_selected(&check.expect, &path.select_values(root), &nothing, context)
        }
    }
}

/// Judges values already selected; `nothing` says why there is none.
pub(super) fn judge_selected(
    expect: &Expectation,
    selected: &[&Value],
    nothing: &dyn Fn() -> String,
    context: &Context<'_>,
) -> Judged {
    let list = count(expect, selected, context).and(exists(expect, selected, nothing, context));
    if expect.predicates.is_empty() {
        return list;
    }
    list.and(matching(expect, selected, nothing, context))
}

fn count(expect: &Expectation, selected: &[&Value], context: &Context<'_>) -> Judged {
    let Some(bound) = &expect.count else { return Judged::held() };
    match bound.get(context, |value| Bound::parse(value, Bare::Exactly)) {
        Ok(bound) => {
            let found = selected.len() as u64;
            verdict(bound.holds(&found), || {
                format!("expected {} values, found {found}{}", bound.show(), sample(selected))
            })
            .map_expected(&Value::from(bound.show()), &Value::from(found))
        }
        Err(why) => Judged::undecided(why),
    }
}

fn exists(
    expect: &Expectation,
    selected: &[&Value],
    nothing: &dyn Fn() -> String,
    context: &Context<'_>,
) -> Judged {
    let Some(wanted) = &expect.exists else { return Judged::held() };
    match wanted.get(context, |value| parse_bool(value, "`exists`")) {
        Ok(wanted) => match (*wanted, selected) {
            (true, []) => Judged::broken(nothing()),
            (false, [first, ..]) => {
                Judged::broken(format!("expected nothing, found {}", show(first))).actual(first)
            }
            (true, [_, ..]) | (false, []) => Judged::held(),
        },
        Err(why) => Judged::undecided(why),
    }
}

/// Values that are absent satisfy nothing, whatever `match` says.
fn matching(
    expect: &Expectation,
    selected: &[&Value],
    nothing: &dyn Fn() -> String,
    context: &Context<'_>,
) -> Judged {
    let one = |value: &Value| match transform::apply(&expect.transforms, value, context) {
        Ok(value) => judge_all(&expect.predicates, &value, &expect.equality, context),
        Err(judged) => *judged,
    };
    if selected.is_empty() {
        return Judged::broken(nothing());
    }
    match expect.matching {
        Match::One => match selected {
            [value] => one(value),
            several => Judged::broken(format!(
                "selects {} values{}; say `match: any`, `all` or `none`",
                several.len(),
                sample(several)
            )),
        },
        Match::All => selected.iter().enumerate().fold(Judged::held(), |so_far, (index, value)| {
            // One example is enough; a worse grade still counts.
            let judged = one(value);
            if judged.grade > so_far.grade { numbered(judged, index, selected.len()) } else { so_far }
        }),
        Match::Any => any(
            selected.iter().map(|value| one(value)),
            &format!("none of the {} values satisfies it", selected.len()),
        ),
        Match::None => selected.iter().enumerate().fold(Judged::held(), |so_far, (index, value)| {
            let judged = match one(value) {
                judged if judged.grade == Grade::Held => {
                    Judged::broken(format!("should not satisfy it, but does: {}", show(value))).actual(value)
                }
                judged if judged.grade == Grade::Broken => Judged::held(),
                judged => judged,
            };
            if judged.grade > so_far.grade { numbered(judged, index, selected.len()) } else { so_far }
        }),
    }
}

fn numbered(mut judged: Judged, index: usize, count: usize) -> Judged {
    judged.message = format!("value {} of {count}: {}", index + 1, judged.message);
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

/// The keys there are, which mostly explain why a path found nothing.
fn keys(root: &Value) -> String {
    match root {
        Value::Object(members) if members.is_empty() => ", which is empty".to_owned(),
        Value::Object(members) => {
            let keys: Vec<&str> = members.keys().take(10).map(String::as_str).collect();
            let more = if members.len() > 10 { ", …" } else { "" };
            format!(", which has {}{more}", cut(&keys.join(", ")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => String::new(),
    }
}
