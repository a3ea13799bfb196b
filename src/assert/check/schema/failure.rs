//! What keeps a schema from being one, in a message of bounded length.

use std::fmt;

use crate::assert::check::operand::OperandError;

pub(super) fn failed(error: &dyn fmt::Display) -> OperandError {
    OperandError::new(format!("not a JSON Schema: {}", cut(&error.to_string())))
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
