//! Streamed text: how it is cut, and how Dify writes values that are not text.

use serde_json::Value;

use super::file_object::{is_file, link};

/// Cuts text into chunks of `size` characters, or after each run of blanks.
pub fn cut(text: &str, size: Option<usize>) -> Vec<String> {
    match size {
        Some(size) => {
            let chars: Vec<char> = text.chars().collect();
            chars.chunks(size.max(1)).map(|chunk| chunk.iter().collect()).collect()
        }
        None => words(text),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blanks = rest[word..].find(|c: char| !c.is_whitespace()).unwrap_or(rest.len() - word);
        let (chunk, after) = rest.split_at(word + blanks);
        chunks.push(chunk.to_owned());
        rest = after;
    }
    chunks
}

/// A value as Dify streams it: `True`, indented JSON, lists as bullet points, files as links.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => python(value, QuoteRule::Bare),
        Value::Array(items) if items.first().is_some_and(is_file) => {
            let links: Vec<String> = items.iter().map(link).collect();
            links.join("\n")
        }
        Value::Array(items) => {
            let lines: Vec<String> =
                items.iter().map(|item| format!("- {}", python(item, QuoteRule::Bare))).collect();
            lines.join("\n")
        }
        Value::Object(_) if is_file(value) => link(value),
        Value::Object(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// Whether a text is alone or inside a list or mapping.
#[derive(Clone, Copy)]
pub enum QuoteRule {
    /// As it is.
    Bare,
    /// In quotes, as Python's `repr` puts it.
    Quoted,
}

/// A value as Python writes it.
pub fn python(value: &Value, quoting: QuoteRule) -> String {
    let inside = |item: &Value| python(item, QuoteRule::Quoted);
    match (value, quoting) {
        (Value::Null, _) => "None".to_owned(),
        (Value::Bool(true), _) => "True".to_owned(),
        (Value::Bool(false), _) => "False".to_owned(),
        (Value::Number(number), _) => number.to_string(),
        (Value::String(text), QuoteRule::Bare) => text.clone(),
        (Value::String(text), QuoteRule::Quoted) => quoted(text),
        (Value::Array(items), _) => format!("[{}]", items.iter().map(inside).collect::<Vec<_>>().join(", ")),
        (Value::Object(members), _) => {
            let pairs: Vec<String> =
                members.iter().map(|(key, member)| format!("{}: {}", quoted(key), inside(member))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
