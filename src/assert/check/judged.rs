//! What became of a condition, before it is a finding: four grades, how they join, and the words they share.

use std::fmt::Write;

use serde_json::Value;

use crate::base::clip::clip;
use crate::base::diff::Diff;
use crate::base::json_kind::kind;
use crate::record::verdict::Truth;

use super::operand::predicate_kind::Word;
use super::shown::{quote, show};

/// How a condition turned out, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConditionGrade {
    /// It holds.
    Held,
    /// What it looks at cannot be known, or its operand cannot be rendered.
    Undecided,
    /// It does not hold; a negation of it does.
    Broken,
    /// It cannot be asked of this value: broken, and its negation too.
    Misfit,
}

/// A condition's grade and why.
#[derive(Debug, Clone)]
pub(super) struct JudgedCondition {
    pub(super) grade: ConditionGrade,
    /// One sentence; empty when held.
    pub(super) message: String,
    pub(super) expected: Option<Value>,
    pub(super) actual: Option<Value>,
    pub(super) diff: Option<Diff>,
    /// What should be known although it holds, a sentence each.
    pub(super) notes: Vec<String>,
}

impl JudgedCondition {
    /// It holds; allocates nothing.
    pub(super) fn held() -> Self {
        Self {
            grade: ConditionGrade::Held,
            message: String::new(),
            expected: None,
            actual: None,
            diff: None,
            notes: Vec::new(),
        }
    }

    /// The same with a warning that decides nothing.
    pub(super) fn noted(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    pub(super) fn undecided(why: impl Into<String>) -> Self {
        Self { grade: ConditionGrade::Undecided, message: why.into(), ..Self::held() }
    }

    pub(super) fn broken(why: impl Into<String>) -> Self {
        Self { grade: ConditionGrade::Broken, message: why.into(), ..Self::held() }
    }

    pub(super) fn misfit(why: impl Into<String>) -> Self {
        Self { grade: ConditionGrade::Misfit, message: why.into(), ..Self::held() }
    }

    pub(super) fn expected(mut self, expected: &Value) -> Self {
        self.expected = Some(clip(expected));
        self
    }

    pub(super) fn actual(mut self, actual: &Value) -> Self {
        self.actual = Some(clip(actual));
        self
    }

    /// Both must hold: the worse one counts, the first of two alike, with the messages of both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self.grade, other.grade) {
            (ConditionGrade::Held, _) => return Self { notes: self.with(other.notes).notes, ..other },
            (_, ConditionGrade::Held) => return self.with(other.notes),
            (_, _) => {}
        }
        let (mut worse, better) = if other.grade > self.grade { (other, self) } else { (self, other) };
        let _ = write!(worse.message, "; {}", better.message);
        worse.with(better.notes)
    }

    fn with(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Records the value found, unless it held.
    pub(super) fn map_actual(self, actual: &Value) -> Self {
        if self.grade == ConditionGrade::Held { self } else { self.actual(actual) }
    }

    /// Records both values, unless it held.
    pub(super) fn map_expected(self, expected: &Value, actual: &Value) -> Self {
        if self.grade == ConditionGrade::Held { self } else { self.expected(expected).actual(actual) }
    }

    pub(super) fn truth(&self) -> Truth {
        match self.grade {
            ConditionGrade::Held => Truth::Held,
            ConditionGrade::Undecided => Truth::Undecided,
            ConditionGrade::Broken | ConditionGrade::Misfit => Truth::Broken,
        }
    }
}

/// Held, or broken with a message that is made only then.
pub(super) fn verdict(truth: impl Into<Truth>, why: impl FnOnce() -> String) -> JudgedCondition {
    match truth.into() {
        Truth::Held => JudgedCondition::held(),
        Truth::Broken => JudgedCondition::broken(why()),
        Truth::Undecided => JudgedCondition::undecided(why()),
    }
}

/// A predicate that does not take this type: broken, and under `not` too.
pub(super) fn misfit(word: Word, takes: &str, value: &Value) -> JudgedCondition {
    let hint = match value {
        Value::String(_) if takes == "a number" => "; `transform: [to_number]` makes a number of it",
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => "",
    };
    let found = match value {
        Value::String(text) => format!("text: {}", quote(text)),
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("{}: {}", kind(value), show(value))
        }
    };
    JudgedCondition::misfit(format!("`{}` is for {takes}, found {found}{hint}", word.key())).actual(value)
}

/// Held if one is held, else undecided if one is.
pub(super) fn any(all: impl Iterator<Item = JudgedCondition>, none: &str) -> JudgedCondition {
    let mut best: Option<JudgedCondition> = None;
    for judged in all {
        if judged.grade == ConditionGrade::Held {
            return judged;
        }
        if best.as_ref().is_none_or(|best| judged.grade < best.grade) {
            best = Some(judged);
        }
    }
    match best {
        Some(mut best) => {
            if best.grade != ConditionGrade::Undecided {
                best.message = format!("{none}; the nearest: {}", best.message);
            }
            best
        }
        None => JudgedCondition::broken(none),
    }
}

/// What a broken comparison says.
pub(super) fn compared(how: ComparisonFlavour, expected: &Value, actual: &Value) -> String {
    let word = match how {
        ComparisonFlavour::Equal => "expected",
        ComparisonFlavour::Included => "expected to include",
    };
    format!("{word} {}, found {}", show(expected), show(actual))
}

/// How two values were compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum ComparisonFlavour {
    /// They should be equal.
    Equal,
    /// The one should hold the other.
    Included,
}

/// True for a message that only names the two values: a difference says the same and more.
pub fn is_comparison(message: &str, expected: &Value, actual: &Value) -> bool {
    [ComparisonFlavour::Equal, ComparisonFlavour::Included]
        .into_iter()
        .any(|how| message == compared(how, expected, actual))
}
