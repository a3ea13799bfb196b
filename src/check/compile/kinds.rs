//! The types of values that a predicate takes: on all others it is broken, and under `not` mostly too.

use serde_json::{Value, json};

use crate::check::operand::test::Test;
use crate::check::operand::words::JsonType;
use crate::check::schema::Schema;

/// Whether a predicate must hold, or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
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
pub(super) fn kinds_of(test: &Test, sign: Sign) -> Kinds {
    let must = sign == Sign::Must;
    match test {
        Test::Equals(value) | Test::Includes(value) if must => Kinds::of(value),
        Test::OneOf(values) if must => Kinds::of_all(values),
        Test::Equals(_) | Test::Includes(_) | Test::OneOf(_) | Test::Rubric(_) => Kinds::ALL,
        Test::Contains(needle) if needle.is_string() => Kinds::SIZED,
        Test::Contains(_) => Kinds::LIST,
        Test::ContainsAll(needles) if !needles.iter().all(Value::is_string) => Kinds::LIST,
        Test::ContainsAny(_) | Test::ContainsAll(_) | Test::Length(_) | Test::Empty(_) => Kinds::SIZED,
        Test::StartsWith(_) | Test::EndsWith(_) | Test::Regex(_) | Test::Format(_) => Kinds::TEXT,
        Test::Similar(_) | Test::Embedding(_) => Kinds::TEXT,
        Test::Gt(_) | Test::Gte(_) | Test::Lt(_) | Test::Lte(_) => Kinds::NUMBER,
        Test::Between(..) | Test::Approx(_) => Kinds::NUMBER,
        Test::Type(wanted) if must => of_type(*wanted),
        Test::Type(JsonType::Integer) => Kinds::ALL,
        Test::Type(unwanted) => Kinds::ALL.without(of_type(*unwanted)),
        Test::Schema(schema) => of_schema(schema, sign),
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

fn of_schema(schema: &Schema, sign: Sign) -> Kinds {
    let mut kinds = Kinds(0);
    for (index, share) in schema.shares().into_iter().enumerate() {
        let is_possible = match sign {
            Sign::Must => share.is_some(),
            Sign::MustNot => share.is_partial(),
        };
        kinds.0 |= u8::from(is_possible) << index;
    }
    kinds
}
