//! How a mistyped path is written: only where one spelling is certain to parse and to mean what was meant.

use super::parse::{is_name, parse_query};
use super::place::push_name;

/// The way to write what a text that is no path was meant to be.
pub(super) fn hint(text: &str) -> Option<String> {
    if let Some(call) = method_call(text) {
        return Some(call);
    }
    let rewritten = rewrite(text)?;
    (rewritten != text && parse_query(&rewritten).is_ok()).then(|| format!("did you mean `{rewritten}`?"))
}

/// `.length()` and the like, which older dialects put behind a path.
fn method_call(text: &str) -> Option<String> {
    let (path, name) = text.strip_suffix("()")?.rsplit_once('.')?;
    let path = if path.starts_with('$') { path.to_owned() } else { rewrite(path)? };
    let path = if parse_query(&path).is_ok() { path } else { return None };
    Some(match name {
        "length" | "size" | "count" | "len" => {
            format!(
                "write `path: {path}` with the predicate `length`, as in `length: 3`; `count` is for the values that a path selects"
            )
        }
        "first" => format!("write `{path}[0]`"),
        "last" => format!("write `{path}[-1]`"),
        "min" | "max" | "avg" | "sum" | "keys" | "values" | "type" => {
            format!("a path has no methods: select with `{path}` and write predicates beside it")
        }
        _ => return None,
    })
}

/// The text with its usual slips corrected: no `$` at its front, names with other characters, a dot before a bracket, brackets left open.
fn rewrite(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = match text.strip_prefix(['$', '@']) {
        Some(rest) => rest,
        None => text,
    };
    let mut rest = rest;
    let mut path = String::from("$");
    let mut is_first = true;
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix("..") {
            push_segment(&mut path, "..", after)?
        } else if let Some(after) = rest.strip_prefix('.') {
            push_segment(&mut path, ".", after)?
        } else if rest.starts_with('[') {
            push_bracket(&mut path, rest)?
        } else if is_first {
            push_segment(&mut path, ".", rest)?
        } else {
            return None;
        };
        is_first = false;
    }
    (path.len() > 1).then_some(path)
}

/// A name behind dots, in quotes where it needs them; gives what is left.
fn push_segment<'t>(path: &mut String, dots: &str, rest: &'t str) -> Option<&'t str> {
    if rest.starts_with('[') {
        path.push_str(if dots == ".." { ".." } else { "" });
        return Some(rest);
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, left) = rest.split_at(end);
    let is_plain = name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty()
        || name.contains(['(', ')', '\'', '"', ']', '?', '=', ',', '@', '$', '/', '|', '{', '}', '\\'])
    {
        return None;
    }
    if is_plain || name == "*" {
        path.push_str(dots);
        path.push_str(name);
    } else if dots == "." && name.bytes().all(|byte| byte.is_ascii_digit()) {
        path.push_str(&format!("[{name}]"));
    } else {
        path.push_str(dots.strip_suffix('.').filter(|_| dots == ".").unwrap_or(dots));
        push_name(path, name);
    }
    Some(left)
}

/// A bracket, closed where it was left open; a bare word in it gets its quotes.
fn push_bracket<'t>(path: &mut String, rest: &'t str) -> Option<&'t str> {
    let inner = rest.strip_prefix('[')?;
    let quote = inner.chars().next().filter(|first| matches!(first, '\'' | '"'));
    if inner.starts_with('?') || (quote.is_some() && inner.contains('\\')) {
        return None;
    }
    let (content, left) = match quote {
        Some(quote) => match inner[1..].split_once(quote) {
            Some((name, left)) => (name, left.strip_prefix(']').unwrap_or(left)),
            None => (inner[1..].strip_suffix(']').unwrap_or(&inner[1..]), ""),
        },
        None => inner.split_once(']').unwrap_or((inner, "")),
    };
    if content.is_empty() || left.starts_with(',') {
        return None;
    }
    let is_selector =
        |character: char| character.is_ascii_digit() || matches!(character, '-' | ':' | ',' | ' ' | '*');
    match quote {
        None if content.chars().all(is_selector) => path.push_str(&format!("[{content}]")),
        None if !content.chars().all(|character| is_name(character) || character == '-') => return None,
        None | Some(_) => push_name(path, content),
    }
    Some(left)
}
