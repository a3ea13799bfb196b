//! Which values are secret: keys, headers, what both are made of, passwords in addresses, and what `secrets` names.
//!
//! Keys and headers of every target and judge count, whichever is in use. Addresses, versions and models are no secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::base::origin::Place;
use crate::base::redact::Redactor;
use crate::base::template::{TemplateScope, Templates};
use crate::plan::choices::Choices;
use crate::plan::endpoint::{QUOTES, SHORTEST_SECRET, user_of};
use crate::plan::environment::of_project;
use crate::plan::project_text::{ProjectTools, Setting, compile_node, render};
use crate::suite::project::ProjectSpec;
use crate::suite::read_judge::JudgeKindSpec;
use crate::yaml::node::Node;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

/// Words that begin the value of a header before its secret.
const SCHEMES: [&str; 7] = ["bearer", "basic", "token", "apikey", "api-key", "key", "digest"];

/// The values to mask, sorted.
pub(super) fn read_secrets(project: Option<&ProjectSpec>, tools: ProjectTools<'_>) -> Vec<String> {
    let Some(project) = project else { return Vec::new() };
    let ProjectTools { templates, choices, problems } = tools;
    let env = of_project(Some(project), choices);
    let mut aside = Vec::new();
    let mut found = SecretSearch {
        scope: TemplateScope::new().with_env(env.clone()),
        env,
        setting: Setting { project, templates, choices, problems: &mut aside },
        values: BTreeSet::new(),
    };
    for target in &project.targets {
        target.apps.iter().filter_map(|app| app.api_key.as_ref()).for_each(|key| found.add_key(key));
        target.headers.iter().for_each(|entry| found.add_header(&entry.key, &entry.value));
        target.proxy.iter().chain(&target.base_url).for_each(|address| found.add_user(address));
    }
    for judge in &project.judges {
        if let Some(JudgeKindSpec::Endpoint { url, api_key, .. }) = &judge.kind {
            api_key.iter().for_each(|key| found.add_key(key));
            found.add_user(url);
        }
    }
    let mut values = found.values;
    problems.append(&mut aside);
    for name in &project.secrets {
        match choices.env.get(&name.value).or_else(|| project.env_of_file.get(&name.value)) {
            Some(value) if value.chars().count() >= SHORTEST_SECRET => drop(values.insert(value.clone())),
            Some(_) => {
                let mut reader = Reader { source: project.source.clone(), problems };
                let name_of = &name.value;
                let message = format!(
                    "the value of `{name_of}` has fewer than 6 characters: masking it would corrupt facts"
                );
                let help = "give it a longer value, or take it off the list";
                reader.problem_with_help(name.mark, message, help);
            }
            None => {}
        }
    }
    values.into_iter().collect()
}

/// Masks what is reported about problems: secrets, and what the project file holds as a header or key itself, however short.
pub struct ProblemMask {
    redactor: Redactor,
    source: Option<Arc<str>>,
    /// The keys and headers that are in the project file.
    literals: Vec<SecretLiteral>,
}

/// A key or header that is in the project file.
struct SecretLiteral {
    line: u32,
    text: String,
}

impl ProblemMask {
    /// The mask for a project; what is wrong with the project is reported elsewhere.
    pub fn of(project: Option<&ProjectSpec>, choices: &Choices) -> Self {
        let (mut templates, mut aside) = (Templates::new(), Vec::new());
        Self {
            redactor: Redactor::new(read_secrets(
                project,
                ProjectTools { templates: &mut templates, choices, problems: &mut aside },
            )),
            source: project.map(|project| project.source.name.clone()),
            literals: project.map(literals).unwrap_or_default(),
        }
    }

    /// Masks all of them.
    pub fn mask(&self, problems: &mut [Problem]) {
        for problem in problems {
            problem.message = self.redactor.text(&problem.message).into_owned();
            problem.help = problem.help.as_ref().map(|help| self.redactor.text(help).into_owned());
            self.mask_place(&mut problem.place);
            problem.others.iter_mut().for_each(|(place, _)| self.mask_place(place));
        }
    }

    fn mask_place(&self, place: &mut Place) {
        let mut line = self.redactor.excerpt(&place.excerpt).into_owned();
        if self.source.as_ref() == Some(&place.file) {
            for literal in self.literals.iter().filter(|literal| literal.line == place.line) {
                line = line.replace(&literal.text, &"*".repeat(literal.text.chars().count()));
            }
        }
        if *line != *place.excerpt {
            place.excerpt = Arc::from(line);
        }
    }
}

fn literals(project: &ProjectSpec) -> Vec<SecretLiteral> {
    let headers = project.targets.iter().flat_map(|target| &target.headers).map(|entry| &entry.value);
    let keys = project.targets.iter().flat_map(|target| &target.apps).filter_map(|app| app.api_key.as_ref());
    let literal =
        |node: &Node| Some(SecretLiteral { line: node.mark.line, text: node.as_text()?.to_owned() });
    let found = headers.chain(keys).filter_map(literal);
    found.filter(|literal| !literal.text.is_empty() && !literal.text.contains("{{")).collect()
}

/// The secrets found so far, and what reading more of them needs.
struct SecretSearch<'a> {
    setting: Setting<'a>,
    env: Arc<BTreeMap<String, String>>,
    scope: TemplateScope,
    values: BTreeSet<String>,
}

impl SecretSearch<'_> {
    /// Adds a value, without blanks and quotes around it, if it is long enough to be masked.
    fn add(&mut self, value: &str) {
        for value in [value.trim(), value.trim().trim_matches(QUOTES).trim()] {
            if value.chars().count() >= SHORTEST_SECRET {
                self.values.insert(value.to_owned());
            }
        }
    }

    /// Adds a text that is secret, and everything of it that came from somewhere else.
    fn add_parts(&mut self, node: &Node) -> Option<String> {
        let template = compile_node(node, &mut self.setting)?;
        let names: Vec<String> =
            self.setting.templates.env_names(&template).iter().map(|env| env.name.clone()).collect();
        for name in names {
            if let Some(value) = self.env.get(&name).cloned() {
                self.add(&value);
            }
        }
        for expression in expressions(node.as_text().unwrap_or_default()) {
            let alone = self.setting.templates.compile(&format!("{{{{{expression}}}}}"));
            let value = alone.and_then(|part| self.setting.templates.render_text(&part, &self.scope));
            // What needs the rest of its template is found as a part of the whole.
            if let Ok(value) = value {
                self.add(&value);
            }
        }
        let whole = self.setting.templates.render_text(&template, &self.scope).ok()?;
        self.add(&whole);
        Some(whole)
    }

    fn add_key(&mut self, node: &Node) {
        if let Some(key) = self.add_parts(node) {
            self.add_behind_scheme(&key);
        }
    }

    fn add_header(&mut self, name: &str, node: &Node) {
        let Some(value) = self.add_parts(node) else { return };
        self.add_behind_scheme(&value);
        if name.eq_ignore_ascii_case("cookie") {
            for pair in value.split(';') {
                self.add(pair);
                self.add(pair.split_once('=').map_or("", |(_, value)| value));
            }
        }
    }

    /// Adds what is behind `Bearer` and its like, and the user and password that `Basic` encodes.
    fn add_behind_scheme(&mut self, value: &str) {
        let Some((scheme, rest)) = value.trim().split_once(char::is_whitespace) else { return };
        if !SCHEMES.contains(&scheme.trim_end_matches(':').to_ascii_lowercase().as_str()) {
            return;
        }
        self.add(rest);
        if let Some(decoded) = decode_base64(rest.trim())
            && let Some((_, password)) = decoded.split_once(':')
        {
            self.add(&decoded);
            self.add(password);
        }
    }

    /// Adds the user and password of an address, as they are written and as they are sent.
    fn add_user(&mut self, node: &Node) {
        let Some(address) = render(node, &mut self.setting, &self.scope).ok().flatten() else { return };
        let Some(written) = user_of(&address) else { return };
        let (user, password) = written.split_once(':').unwrap_or((written, ""));
        let (user_sent, password_sent) = (decode_percent(user), decode_percent(password));
        for value in [written, user, password, &user_sent, &password_sent] {
            self.add(value);
        }
        self.add(&format!("{user_sent}:{password_sent}"));
    }
}

/// What is between `{{` and `}}`; braces within quotes do not count.
fn expressions(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        rest = &rest[start + 2..];
        let mut quote = None;
        let end = rest.char_indices().find(|(at, c)| {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(*c),
                (Some(open), c) if open == *c => quote = None,
                (None, _) => return rest[*at..].starts_with("}}"),
                (Some(_), _) => {}
            }
            false
        });
        let Some((end, _)) = end else { break };
        found.push(rest[..end].trim_matches(['-', '+']));
        rest = &rest[end + 2..];
    }
    found
}

/// Text that was written as Base64; `None` where it is none.
fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        word = (word << 6 | u32::from(digit)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xff) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Text in which bytes may be written as `%XX`.
fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_one_by_one() {
        assert_eq!(
            expressions("a {{ env.X }}.{{env.Y|default('}}')}} {% x %}"),
            [" env.X ", "env.Y|default('}}')"]
        );
        assert_eq!(expressions("{{- env.X -}}"), [" env.X "]);
        assert_eq!(expressions("{{ open"), Vec::<&str>::new());
        assert_eq!(expressions("plain"), Vec::<&str>::new());
    }

    #[test]
    fn encodings_of_headers_and_addresses_are_read() {
        assert_eq!(decode_base64("dXNlcjpwYXNzd29yZA==").as_deref(), Some("user:password"));
        assert_eq!(decode_base64("Zm9vYg").as_deref(), Some("foob"));
        assert_eq!(decode_base64("not base64!"), None);
        assert_eq!(decode_percent("p%40ss%zz%4"), "p@ss%zz%4");
    }
}
