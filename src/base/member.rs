//! One member of a JSON document, read without what is beside it.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

/// Reads the member of this name of an object; of several the last counts. What is no object is an error.
#[derive(Debug, Clone, Copy)]
pub struct Member<'k, S> {
    /// Its name.
    pub name: &'k str,
    /// How it is read.
    pub seed: S,
}

impl<T> Member<'_, PhantomData<T>> {
    /// The member as whatever type is wanted.
    pub fn plain(name: &str) -> Member<'_, PhantomData<T>> {
        Member { name, seed: PhantomData }
    }
}

impl<S: Copy> Member<'_, S> {
    /// Reads it from a text; `None` where it is not there.
    pub fn read<'de>(self, text: &'de str) -> Result<Option<S::Value>, serde_json::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.deserialize(&mut serde_json::Deserializer::from_str(text))
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for Member<'_, S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Member<'_, S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = access.next_key_seed(NameMatch(self.name))? {
            if is_it {
                found = Some(access.next_value_seed(self.seed)?);
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a key is this name.
struct NameMatch<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for NameMatch<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameMatch<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_last_of_several_counts_and_what_is_no_object_is_an_error() {
        let read = |text: &str| Member::<PhantomData<Value>>::plain("a").read(text);
        assert_eq!(read(r#"{"b":[1e3],"a":1,"\u0061":{"a":2}}"#).unwrap(), Some(serde_json::json!({"a": 2})));
        assert_eq!(read(r#"{"a":null}"#).unwrap(), Some(Value::Null));
        assert_eq!(read("{}").unwrap(), None);
        for text in ["[1]", "5", "null", r#""a""#, r#"{"a":}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
