//! A form with which a run asks a person, as events and the form's own page have it.
//!
//! Unknown kinds of fields are kept: a later Dify may have more.

use serde_json::Value;

/// A form that waits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HumanForm {
    /// `form_id`.
    pub id: Option<String>,
    /// The node that asks.
    pub node_id: String,
    /// Its title on the canvas.
    pub node_title: String,
    /// `form_token`; `None` where the form is only sent by e-mail.
    pub token: Option<String>,
    /// What it asks for.
    pub fields: Vec<FormField>,
    /// What can be done with it.
    pub actions: Vec<FormButton>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct FormField {
    /// The variable it fills.
    pub name: String,
    /// What it takes.
    pub kind: FormFieldKind,
    /// Its content before anyone writes; `None` where it is empty.
    pub default: Option<String>,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq)]
pub enum FormFieldKind {
    /// `text-input`, `paragraph`.
    Text,
    /// `select`: one of these, where the form names them.
    Select(Vec<String>),
    /// `file`.
    File,
    /// `file-list`.
    Files,
    /// Any other.
    Other(String),
}

/// A button of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormButton {
    /// What is submitted.
    pub id: String,
    /// What is shown.
    pub title: String,
}

/// Most characters of a default that are shown.
const DEFAULT_SHOWN: usize = 60;

/// What a form of this reason is called in `reasons`.
const ASKS: &str = "human_input_required";

impl HumanForm {
    /// The forms among the `reasons` of a pause.
    pub fn waiting(reasons: &Value) -> Vec<Self> {
        let asks = |reason: &&Value| reason["TYPE"] == ASKS || reason["type"] == ASKS;
        reasons.as_array().into_iter().flatten().filter(asks).map(Self::decode).collect()
    }

    /// Reads an entry of `reasons`, or the `data` of `human_input_required`; what is missing stays empty.
    pub fn decode(data: &Value) -> Self {
        let text = |key: &str| data[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            id: text("form_id"),
            node_id: text("node_id").unwrap_or_default(),
            node_title: text("node_title").unwrap_or_default(),
            token: text("form_token"),
            fields: fields(&data["inputs"], &data["resolved_default_values"]),
            actions: actions(&data["actions"]),
        }
    }

    /// Adds what the form's own page has; false where that is not a form.
    pub fn complete(&mut self, page: &Value) -> bool {
        if !page["inputs"].is_array() || !page["user_actions"].is_array() {
            return false;
        }
        self.fields = fields(&page["inputs"], &page["resolved_default_values"]);
        self.actions = actions(&page["user_actions"]);
        true
    }

    /// The node's title, otherwise its id.
    pub fn name(&self) -> &str {
        if self.node_title.is_empty() { &self.node_id } else { &self.node_title }
    }

    /// True where the node has this title or id.
    pub fn is_of(&self, node: &str) -> bool {
        self.node_title == node || self.node_id == node
    }

    /// What it asks for and takes: "asks for `comment` (paragraph) and takes `approve` or `reject`".
    pub fn describe(&self) -> String {
        let field = |field: &FormField| match &field.default {
            Some(default) => {
                let start: String = default.chars().take(DEFAULT_SHOWN).collect();
                let more = if start.len() < default.len() { "…" } else { "" };
                format!("`{}` ({}, default {start:?}{more})", field.name, field.kind.word())
            }
            None => format!("`{}` ({})", field.name, field.kind.word()),
        };
        let fields: Vec<String> = self.fields.iter().map(field).collect();
        let asks = if fields.is_empty() {
            "asks for nothing".to_owned()
        } else {
            format!("asks for {}", fields.join(", "))
        };
        let mail = if self.token.is_none() { ", by e-mail only," } else { "" };
        format!("`{}` {asks}{mail} and takes {}", self.name(), self.action_names())
    }

    /// The ids of its actions: "`approve` or `reject`".
    pub fn action_names(&self) -> String {
        either(self.actions.iter().map(|action| action.id.as_str()))
    }
}

impl FormFieldKind {
    /// What it takes, in a word.
    pub fn word(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Select(_) => "select",
            Self::File => "file",
            Self::Files => "file-list",
            Self::Other(word) => word,
        }
    }
}

/// Names, in quotes: "`a`, `b` or `c`".
pub fn either<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn actions(actions: &Value) -> Vec<FormButton> {
    let action = |action: &Value| {
        let id = action["id"].as_str()?.to_owned();
        let title = action["title"].as_str().unwrap_or(&id).to_owned();
        Some(FormButton { id, title })
    };
    actions.as_array().into_iter().flatten().filter_map(action).collect()
}

fn fields(inputs: &Value, resolved: &Value) -> Vec<FormField> {
    let field = |input: &Value| {
        let name = input["output_variable_name"].as_str()?.to_owned();
        let kind = match input["type"].as_str().unwrap_or_default() {
            "text-input" | "paragraph" => FormFieldKind::Text,
            "select" => FormFieldKind::Select(options(&input["option_source"])),
            "file" => FormFieldKind::File,
            "file-list" => FormFieldKind::Files,
            other => FormFieldKind::Other(other.to_owned()),
        };
        let constant = input["default"]["value"].as_str().filter(|_| input["default"]["type"] == "constant");
        let default = resolved[&name].as_str().or(constant).filter(|text| !text.is_empty());
        Some(FormField { default: default.map(str::to_owned), name, kind })
    };
    inputs.as_array().into_iter().flatten().filter_map(field).collect()
}

fn options(source: &Value) -> Vec<String> {
    let constant = source["value"].as_array().filter(|_| source["type"] == "constant");
    constant.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_told_in_a_sentence() {
        let reason = json!({
            "TYPE": "human_input_required", "form_id": "f", "node_id": "hi", "node_title": "Approval", "form_token": "t",
            "inputs": [
                { "output_variable_name": "comment", "type": "paragraph", "default": { "type": "constant", "selector": [], "value": "ok" } },
                { "output_variable_name": "level", "type": "select", "option_source": { "type": "constant", "value": ["low", "high"] } },
                { "output_variable_name": "mood", "type": "slider", "default": { "type": "variable", "selector": ["a", "b"], "value": "x" } },
            ],
            "actions": [{ "id": "approve", "title": "Approve" }, { "id": "reject", "title": "Reject" }],
            "resolved_default_values": { "mood": "" },
        });
        let forms = HumanForm::waiting(&json!([reason, { "TYPE": "scheduled" }, 5]));
        assert_eq!(
            forms.iter().map(HumanForm::describe).collect::<Vec<_>>(),
            [
                "`Approval` asks for `comment` (text, default \"ok\"), `level` (select), `mood` (slider) and takes `approve` or `reject`"
            ]
        );
        assert_eq!(forms[0].fields[1].kind, FormFieldKind::Select(vec!["low".into(), "high".into()]));
        assert_eq!(forms[0].fields[2].default, None);
    }

    #[test]
    fn whatever_comes_is_a_form_or_none() {
        assert_eq!(HumanForm::waiting(&Value::Null), []);
        let mut form =
            HumanForm::decode(&json!({ "form_token": "", "inputs": 3, "actions": [{ "title": "x" }] }));
        assert_eq!(form, HumanForm::default());
        assert_eq!(form.describe(), "`` asks for nothing, by e-mail only, and takes nothing");
        assert!(!form.complete(&json!({ "inputs": [] })));
    }
}
