//! What a template writes: text, or the one value that a whole expression keeps.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, Output, State};

use super::convert::to_json;
use super::errors::kind_of;

/// Begins the names of templates that keep the type of their one expression.
pub(super) const TYPED: &str = "typed-";
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
