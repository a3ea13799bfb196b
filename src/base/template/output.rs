//! What a template writes: text, or the one value that a whole expression keeps.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, Output, State};

use super::compiled::Template;
use super::convert::to_json;
use super::errors::kind_of;
use super::inspect::Usage;
use super::long_number::PASSING;

/// Begins the names of templates that keep the type of their one expression.
const TYPED: &str = "typed-";
/// The slot in which the formatter leaves the value of a typed template.
pub(super) const SLOT: &str = "flowproof_value";

/// Writes a value into text as JSON, strings bare; keeps the value of a typed template aside instead.
pub(super) fn format_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if state.name().starts_with(TYPED) {
        state.set_temp(SLOT, value.clone());
        return Ok(());
    }
    let written = match value.kind() {
        // An `if` without `else`, which Jinja writes as nothing; other undefined values never come here.
        ValueKind::Undefined => Ok(()),
        ValueKind::String => out.write_str(value.as_str().unwrap_or_default()),
        _ => {
            let json = to_json(value).map_err(|error| Error::new(kind_of(&error), error.message))?;
            out.write_str(&json.to_string())
        }
    };
    written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the text could not be written"))
}

/// What a rendering comes to.
pub(super) struct Rendered {
    /// The value of a typed template.
    pub(super) value: Option<minijinja::Value>,
    pub(super) text: String,
    /// The fuel that was used.
    pub(super) work: u64,
}

/// The name by which the engine knows a template.
pub(super) fn name_of(template: &Template, usage: Usage) -> String {
    let end = if usage == Usage::Passes { PASSING } else { "" };
    match template {
        Template::Typed(id) => format!("{TYPED}{}{end}", id.0),
        Template::Text(id) => format!("text-{}{end}", id.0),
        Template::Literal(_) | Template::List(_) | Template::Map(_) => String::new(),
    }
}
