//! What differs between two runs though nothing changed: the run's own ids, ids and addresses of files, `sys.*`, the time.
//!
//! Only what is known to vary is settled: an id that is not this run's, and a time outside of the run, are content.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::wire::usage::surely_uses_model;

/// How far the clocks of Dify and ours may be apart, seconds.
const SKEW: i64 = 600;
/// Keys of a file that Dify draws anew for each upload.
const FILE_IDS: [&str; 6] = ["id", "tenant_id", "related_id", "upload_file_id", "reference", "storage_key"];
/// Keys of a file that hold addresses.
const FILE_ADDRESSES: [&str; 2] = ["url", "remote_url"];

/// What varies by itself in one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Varying {
    /// Texts that name the run, with what stands for them.
    names: Vec<(String, &'static str)>,
    /// The run's time, seconds since 1970, skew included.
    during: Option<(i64, i64)>,
}

impl Varying {
    /// A run that these texts name; those too short to be an id are content.
    pub fn named<'a>(names: impl IntoIterator<Item = (&'a str, &'static str)>) -> Self {
        let names = names.into_iter().filter(|(text, _)| text.len() >= 8);
        Self { names: names.map(|(text, mark)| (text.to_owned(), mark)).collect(), during: None }
    }

    /// A run that began and ended then.
    #[must_use]
    pub fn during(self, began: Timestamp, ended: Timestamp) -> Self {
        Self { during: Some((began.as_second() - SKEW, ended.as_second() + SKEW)), ..self }
    }

    /// True where the whole text is a moment of the run: RFC 3339, or seconds or milliseconds since 1970.
    fn is_time(&self, text: &str) -> bool {
        if self.during.is_none()
            || text.len() < 10
            || text.len() > 40
            || !text.starts_with(|c: char| c.is_ascii_digit())
        {
            return false;
        }
        let zoned = || text.replacen(' ', "T", 1);
        let moment = text.parse::<Timestamp>().or_else(|_| format!("{}Z", zoned()).parse());
        match moment {
            Ok(moment) => self.is_now(moment.as_second() as f64),
            Err(_) => text.parse().is_ok_and(|number| self.is_now(number)),
        }
    }

    fn is_now(&self, number: f64) -> bool {
        let Some((began, ended)) = self.during else { return false };
        let within = |seconds: f64| seconds >= began as f64 && seconds <= ended as f64;
        within(number) || within(number / 1000.0)
    }

    /// Settles the outputs of a node; the time a model took and the headers of an answer are no output.
    pub fn settle_node(&self, node_type: &str, outputs: &Value) -> Value {
        let mut settled = self.settle(outputs);
        if let Some(members) = settled.as_object_mut() {
            let beside: &[&str] = match node_type {
                "http-request" => &["headers"],
                _ if surely_uses_model(node_type) => &["usage", "__usage"],
                _ => &[],
            };
            beside.iter().for_each(|key| drop(members.shift_remove(*key)));
        }
        settled
    }

    /// Puts a fixed word in the place of everything that varies in a run.
    pub fn settle(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text),
            Value::Number(number) => match number.as_f64().is_some_and(|number| self.is_now(number)) {
                true => Value::from("[time]"),
                false => value.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.settle(item)).collect(),
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let is_file = members.get("dify_model_identity").and_then(Value::as_str) == Some("__dify__file__");
        let settled = |(key, member): (&String, &Value)| {
            let member = match member {
                Value::String(text) if is_file && !text.is_empty() && FILE_IDS.contains(&key.as_str()) => {
                    Value::from("[file id]")
                }
                Value::String(text) if is_file && FILE_ADDRESSES.contains(&key.as_str()) => {
                    self.address(text)
                }
                Value::Null | Value::Array(_) | Value::Object(_) => self.settle(member),
                Value::String(_) | Value::Number(_) | Value::Bool(_) if key.starts_with("sys.") => {
                    Value::from(format!("[{key}]"))
                }
                Value::String(_) | Value::Number(_) | Value::Bool(_) => self.settle(member),
            };
            (key.clone(), member)
        };
        members.iter().map(settled).collect()
    }

    /// The address of a file: Dify's own vary, one that was given is content.
    fn address(&self, text: &str) -> Value {
        if text.contains("/files/") && !text.contains(char::is_whitespace) {
            return Value::from("[file url]");
        }
        self.text(text)
    }

    fn text(&self, text: &str) -> Value {
        if self.is_time(text) {
            return Value::from("[time]");
        }
        let mut settled = match text.contains("sign=") {
            true => without_signed(text),
            false => text.to_owned(),
        };
        for (name, mark) in &self.names {
            if settled.contains(name.as_str()) {
                settled = settled.replace(name.as_str(), mark);
            }
        }
        Value::from(settled)
    }
}

/// Replaces the signed addresses of Dify's own files.
fn without_signed(text: &str) -> String {
    let ends_address = |c: char| c.is_whitespace() || "\"'<>()[]\\".contains(c);
    let pieces = text.split_inclusive(ends_address).map(|piece| {
        let end = piece.strip_suffix(ends_address).map_or(piece.len(), str::len);
        let (address, rest) = piece.split_at(end);
        if is_signed(address) { format!("[file url]{rest}") } else { piece.to_owned() }
    });
    pieces.collect()
}

fn is_signed(address: &str) -> bool {
    let is_address = ["http://", "https://", "/files/"].iter().any(|start| address.starts_with(start));
    let query = address.split_once("/files/").and_then(|(_, path)| path.split_once('?'));
    is_address && query.is_some_and(|(_, query)| query.split('&').any(|part| part.starts_with("sign=")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn varying() -> Varying {
        let names = [
            ("75bb7779-034f-4baa-8d0e-0c748fa55738", "[run id]"),
            ("flowproof-x-1", "[user]"),
            ("ab", "[no]"),
        ];
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        Varying::named(names).during(at("2026-11-24T10:00:00Z"), at("2026-11-24T10:00:05Z"))
    }

    #[test]
    fn what_names_the_run_is_settled() {
        for (value, settled) in [
            (
                json!("run 75bb7779-034f-4baa-8d0e-0c748fa55738 of flowproof-x-1"),
                json!("run [run id] of [user]"),
            ),
            (
                json!({"sys.user_id": "u", "sys.files": [], "sys.timestamp": 1}),
                json!({"sys.user_id": "[sys.user_id]", "sys.files": [], "sys.timestamp": "[sys.timestamp]"}),
            ),
            (json!("2026-11-24T10:00:03.25Z"), json!("[time]")),
            (json!("2026-11-24 10:00:03"), json!("[time]")),
            (json!([1_795_514_403, 1_795_514_403_250_u64]), json!(["[time]", "[time]"])),
            (
                json!("see http://h/files/1/file-preview?timestamp=17&nonce=a&sign=x%3D now"),
                json!("see [file url] now"),
            ),
            (
                json!({"dify_model_identity": "__dify__file__", "id": null, "related_id": "d826c785", "url": "http://h/files/d826c785/file-preview?timestamp=1&sign=***", "filename": "a.txt", "size": 20}),
                json!({"dify_model_identity": "__dify__file__", "id": null, "related_id": "[file id]", "url": "[file url]", "filename": "a.txt", "size": 20}),
            ),
        ] {
            assert_eq!(varying().settle(&value), settled, "{value}");
        }
    }

    #[test]
    fn what_may_be_an_answer_is_left_alone() {
        for value in [
            json!("order 8e4f8a6e-6f0c-4f5d-9f0b-1f2e3d4c5b6a"),
            json!("2026-11-20T10:00:03Z"),
            json!("2026-11-24"),
            json!("It is 2026-11-24T10:00:03Z."),
            json!(1_795_000_000),
            json!([20, 8812, 0.5, true, null, "ab"]),
            json!({"id": "d826c785", "url": "https://shop.example/files/a.pdf", "user_id": "u"}),
            json!("https://shop.example/a?sign=abc"),
            json!({"dify_model_identity": "__dify__file__", "remote_url": "https://example.com/a.png", "url": ""}),
        ] {
            assert_eq!(varying().settle(&value), value);
        }
        assert_eq!(Varying::default().settle(&json!("2026-11-24T10:00:03Z")), json!("2026-11-24T10:00:03Z"));
    }
}
