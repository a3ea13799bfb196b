//! Declared inputs, checked key by key as Dify checks them.

use serde_json::{Map, Value};

use crate::dify::mock::answer::text::{QuoteRule, python};
use crate::dify::wire::parameters::checkbox;
use crate::dify::wire::python_number::{PythonNumber, read_number};
use crate::yaml::node::Node;
use crate::yaml::reader::Reader;

/// An app's `user_input_form`.
#[derive(Debug, Clone, Default)]
pub struct InputForm {
    /// As declared, for `GET /parameters`.
    pub declared: Value,
    fields: Vec<InputField>,
}

#[derive(Debug, Clone)]
struct InputField {
    name: String,
    kind: InputFieldKind,
    is_required: bool,
    max_length: Option<u64>,
    options: Vec<Value>,
    default: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputFieldKind {
    TextInput,
    Paragraph,
    Select,
    Number,
    Checkbox,
    JsonObject,
    File,
    FileList,
}

const KINDS: [(&str, InputFieldKind); 8] = [
    ("text-input", InputFieldKind::TextInput),
    ("paragraph", InputFieldKind::Paragraph),
    ("select", InputFieldKind::Select),
    ("number", InputFieldKind::Number),
    ("checkbox", InputFieldKind::Checkbox),
    ("json_object", InputFieldKind::JsonObject),
    ("file", InputFieldKind::File),
    ("file-list", InputFieldKind::FileList),
];

/// Why inputs are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormError {
    /// HTTP 400 `invalid_param` with this text.
    Invalid(String),
    /// HTTP 500: a number that is a list or a mapping.
    Internal,
}

/// Turns a file mapping into the file object Dify makes of it.
pub type Resolve<'a> = &'a dyn Fn(&Map<String, Value>) -> Result<Value, String>;

/// Reads Dify's `user_input_form`: a list of one-key mappings.
pub fn read_form(reader: &mut Reader<'_>, node: &Node) -> InputForm {
    let mut fields = Vec::new();
    for item in reader.list(node, "`parameters`") {
        let Some([entry]) = item.as_map() else {
            reader.problem_with_help(
                item.mark,
                "a parameter must be a mapping with one key, its type",
                "{ text-input: { variable: query, required: true } }",
            );
            continue;
        };
        let Some((_, kind)) = KINDS.iter().find(|(word, _)| *word == entry.key) else {
            let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
            reader.unknown_key(entry, "a parameter", &words);
            continue;
        };
        let Some(name) = entry.value.get("variable").and_then(Node::as_text) else {
            reader.problem(entry.value.mark, "a parameter needs a `variable`: its name, as text");
            continue;
        };
        fields.push(read_field(name, *kind, &entry.value.to_json()));
    }
    InputForm { declared: node.to_json(), fields }
}

fn read_field(name: &str, kind: InputFieldKind, declared: &Value) -> InputField {
    InputField {
        name: name.to_owned(),
        kind,
        is_required: declared["required"].as_bool().unwrap_or(false),
        max_length: declared["max_length"].as_u64(),
        options: declared["options"].as_array().cloned().unwrap_or_default(),
        default: declared["default"].clone(),
    }
}

impl InputForm {
    /// The first variable that must be there.
    pub fn required(&self) -> Option<&str> {
        self.fields.iter().find(|field| field.is_required).map(|field| field.name.as_str())
    }

    /// The inputs as Dify takes them: unknown keys dropped, defaults and nulls filled in.
    pub fn accept(
        &self,
        inputs: &Map<String, Value>,
        resolve: Resolve<'_>,
    ) -> Result<Map<String, Value>, FormError> {
        let mut accepted = Map::new();
        for field in &self.fields {
            let given = inputs.get(&field.name).unwrap_or(&Value::Null);
            accepted.insert(field.name.clone(), field.accept(given, resolve)?);
        }
        Ok(accepted)
    }
}

impl InputField {
    fn accept(&self, given: &Value, resolve: Resolve<'_>) -> Result<Value, FormError> {
        if given.is_null() {
            return match self.is_required {
                true => Err(FormError::Invalid(format!("{} is required in input form", self.name))),
                false => Ok(self.default.clone()),
            };
        }
        match self.kind {
            InputFieldKind::TextInput | InputFieldKind::Paragraph => self.accept_text(given),
            InputFieldKind::Select => self.accept_option(given),
            InputFieldKind::Number => self.accept_number(given),
            InputFieldKind::Checkbox => Ok(checked(given)),
            InputFieldKind::JsonObject if given.is_object() => Ok(given.clone()),
            InputFieldKind::JsonObject => self.refuse("must be a dict"),
            InputFieldKind::File => match given {
                Value::Object(mapping) => resolve(mapping).map_err(FormError::Invalid),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    self.refuse("must be a file")
                }
            },
            InputFieldKind::FileList => self.accept_files(given, resolve),
        }
    }

    fn refuse<T>(&self, why: &str) -> Result<T, FormError> {
        Err(FormError::Invalid(format!("{} in input form {why}", self.name)))
    }

    fn text<'a>(&self, given: &'a Value) -> Result<&'a str, FormError> {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(word, _)| word);
        given.as_str().ok_or_else(|| {
            FormError::Invalid(format!("(type '{kind}') {} in input form must be a string", self.name))
        })
    }

    fn accept_text(&self, given: &Value) -> Result<Value, FormError> {
        let text = self.text(given)?;
        match self.max_length.filter(|most| *most > 0 && text.chars().count() as u64 > *most) {
            Some(most) => self.refuse(&format!("must be less than {most} characters")),
            None => Ok(given.clone()),
        }
    }

    fn accept_option(&self, given: &Value) -> Result<Value, FormError> {
        self.text(given)?;
        if self.options.contains(given) {
            return Ok(given.clone());
        }
        let options = python(&Value::Array(self.options.clone()), QuoteRule::Quoted);
        self.refuse(&format!("must be one of the following: {options}"))
    }

    fn accept_number(&self, given: &Value) -> Result<Value, FormError> {
        let text = match given {
            Value::Array(_) | Value::Object(_) => return Err(FormError::Internal),
            Value::Null | Value::Bool(_) | Value::Number(_) => return Ok(given.clone()),
            Value::String(text) => text,
        };
        match read_number(text) {
            PythonNumber::Null => Ok(Value::Null),
            PythonNumber::Number(number) => Ok(Value::Number(number)),
            PythonNumber::TooLarge => Ok(given.clone()),
            PythonNumber::Refused => self.refuse("must be a valid number"),
        }
    }

    fn accept_files(&self, given: &Value, resolve: Resolve<'_>) -> Result<Value, FormError> {
        let items = given.as_array().filter(|items| items.iter().all(Value::is_object));
        let Some(items) = items else { return self.refuse("must be a list of files") };
        if let Some(most) = self.max_length.filter(|most| *most > 0 && items.len() as u64 > *most) {
            return self.refuse(&format!("must be less than {most} files"));
        }
        let files = items.iter().filter_map(Value::as_object).map(resolve);
        files.collect::<Result<Vec<_>, _>>().map(Value::Array).map_err(FormError::Invalid)
    }
}

/// What Dify makes of a checkbox; a text or number that it does not know passes through.
fn checked(given: &Value) -> Value {
    checkbox(given).map_or_else(|| given.clone(), Value::Bool)
}
