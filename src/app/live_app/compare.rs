//! Holds what a test sends against the inputs that an app declares: what Dify would refuse, and what it drops without a word.
//!
//! What Dify does with each kind of input is known from recordings: `tests/data/wire`, `err.*`, `echo.*`, `file.*`.

use serde_json::Value;

use crate::app::live_app::compare_files::{judge_count, judge_file};
use crate::app::live_app::input_rules::{is_number, listed, takes};
use crate::base::json_kind::kind;
use crate::dify::wire::parameters::{Input, InputKind, checkbox};
use crate::yaml::problem::nearest;

/// What a test sends in one input.
#[derive(Debug, Clone, PartialEq)]
pub enum SentInput {
    /// A value of `inputs`, rendered.
    Value(Value),
    /// One file of `files`.
    File(SentFile),
    /// A list of `files`.
    Files(Vec<SentFile>),
}

/// A file as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Its path or address.
    pub name: String,
    /// Dify's type: `document`, `image`, …
    pub kind: String,
    /// `local_file` or `remote_url`.
    pub method: &'static str,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputMismatch {
    /// The input.
    pub input: String,
    /// What is wrong with it.
    pub kind: FaultKind,
    /// The same in words.
    pub message: String,
    /// What mends it.
    pub help: Option<String>,
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The app has no such input.
    Unknown,
    /// It is required and not sent.
    Missing,
    /// A text is too long.
    TooLong,
    /// A text is none of the options.
    NotAnOption,
    /// It takes something else, and Dify refuses this.
    WrongType,
    /// It takes something else, and Dify passes this on as it is.
    Strange,
    /// A file is of a type, or comes a way, that is not allowed.
    WrongFile,
    /// There are too many files.
    TooMany,
}

impl FaultKind {
    /// Whether Dify itself refuses such a run: a test that expects `rejected` may want just that.
    pub fn is_refused(self) -> bool {
        match self {
            Self::Unknown | Self::Strange => false,
            Self::Missing
            | Self::TooLong
            | Self::NotAnOption
            | Self::WrongType
            | Self::WrongFile
            | Self::TooMany => true,
        }
    }
}

/// Everything that does not fit, the inputs sent first, then those that are missing.
pub fn compare(form: &[Input], sent: &[(String, SentInput)]) -> Vec<InputMismatch> {
    let mut faults = Vec::new();
    for (name, value) in sent {
        match form.iter().find(|input| input.name == *name) {
            Some(input) => judge(input, value, &mut faults),
            None => faults.push(unknown(form, name)),
        }
    }
    for input in form.iter().filter(|input| input.required) {
        if !sent.iter().any(|(name, _)| *name == input.name) {
            let key = if is_file(input) { "files" } else { "inputs" };
            let message = format!("the input `{}` is required and not sent", input.name);
            faults.push(fault(
                input,
                FaultKind::Missing,
                message,
                Some(format!("add it under `{key}`: {}", takes(input))),
            ));
        }
    }
    faults
}

/// The inputs whose kind this flowproof does not know, each with that kind.
pub fn uncompared(form: &[Input]) -> impl Iterator<Item = (&str, &str)> {
    form.iter().filter_map(|input| match &input.kind {
        InputKind::Other(kind) => Some((input.name.as_str(), kind.as_str())),
        InputKind::Text
        | InputKind::Select(_)
        | InputKind::Number
        | InputKind::Checkbox
        | InputKind::Object
        | InputKind::File(_)
        | InputKind::Files(_) => None,
    })
}

fn is_file(input: &Input) -> bool {
    matches!(input.kind, InputKind::File(_) | InputKind::Files(_))
}

pub(super) fn fault(input: &Input, kind: FaultKind, message: String, help: Option<String>) -> InputMismatch {
    InputMismatch { input: input.name.clone(), kind, message, help }
}

fn unknown(form: &[Input], name: &str) -> InputMismatch {
    let names: Vec<&str> = form.iter().map(|input| input.name.as_str()).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "the app takes no inputs".to_owned(),
        None => format!("the app's inputs: {}", listed(&names)),
    };
    InputMismatch {
        input: name.to_owned(),
        kind: FaultKind::Unknown,
        message: format!("the app has no input `{name}`: Dify drops it without a word"),
        help: Some(help),
    }
}

fn judge(input: &Input, sent: &SentInput, faults: &mut Vec<InputMismatch>) {
    let value = match sent {
        SentInput::Value(Value::Null) => {
            if input.required {
                let message = format!("the input `{}` is required, and null does not do", input.name);
                faults.push(fault(input, FaultKind::Missing, message, Some(takes(input))));
            }
            return;
        }
        SentInput::Value(value) => value,
        SentInput::File(file) => return judge_file(input, std::slice::from_ref(file), sent, faults),
        SentInput::Files(files) => return judge_file(input, files, sent, faults),
    };
    match &input.kind {
        InputKind::Text => judge_text(input, value, faults),
        InputKind::Select(options) => judge_option(input, options, value, faults),
        InputKind::Number if is_number(value) => {}
        InputKind::Checkbox if checkbox(value).is_some() => {}
        InputKind::Checkbox => {
            let message = format!(
                "the input `{}` takes true or false; Dify passes {} on as it is",
                input.name,
                kind(value)
            );
            let help = "write true or false; Dify also reads 1, 0, yes, no, on and off";
            faults.push(fault(input, FaultKind::Strange, message, Some(help.to_owned())));
        }
        InputKind::Object if value.is_object() => {}
        InputKind::File(_) if value.is_object() => {}
        InputKind::Files(_) => judge_list(input, value, faults),
        InputKind::Number | InputKind::Object | InputKind::File(_) => {
            faults.push(wrong(input, kind(value)));
        }
        InputKind::Other(_) => {}
    }
}

pub(super) fn wrong(input: &Input, found: &str) -> InputMismatch {
    let message = format!("the input `{}` takes {}, found {found}", input.name, takes(input));
    let help = is_file(input).then(|| "write the file's path under `files`".to_owned());
    fault(input, FaultKind::WrongType, message, help)
}

fn judge_text(input: &Input, value: &Value, faults: &mut Vec<InputMismatch>) {
    let Some(text) = value.as_str() else {
        let quoted = (!value.is_array() && !value.is_object()).then(|| format!("write \"{value}\""));
        return faults.push(InputMismatch { help: quoted, ..wrong(input, kind(value)) });
    };
    let length = text.chars().count() as u64;
    if let Some(most) = input.max_length.filter(|most| length > *most) {
        let message = format!("the input `{}` takes at most {most} characters, found {length}", input.name);
        faults.push(fault(input, FaultKind::TooLong, message, None));
    }
}

fn judge_option(input: &Input, options: &[String], value: &Value, faults: &mut Vec<InputMismatch>) {
    let Some(text) = value.as_str() else { return faults.push(wrong(input, kind(value))) };
    if options.iter().any(|option| option == text) {
        return;
    }
    let names: Vec<&str> = options.iter().map(String::as_str).collect();
    let help = match nearest(text, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its options: {}", listed(&names)),
    };
    let shown: String = text.chars().take(60).collect();
    let message = format!("`{shown}` is no option of the input `{}`", input.name);
    faults.push(fault(input, FaultKind::NotAnOption, message, Some(help)));
}

/// A list written out under `inputs`, in Dify's own words.
fn judge_list(input: &Input, value: &Value, faults: &mut Vec<InputMismatch>) {
    match value.as_array().filter(|items| items.iter().all(Value::is_object)) {
        Some(items) => judge_count(input, items.len(), faults),
        None => faults.push(wrong(input, kind(value))),
    }
}
