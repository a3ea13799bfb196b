//! A first suite for a live app, drafted from what the app says of itself: one test with a value for each input it needs.
//!
//! Pure text: what the app says is quoted, so that none of it is taken for YAML or for a template.

use std::fmt::Write;

use serde_json::Value;

use crate::app::live_app::input_rules::takes;
use crate::app::live_app::quote::{key, literal, literal_value, quoted, remark};
use crate::app::live_app::sample_file::{SampleFile, small};
use crate::dify::wire::parameters::{FileRules, Input, InputKind};

/// What a text input gets.
const HELLO: &str = "Hello";
/// The longest key, in characters as written: YAML allows 1,024 (7.4.2 of its specification).
const LONGEST_KEY: usize = 1_000;
/// The longest name of a file.
const LONGEST_NAME: usize = 60;

/// The app that a suite is drafted for.
#[derive(Debug, Clone, Copy)]
pub struct DraftedApp<'a> {
    /// What Dify calls it.
    pub title: &'a str,
    /// What the target calls it; empty: it has only this one.
    pub app: &'a str,
    /// Its inputs.
    pub form: &'a [Input],
}

/// A drafted suite and the files it uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The name of its file, without an ending.
    pub name: String,
    /// The suite.
    pub suite: String,
    /// Files beside it: path and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// Why its test is skipped, if so.
    pub skip: Option<String>,
}

/// What one input gets.
enum DraftedValue {
    /// A value under `inputs`, as YAML.
    Value(String),
    /// A file; many where the input takes a list.
    File(SampleFile, Shape),
    /// Nothing: it is not needed.
    Left,
    /// Nothing can be made for it.
    Nothing(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
}

/// Drafts the suite of an app.
pub fn draft(subject: &DraftedApp<'_>) -> Draft {
    let name = file_name(subject);
    let mut parts = DraftedLines { name: &name, ..DraftedLines::default() };
    let mut seen: Vec<&str> = Vec::new();
    for input in subject.form {
        if !seen.contains(&input.name.as_str()) {
            seen.push(&input.name);
            parts.add(input);
        }
    }
    let suite = parts.suite(subject);
    let DraftedLines { files, skip, .. } = parts;
    Draft { files, suite, skip: (!skip.is_empty()).then(|| skip.join("; ")), name }
}

/// The lines of a suite's only test.
#[derive(Default)]
struct DraftedLines<'a> {
    name: &'a str,
    inputs: String,
    remarks: String,
    uploads: String,
    files: Vec<(String, Vec<u8>)>,
    skip: Vec<String>,
}

impl DraftedLines<'_> {
    fn add(&mut self, input: &Input) {
        let about = remark(&takes(input));
        let filling = match key(&input.name).chars().count() > LONGEST_KEY {
            true if input.required => {
                DraftedValue::Nothing("has a name that is too long for a key".to_owned())
            }
            true => DraftedValue::Left,
            false => value_for(input),
        };
        match filling {
            DraftedValue::Value(yaml) => {
                let need = if input.required { "required" } else { "as the app's own default" };
                let _ = writeln!(self.inputs, "      {}: {yaml}    # {need}: {about}", key(&input.name));
            }
            DraftedValue::Left => {
                let _ = writeln!(self.remarks, "      # {}: optional, {about}", remark(&input.name));
            }
            DraftedValue::Nothing(reason) => {
                self.skip.push(format!("the input `{}` {reason}", remark(&input.name)));
            }
            DraftedValue::File(small, shape) => self.upload(input, small, shape),
        }
    }

    fn upload(&mut self, input: &Input, small: SampleFile, shape: Shape) {
        let path = format!("_data/{}-sample.{}", self.name, small.ending);
        let shown = quoted(&path);
        let one = if small.is_custom { format!("{{ path: {shown}, type: custom }}") } else { shown };
        let value = match shape {
            Shape::One => one,
            Shape::List => format!("[{one}]"),
        };
        let _ = writeln!(self.uploads, "      {}: {value}    # required", key(&input.name));
        if !self.files.iter().any(|(known, _)| *known == path) {
            self.files.push((path, small.bytes));
        }
    }

    fn suite(&self, subject: &DraftedApp<'_>) -> String {
        let title = remark(subject.title);
        let mut text = "# Written by `flowproof init` from what the app says of itself. It is yours: change it.\nversion: 1\n"
            .to_owned();
        if !subject.app.is_empty() {
            let _ = writeln!(text, "app: {}", quoted(subject.app));
        }
        if !title.trim().is_empty() {
            let _ = writeln!(
                text,
                "description: {}",
                quoted(&format!("A first test of the app \"{}\"", title.trim()))
            );
        }
        text.push_str("tests:\n  - name: first-run\n");
        if !self.skip.is_empty() {
            let _ = writeln!(
                text,
                "    skip: {}    # give it a value, then take this line away",
                quoted(&self.skip.join("; "))
            );
        }
        match self.inputs.is_empty() {
            true => text.push_str("    inputs: {}\n"),
            false => {
                let _ = write!(text, "    inputs:\n{}", self.inputs);
            }
        }
        text.push_str(&self.remarks);
        if !self.uploads.is_empty() {
            let _ = write!(text, "    files:\n{}", self.uploads);
        }
        text.push_str(ENDING);
        text
    }
}

/// A project file of one live target with one app, whose key stays in the environment.
pub fn project_text(target: &str, base_url: &str, key_variable: &str) -> String {
    format!(
        r#"# Written by `flowproof init`. It is yours: change it.
version: 1
suites: [suites]
targets:
  {target}:
    base_url: {}
    api_key: "{{{{ env.{key_variable} }}}}"
"#,
        quoted(base_url.trim().trim_end_matches('/'))
    )
}

/// What must hold, and what the mock answers.
const ENDING: &str = r#"    assert:
      - status: succeeded
      # Some output comes back. Better: say which, for example { path: $.answer, contains: refund }
      - { path: $, empty: false }
    # What the built-in mock answers, at no cost: put here what your app would.
    mock:
      outputs: { answer: A sample answer }
"#;

fn value_for(input: &Input) -> DraftedValue {
    let default = input.default.as_ref().and_then(|default| fitting(input, default));
    if let Some(yaml) = default.as_ref().and_then(literal_value) {
        return DraftedValue::Value(yaml);
    }
    if !input.required {
        return DraftedValue::Left;
    }
    match &input.kind {
        InputKind::Text => DraftedValue::Value(quoted(&cut(HELLO, input.max_length))),
        InputKind::Select(options) => match options.iter().find_map(|option| literal(option)) {
            Some(option) => DraftedValue::Value(option),
            None => DraftedValue::Nothing("is a choice without options".to_owned()),
        },
        InputKind::Number => DraftedValue::Value("1".to_owned()),
        InputKind::Checkbox => DraftedValue::Value("true".to_owned()),
        InputKind::Object => DraftedValue::Value("{}".to_owned()),
        InputKind::File(rules) => upload(rules, Shape::One),
        InputKind::Files(rules) => upload(rules, Shape::List),
        InputKind::Other(kind) => {
            DraftedValue::Nothing(format!("is of the kind `{}`, which flowproof does not know", remark(kind)))
        }
    }
}

fn upload(rules: &FileRules, shape: Shape) -> DraftedValue {
    match small(rules) {
        Ok(small) => DraftedValue::File(small, shape),
        Err(reason) => DraftedValue::Nothing(reason),
    }
}

fn cut(text: &str, most: Option<u64>) -> String {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    text.chars().take(most).collect()
}

/// The app's own default, as the value that Dify takes; `None` where it does not fit.
fn fitting(input: &Input, default: &Value) -> Option<Value> {
    let text = default.as_str();
    match &input.kind {
        InputKind::Text => {
            let most = input.max_length.unwrap_or(u64::MAX);
            text.filter(|text| text.chars().count() as u64 <= most).map(Value::from)
        }
        InputKind::Select(options) => {
            text.filter(|text| options.iter().any(|option| option == text)).map(Value::from)
        }
        InputKind::Number => match text {
            Some(text) => text.trim().parse::<serde_json::Number>().ok().map(Value::Number),
            None => Some(default.clone()).filter(Value::is_number),
        },
        InputKind::Checkbox => match text.map(str::to_lowercase).as_deref() {
            Some("true" | "1") => Some(Value::Bool(true)),
            Some("false" | "0") => Some(Value::Bool(false)),
            Some(_) => None,
            None => Some(default.clone()).filter(Value::is_boolean),
        },
        InputKind::Object => match text {
            Some(text) => serde_json::from_str(text).ok().filter(Value::is_object),
            None => Some(default.clone()).filter(Value::is_object),
        },
        InputKind::File(_) | InputKind::Files(_) | InputKind::Other(_) => None,
    }
}

/// A name for the suite's file: the app's, as every file system takes it.
fn file_name(subject: &DraftedApp<'_>) -> String {
    let wanted = if subject.app.is_empty() { subject.title } else { subject.app };
    let mut name = String::new();
    for c in wanted.chars().flat_map(char::to_lowercase).take(LONGEST_NAME) {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    // Windows keeps such names for devices.
    let devices = ["con", "prn", "aux", "nul"];
    let is_device = devices.contains(&name)
        || name
            .strip_prefix("com")
            .or(name.strip_prefix("lpt"))
            .is_some_and(|rest| rest.chars().count() == 1);
    match name {
        "" => "first".to_owned(),
        _ if is_device => format!("{name}-app"),
        _ => name.to_owned(),
    }
}
