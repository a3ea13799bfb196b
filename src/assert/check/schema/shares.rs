//! The share of each type of values that a schema accepts, and what the keywords that apply no other schema leave of it.

use serde_json::{Map, Value};

use super::keywords::FORMATS;
use super::lint::written_types;

/// How many values of one type a schema accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum TypeShare {
    All,
    Some,
    None,
}

/// The types, in the order of the shares.
const TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
const NUMBER: usize = 2;
const STRING: usize = 3;
pub(super) const ARRAY: usize = 4;
pub(super) const OBJECT: usize = 5;

/// The share of each type that a schema accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) struct Shares(pub [TypeShare; 6]);

impl TypeShare {
    /// True where some value of the type is accepted.
    pub fn is_some(self) -> bool {
        self != Self::None
    }

    /// True where some value of the type is refused.
    pub fn is_partial(self) -> bool {
        self != Self::All
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, other) | (other, Self::All) => other,
            (Self::Some, Self::Some) => Self::Some,
        }
    }

    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, other) | (other, Self::None) => other,
            (Self::Some, Self::Some) => Self::Some,
        }
    }

    pub fn not(self) -> Self {
        match self {
            Self::All => Self::None,
            Self::Some => Self::Some,
            Self::None => Self::All,
        }
    }
}

impl Shares {
    pub const ALL: Self = Self([TypeShare::All; 6]);
    pub const SOME: Self = Self([TypeShare::Some; 6]);
    pub const NONE: Self = Self([TypeShare::None; 6]);

    /// True where every value is accepted.
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// True where no value is accepted.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The share of each type: null, booleans, numbers, texts, lists, objects.
    pub fn each(self) -> [TypeShare; 6] {
        self.0
    }

    /// The share of texts.
    pub fn of_texts(self) -> TypeShare {
        self.0[STRING]
    }

    pub fn zip(self, other: Self, join: impl Fn(TypeShare, TypeShare) -> TypeShare) -> Self {
        Self(std::array::from_fn(|index| join(self.0[index], other.0[index])))
    }

    pub fn and(self, other: Self) -> Self {
        self.zip(other, TypeShare::and)
    }

    pub fn restrict(&mut self, index: usize, share: TypeShare) {
        self.0[index] = self.0[index].and(share);
    }
}

/// The share of values that exactly one of several schemas accepts.
pub(super) fn exactly_one(shares: impl Iterator<Item = TypeShare>) -> TypeShare {
    let (mut all, mut some) = (0, 0);
    for share in shares {
        all += usize::from(share == TypeShare::All);
        some += usize::from(share == TypeShare::Some);
    }
    match (all, some) {
        (0, 0) | (2.., _) => TypeShare::None,
        (1, 0) => TypeShare::All,
        _ => TypeShare::Some,
    }
}

/// What the keywords that apply no other schema leave.
pub(super) fn of_words(keywords: &Map<String, Value>) -> Shares {
    let mut shares = Shares::ALL;
    if let Some(types) = keywords.get("type").and_then(written_types) {
        for (index, name) in TYPES.iter().enumerate() {
            let share = match types.contains(name) {
                true => TypeShare::All,
                false if index == NUMBER && types.contains(&"integer") => TypeShare::Some,
                false => TypeShare::None,
            };
            shares.restrict(index, share);
        }
    }
    let constant = keywords.get("const").map(std::slice::from_ref);
    let choices = keywords.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    for values in [constant, choices].into_iter().flatten() {
        shares = shares.and(of_values(values));
    }
    let size = |keyword: &str| keywords.get(keyword).and_then(Value::as_f64);
    for (low, high, index) in [
        ("minLength", "maxLength", STRING),
        ("minItems", "maxItems", ARRAY),
        ("minProperties", "maxProperties", OBJECT),
    ] {
        let (low, high) = (size(low).filter(|low| *low > 0.0), size(high));
        shares.restrict(index, between(low, high));
    }
    shares.restrict(NUMBER, between(size("minimum"), size("maximum")));
    let is_bounded =
        ["exclusiveMinimum", "exclusiveMaximum", "multipleOf"].iter().any(|key| keywords.contains_key(*key));
    if is_bounded {
        shares.restrict(NUMBER, TypeShare::Some);
    }
    if is_some_text(keywords) {
        shares.restrict(STRING, TypeShare::Some);
    }
    if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
        shares.restrict(ARRAY, TypeShare::Some);
    }
    let lists = |keyword: &str| match keywords.get(keyword) {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => {
            members.values().any(|member| member.as_array().is_some_and(|items| !items.is_empty()))
        }
        _ => false,
    };
    if ["required", "dependentRequired", "dependencies"].into_iter().any(lists) {
        shares.restrict(OBJECT, TypeShare::Some);
    }
    shares
}

fn is_some_text(keywords: &Map<String, Value>) -> bool {
    let text = |keyword: &str| keywords.get(keyword).and_then(Value::as_str);
    let is_free = |pattern: &str| {
        matches!(pattern, "" | "^" | "$" | ".*" | "^.*" | ".*$" | "(?:)" | "()" | "[\\s\\S]*" | "^[\\s\\S]*$")
    };
    text("pattern").is_some_and(|pattern| !is_free(pattern))
        || text("format").is_some_and(|format| FORMATS.contains(&format))
        || ["contentEncoding", "contentMediaType"].iter().any(|key| keywords.contains_key(*key))
}

fn between(low: Option<f64>, high: Option<f64>) -> TypeShare {
    match (low, high) {
        (None, None) => TypeShare::All,
        (Some(low), Some(high)) if low > high => TypeShare::None,
        _ => TypeShare::Some,
    }
}

/// What a list of values leaves of each type.
fn of_values(values: &[Value]) -> Shares {
    Shares(std::array::from_fn(|index| {
        let of_type = values.iter().filter(|value| index_of(value) == index);
        match (index, of_type.collect::<Vec<_>>().as_slice()) {
            (_, []) => TypeShare::None,
            (0, _) => TypeShare::All,
            (1, all) if all.contains(&&Value::Bool(true)) && all.contains(&&Value::Bool(false)) => {
                TypeShare::All
            }
            _ => TypeShare::Some,
        }
    }))
}

fn index_of(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}
