//! Text of strangers as YAML that says exactly that text: quoted, escaped, and no template of ours.

use serde_json::Value;

use crate::base::visible;

/// A YAML scalar of exactly this text, where nothing renders it.
pub fn quoted(text: &str) -> String {
    let mut yaml = String::with_capacity(text.len() + 2);
    yaml.push('"');
    for character in text.chars() {
        match character {
            '"' => yaml.push_str("\\\""),
            '\\' => yaml.push_str("\\\\"),
            '\n' => yaml.push_str("\\n"),
            '\t' => yaml.push_str("\\t"),
            c if is_hidden(c) && u32::from(c) <= 0xFFFF => yaml.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if is_hidden(c) => yaml.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => yaml.push(c),
        }
    }
    yaml.push('"');
    yaml
}

/// A YAML scalar that renders to exactly this text; `None` where no template can say it.
pub fn literal(text: &str) -> Option<String> {
    if !text.contains("{{") {
        return Some(quoted(text));
    }
    let body = text.trim_end_matches('{');
    // Braces at the end would flow into the tag behind them.
    let braces = &text[body.len()..];
    let raw = if body.is_empty() { String::new() } else { format!("{{% raw %}}{body}{{% endraw %}}") };
    let last = if braces.is_empty() { String::new() } else { format!("{{{{ '{braces}' }}}}") };
    (!text.contains("endraw")).then(|| quoted(&format!("{raw}{last}")))
}

/// A YAML value, in flow style, that renders to exactly this one.
pub fn literal_value(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) => literal(text),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(literal_value).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Object(members) if members.is_empty() => Some("{}".to_owned()),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| Some(format!("{}: {}", key(name), literal_value(value)?));
            let members: Option<Vec<String>> = members.iter().map(member).collect();
            Some(format!("{{ {} }}", members?.join(", ")))
        }
    }
}

/// A YAML key of exactly this text.
pub fn key(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_word);
    let is_value = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    if is_plain && !is_value { name.to_owned() } else { quoted(name) }
}

/// A text as part of a comment: one line, nothing hidden, not too long.
pub fn remark(text: &str) -> String {
    text.chars().take(120).map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

/// Characters that YAML does not print, that break lines, or that steer what is seen.
fn is_hidden(c: char) -> bool {
    visible::is_hidden(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::base::template::{TemplateScope, Templates};
    use crate::yaml::names::KnownNames;
    use crate::yaml::parse::parse_yaml;
    use crate::yaml::reader::Reader;

    /// What flowproof makes of a mapping of one value.
    fn read(yaml: &str) -> Value {
        let mut problems = Vec::new();
        let document = parse_yaml("a.yaml", yaml.as_bytes().to_vec(), &mut problems);
        let root = document.root.unwrap_or_else(|| panic!("{yaml}: {problems:?}"));
        let mut templates = Templates::new();
        let mut reader = Reader { source: document.source, problems: &mut problems };
        let template = reader.template(&root, &mut templates, &KnownNames::default());
        assert_eq!(problems, [], "{yaml}");
        templates.render(&template, &TemplateScope::new()).unwrap()
    }

    #[test]
    fn hard_texts_stay_themselves() {
        for text in [
            "",
            " ",
            "a: b # c",
            "- x",
            "{{ vars.a }}",
            "{{",
            "{% if %}{{",
            "{# x #}{{ a }}",
            "\u{feff}x\u{85}\u{2028}",
            "a\r\nb\n",
            "'\"\\",
            "ünï😀",
            "null",
            "1.50",
            "{%{{",
            "x{{-%}",
            "{% raw %}{{",
            "\u{0}{{\u{7f}",
        ] {
            let yaml = format!("{}: {}", key(text), literal(text).unwrap());
            assert_eq!(read(&yaml), json!({ text: text }), "{yaml}");
        }
        assert_eq!(literal("{{ {% endraw %}"), None);
    }

    proptest! {
        #[test]
        fn every_text_stays_itself(text in r#"(\PC|[\{\}%#"':\n\t\\ -]|\{\{|\}\}|[\x00-\x1f]){0,24}"#, name in "\\PC{1,8}") {
            if let Some(yaml) = literal(&text) {
                let yaml = format!("{}: {yaml}", key(&name));
                prop_assert_eq!(read(&yaml), json!({ name: text }), "{}", yaml);
            }
            let deep = json!({ "a": [{ "b c": text }], "n": 1.5 });
            if let Some(yaml) = literal_value(&deep) {
                prop_assert_eq!(read(&format!("x: {yaml}")), json!({ "x": deep }), "{}", yaml);
            }
            let is_one_line = !remark(&text).contains(['\n', '\r', '\u{85}']);
            prop_assert!(is_one_line);
        }
    }
}
