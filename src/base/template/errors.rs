//! Why a template does not compile or render, and the engine's errors in our words.

use std::ops::Range;

use minijinja::ErrorKind;

/// The message of an error whose variable is still to be named.
pub(super) const UNDEFINED: &str = "undefined value";
/// Said of `include` and the like.
pub(super) const NO_OTHER: &str = "a template cannot include, import or extend another";

/// Why a template does not compile or render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong; an undefined name is named.
    pub message: String,
    /// The bytes of the template's text where it goes wrong, where that is known.
    pub span: Option<Range<usize>>,
}

/// The kind under which an error of ours passes through the engine.
pub(super) fn kind_of(error: &TemplateError) -> ErrorKind {
    if error.message == UNDEFINED { ErrorKind::UndefinedError } else { ErrorKind::BadSerialization }
}

/// What the engine says; an undefined name is named.
pub(super) fn describe(error: &minijinja::Error) -> TemplateError {
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        _ if missing_name(detail).is_some() => {
            format!("`{}` is not defined", missing_name(detail).unwrap_or_default())
        }
        ErrorKind::UndefinedError => UNDEFINED.to_owned(),
        ErrorKind::OutOfFuel => {
            "the template does too much: it loops too long or makes too much text".to_owned()
        }
        ErrorKind::TemplateNotFound => NO_OTHER.to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        ErrorKind::BadSerialization => detail.to_owned(),
        kind => format!("{kind}: {detail}"),
    };
    // Of an empty target (`{% for in … %}`) the engine gives a range that ends before it begins.
    TemplateError { message, span: error.range().filter(|range| range.start <= range.end) }
}

/// Finds the name in the engine's "`vars.shop` is undefined", which may end another message.
fn missing_name(detail: &str) -> Option<&str> {
    let (before, _) = detail.rsplit_once("` is undefined")?;
    before.rsplit_once('`').map(|(_, name)| name)
}
