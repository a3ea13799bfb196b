//! A published app as it describes itself: `GET /info` and the input form of `GET /parameters`.
//!
//! Unknown kinds of inputs are kept: a later Dify may have more.

use serde_json::Value;

use crate::dify::wire::app_mode::AppMode;

/// The path of an app's own facts.
pub const INFO_PATH: &str = "/info";
/// The path of an app's input form.
pub const PARAMETERS_PATH: &str = "/parameters";

/// One declared input of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The variable's name.
    pub name: String,
    /// What it takes.
    pub kind: InputKind,
    /// Whether a run without it is refused, even where it has a default.
    pub required: bool,
    /// Most code points of a text, or most files of a list.
    pub max_length: Option<u64>,
    /// Its value when it is not sent.
    pub default: Option<Value>,
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq)]
pub enum InputKind {
    /// `text-input`, `paragraph`.
    Text,
    /// `select`: one of these.
    Select(Vec<String>),
    /// `number`.
    Number,
    /// `checkbox`.
    Checkbox,
    /// `json_object`.
    Object,
    /// `file`.
    File(FileRules),
    /// `file-list`.
    Files(FileRules),
    /// Any other, by its name.
    Other(String),
}

/// Which files an input takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileRules {
    /// `document`, `image`, `audio`, `video`, `custom`.
    pub types: Vec<String>,
    /// `.pdf`: what `custom` takes.
    pub extensions: Vec<String>,
    /// `local_file`, `remote_url`: how they may be sent.
    pub methods: Vec<String>,
}

/// What `/info` says of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppIdentity {
    /// Its name in Dify; empty where it is not reported.
    pub name: String,
    /// What kind of app it is; `None` where it is not reported.
    pub mode: Option<AppMode>,
}

/// Reads an answer of `/info`.
pub fn decode_info(answer: &Value) -> AppIdentity {
    let name = answer["name"].as_str().unwrap_or_default().to_owned();
    AppIdentity { name, mode: answer["mode"].as_str().map(AppMode::of) }
}

/// Reads `user_input_form`; `None` where the answer has no such form or an entry of it cannot be understood.
pub fn decode_parameters(answer: &Value) -> Option<Vec<Input>> {
    decode_form(answer["user_input_form"].as_array()?)
}

/// Reads the entries of an input form; `None` where one of them cannot be understood.
pub fn decode_form(entries: &[Value]) -> Option<Vec<Input>> {
    entries.iter().map(decode_input).collect()
}

fn decode_input(entry: &Value) -> Option<Input> {
    let (outer, body) = entry.as_object()?.iter().next()?;
    let kind = body["type"].as_str().unwrap_or(outer);
    let words = |key: &str| -> Vec<String> {
        body[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let rules = || FileRules {
        types: words("allowed_file_types"),
        extensions: words("allowed_file_extensions"),
        methods: words("allowed_file_upload_methods"),
    };
    Some(Input {
        name: body["variable"].as_str()?.to_owned(),
        kind: match kind {
            "text-input" | "paragraph" => InputKind::Text,
            "select" => InputKind::Select(words("options")),
            "number" => InputKind::Number,
            "checkbox" => InputKind::Checkbox,
            "json_object" => InputKind::Object,
            "file" => InputKind::File(rules()),
            "file-list" => InputKind::Files(rules()),
            other => InputKind::Other(other.to_owned()),
        },
        required: body["required"].as_bool().unwrap_or(false),
        max_length: body["max_length"].as_u64().filter(|most| *most > 0),
        default: Some(&body["default"]).filter(|default| !default.is_null() && **default != "").cloned(),
    })
}

/// How Dify reads a value for a checkbox: `true` for `" YES "` and `1.0`; `None` where it passes the value on unchanged.
///
/// Source: `_validate_inputs` in Dify's `base_app_generator.py`.
pub fn checkbox(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(checked) => Some(*checked),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            Some(_) | None => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn recorded_forms_are_read_whole() {
        for version in ["1.12.1", "1.14.2"] {
            let read = |case: &str| {
                let path = format!("{}/tests/data/wire/{version}/{case}.json", env!("CARGO_MANIFEST_DIR"));
                let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
                let body = recording["response"]["body"].as_str().unwrap();
                decode_parameters(&serde_json::from_str(body).unwrap())
            };
            let echo = read("parameters.echo").unwrap();
            let names: Vec<&str> = echo.iter().map(|input| input.name.as_str()).collect();
            assert_eq!(names, ["text", "para", "num", "sel", "flag", "obj", "dflt"]);
            assert_eq!((echo[0].required, echo[0].max_length), (true, Some(48)));
            assert_eq!(echo[3].kind, InputKind::Select(vec!["red".into(), "green".into(), "blue".into()]));
            assert_eq!(echo[6].default, Some(json!("the default")));
            let files = read("parameters.file2").unwrap();
            assert!(
                matches!(&files[1].kind, InputKind::Files(rules) if rules.types == ["image", "document"])
            );
            assert_eq!(read("parameters.unpublished"), None);
        }
    }

    #[test]
    fn whatever_comes_is_a_form_or_none() {
        for strange in [json!(null), json!({ "user_input_form": 3 }), json!({ "user_input_form": [{}] })] {
            assert_eq!(decode_parameters(&strange), None);
        }
        assert_eq!(decode_parameters(&json!({ "user_input_form": [] })), Some(Vec::new()));
    }

    #[test]
    fn checkboxes_take_the_spellings_of_spreadsheets() {
        for value in
            [json!(true), json!(1), json!(1.0), json!("TRUE "), json!(" yes"), json!("On"), json!("1")]
        {
            assert_eq!(checkbox(&value), Some(true), "{value}");
        }
        for value in
            [json!(false), json!(0), json!(-0.0), json!("false\n"), json!("NO"), json!("off"), json!("0")]
        {
            assert_eq!(checkbox(&value), Some(false), "{value}");
        }
        for value in
            [json!("maybe"), json!(""), json!("1.0"), json!(2), json!(0.5), json!(null), json!([true])]
        {
            assert_eq!(checkbox(&value), None, "{value}");
        }
    }
}
