//! JSON that borrows its texts from the document it was read from: a tree at a fraction of the cost of a `Value`.
//!
//! It takes what `serde_json` takes as a `Value`, but for numbers whose exponent is beyond all reckoning and objects that pass for
//! numbers there. A key may occur twice: of what is looked up, copied or made canonical the last one counts, as in a `Value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::ops::Index;

use memchr::memmem;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::base::json_number::{NUMBER_KEY, canonical, read_number};

/// A value that borrows from a document.
#[derive(Debug, Clone, PartialEq)]
pub enum BorrowedValue<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exact as in a `Value`.
    Number(Number),
    /// A text; owned only where the document has it escaped.
    Text(Cow<'a, str>),
    /// A list.
    Array(Vec<BorrowedValue<'a>>),
    /// Members in their order; a key may occur twice.
    Object(Vec<(Cow<'a, str>, BorrowedValue<'a>)>),
}

/// What is not there.
static NOTHING: BorrowedValue<'static> = BorrowedValue::Null;

impl<'a> BorrowedValue<'a> {
    /// Reads a document.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        match memmem::find(text.as_bytes(), NUMBER_KEY.as_bytes()) {
            None => serde_json::from_str(text),
            Some(_) => Err(no_number()),
        }
    }

    /// Reads a document of bytes, as a `Value`.
    pub fn read_value(bytes: &[u8]) -> Result<Value, serde_json::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => BorrowedValue::read(text).map(|json| json.to_value()),
            // It says where the text is none.
            Err(_) => serde_json::from_slice(bytes),
        }
    }

    /// Looks at a value; no text of it is copied.
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::Array(items.iter().map(BorrowedValue::of).collect()),
            Value::Object(members) => {
                let members = members.iter();
                Self::Object(
                    members
                        .map(|(key, member)| (Cow::Borrowed(key.as_str()), BorrowedValue::of(member)))
                        .collect(),
                )
            }
        }
    }

    /// Copies it.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::Array(items) => Value::Array(items.iter().map(BorrowedValue::to_value).collect()),
            Self::Object(members) => {
                let mut map = Map::with_capacity(members.len());
                for (key, member) in members {
                    map.insert(key.clone().into_owned(), member.to_value());
                }
                Value::Object(map)
            }
        }
    }

    /// The member of this name; none also where this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().rev().find(|(name, _)| name == key).map(|(_, member)| member)
    }

    /// The members of an object, else none.
    pub fn members(&self) -> &[(Cow<'a, str>, Self)] {
        match self {
            Self::Object(members) => members,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Array(_) => &[],
        }
    }

    /// The items of a list, else none.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => &[],
        }
    }

    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// A number.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// A whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// Any number, as a double.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// Writes it so that equal values, and only they, have equal texts: members sorted, numbers by value.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Self::Number(number) => out.extend_from_slice(canonical(number).as_bytes()),
            Self::Text(text) => serde_json::to_writer(out, text).expect("memory takes all"),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write_canonical(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                let sorted: BTreeMap<&str, &Self> =
                    members.iter().map(|(key, member)| (&**key, member)).collect();
                out.push(b'{');
                for (index, (key, member)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write!(out, "{key:?}:").expect("memory takes all");
                    member.write_canonical(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// An object from outside that `serde_json` would take for a number.
fn no_number() -> serde_json::Error {
    serde_json::Error::custom(format!("the key `{NUMBER_KEY}` cannot be read"))
}

impl<'a> Index<&str> for BorrowedValue<'a> {
    type Output = BorrowedValue<'a>;

    /// The member of this name; null where there is none.
    fn index(&self, key: &str) -> &Self::Output {
        self.get(key).unwrap_or(&NOTHING)
    }
}

impl PartialEq<&str> for BorrowedValue<'_> {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == Some(*text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredValue)
    }
}

struct IgnoredValue;

impl<'de> Visitor<'de> for IgnoredValue {
    type Value = BorrowedValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<BorrowedValue<'de>, E> {
        Ok(Number::from_f64(number).map_or(BorrowedValue::Null, BorrowedValue::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<BorrowedValue<'de>, E> {
        Ok(BorrowedValue::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<BorrowedValue<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(BorrowedValue::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<BorrowedValue<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = access.next_key_seed(BorrowedKey)? {
            match &key {
                // `Lean::read` refuses texts with this key: here it is what a number comes as.
                Cow::Borrowed(name) if *name == NUMBER_KEY && members.is_empty() => {
                    let number = read_number(&access.next_value::<String>()?);
                    return number
                        .map(BorrowedValue::Number)
                        .ok_or_else(|| A::Error::custom("number out of range"));
                }
                Cow::Owned(name) if name == NUMBER_KEY => return Err(A::Error::custom(no_number())),
                Cow::Borrowed(_) | Cow::Owned(_) => {}
            }
            members.push((key, access.next_value()?));
        }
        Ok(BorrowedValue::Object(members))
    }
}

/// A key, borrowed where it can be.
struct BorrowedKey;

impl<'de> DeserializeSeed<'de> for BorrowedKey {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for BorrowedKey {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::base::diff::{EqualOptions, equal};

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            "[a-c\"\\\\\n]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec(("[a-e\"]{0,3}", inner), 0..20)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        let text = r#"[0.1000000000000000000001,18446744073709551616,1e400,1e2,1.50]"#;
        let lean = BorrowedValue::read(text).unwrap();
        let kept = "[0.1000000000000000000001,18446744073709551616,1e+400,100.0,1.5]";
        assert_eq!(lean.to_value().to_string(), kept);
        let canonical =
            |text: &str| String::from_utf8(BorrowedValue::read(text).unwrap().canonical()).unwrap();
        assert_eq!(canonical(text), "[1000000000000000000001e-22,18446744073709551616e0,1e400,100,1.5]");
        assert_eq!(
            canonical("[18446744073709551616.0,-18446744073709551617]"),
            "[18446744073709551616e0,-18446744073709551617e0]"
        );
    }

    #[test]
    fn no_object_passes_for_a_number() {
        for text in [
            r#"{"a":{"$serde_json::private::Number":"5"}}"#,
            r#"{"\u0024serde_json::private::Number":"5"}"#,
            r#"{"a":1,"\u0024serde_json::private::Number":"5"}"#,
        ] {
            assert!(BorrowedValue::read(text).unwrap_err().to_string().contains("cannot be read"), "{text}");
        }
        assert!(BorrowedValue::read_value(br#"{"serde_json::private::Number":"5"}"#).is_ok());
    }

    proptest! {
        #[test]
        fn it_says_what_a_value_says(value in any_value()) {
            let text = value.to_string();
            let (lean, value) = (BorrowedValue::read(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
            prop_assert_eq!(lean.to_value(), value.clone());
            prop_assert_eq!(&lean, &BorrowedValue::of(&value));
        }

        #[test]
        fn it_takes_what_a_value_takes(text in "[\\[\\]{}:,\"a1.e\\\\u\\-0 ]{0,12}") {
            let (lean, value) = (BorrowedValue::read(&text), serde_json::from_str::<Value>(&text));
            let same = |lean: &Value, value: &Value| equal(value, lean, &EqualOptions::default());
            match (lean, value) {
                (Ok(lean), Ok(value)) => prop_assert!(same(&lean.to_value(), &value)),
                (lean, value) => prop_assert_eq!(lean.is_ok(), value.is_ok()),
            }
        }
    }

    #[test]
    fn it_refuses_what_a_value_refuses() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for text in [r#""\ud800""#, "{\"a\":1", "[1,]", "\u{1}", "", &deep(128), "{\"a\":1-2}"] {
            let value = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert_eq!(BorrowedValue::read(text).unwrap_err().to_string(), value);
        }
        assert!(BorrowedValue::read(&deep(127)).is_ok());
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let lean = BorrowedValue::read(r#"{"a":1,"b":2,"a":{"c":"\u00e9"}}"#).unwrap();
        assert_eq!(lean["a"]["c"], "é");
        assert_eq!((&lean["x"]["y"], lean["b"].as_u64()), (&BorrowedValue::Null, Some(2)));
        assert_eq!(lean.to_value(), json!({"a": {"c": "é"}, "b": 2}));
        assert_eq!(String::from_utf8(lean.canonical()).unwrap(), r#"{"a":{"c":"é"},"b":2}"#);
    }
}
