//! Compares files with the types, endings, ways and number that an input allows.

use crate::app::live_app::input_rules::listed;
use crate::app::live_app::mismatch::{FaultKind, InputMismatch, SentFile, SentInput, fault, wrong};
use crate::dify::wire::file::file_kind;
use crate::dify::wire::parameters::{FileRules, Input, InputKind};

/// Finds too many files.
pub(super) fn judge_count(input: &Input, count: usize, faults: &mut Vec<InputMismatch>) {
    if let Some(most) = input.max_length.filter(|most| count as u64 > *most) {
        let message = format!("the input `{}` takes at most {most} files, found {count}", input.name);
        faults.push(fault(input, FaultKind::TooMany, message, None));
    }
}

/// Judges what `files` gives an input.
pub(super) fn judge_file(
    input: &Input,
    files: &[SentFile],
    sent: &SentInput,
    faults: &mut Vec<InputMismatch>,
) {
    let rules = match (&input.kind, sent) {
        (InputKind::Other(_), _) => return,
        (InputKind::File(rules), SentInput::File(_)) => rules,
        (InputKind::Files(rules), SentInput::Files(_)) => {
            judge_count(input, files.len(), faults);
            rules
        }
        (InputKind::File(_), SentInput::Files(_)) => {
            return faults.push(InputMismatch { help: None, ..wrong(input, "a list of files") });
        }
        (InputKind::Files(_), SentInput::File(file)) => {
            let help = Some(format!("write a list: [{}]", file.name));
            return faults.push(InputMismatch { help, ..wrong(input, "one file") });
        }
        (InputKind::File(_) | InputKind::Files(_), SentInput::Value(_))
        | (
            InputKind::Text
            | InputKind::Select(_)
            | InputKind::Number
            | InputKind::Checkbox
            | InputKind::Object,
            _,
        ) => return faults.push(wrong(input, "a file")),
    };
    for file in files {
        faults.extend(judge_rules(input, rules, file));
    }
}

fn judge_rules(input: &Input, rules: &FileRules, file: &SentFile) -> Option<InputMismatch> {
    let (name, given) = (&input.name, &file.name);
    let wrong =
        |message: String, help: Option<String>| Some(fault(input, FaultKind::WrongFile, message, help));
    if !rules.methods.is_empty() && !rules.methods.iter().any(|method| method == file.method) {
        let how = if file.method == "local_file" { "uploaded files" } else { "addresses of files" };
        return wrong(format!("the input `{name}` takes no {how}, found `{given}`"), None);
    }
    if file.kind == "custom" {
        if takes_ending(rules, given) {
            return None;
        }
        let allowed: Vec<&str> = rules.types.iter().chain(&rules.extensions).map(String::as_str).collect();
        let message = format!("the input `{name}` does not take `{given}`, a file of the type `custom`");
        return wrong(message, Some(format!("it takes {}", listed(&allowed))));
    }
    if rules.types.is_empty() || rules.types.contains(&file.kind) {
        return None;
    }
    let message = format!("the input `{name}` takes no file of the type `{}`, found `{given}`", file.kind);
    let is_custom = rules.types.iter().any(|kind| kind == "custom") && takes_ending(rules, given);
    let help = if is_custom && file_kind(given) == "custom" {
        format!("write {{ path: {given}, type: custom }}")
    } else if is_custom {
        format!(
            "let the input take the type `{}` as well: Dify 1.12 to 1.14 refuse `type: custom` for an ending they know",
            file.kind
        )
    } else {
        let allowed: Vec<&str> = rules.types.iter().chain(&rules.extensions).map(String::as_str).collect();
        format!("it takes {}", listed(&allowed))
    };
    wrong(message, Some(help))
}

/// Whether the ending of a path or address is one that `custom` files may have.
fn takes_ending(rules: &FileRules, name: &str) -> bool {
    let name = name.split(['?', '#']).next().unwrap_or_default().to_lowercase();
    rules
        .extensions
        .iter()
        .any(|ending| name.ends_with(&format!(".{}", ending.trim_start_matches('.').to_lowercase())))
}
