//! The names that Dify gave: which fields the events of a stream have, by event.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Transcript;
use crate::base::json_number::NUMBER_KEY;

impl Transcript {
    /// `event.field` of all events of an answer.
    ///
    /// Any event may be lost under load, so none stands for its kind. Chunks that are alike but for their text are not read.
    pub fn event_fields(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for event in self.events.iter().filter(|event| !event.is_molded()) {
            let text = event.text();
            let Ok(EventFields { event: name, data: FieldKeys(keys) }) =
                serde_json::from_str::<EventFields<'_>>(&text)
            else {
                continue;
            };
            found.extend(keys.iter().map(|key| format!("{name}.{key}")));
        }
        found
    }
}

/// An event, of which only its name and the keys of its `data` are kept.
#[derive(Deserialize)]
struct EventFields<'e> {
    #[serde(borrow)]
    event: Cow<'e, str>,
    #[serde(borrow)]
    data: FieldKeys<'e>,
}

/// The keys of an object; `None` of anything else.
struct FieldKeys<'e>(Vec<Cow<'e, str>>);

impl<'de: 'e, 'e> Deserialize<'de> for FieldKeys<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor).map(Self)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Vec<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = access.next_entry::<FieldKey<'de>, IgnoredAny>()? {
            // What `serde_json` hands a number over as.
            if key.0 != NUMBER_KEY {
                keys.push(key.0);
            }
        }
        Ok(keys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

/// A key, borrowed where the document has it unescaped.
#[derive(Deserialize)]
struct FieldKey<'k>(#[serde(borrow)] Cow<'k, str>);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::dify::client::begin;
    use crate::dify::transcript::{Arrival, PostedRequest, ResponseMode};

    fn of(events: &[&str]) -> Vec<String> {
        let mut transcript =
            begin(ResponseMode::Streaming, serde_json::Value::Null, PostedRequest::default());
        transcript.events = events.iter().map(|event| Arrival::new(Duration::ZERO, *event)).collect();
        transcript.event_fields().into_iter().collect()
    }

    #[test]
    fn no_event_stands_for_its_kind() {
        let started = r#"{"event":"node_started","data":{"id":1,"title":"a"}}"#;
        let other = r#"{"event":"node_started","data":{"id":1,"extra":{"b":[1]}}}"#;
        let end = r#"{"event":"end","data":{"x":null}}"#;
        let all = ["end.x", "node_started.extra", "node_started.id", "node_started.title"];
        assert_eq!(of(&[started, end, other]), all);
        assert_eq!(of(&[other, started, end]), all, "whichever comes first");
    }

    #[test]
    fn odd_events_do_no_harm() {
        for odd in [
            r#"{"event":"error","data":null}"#,
            r#"{"event":"error"}"#,
            r#"{"event":"error","data":[1,{"a":2}]}"#,
            r#"{"event":5,"data":{}}"#,
            r#"{"event":"e","data":-1.5}"#,
            r#"{"event":"e","data":"\u0041"}"#,
            "[]",
        ] {
            assert!(of(&[odd]).is_empty(), "{odd}");
        }
        assert_eq!(of(&[r#"{"event":"e","data":{"\u0061":1}}"#]), ["e.a"]);
    }
}
