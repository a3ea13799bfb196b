//! Compiles the templates of a file's nodes and checks every name they use, at its column.

use std::ops::Range;

use crate::base::template::{Template, TemplateError, Templates};
use crate::suite::node::{Entry, Mark, Node, NodeValue};
use crate::suite::problem::nearest;
use crate::suite::reader::Reader;

/// The roots of all names and, where they are fixed, what stands below them.
const ROOTS: [(&str, &[&str]); 6] = [
    ("vars", &[]),
    ("row", &[]),
    ("env", &[]),
    ("test", &["name"]),
    ("run", &["id"]),
    ("repeat", &["index"]),
];

/// The names that templates of one test may use besides `env.*`, `test.name`, `run.id` and `repeat.index`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownNames {
    /// Keys of the suite's `vars` that may be used here.
    pub vars: Vec<String>,
    /// Columns of the test's rows, of all rows together; none where the test has no rows.
    pub row: Option<Vec<String>>,
}

impl Reader<'_> {
    /// Compiles every text below a node; what does not compile or names something unknown is a problem at its column.
    pub fn template(&mut self, node: &Node, templates: &mut Templates, known: &KnownNames) -> Template {
        match &node.value {
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => Template::Literal(node.to_json()),
            NodeValue::Text(text) => self.template_text(node.mark, text, templates, known),
            NodeValue::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.template(item, templates, known)).collect();
                if items.iter().all(is_literal) {
                    Template::Literal(node.to_json())
                } else {
                    Template::List(items)
                }
            }
            NodeValue::Map(entries) => {
                let mut compile =
                    |entry: &Entry| (entry.key.clone(), self.template(&entry.value, templates, known));
                let members: Vec<_> = entries.iter().map(&mut compile).collect();
                let literal = members.iter().all(|(_, member)| is_literal(member));
                if literal { Template::Literal(node.to_json()) } else { Template::Map(members) }
            }
        }
    }

    fn template_text(
        &mut self,
        mark: Mark,
        text: &str,
        templates: &mut Templates,
        known: &KnownNames,
    ) -> Template {
        match templates.compile(text) {
            Ok(template) => {
                for name in templates.names(&template) {
                    self.check_name(mark, text, &name, known);
                }
                template
            }
            Err(TemplateError { message, span }) => {
                let at = self.within(mark, text, span);
                self.problem(at, format!("template: {message}"));
                Template::Literal(serde_json::Value::String(text.to_owned()))
            }
        }
    }

    fn check_name(&mut self, mark: Mark, text: &str, name: &str, known: &KnownNames) {
        let Some((message, help)) = unknown_name(name, known) else { return };
        let at = self.within(mark, text, find_name(text, name));
        self.problem_with_help(at, message, help);
    }

    /// Narrows a text's mark to some bytes of it, where the source shows the text as it is.
    pub(crate) fn within(&self, mark: Mark, text: &str, span: Option<Range<usize>>) -> Mark {
        let Some(span) = span else { return mark };
        let (Some(before), Some(inside)) = (text.get(..span.start), text.get(span.clone())) else {
            return mark;
        };
        let line = self.source.line(mark.line);
        let mut shown = line.chars().skip(mark.column.saturating_sub(1) as usize).peekable();
        let quote = u32::from(shown.next_if(|first| matches!(first, '"' | '\'')).is_some());
        if !before.chars().chain(inside.chars()).all(|expected| shown.next() == Some(expected)) {
            return mark;
        }
        let width = inside.chars().count().max(1) as u32;
        Mark { line: mark.line, column: mark.column + quote + before.chars().count() as u32, width }
    }
}

/// What is wrong with a dotted name, and the mend; none when it is known.
fn unknown_name(name: &str, known: &KnownNames) -> Option<(String, String)> {
    let mut parts = name.split('.');
    let root = parts.next().unwrap_or_default();
    let member = parts.next();
    if root == "row" && known.row.is_none() {
        return Some((
            format!("`{name}` is not known: this test has no rows"),
            "rows come from `each` or `matrix`".to_owned(),
        ));
    }
    let fixed = ROOTS.iter().find(|(word, _)| *word == root);
    let Some((_, fixed)) = fixed else {
        let roots: Vec<&str> = ROOTS.iter().map(|(word, _)| *word).collect();
        return Some((format!("`{name}` is not known"), suggest(root, &roots, "")));
    };
    let members: Vec<&str> = match root {
        "env" => return None,
        "vars" => known.vars.iter().map(String::as_str).collect(),
        "row" => known.row.iter().flatten().map(String::as_str).collect(),
        _ => fixed.to_vec(),
    };
    let member = member?;
    if members.contains(&member) {
        return None;
    }
    Some((format!("`{root}.{member}` is not known"), suggest(member, &members, &format!("{root}."))))
}

fn suggest(word: &str, candidates: &[&str], prefix: &str) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{prefix}{near}`?"),
        None if candidates.is_empty() => format!("there is no `{prefix}*` here"),
        None => {
            let names: Vec<String> =
                candidates.iter().take(12).map(|name| format!("{prefix}{name}")).collect();
            format!("known names: {}", names.join(", "))
        }
    }
}

/// The bytes where a dotted name stands in a text as a word of its own.
fn find_name(text: &str, name: &str) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.match_indices(name)
        .map(|(at, _)| at..at + name.len())
        .find(|span| !text[..span.start].ends_with(is_word) && !text[span.end..].starts_with(is_word))
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}
