//! What became of a condition, before it is a finding: four grades, how they join, and the words they share.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::base::diff::Diff;
use crate::base::json_kind::kind;
use crate::verdict::Truth;

use super::operand::words::Word;

/// Longest text kept of an expected or actual value, in bytes; the whole value may have twice that.
pub(super) const KEPT: usize = 8 << 10;
/// Longest text kept of a run's outputs, in bytes; all of them may have twice that.
const KEPT_OUTPUT: usize = 64 << 10;
/// Longest value in a message, in characters.
const SHOWN: usize = 120;

/// How a condition turned out, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
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
pub(super) struct Judged {
    pub(super) grade: Grade,
    /// One sentence; empty when held.
    pub(super) message: String,
    pub(super) expected: Option<Value>,
    pub(super) actual: Option<Value>,
    pub(super) diff: Option<Diff>,
    /// What should be known although it holds, a sentence each.
    pub(super) notes: Vec<String>,
}

impl Judged {
    /// It holds; allocates nothing.
    pub(super) fn held() -> Self {
        Self {
            grade: Grade::Held,
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
        Self { grade: Grade::Undecided, message: why.into(), ..Self::held() }
    }

    pub(super) fn broken(why: impl Into<String>) -> Self {
        Self { grade: Grade::Broken, message: why.into(), ..Self::held() }
    }

    pub(super) fn misfit(why: impl Into<String>) -> Self {
        Self { grade: Grade::Misfit, message: why.into(), ..Self::held() }
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
            (Grade::Held, _) => return Self { notes: self.with(other.notes).notes, ..other },
            (_, Grade::Held) => return self.with(other.notes),
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
        if self.grade == Grade::Held { self } else { self.actual(actual) }
    }

    /// Records both values, unless it held.
    pub(super) fn map_expected(self, expected: &Value, actual: &Value) -> Self {
        if self.grade == Grade::Held { self } else { self.expected(expected).actual(actual) }
    }

    pub(super) fn truth(&self) -> Truth {
        match self.grade {
            Grade::Held => Truth::Held,
            Grade::Undecided => Truth::Undecided,
            Grade::Broken | Grade::Misfit => Truth::Broken,
        }
    }
}

/// Held, or broken with a message that is made only then.
pub(super) fn verdict(truth: impl Into<Truth>, why: impl FnOnce() -> String) -> Judged {
    match truth.into() {
        Truth::Held => Judged::held(),
        Truth::Broken => Judged::broken(why()),
        Truth::Undecided => Judged::undecided(why()),
    }
}

/// A predicate that does not take this type: broken, and under `not` too.
pub(super) fn misfit(word: Word, takes: &str, value: &Value) -> Judged {
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
    Judged::misfit(format!("`{}` is for {takes}, found {found}{hint}", word.key())).actual(value)
}

/// Held if one is held, else undecided if one is.
pub(super) fn any(all: impl Iterator<Item = Judged>, none: &str) -> Judged {
    let mut best: Option<Judged> = None;
    for judged in all {
        if judged.grade == Grade::Held {
            return judged;
        }
        if best.as_ref().is_none_or(|best| judged.grade < best.grade) {
            best = Some(judged);
        }
    }
    match best {
        Some(mut best) => {
            if best.grade != Grade::Undecided {
                best.message = format!("{none}; the nearest: {}", best.message);
            }
            best
        }
        None => Judged::broken(none),
    }
}

/// What a broken comparison says.
pub(super) fn compared(how: Compared, expected: &Value, actual: &Value) -> String {
    let word = match how {
        Compared::Equal => "expected",
        Compared::Included => "expected to include",
    };
    format!("{word} {}, found {}", show(expected), show(actual))
}

/// How two values were compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Compared {
    /// They should be equal.
    Equal,
    /// The one should hold the other.
    Included,
}

/// True for a message that only names the two values: a difference says the same and more.
pub fn is_comparison(message: &str, expected: &Value, actual: &Value) -> bool {
    [Compared::Equal, Compared::Included].into_iter().any(|how| message == compared(how, expected, actual))
}

/// A value in a message: JSON, cut.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => cut(&clip_to(value, &mut (SHOWN * 4)).to_string()),
    }
}

/// A text in a message: quoted, cut, its control characters escaped.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", Value::from(&text[..at])),
        None => Value::from(text).to_string(),
    }
}

/// At most as many characters as a message should have.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A copy of a run's outputs, cut where they are longer than is recorded.
pub fn clip(value: &Value) -> Value {
    clip_by(value, KEPT_OUTPUT, &mut KEPT_OUTPUT.saturating_mul(2))
}

/// Whether a recorded value was cut, as far as its marks say: a text that only looks so counts too.
pub fn is_clipped(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => {
            let counted = text.strip_suffix(" bytes in all)").and_then(|text| text.rsplit_once("… ("));
            let more = text.strip_prefix("… ").and_then(|text| text.strip_suffix(" more"));
            [counted.map(|(_, count)| count), more].into_iter().flatten().any(is_count)
        }
        Value::Array(items) => items.iter().any(is_clipped),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let more = member.as_str().and_then(|text| text.strip_suffix(" more"));
            is_clipped(member)
                || is_clipped(&Value::from(key.as_str()))
                || (key == "…" && more.is_some_and(is_count))
        }),
    }
}

fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A copy with at most about `left` bytes; what is left out leaves a mark.
pub(super) fn clip_to(value: &Value, left: &mut usize) -> Value {
    clip_by(value, KEPT, left)
}

/// The same, where no text is longer than `longest`.
fn clip_by(value: &Value, longest: usize, left: &mut usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            *left = left.saturating_sub(8);
            value.clone()
        }
        Value::String(text) => Value::String(clip_text(text, longest, left)),
        Value::Array(items) => {
            let mut kept = Vec::new();
            for item in items {
                if *left == 0 {
                    kept.push(Value::from(format!("… {} more", items.len() - kept.len())));
                    break;
                }
                *left = left.saturating_sub(2);
                kept.push(clip_by(item, longest, left));
            }
            Value::Array(kept)
        }
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, member) in members {
                if *left == 0 {
                    kept.insert("…".to_owned(), Value::from(format!("{} more", members.len() - kept.len())));
                    break;
                }
                let key = clip_text(key, longest, left);
                kept.insert(key, clip_by(member, longest, left));
            }
            Value::Object(kept)
        }
    }
}

fn clip_text(text: &str, longest: usize, left: &mut usize) -> String {
    let most = longest.min(*left);
    if text.len() <= most {
        *left -= text.len();
        return text.to_owned();
    }
    let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    *left -= at;
    format!("{}… ({} bytes in all)", &text[..at], text.len())
}
