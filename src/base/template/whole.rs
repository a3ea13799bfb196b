//! Texts that are one whole expression, which keeps its type.

/// Gives what is between the first `{{` and the last `}}` where nothing but blanks is around them.
///
/// It is one expression if it compiles as one: in `{{ a }}{{ b }}` what is between does not.
pub(super) fn whole_expression(source: &str) -> Option<&str> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    Some(inner.strip_suffix(['-', '+']).unwrap_or(inner))
}

/// The expression, if it is nothing but names joined by dots, such as `row.city`.
pub(super) fn dotted_name(expression: &str) -> Option<String> {
    let expression = expression.trim();
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_dotted = expression.contains('.') && expression.split('.').all(is_name);
    is_dotted.then(|| expression.to_owned())
}
