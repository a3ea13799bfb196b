//! The paths of `ignore`: rendered, followed to their ends, and what they leave to compare.

use std::borrow::Cow;

use serde_json::Value;

use crate::base::diff::{EqualOptions, mask_paths};
use crate::base::effort::EffortError;
use crate::base::json_path::JsonPath;

use super::Context;
use super::model::Equality;
use super::operand::parse_path;

/// The paths to ignore, late ones rendered.
pub(super) fn options<'a>(
    equality: &'a Equality,
    context: &Context<'_>,
) -> Result<Cow<'a, EqualOptions>, String> {
    if equality.late.is_empty() {
        return Ok(Cow::Borrowed(&equality.options));
    }
    let mut options = equality.options.clone();
    for template in &equality.late {
        let rendered = context.templates.render(template, context.scope);
        let rendered = rendered.map_err(|error| format!("a path of `ignore` cannot be rendered: {error}"))?;
        options.ignore.push(parse_path(&rendered).map_err(|error| format!("`ignore`: {}", error.message))?);
    }
    Ok(Cow::Owned(options))
}

/// Follows the paths of `ignore` in each value; an error says why one of them was not followed to its end.
pub(super) fn follow_all(
    options: &EqualOptions,
    values: [&Value; 2],
    context: &Context<'_>,
) -> Result<(), String> {
    values.into_iter().try_for_each(|value| follow_ignored(options, value, context))
}

/// Follows the paths of `ignore`, so that what is taken out of a value is known to be all of it.
pub(super) fn follow_ignored(
    options: &EqualOptions,
    value: &Value,
    context: &Context<'_>,
) -> Result<(), String> {
    options.ignore.iter().try_for_each(|path| {
        let effort = context.effort();
        let followed = effort.renew().and_then(|()| path.find_places(value, effort)).map(drop);
        followed.map_err(|error| unfollowed(path, error))
    })
}

/// A comparison from which everything was taken out would hold for every value.
pub(super) fn nothing_left(expected: &Value, options: &EqualOptions) -> Option<&'static str> {
    if options.ignore.is_empty() {
        return None;
    }
    let is_bare = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    (is_bare(&mask_paths(expected, &options.ignore)) && !is_bare(expected))
        .then_some("`ignore` leaves nothing to compare")
}

/// What a path comes to that could not be followed to its end.
pub(super) fn unfollowed(path: &JsonPath, error: EffortError) -> String {
    format!("`{}` was not followed to its end: {error}", path.as_str())
}
