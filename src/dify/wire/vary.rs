//! What differs between two runs though nothing changed: the run's own ids, ids and addresses of files, `sys.*`, the time.
//!
//! Only what is known to vary is settled: an id that is not this run's, and a time outside of the run, are content.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::wire::usage::surely_uses_model;

/// How far the clocks of Dify and ours may be apart, seconds.
const SKEW: i64 = 600;
/// Shorter texts are no id of an execution, which is a UUID.
const LEAST_EXECUTION: usize = 32;
/// Keys of a file that Dify draws anew for each upload.
const FILE_IDS: [&str; 6] = ["id", "tenant_id", "related_id", "upload_file_id", "reference", "storage_key"];
/// Keys of a file that hold addresses.
const FILE_ADDRESSES: [&str; 2] = ["url", "remote_url"];
/// Keys of a model's usage that are the time it took.
const USAGE_TIMES: [&str; 3] = ["latency", "time_to_first_token", "time_to_generate"];

/// What varies by itself in one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Varying {
    /// Texts that name the run, with the words that replace them.
    names: Vec<(String, &'static str)>,
    /// Ids of its nodes' executions: Dify draws one for each.
    executions: HashSet<String>,
    /// The run's time, seconds since 1970, skew included.
    during: Option<(i64, i64)>,
}

impl Varying {
    /// A run that these texts name; those too short to be an id are content.
    pub fn named<'a>(names: impl IntoIterator<Item = (&'a str, &'static str)>) -> Self {
        let names = names.into_iter().filter(|(text, _)| text.len() >= 8);
        let names = names.map(|(text, mark)| (text.to_owned(), mark)).collect();
        Self { names, ..Self::default() }
    }

    /// A run whose nodes ran as these executions.
    #[must_use]
    pub fn executed<'a>(self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        let ids = ids.into_iter().filter(|id| id.len() >= LEAST_EXECUTION).map(str::to_owned);
        Self { executions: ids.collect(), ..self }
    }

    /// A run that began and ended then.
    #[must_use]
    pub fn during(self, began: Timestamp, ended: Timestamp) -> Self {
        Self { during: Some((began.as_second() - SKEW, ended.as_second() + SKEW)), ..self }
    }

    /// True where the whole text is a moment of the run: RFC 3339, the date of an HTTP header, or seconds or milliseconds since 1970.
    fn is_time(&self, text: &str) -> bool {
        if self.during.is_none() || text.len() < 10 || text.len() > 40 {
            return false;
        }
        if text.ends_with(" GMT") {
            let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
            return moment.is_ok_and(|moment| self.is_now(moment.as_second() as f64));
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
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
    pub fn settle_node<'v>(&self, node_type: &str, outputs: &'v BorrowedValue<'_>) -> BorrowedValue<'v> {
        let mut settled = self.settle(outputs);
        if let BorrowedValue::Object(members) = &mut settled {
            let beside: &[&str] = match node_type {
                "http-request" => &["headers"],
                _ if surely_uses_model(node_type) => &["usage", "__usage"],
                _ => &[],
            };
            // The `sys.*` of a start node depend on Dify's version, and no workflow produces them.
            let is_start = node_type == "start";
            let is_left_out = |key: &str| beside.contains(&key) || is_start && key.starts_with("sys.");
            members.retain(|(key, _)| !is_left_out(key));
        }
        settled
    }

    /// Puts a fixed word in the place of everything that varies in a run.
    pub fn settle<'v>(&self, value: &'v BorrowedValue<'_>) -> BorrowedValue<'v> {
        match value {
            BorrowedValue::Text(text) => self.text(text),
            BorrowedValue::Number(number) if number.as_f64().is_some_and(|number| self.is_now(number)) => {
                word("[time]")
            }
            BorrowedValue::Number(number) => BorrowedValue::Number(number.clone()),
            BorrowedValue::Array(items) => {
                BorrowedValue::Array(items.iter().map(|item| self.settle(item)).collect())
            }
            BorrowedValue::Object(members) => BorrowedValue::Object(self.members(members)),
            BorrowedValue::Null => BorrowedValue::Null,
            BorrowedValue::Bool(truth) => BorrowedValue::Bool(*truth),
        }
    }

    fn members<'v>(
        &self,
        members: &'v [(Cow<'_, str>, BorrowedValue<'_>)],
    ) -> Vec<(Cow<'v, str>, BorrowedValue<'v>)> {
        let has = |wanted: &str| members.iter().any(|(key, _)| key == wanted);
        let identity = members.iter().rev().find(|(key, _)| key == "dify_model_identity");
        let is_file = identity.is_some_and(|(_, identity)| *identity == "__dify__file__");
        let is_usage = has("total_tokens") && has("total_price");
        let settled = |(key, member): &'v (Cow<'_, str>, BorrowedValue<'_>)| {
            let member = match member {
                BorrowedValue::Number(_) if is_usage && USAGE_TIMES.contains(&&**key) => word("[time]"),
                BorrowedValue::Text(name) if is_file && key == "filename" && is_drawn(name) => {
                    word("[file name]")
                }
                BorrowedValue::Text(text) if is_file && !text.is_empty() && FILE_IDS.contains(&&**key) => {
                    word("[file id]")
                }
                BorrowedValue::Text(text) if is_file && FILE_ADDRESSES.contains(&&**key) => {
                    self.address(text)
                }
                BorrowedValue::Null | BorrowedValue::Array(_) | BorrowedValue::Object(_) => {
                    self.settle(member)
                }
                BorrowedValue::Text(_) | BorrowedValue::Number(_) | BorrowedValue::Bool(_)
                    if key.starts_with("sys.") =>
                {
                    BorrowedValue::Text(Cow::Owned(format!("[{key}]")))
                }
                BorrowedValue::Text(_) | BorrowedValue::Number(_) | BorrowedValue::Bool(_) => {
                    self.settle(member)
                }
            };
            (Cow::Borrowed(&**key), member)
        };
        members.iter().map(settled).collect()
    }

    /// The address of a file: Dify's own vary, one that was given is content.
    fn address<'v>(&self, text: &'v str) -> BorrowedValue<'v> {
        if text.contains("/files/") && !text.contains(char::is_whitespace) {
            return word("[file url]");
        }
        self.text(text)
    }

    fn text<'v>(&self, text: &'v str) -> BorrowedValue<'v> {
        if self.is_time(text) {
            return word("[time]");
        }
        if self.executions.contains(text) {
            return word("[execution id]");
        }
        let mut settled = match text.contains("sign=") {
            true => Cow::Owned(without_signed(text)),
            false => Cow::Borrowed(text),
        };
        for (name, mark) in &self.names {
            if settled.contains(name.as_str()) {
                settled = Cow::Owned(settled.replace(name.as_str(), mark));
            }
        }
        BorrowedValue::Text(settled)
    }
}

/// A word that replaces a varying value.
fn word(word: &'static str) -> BorrowedValue<'static> {
    BorrowedValue::Text(Cow::Borrowed(word))
}

/// True for the name that Dify draws for a file that a tool or a node made: 32 hexadecimal digits, and an ending.
fn is_drawn(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem.len() == 32 && stem.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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
        let executions = ["0ea1cbd8-1f3c-4b1c-9c3a-1f2e3d4c5b6a", "short"];
        Varying::named(names)
            .executed(executions)
            .during(at("2026-11-24T10:00:00Z"), at("2026-11-24T10:00:05Z"))
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
            (json!(["0ea1cbd8-1f3c-4b1c-9c3a-1f2e3d4c5b6a", "short"]), json!(["[execution id]", "short"])),
            (json!("2026-11-24T10:00:03.25Z"), json!("[time]")),
            (json!("2026-11-24 10:00:03"), json!("[time]")),
            (json!("Tue, 24 Nov 2026 10:00:03 GMT"), json!("[time]")),
            (
                json!({"total_tokens": 19, "total_price": "0.1", "latency": 0.171, "time_to_generate": 0.1}),
                json!({"total_tokens": 19, "total_price": "0.1", "latency": "[time]", "time_to_generate": "[time]"}),
            ),
            (
                json!({"dify_model_identity": "__dify__file__", "filename": "7c7a2e0643704142a2d57d16b3bc5e91.png"}),
                json!({"dify_model_identity": "__dify__file__", "filename": "[file name]"}),
            ),
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
            assert_eq!(varying().settle(&BorrowedValue::of(&value)).to_value(), settled, "{value}");
        }
    }

    #[test]
    fn what_may_be_an_answer_is_left_alone() {
        for value in [
            json!("order 8e4f8a6e-6f0c-4f5d-9f0b-1f2e3d4c5b6a"),
            json!("2026-11-20T10:00:03Z"),
            json!("2026-11-24"),
            json!("Tue, 24 Nov 2020 10:00:03 GMT"),
            json!({"latency": 0.171, "total_tokens": 19}),
            json!("It is 2026-11-24T10:00:03Z."),
            json!(1_795_000_000),
            json!([20, 8812, 0.5, true, null, "ab"]),
            json!({"id": "d826c785", "url": "https://shop.example/files/a.pdf", "user_id": "u"}),
            json!("https://shop.example/a?sign=abc"),
            json!({"dify_model_identity": "__dify__file__", "remote_url": "https://example.com/a.png", "url": ""}),
        ] {
            assert_eq!(varying().settle(&BorrowedValue::of(&value)).to_value(), value);
        }
        let moment = BorrowedValue::Text("2026-11-24T10:00:03Z".into());
        assert_eq!(Varying::default().settle(&moment), moment);
    }
}
