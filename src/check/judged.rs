//! What became of a condition, before it is a finding: four grades, and how they join.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::base::diff::Diff;
use crate::verdict::Truth;

/// Longest text kept of an expected or actual value, in bytes; the whole value may have twice that.
pub(super) const KEPT: usize = 8 << 10;
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
}

impl Judged {
    /// It holds; allocates nothing.
    pub(super) fn held() -> Self {
        Self { grade: Grade::Held, message: String::new(), expected: None, actual: None, diff: None }
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
        if self.grade == Grade::Held {
            return other;
        }
        if other.grade == Grade::Held {
            return self;
        }
        let (mut worse, better) = if other.grade > self.grade { (other, self) } else { (self, other) };
        let _ = write!(worse.message, "; {}", better.message);
        worse
    }

    pub(super) fn truth(&self) -> Truth {
        match self.grade {
            Grade::Held => Truth::Held,
            Grade::Undecided => Truth::Undecided,
            Grade::Broken | Grade::Misfit => Truth::Broken,
        }
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

/// A copy of a value that is small enough to be recorded.
pub fn clip(value: &Value) -> Value {
    clip_to(value, &mut KEPT.saturating_mul(2))
}

/// A copy with at most about `left` bytes; what is left out leaves a mark.
pub(super) fn clip_to(value: &Value, left: &mut usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            *left = left.saturating_sub(8);
            value.clone()
        }
        Value::String(text) => Value::String(clip_text(text, left)),
        Value::Array(items) => {
            let mut kept = Vec::new();
            for item in items {
                if *left == 0 {
                    kept.push(Value::from(format!("… {} more", items.len() - kept.len())));
                    break;
                }
                *left = left.saturating_sub(2);
                kept.push(clip_to(item, left));
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
                let key = clip_text(key, left);
                kept.insert(key, clip_to(member, left));
            }
            Value::Object(kept)
        }
    }
}

fn clip_text(text: &str, left: &mut usize) -> String {
    let most = KEPT.min(*left);
    if text.len() <= most {
        *left -= text.len();
        return text.to_owned();
    }
    let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    *left -= at;
    format!("{}… ({} bytes in all)", &text[..at], text.len())
}
