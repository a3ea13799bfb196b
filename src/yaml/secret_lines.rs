//! Source lines as problems show them: what is under keys that hold secrets, or looks like one, is starred out.
//!
//! The text is looked at as it is written, for a line that cannot be parsed must not show more than one that can. A line keeps
//! its length, so that marks below it stay right.

use std::collections::HashMap;

use crate::base::spelling::nearest;

/// Keys whose values are secret, whatever is in them.
const KEYS: [&str; 3] = ["api_key", "headers", "secrets"];
/// How keys begin that services give out.
const PREFIXES: [&str; 5] = ["app-", "dataset-", "sk-", "pk-", "Bearer "];
/// The fewest characters behind such a beginning that make a key.
pub(super) const FEWEST: usize = 8;
/// The most lines above one that are looked at for the key it is under.
const ABOVE: u32 = 400;

/// A line by its number, from 1; empty where there is none.
pub type NumberedLine<'a> = &'a dyn Fn(u32) -> &'a str;

/// What is known of the secrets of a text.
#[derive(Debug, Clone, Copy)]
pub struct KnownSecrets<'a> {
    /// The numbers of the lines that hold a secret key, in order.
    pub keyed: &'a [u32],
    /// Texts that are starred out wherever they are.
    pub secrets: &'a [String],
}

/// The numbers of the lines that hold a secret key, from 1.
pub fn keyed_lines(text: &str) -> Vec<u32> {
    let mut seen: HashMap<&str, bool> = HashMap::new();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let is_keyed = keys(line).iter().any(|key| {
            let name = &line[key.name.clone()];
            *seen.entry(name).or_insert_with(|| is_secret(name))
        });
        if is_keyed {
            found.push(number);
        }
    }
    found
}

/// A line with its secrets starred out.
pub fn masked_line<'a>(number: u32, lines: NumberedLine<'a>, known: KnownSecrets<'_>) -> String {
    let line = lines(number);
    let mut masked = MaskedText::of(line);
    let first = known.keyed.partition_point(|keyed| *keyed < number.saturating_sub(ABOVE));
    let is_near = known.keyed.get(first).is_some_and(|keyed| *keyed < number);
    if is_near && stands_below_secret(number, lines) {
        let start = line.find(": ").map_or(0, |at| at + 2);
        let start = if is_key(&line[..start]) { start } else { 0 };
        masked.value(start, line.len());
    }
    if known.keyed.binary_search(&number).is_ok() {
        masked.values_of_keys();
    }
    masked.look_alikes();
    known.secrets.iter().for_each(|secret| masked.each(secret));
    masked.finish()
}

/// A message in which no secret is quoted.
pub fn masked_text(text: &str, known: &[String]) -> String {
    let mut masked = MaskedText::of(text);
    masked.look_alikes();
    known.iter().for_each(|secret| masked.each(secret));
    masked.finish()
}

/// True of a key that holds secrets, and of one that is nearly its name.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    key == "apikey" || key.len() > 3 && nearest(&key, KEYS).is_some()
}

/// True of what is a name in the place of a key.
fn is_key(text: &str) -> bool {
    let name = text.trim().trim_start_matches("- ").trim_end_matches(':').trim_matches(['"', '\'']);
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// True of a text that is a template and names no text itself.
pub(super) fn is_template(text: &str) -> bool {
    let inner = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.is_some_and(|inner| !inner.contains(['"', '\'', '{', '}']))
}

/// True where a line above, with less indent, has a secret key.
fn stands_below_secret(number: u32, lines: NumberedLine<'_>) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = lines(number);
    let mut current = indent(own) + usize::from(own.trim_start().starts_with('-'));
    for above in (number.saturating_sub(ABOVE).max(1)..number).rev() {
        let line = lines(above);
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') || indent(line) >= current {
            continue;
        }
        if keys(line).iter().any(|key| is_secret(&line[key.name.clone()])) {
            return true;
        }
        current = indent(line) + usize::from(text.starts_with('-'));
        if current == 0 {
            return false;
        }
    }
    false
}

/// A key on a line, and where its value begins.
struct LineKey {
    name: std::ops::Range<usize>,
    value: usize,
}

/// The keys of a line: a name, quoted or not, before a colon.
fn keys(line: &str) -> Vec<LineKey> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let colons = line.match_indices(':').filter(|(at, _)| !line[at + 1..].starts_with("//"));
    let key = |(at, _): (usize, &str)| {
        let before = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let start = before.char_indices().rev().take_while(|(_, c)| is_name(*c)).last()?.0;
        Some(LineKey { name: start..before.len(), value: at + 1 })
    };
    colons.filter_map(key).collect()
}

/// How a mapping is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MapStyle {
    Flow,
    Block,
}

/// Where the value ends that a text begins with; the end of the line where that cannot be reported.
fn end_of_value(text: &str, style: MapStyle) -> usize {
    let start = text.len() - text.trim_start().len();
    let value = &text[start..];
    let length = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map(|end| end + 2),
        Some('{' | '[') => {
            let mut open = 0_usize;
            value.char_indices().find_map(|(at, c)| {
                match c {
                    '{' | '[' => open += 1,
                    '}' | ']' => open = open.saturating_sub(1),
                    _ => {}
                }
                (open == 0).then_some(at + 1)
            })
        }
        _ if style == MapStyle::Flow => value.find([',', '}', ']']),
        _ => None,
    };
    start + length.unwrap_or(value.len())
}

/// A text and which of its bytes are starred out.
struct MaskedText<'a> {
    text: &'a str,
    hidden: Vec<bool>,
}

impl<'a> MaskedText<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, hidden: vec![false; text.len()] }
    }

    fn finish(self) -> String {
        let shown = |(at, c): (usize, char)| if self.hidden[at] { '*' } else { c };
        self.text.char_indices().map(shown).collect()
    }

    fn hide(&mut self, from: usize, to: usize) {
        self.hidden[from..to].fill(true);
    }

    /// Hides a value but for the templates in it and what encloses it.
    fn value(&mut self, from: usize, to: usize) {
        let value = &self.text[from..to];
        let mut at = 0;
        while at < value.len() {
            let rest = &value[at..];
            let template = rest.starts_with("{{").then(|| rest.find("}}")).flatten().map(|end| end + 2);
            match template {
                Some(length) if is_template(&rest[..length]) => at += length,
                _ => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    let is_mark = rest.starts_with([' ', '"', '\'', '{', '}', '[', ']', ',']);
                    if !is_mark {
                        self.hide(from + at, from + at + length);
                    }
                    at += length;
                }
            }
        }
    }

    fn values_of_keys(&mut self) {
        for key in keys(self.text) {
            if is_secret(&self.text[key.name.clone()]) {
                let before = &self.text[..key.name.start];
                let flow = if before.contains(['{', '[']) { MapStyle::Flow } else { MapStyle::Block };
                self.value(key.value, key.value + end_of_value(&self.text[key.value..], flow));
            }
        }
    }

    /// Hides what looks like a key, and who logs in where.
    fn look_alikes(&mut self) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        for prefix in PREFIXES {
            for (at, _) in self.text.match_indices(prefix) {
                let start = at + prefix.len();
                let length = self.text[start..].find(|c| !is_part(c)).unwrap_or(self.text.len() - start);
                let is_inside = self.text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
                if length >= FEWEST && !is_inside {
                    self.hide(start, start + length);
                }
            }
        }
        for (at, _) in self.text.match_indices("://") {
            let start = at + 3;
            let end =
                self.text[start..].find(['/', ' ', '"', '\'']).map_or(self.text.len(), |end| start + end);
            if let Some(login) = self.text[start..end].rfind('@') {
                self.value(start, start + login);
            }
        }
    }

    fn each(&mut self, secret: &str) {
        for (at, found) in self.text.match_indices(secret) {
            self.hide(at, at + found.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last line of a text, masked.
    fn last(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let line = |number: u32| lines.get(number as usize - 1).copied().unwrap_or_default();
        let known = KnownSecrets { keyed: &keyed_lines(text), secrets: &[] };
        masked_line(lines.len() as u32, &line, known)
    }

    #[test]
    fn values_of_secret_keys_are_starred_out_and_nothing_else() {
        for (line, shown) in [
            ("  live: { api_key: abc-LITERAL, tiemout: 3 }", "  live: { api_key: ***********, tiemout: 3 }"),
            ("    api_key: abc-LITERAL # mine", "    api_key: *********** * ****"),
            ("    \"api_key\" : \"abc, }LIT\"", "    \"api_key\" : \"***, }***\""),
            ("    api_key: [abc-LITERAL]", "    api_key: [***********]"),
            ("    api_kye: abc-LITERAL", "    api_kye: ***********"),
            ("    api_key: \"abc-LITERAL", "    api_key: \"***********"),
            ("  headers: { X-Token: \"a b\" }, x: 1", "  headers: { ******** \"* *\" }, x: 1"),
            ("  secrets: [alpha, beta]", "  secrets: [*****, ****]"),
            ("    api_key: \"{{ env.DIFY_KEY }}\"", "    api_key: \"{{ env.DIFY_KEY }}\""),
            ("    api_key: \"a{{ env.DIFY_KEY }}b\"", "    api_key: \"*{{ env.DIFY_KEY }}*\""),
            ("    api_key: \"{{ 'abc' }}\"", "    api_key: \"{{ '***' }}\""),
            ("    proxy: \"http://me:pass@host:3128\"", "    proxy: \"http://*******@host:3128\""),
            ("    other: app-LITERAL01 sk-proj_12345678", "    other: app-********* sk-*************"),
            ("    text: snap-shots and app-le", "    text: snap-shots and app-le"),
            ("    base_url: https://api.example.org/v1", "    base_url: https://api.example.org/v1"),
        ] {
            assert_eq!(last(line), shown);
            assert_eq!(last(line).chars().count(), line.chars().count());
        }
    }

    #[test]
    fn what_stands_below_a_secret_key_is_starred_out() {
        for (text, shown) in [
            ("api_key: >-\n  abc-LITERAL", "  ***********"),
            ("headers:\n  # a comment\n\n  X-Token: abc", "  X-Token: ***"),
            ("secrets:\n- alpha", "* *****"),
            ("secrets:\n  - alpha", "  * *****"),
            ("headers: {\n  X-Token: abc,\n  Y: def }", "  Y: *** }"),
            ("api_key: x\nname: abc", "name: abc"),
            ("a:\n  api_key: x\n  name: abc", "  name: abc"),
            ("headers:\n  X: abc\nname: abc", "name: abc"),
        ] {
            assert_eq!(last(text), shown, "{text}");
        }
    }
}
