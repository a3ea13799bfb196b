//! A node in one line, as its author would write it: YAML in flow style.

use std::fmt::Write;

use crate::yaml::node::{MapEntry, Node, NodeValue};

/// A node as YAML in one line of at most `most` characters: `{ gte: 1, lte: 3 }`, `[a, b]`, `"text"`, `'\d+'`.
pub(super) fn written(node: &Node, most: usize) -> String {
    let mut line = ShortLine { text: String::new(), most };
    match &node.value {
        NodeValue::Text(text) => line.push(&quoted(text)),
        NodeValue::Null
        | NodeValue::Bool(_)
        | NodeValue::Number(_)
        | NodeValue::List(_)
        | NodeValue::Map(_) => line.node(node),
    }
    match line.text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line.text[..at]),
        None => line.text,
    }
}

/// A line that stops growing once it is longer than is shown.
struct ShortLine {
    text: String,
    most: usize,
}

impl ShortLine {
    fn push(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(text);
        }
    }

    /// A character has four bytes at most.
    fn is_full(&self) -> bool {
        self.text.len() > self.most.saturating_mul(4)
    }

    fn node(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Null => self.push("null"),
            NodeValue::Bool(flag) => self.push(if *flag { "true" } else { "false" }),
            NodeValue::Number(number) => self.push(&number.to_string()),
            NodeValue::Text(text) => self.push(&scalar(text)),
            NodeValue::List(items) => self.list(items),
            NodeValue::Map(entries) => self.map(entries),
        }
    }

    fn list(&mut self, items: &[Node]) {
        self.push("[");
        for (index, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.push(if index > 0 { ", " } else { "" });
            self.node(item);
        }
        self.push("]");
    }

    fn map(&mut self, entries: &[MapEntry]) {
        self.push("{");
        for (index, entry) in entries.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.push(if index > 0 { ", " } else { " " });
            self.push(&scalar(&entry.key));
            self.push(": ");
            self.node(&entry.value);
        }
        self.push(if entries.is_empty() { "}" } else { " }" });
    }
}

/// A text inside a list or mapping: bare where YAML reads it back as the same text.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// True for a text that needs no quotes anywhere; stricter than YAML, which allows more.
fn is_plain(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$' | '+' | ' ' | '%');
    let reads_as_other =
        matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    let first = |c: char| c.is_alphabetic() || matches!(c, '_' | '$' | '/');
    (text.starts_with(first) || is_quantity(text))
        && text.chars().all(word)
        && !text.ends_with(' ')
        && !reads_as_other
}

/// True for a number with a unit, such as `20ms`, `8k` and `0.5 USD`, which no reader takes for a bare number.
fn is_quantity(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let named = unit.trim_start().starts_with(char::is_alphabetic);
    text.starts_with(|c: char| c.is_ascii_digit())
        && named
        && unit.starts_with([' ', 'k', 'm', 's', 'h', 'M'])
}

/// A text in quotes: single ones where a backslash or a quote would have to be escaped in double ones.
fn quoted(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 2);
    if text.contains(char::is_control) {
        line.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => line.extend(['\\', c]),
                '\n' => line.push_str("\\n"),
                '\t' => line.push_str("\\t"),
                '\r' => line.push_str("\\r"),
                // Writing to a String cannot fail.
                c if c.is_control() => drop(write!(line, "\\u{:04x}", u32::from(c))),
                c => line.push(c),
            }
        }
        line.push('"');
    } else if text.contains(['\\', '"']) {
        line.push('\'');
        line.push_str(&text.replace('\'', "''"));
        line.push('\'');
    } else {
        line.push('"');
        line.push_str(text);
        line.push('"');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse::parse_yaml;

    fn node(text: &str) -> Node {
        parse_yaml("x.yaml", text.as_bytes().to_vec(), &mut Vec::new()).root.expect(text)
    }

    #[test]
    fn what_the_author_wrote_comes_back() {
        for text in [
            "{ gte: 1, lte: 3 }",
            "{ lt: 20ms, lte: 8k, between: [0.5 USD, 1m 30s] }",
            "[\"1e3\", \"0x7F\", \"0o7\", \"1_000\", \"1 2\", \"2026-01-01\"]",
            "{ visited: [Classify, \"Check: order\"], absent: [Refund] }",
            "[billing, refund, \"\", \"12\", \"true\", 12, 1.5, true, null, [], {}]",
            "'^\\w+\\d$'",
            "'say \"it''s\"'",
            "\"it's\"",
            "\"a\\nb\\\\\"",
            "{ \"{{ row.x }}\": \"- a\", b c: $.x/y }",
            "\"billing\"",
        ] {
            let read = node(text);
            assert_eq!(written(&read, 200), text);
            assert_eq!(node(&written(&read, 200)).to_json(), read.to_json());
        }
    }

    #[test]
    fn a_long_operand_is_cut_and_not_written_in_full() {
        let long = node(&format!("[{}]", vec!["äb"; 100_000].join(", ")));
        assert_eq!(written(&long, 10), "[äb, äb, ä…");
        assert_eq!(written(&node(&"x".repeat(5_000)), 3), "\"xx…");
    }
}
