//! The types of values that a predicate takes: on all others it is broken, and under `not` mostly too.

use serde_json::{Value, json};

use crate::assert::check::operand::matcher::Matcher;
use crate::assert::check::operand::predicate_kind::JsonType;
use crate::assert::check::schema::CompiledSchema;

/// Whether a predicate must hold, or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Must,
    MustNot,
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

/// The values that hold nothing, one of each type that can.
pub(super) const EMPTY_VALUES: [fn() -> Value; 3] = [|| json!(""), || json!([]), || json!({})];

const NAMES: [&str; 6] = ["null", "a boolean", "a number", "text", "a list", "an object"];

impl Kinds {
    pub const ALL: Self = Self(0b11_1111);
    pub const NULL: Self = Self(1);
    pub const BOOLEAN: Self = Self(1 << 1);
    pub const NUMBER: Self = Self(1 << 2);
    pub const TEXT: Self = Self(1 << 3);
    pub const LIST: Self = Self(1 << 4);
    pub const OBJECT: Self = Self(1 << 5);
    /// What has a length.
    pub const SIZED: Self = Self(Self::TEXT.0 | Self::LIST.0 | Self::OBJECT.0);

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::OBJECT,
        }
    }

    fn of_all<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        Self(values.into_iter().fold(0, |kinds, value| kinds | Self::of(value).0))
    }

    /// "text", "a list or an object".
    pub fn show(self) -> String {
        let names = NAMES.iter().enumerate().filter(|(index, _)| self.0 & (1 << index) != 0);
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ")
    }
}

/// The types of values for which a predicate can hold.
pub(super) fn kinds_of(test: &Matcher, sign: Polarity) -> Kinds {
    let must = sign == Polarity::Must;
    match test {
        Matcher::Equals(value) | Matcher::Includes(value) if must => Kinds::of(value),
        Matcher::OneOf(values) if must => Kinds::of_all(values),
        Matcher::Equals(_) | Matcher::Includes(_) | Matcher::OneOf(_) | Matcher::Rubric(_) => Kinds::ALL,
        Matcher::Contains(needle) if needle.is_string() => Kinds::SIZED,
        Matcher::Contains(_) => Kinds::LIST,
        Matcher::ContainsAll(needles) if !needles.iter().all(Value::is_string) => Kinds::LIST,
        Matcher::ContainsAny(_) | Matcher::ContainsAll(_) | Matcher::Length(_) | Matcher::Empty(_) => {
            Kinds::SIZED
        }
        Matcher::StartsWith(_) | Matcher::EndsWith(_) | Matcher::Regex(_) | Matcher::Format(_) => Kinds::TEXT,
        Matcher::Similar(_) | Matcher::Embedding(_) => Kinds::TEXT,
        Matcher::Gt(_) | Matcher::Gte(_) | Matcher::Lt(_) | Matcher::Lte(_) => Kinds::NUMBER,
        Matcher::Between(..) | Matcher::Approx(_) => Kinds::NUMBER,
        Matcher::Type(wanted) if must => of_type(*wanted),
        Matcher::Type(JsonType::Integer) => Kinds::ALL,
        Matcher::Type(unwanted) => Kinds::ALL.without(of_type(*unwanted)),
        Matcher::Schema(schema) => of_schema(schema, sign),
    }
}

fn of_type(wanted: JsonType) -> Kinds {
    match wanted {
        JsonType::String => Kinds::TEXT,
        JsonType::Number | JsonType::Integer => Kinds::NUMBER,
        JsonType::Boolean => Kinds::BOOLEAN,
        JsonType::Array => Kinds::LIST,
        JsonType::Object => Kinds::OBJECT,
        JsonType::Null => Kinds::NULL,
    }
}

fn of_schema(schema: &CompiledSchema, sign: Polarity) -> Kinds {
    let mut kinds = Kinds(0);
    for (index, share) in schema.shares().into_iter().enumerate() {
        let is_possible = match sign {
            Polarity::Must => share.is_some(),
            Polarity::MustNot => share.is_partial(),
        };
        kinds.0 |= u8::from(is_possible) << index;
    }
    kinds
}
