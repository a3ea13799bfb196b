//! What differs between two runs though nothing changed: the run's own ids, ids and addresses of files, `sys.*`, the time.
//!
//! Only what is known to vary is settled: an id that is not this run's, and a time outside of the run, are content.

#![allow(dead_code)]

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

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
}

/// Settles what varies; its search is prepared once.
#[derive(Debug, Clone)]
pub struct Settler {
    /// A signed address of Dify's own files.
    signed: Regex,
}

impl Settler {
    /// Prepares the search.
    pub fn new() -> Self {
        let part = r#"[^\s"'<>()\[\]?\\]"#;
        let pattern = format!(r#"(?:https?://{part}+)?/files/{part}+\?{part}*\bsign={part}*"#);
        Self { signed: Regex::new(&pattern).expect("the pattern is valid") }
    }

    /// Puts a fixed word in the place of everything that varies in a run.
    pub fn settle(&self, value: &Value, varying: &Varying) -> Value {
        match value {
            Value::String(text) => self.text(text, varying),
            Value::Number(number) => match number.as_f64().is_some_and(|number| varying.is_now(number)) {
                true => Value::from("[time]"),
                false => value.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.settle(item, varying)).collect(),
            Value::Object(members) => Value::Object(self.members(members, varying)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>, varying: &Varying) -> Map<String, Value> {
        let is_file = members.get("dify_model_identity").and_then(Value::as_str) == Some("__dify__file__");
        let settled = |(key, member): (&String, &Value)| {
            let member = match member {
                Value::String(text) if is_file && !text.is_empty() && FILE_IDS.contains(&key.as_str()) => {
                    Value::from("[file id]")
                }
                Value::String(text) if is_file && FILE_ADDRESSES.contains(&key.as_str()) => {
                    self.address(text, varying)
                }
                Value::Null | Value::Array(_) | Value::Object(_) => self.settle(member, varying),
                Value::String(_) | Value::Number(_) | Value::Bool(_) if key.starts_with("sys.") => {
                    Value::from(format!("[{key}]"))
                }
                Value::String(_) | Value::Number(_) | Value::Bool(_) => self.settle(member, varying),
            };
            (key.clone(), member)
        };
        members.iter().map(settled).collect()
    }

    /// The address of a file: Dify's own vary, one that was given is content.
    fn address(&self, text: &str, varying: &Varying) -> Value {
        if text.contains("/files/") && !text.contains(char::is_whitespace) {
            return Value::from("[file url]");
        }
        self.text(text, varying)
    }

    fn text(&self, text: &str, varying: &Varying) -> Value {
        if varying.is_time(text) {
            return Value::from("[time]");
        }
        let mut settled = match text.contains("sign=") {
            true => self.signed.replace_all(text, "[file url]").into_owned(),
            false => text.to_owned(),
        };
        for (name, mark) in &varying.names {
            if settled.contains(name.as_str()) {
                settled = settled.replace(name.as_str(), mark);
            }
        }
        Value::from(settled)
    }
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
            assert_eq!(Settler::new().settle(&value, &varying()), settled, "{value}");
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
            assert_eq!(Settler::new().settle(&value, &varying()), value);
        }
        assert_eq!(
            Settler::new().settle(&json!("2026-11-24T10:00:03Z"), &Varying::default()),
            json!("2026-11-24T10:00:03Z")
        );
    }
}
