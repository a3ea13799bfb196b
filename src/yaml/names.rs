//! Compiles the templates of a file's nodes and checks every name they use, at its column.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use crate::base::spelling::{did_you_mean, nearest};
use crate::base::template::{EnvName, Template, TemplateError, Templates};
use crate::yaml::environment::{NameFault, SuiteEnv};
use crate::yaml::node::{FilePosition, MapEntry, Node, NodeValue};
use crate::yaml::reader::Reader;
use crate::yaml::values::{LoadedValues, RenderFault};

/// The roots of all names and, where they are fixed, what is below them.
const ROOTS: [(&str, &[&str]); 6] = [
    ("vars", &[]),
    ("row", &[]),
    ("env", &[]),
    ("test", &["name"]),
    ("run", &["id"]),
    ("repeat", &["index"]),
];

/// The names that templates of one test may use besides `env.*`, `test.name`, `run.id` and `repeat.index`.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// Keys of the suite's `vars` that may be used here.
    pub vars: Vec<String>,
    /// Columns of the test's rows, of all rows together; `None` where the test has no rows.
    pub row: Option<Vec<String>>,
    /// The file whose first line names those columns.
    pub header_of: Option<String>,
    /// Roots whose names are not known, because what holds them could not be read: that was reported already.
    pub unread: Vec<&'static str>,
    /// The variables that may be read; `None` in the project file, which may read any.
    pub env: Option<Arc<SuiteEnv>>,
    /// What the names stand for; `None` where that is not known.
    pub values: Option<LoadedValues>,
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
                    |entry: &MapEntry| (entry.key.clone(), self.template(&entry.value, templates, known));
                let members: Vec<_> = entries.iter().map(&mut compile).collect();
                let literal = members.iter().all(|(_, member)| is_literal(member));
                if literal { Template::Literal(node.to_json()) } else { Template::Map(members) }
            }
        }
    }

    fn template_text(
        &mut self,
        mark: FilePosition,
        text: &str,
        templates: &mut Templates,
        known: &KnownNames,
    ) -> Template {
        match templates.compile(text) {
            Ok(template) => {
                let before = self.problems.len();
                for name in templates.names(&template) {
                    self.check_name(mark, text, &name, known);
                }
                for read in templates.env_names(&template) {
                    self.check_env(mark, text, read, known);
                }
                if let (true, Some(values)) = (self.problems.len() == before, &known.values)
                    && let Some(fault) = values.fault(&template, templates)
                {
                    self.cannot_render(mark, text, fault);
                }
                template
            }
            Err(TemplateError { message, span }) => {
                let at = self.within(mark, text, span);
                let (help, message) = (foreign_text(text, &message), format!("template: {message}"));
                match help {
                    Some(help) => self.problem_with_help(at, message, help),
                    None => self.problem(at, message),
                }
                Templates::unsound()
            }
        }
    }

    fn check_name(&mut self, mark: FilePosition, text: &str, name: &str, known: &KnownNames) {
        let Some(NameFault { message, help }) = unknown_name(name, known) else { return };
        let at = self.within(mark, text, find_name(text, name));
        self.problem_with_help(at, message, help);
    }

    fn check_env(&mut self, mark: FilePosition, text: &str, read: &EnvName, known: &KnownNames) {
        let fault = known.env.as_ref().and_then(|env| env.fault(read));
        let Some(NameFault { message, help }) = fault else { return };
        let at = self.within(mark, text, Some(read.span.clone()));
        self.problem_with_help(at, message, help);
    }

    /// Notes a template that compiles and cannot be rendered.
    fn cannot_render(&mut self, mark: FilePosition, text: &str, fault: RenderFault) {
        let RenderFault { error: TemplateError { message, span }, rows } = fault;
        let at = self.within(mark, text, span);
        let place = if rows.is_empty() { String::new() } else { format!(" in {rows}") };
        if message.ends_with("is not defined") {
            let help = match rows.is_empty() {
                true => "give a value instead: `| default('…')`",
                false => "add it there, or give a value instead: `| default('…')`",
            };
            self.problem_with_help(at, format!("{message}{place}"), help);
        } else {
            self.problem(at, format!("template: {message}{place}"));
        }
    }

    /// Narrows a text's mark to some bytes of it, where the source shows the text as it is.
    pub(crate) fn within(&self, mark: FilePosition, text: &str, span: Option<Range<usize>>) -> FilePosition {
        let Some(span) = span else { return mark };
        let (Some(before), Some(inside)) = (text.get(..span.start), text.get(span.clone())) else {
            return mark;
        };
        let mut shown = self.source.from(mark).chars().peekable();
        let quote = u32::from(shown.next_if(|first| matches!(first, '"' | '\'')).is_some());
        if !before.chars().chain(inside.chars()).all(|expected| shown.next() == Some(expected)) {
            return mark;
        }
        let width = inside.chars().count().max(1) as u32;
        FilePosition { line: mark.line, column: mark.column + quote + before.chars().count() as u32, width }
    }
}

/// What is wrong with a dotted name, and the fix; `None` when it is known.
fn unknown_name(name: &str, known: &KnownNames) -> Option<NameFault> {
    let mut parts = name.split('.');
    let root = parts.next().unwrap_or_default();
    let member = parts.next();
    if known.unread.contains(&root) {
        return None;
    }
    if root == "row" && known.row.is_none() {
        return Some(NameFault {
            message: format!("`{name}` is not known: this test has no rows"),
            help: "rows come from `each` or `matrix`".to_owned(),
        });
    }
    let fixed = ROOTS.iter().find(|(word, _)| *word == root);
    let Some((_, fixed)) = fixed else {
        let roots: Vec<&str> = ROOTS.iter().map(|(word, _)| *word).collect();
        let near = did_you_mean(root, roots.iter().copied());
        let help = near.unwrap_or_else(|| format!("known names: {}; {AS_IT_IS}", roots.join(", ")));
        return Some(NameFault { message: format!("`{name}` is not known"), help });
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
    let mut help = suggest(member, &members, &format!("{root}."));
    if let ("row", Some(file)) = (root, &known.header_of) {
        let _ = write!(help, "; the first line of `{file}` names them");
    }
    Some(NameFault { message: format!("`{root}.{member}` is not known"), help })
}

/// How text with braces in it stays as it is.
const AS_IT_IS: &str =
    "text that holds `{{` as it is, such as a prompt, goes between `{% raw %}` and `{% endraw %}`";

/// What to do where a text that is no template holds `{{`: a prompt of Dify, or one in another language of templates.
fn foreign_text(text: &str, message: &str) -> Option<&'static str> {
    let is_dify = text.split("{{").skip(1).any(|rest| rest.trim_start().starts_with('#'));
    if is_dify {
        return Some(
            "`{{#…#}}` is a variable of Dify, which is not filled in here; to send it as it is, write it between `{% raw %}` and \
             `{% endraw %}`",
        );
    }
    message.starts_with("syntax error").then_some(AS_IT_IS)
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

/// The bytes where a dotted name is in a text as a word of its own.
fn find_name(text: &str, name: &str) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.match_indices(name)
        .map(|(at, _)| at..at + name.len())
        .find(|span| !text[..span.start].ends_with(is_word) && !text[span.end..].starts_with(is_word))
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}
