//! Holds what a test sends against the inputs that an app declares: what Dify would refuse, and what it drops without a word.
//!
//! What Dify does with each kind of input is known from recordings: `tests/data/wire`, `err.*`, `echo.*`, `file.*`.

use serde_json::Value;

use crate::app::live_app::compare_files::{judge_count, judge_file};
use crate::app::live_app::input_rules::{is_number, listed, takes};
use crate::app::live_app::mismatch::{
    FaultKind, InputMismatch, NamedInput, SentInput, UncomparedInput, fault, is_file, wrong,
};
use crate::base::json_kind::kind;
use crate::base::spelling::{did_you_mean, nearest};
use crate::dify::wire::parameters::{Input, InputKind, checkbox};

/// Everything that does not fit, the inputs sent first, then those that are missing.
pub fn compare(form: &[Input], sent: &[NamedInput]) -> Vec<InputMismatch> {
    let mut faults = Vec::new();
    for NamedInput { name, sent: value } in sent {
        match form.iter().find(|input| input.name == *name) {
            Some(input) => judge(input, value, &mut faults),
            None => faults.push(unknown(form, name)),
        }
    }
    for input in form.iter().filter(|input| input.required) {
        if !sent.iter().any(|sent| sent.name == input.name) {
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

/// The inputs whose kind this flowproof does not know.
pub fn uncompared(form: &[Input]) -> impl Iterator<Item = UncomparedInput<'_>> {
    form.iter().filter_map(|input| match &input.kind {
        InputKind::Other(kind) => Some(UncomparedInput { input: &input.name, kind }),
        InputKind::Text
        | InputKind::Select(_)
        | InputKind::Number
        | InputKind::Checkbox
        | InputKind::Object
        | InputKind::File(_)
        | InputKind::Files(_) => None,
    })
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
    let help = did_you_mean(text, names.iter().copied())
        .unwrap_or_else(|| format!("its options: {}", listed(&names)));
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
