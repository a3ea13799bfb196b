//! An answer against the form it is for: what is wrong is reported before anything is sent.

use serde_json::{Map, Value};

use crate::base::json_kind::kind;
use crate::base::spelling::{did_you_mean, nearest};
use crate::dify::transcript::{Ending, FileVariable, HumanAnswer};
use crate::dify::wire::form::{FormField, FormFieldKind, HumanForm, either};

/// An answer that fits its form.
#[derive(Debug, PartialEq)]
pub struct FittingAnswer {
    /// The action's id.
    pub action: String,
    /// Every field but the files: as given, else the form's default.
    pub inputs: Map<String, Value>,
}

/// Checks action and fields; a field that the answer leaves out takes the form's default.
pub fn check(form: &HumanForm, answer: &HumanAnswer) -> Result<FittingAnswer, Ending> {
    let action = find_action(form, &answer.action)?;
    let names = || form.fields.iter().map(|field| field.name.as_str());
    let given = answer.inputs.keys().chain(answer.files.iter().map(|(name, _)| name));
    for name in given {
        if names().all(|known| known != name) {
            let mend = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if form.fields.is_empty() => "it asks for nothing".to_owned(),
                None => format!("it asks for {}", either(names())),
            };
            return Err(wrong(form, &format!("it has no field `{name}`; {mend}"), None));
        }
    }
    let mut inputs = Map::new();
    for field in &form.fields {
        if let Some(value) = value_of(form, field, answer)? {
            inputs.insert(field.name.clone(), value);
        }
    }
    Ok(FittingAnswer { action, inputs })
}

fn find_action(form: &HumanForm, wanted: &str) -> Result<String, Ending> {
    let found = form.actions.iter().find(|action| action.id == wanted);
    if let Some(action) = found.or_else(|| form.actions.iter().find(|action| action.title == wanted)) {
        return Ok(action.id.clone());
    }
    let mend = did_you_mean(wanted, form.actions.iter().map(|action| action.id.as_str()))
        .unwrap_or_else(|| format!("it takes {}", form.action_names()));
    Err(wrong(form, &format!("it has no action `{wanted}`; {mend}"), None))
}

/// A field's value; `None` for one that a file of the answer fills.
fn value_of(form: &HumanForm, field: &FormField, answer: &HumanAnswer) -> Result<Option<Value>, Ending> {
    let name = &field.name;
    if let Some((_, file)) = answer.files.iter().find(|(given, _)| given == name) {
        return match (&field.kind, file) {
            (FormFieldKind::File, FileVariable::One(_))
            | (FormFieldKind::Files, FileVariable::Many(_))
            | (FormFieldKind::Other(_), _) => Ok(None),
            (FormFieldKind::File, FileVariable::Many(_)) => {
                Err(wrong(form, &format!("its field `{name}` takes one file, not a list"), None))
            }
            (FormFieldKind::Files, FileVariable::One(_)) => {
                Err(wrong(form, &format!("its field `{name}` takes a list of files"), None))
            }
            (FormFieldKind::Text | FormFieldKind::Select(_), _) => {
                let message = format!("its field `{name}` takes {}, not a file", field.kind.word());
                Err(wrong(form, &message, None))
            }
        };
    }
    let Some(value) = answer.inputs.get(name) else {
        let default = field.default.clone().map(Value::String);
        let missing = || {
            let message =
                format!("it asks for `{name}`, and neither the answer nor the form has a value for it");
            wrong(form, &message, Some("give the answer a value for it, below `inputs` or `files`"))
        };
        return default.map(Some).ok_or_else(missing);
    };
    check_value(field, value).map_err(|message| wrong(form, &message, None))?;
    Ok(Some(value.clone()))
}

fn check_value(field: &FormField, value: &Value) -> Result<(), String> {
    let name = &field.name;
    let kind = kind(value);
    match (&field.kind, value) {
        (FormFieldKind::Other(_), _) | (FormFieldKind::Text, Value::String(_)) => Ok(()),
        (FormFieldKind::Text, _) => {
            Err(format!("its field `{name}` takes text, not {kind}: put it in quotes"))
        }
        (FormFieldKind::Select(options), Value::String(text)) => {
            if options.is_empty() || options.contains(text) {
                return Ok(());
            }
            let known = either(options.iter().map(String::as_str));
            Err(format!("`{text}` is no option of its field `{name}`; it takes {known}"))
        }
        (FormFieldKind::Select(_), _) => Err(format!("its field `{name}` takes text, not {kind}")),
        // A file of another run's: the mapping that Dify takes, written out.
        (FormFieldKind::File, Value::Object(_)) | (FormFieldKind::Files, Value::Array(_)) => Ok(()),
        (FormFieldKind::File | FormFieldKind::Files, _) => {
            Err(format!("its field `{name}` takes a file: name it below `files`, not `inputs`"))
        }
    }
}

fn wrong(form: &HumanForm, message: &str, hint: Option<&'static str>) -> Ending {
    let detail = format!("the form of `{}` cannot be answered: {message}", form.name());
    Ending::Unanswered { detail, hint }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::base::origin::Place;
    use crate::dify::transcript::FileInput;

    fn form() -> HumanForm {
        HumanForm::decode(&json!({
            "node_title": "Approval", "form_token": "t",
            "inputs": [
                { "output_variable_name": "comment", "type": "paragraph", "default": { "type": "constant", "value": "ok by default" } },
                { "output_variable_name": "level", "type": "select", "option_source": { "type": "constant", "value": ["low", "high"] } },
                { "output_variable_name": "proof", "type": "file" },
            ],
            "actions": [{ "id": "approve", "title": "Approve it" }, { "id": "reject", "title": "Reject" }],
        }))
    }

    fn answer(action: &str, inputs: Value, files: Vec<(String, FileVariable)>) -> HumanAnswer {
        let Value::Object(inputs) = inputs else { panic!() };
        let place = Arc::new(Place::file("s.yaml"));
        HumanAnswer { node: "Approval".into(), action: action.into(), inputs, files, place }
    }

    fn file() -> FileInput {
        FileInput::Remote { url: "https://example.com/a.png".into(), kind: "image".into() }
    }

    fn proof() -> Vec<(String, FileVariable)> {
        vec![("proof".into(), FileVariable::One(file()))]
    }

    #[test]
    fn a_field_left_out_takes_the_forms_default() {
        let given = check(&form(), &answer("Approve it", json!({ "level": "low" }), proof())).unwrap();
        let Value::Object(inputs) = json!({ "comment": "ok by default", "level": "low" }) else { panic!() };
        assert_eq!(given, FittingAnswer { action: "approve".into(), inputs });
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_mend() {
        let low = || json!({ "level": "low" });
        let cases = [
            (answer("aprove", low(), proof()), "it has no action `aprove`; did you mean `approve`?"),
            (answer("send", low(), proof()), "it has no action `send`; it takes `approve` or `reject`"),
            (
                answer("reject", json!({ "coment": "x" }), proof()),
                "it has no field `coment`; did you mean `comment`?",
            ),
            (
                answer("reject", json!({ "zzz": "x" }), proof()),
                "it has no field `zzz`; it asks for `comment`, `level` or `proof`",
            ),
            (
                answer("reject", json!({}), proof()),
                "it asks for `level`, and neither the answer nor the form has a value for it",
            ),
            (
                answer("reject", json!({ "level": "mid" }), proof()),
                "`mid` is no option of its field `level`; it takes `low` or `high`",
            ),
            (
                answer("reject", json!({ "comment": 5, "level": "low" }), proof()),
                "its field `comment` takes text, not a number: put it in quotes",
            ),
            (
                answer("reject", json!({ "level": "low", "proof": "a.png" }), vec![]),
                "its field `proof` takes a file: name it below `files`, not `inputs`",
            ),
            (
                answer("reject", low(), vec![("proof".into(), FileVariable::Many(vec![file()]))]),
                "its field `proof` takes one file, not a list",
            ),
            (
                answer("reject", json!({}), vec![("level".into(), FileVariable::One(file()))]),
                "its field `level` takes select, not a file",
            ),
        ];
        for (answer, expected) in cases {
            match check(&form(), &answer) {
                Err(Ending::Unanswered { detail, .. }) => {
                    assert_eq!(detail, format!("the form of `Approval` cannot be answered: {expected}"));
                }
                other => panic!("{other:?} for {expected}"),
            }
        }
    }
}
