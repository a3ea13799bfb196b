//! `pause` of a reply: the forms a run waits for, and what each asks.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::dify::mock::script_value::{duration, mapping, text};

/// How long a form can be answered by default, as recorded.
const EXPIRES: Duration = Duration::from_secs(3600);

/// One form that a run waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptedForm {
    /// Title or id of the node that asks.
    pub node: String,
    /// What a person may do with it; at least one.
    pub actions: Vec<ScriptedButton>,
    /// Its text, in which `{{#$output.name#}}` is replaced by a field.
    pub content: String,
    /// What it asks for; `None`: the fields of the test's own answer.
    pub fields: Option<Vec<ScriptedField>>,
    /// How long it can be answered, from the start of the run.
    pub expires: Duration,
    /// How it reaches the person.
    pub delivery: Delivery,
}

/// A button of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedButton {
    /// What is submitted.
    pub id: String,
    /// What is shown.
    pub title: String,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedField {
    /// The variable it fills.
    pub name: String,
    /// What it takes.
    pub kind: ScriptedFieldKind,
    /// Its content before anyone writes.
    pub default: Option<String>,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptedFieldKind {
    /// `text-input`.
    Line,
    /// `paragraph`.
    Paragraph,
    /// `select`, with its options.
    Select(Vec<String>),
    /// `file`.
    File,
    /// `file-list`.
    Files,
}

/// How a form reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// By a page, and so by the API.
    WebApp,
    /// By e-mail only: the API gets no token.
    Email,
}

/// What a test's own answer fills in at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredForm {
    /// Title or id of the node.
    pub node: String,
    /// The fields it fills.
    pub fields: Vec<ScriptedField>,
}

impl ScriptedField {
    /// A field without a default.
    pub fn new(name: &str, kind: ScriptedFieldKind) -> Self {
        Self { name: name.to_owned(), kind, default: None }
    }

    /// The field as Dify shows it.
    pub fn shown(&self) -> Value {
        let default = self.default.as_deref().map(constant);
        let uploads = |kind: &str| {
            json!({
                "output_variable_name": self.name, "type": kind, "allowed_file_types": ["image", "document", "audio", "video"],
                "allowed_file_extensions": [], "allowed_file_upload_methods": ["local_file", "remote_url"],
            })
        };
        match &self.kind {
            ScriptedFieldKind::Line => {
                json!({ "output_variable_name": self.name, "type": "text-input", "default": default })
            }
            ScriptedFieldKind::Paragraph => {
                json!({ "output_variable_name": self.name, "type": "paragraph", "default": default })
            }
            ScriptedFieldKind::Select(options) => json!({
                "output_variable_name": self.name, "type": "select", "option_source": constant(options), "default": default,
            }),
            ScriptedFieldKind::File => uploads("file"),
            ScriptedFieldKind::Files => {
                let mut shown = uploads("file-list");
                shown["number_limits"] = json!(5);
                shown
            }
        }
    }
}

fn constant<T: serde::Serialize + ?Sized>(value: &T) -> Value {
    json!({ "type": "constant", "selector": [], "value": value })
}

/// Decodes `pause`: a form, or a list of forms; a list inside it holds forms that wait at the same time.
pub fn decode_pauses(value: &Value) -> Result<Vec<Vec<ScriptedForm>>, String> {
    let Value::Array(items) = value else { return Ok(vec![vec![decode_form(value)?]]) };
    let groups = items.iter().map(|item| match item {
        Value::Array(forms) if forms.is_empty() => Err("waits for no form".to_owned()),
        Value::Array(forms) => forms.iter().map(decode_form).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![decode_form(item)?])
        }
    });
    let groups: Vec<Vec<ScriptedForm>> = groups.collect::<Result<_, String>>()?;
    if groups.is_empty() { Err("must not be an empty list".to_owned()) } else { Ok(groups) }
}

fn decode_form(value: &Value) -> Result<ScriptedForm, String> {
    let members = mapping(value)?;
    let node = members.get("node").map(text).transpose()?.ok_or("needs a `node`")?;
    let actions = members.get("actions").map(actions).transpose()?.ok_or("needs `actions`")?;
    let of = |key: &str, error: String| format!("`{key}` {error}");
    Ok(ScriptedForm {
        node,
        actions,
        content: members.get("content").map_or(Ok(String::new()), text)?,
        fields: members.get("inputs").map(fields).transpose().map_err(|error| of("inputs", error))?,
        expires: members
            .get("expires")
            .map_or(Ok(EXPIRES), duration)
            .map_err(|error| of("expires", error))?,
        delivery: members.get("delivery").map_or(Ok(Delivery::WebApp), delivery)?,
    })
}

/// Actions: ids, or `{ id, title }`.
pub fn actions(value: &Value) -> Result<Vec<ScriptedButton>, String> {
    let Value::Array(items) = value else { return Err("must be a list of actions".to_owned()) };
    let action = |item: &Value| -> Result<ScriptedButton, String> {
        let Value::Object(members) = item else {
            let id = text(item)?;
            return Ok(ScriptedButton { title: id.clone(), id });
        };
        let id = members.get("id").map(text).transpose()?.ok_or("holds an action without an `id`")?;
        let title = members.get("title").map_or_else(|| Ok(id.clone()), text)?;
        Ok(ScriptedButton { id, title })
    };
    match items.iter().map(action).collect::<Result<Vec<_>, _>>()? {
        actions if actions.is_empty() => {
            Err("must name an action: without one no form can be sent".to_owned())
        }
        actions => Ok(actions),
    }
}

/// Fields: names, or `{ name, type, default, options }`.
pub fn fields(value: &Value) -> Result<Vec<ScriptedField>, String> {
    let Value::Array(items) = value else { return Err("must be a list of fields".to_owned()) };
    items.iter().map(field).collect()
}

fn field(value: &Value) -> Result<ScriptedField, String> {
    let Value::Object(members) = value else {
        return Ok(ScriptedField::new(&text(value)?, ScriptedFieldKind::Paragraph));
    };
    if let Some(key) =
        members.keys().find(|key| !matches!(key.as_str(), "name" | "type" | "default" | "options"))
    {
        return Err(format!(
            "holds a field with the unknown key `{key}`; known: name, type, default, options"
        ));
    }
    let name = members.get("name").map(text).transpose()?.ok_or("holds a field without a `name`")?;
    let kind = match members.get("type").map_or(Ok("paragraph".to_owned()), text)?.as_str() {
        "text-input" => ScriptedFieldKind::Line,
        "paragraph" => ScriptedFieldKind::Paragraph,
        "select" => ScriptedFieldKind::Select(options(members)?),
        "file" => ScriptedFieldKind::File,
        "file-list" => ScriptedFieldKind::Files,
        other => {
            return Err(format!(
                "holds a field of type `{other}`; one of: text-input, paragraph, select, file, file-list"
            ));
        }
    };
    Ok(ScriptedField { name, kind, default: members.get("default").map(text).transpose()? })
}

fn options(members: &Map<String, Value>) -> Result<Vec<String>, String> {
    match members.get("options") {
        Some(Value::Array(items)) if !items.is_empty() => items.iter().map(text).collect(),
        Some(_) | None => Err("holds a `select` without `options`".to_owned()),
    }
}

/// `webapp` or `email`.
pub fn delivery(value: &Value) -> Result<Delivery, String> {
    match text(value)?.as_str() {
        "webapp" => Ok(Delivery::WebApp),
        "email" => Ok(Delivery::Email),
        other => Err(format!("cannot be `{other}`; one of: webapp, email")),
    }
}
