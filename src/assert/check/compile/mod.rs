//! From YAML nodes to checks: every key, operand and path is examined here, at its place.

mod conflict;
mod exclusion;
mod group;
mod judges;
mod keys;
mod kinds;
mod label;
mod merge;
mod operand;
mod predicate;
mod snapshot;
mod subject;
mod value;
mod written;

use std::borrow::Cow;
use std::sync::Arc;

use crate::assert::judge::JudgeName;
use crate::base::origin::Place;
use crate::base::template::{Template, Templates};
use crate::record::verdict::Severity;
use crate::yaml::names::KnownNames;
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::Reader;

use super::model::{AssertionHead, AssertionTarget, Check};
use super::schema::FileRoot;

pub use self::merge::{IMPLIED_STATUS, expects_rejection, implicit_status, merge_assertions, needs_status};

use self::keys::{ALL_KEYS, KeyFamily};

/// How deep groups may nest.
const DEEPEST: u8 = 8;

/// What compiling needs besides the nodes.
pub struct CompileContext<'a> {
    /// The arena that takes the operands' templates.
    pub templates: &'a mut Templates,
    /// The names those templates may use.
    pub known: &'a KnownNames,
    /// Where schema files may lie.
    pub files: &'a FileRoot,
    /// The judges of the project.
    pub judges: &'a [JudgeName],
}

/// Compiles a test's assertions; what is wrong with them is noted in the reader, at its place.
pub fn compile_assertions(
    reader: &mut Reader<'_>,
    nodes: &[Cow<'_, Node>],
    context: &mut CompileContext<'_>,
) -> Vec<Check> {
    let mut compiler = Compiler { reader, context, depth: 0 };
    nodes.iter().filter_map(|node| compiler.assertion(node)).collect()
}

impl Check {
    /// The same assertion, written at another place.
    pub fn written_at(&self, place: Arc<Place>) -> Self {
        Self { head: AssertionHead { place, ..self.head.clone() }, body: self.body.clone() }
    }

    /// True for one that counts others, which have places of their own.
    pub fn is_group(&self) -> bool {
        match &*self.body {
            AssertionTarget::Group(_) => true,
            AssertionTarget::Value(_) | AssertionTarget::Run(_) | AssertionTarget::Node(_) => false,
        }
    }
}

/// The reader and the context together, while one list of assertions is compiled.
struct Compiler<'c, 'r, 'x> {
    reader: &'c mut Reader<'r>,
    context: &'c mut CompileContext<'x>,
    depth: u8,
}

impl Compiler<'_, '_, '_> {
    /// One assertion; `None` when a problem was noted.
    fn assertion(&mut self, node: &Node) -> Option<Check> {
        let before = self.reader.problems.len();
        let entries = self.reader.map(node, "an assertion", &ALL_KEYS);
        let head = self.head(node);
        let body =
            if entries.is_empty() && node.as_map().is_none() { None } else { self.body(node, entries) };
        if self.reader.problems.len() > before {
            return None;
        }
        Some(Check { head, body: Arc::new(body?) })
    }

    fn body(&mut self, node: &Node, entries: &[MapEntry]) -> Option<AssertionTarget> {
        let first = |family: KeyFamily| entries.iter().find(|entry| keys::family(&entry.key) == Some(family));
        match (first(KeyFamily::Group), first(KeyFamily::Subject)) {
            (Some(group), _) => self.group(group, entries),
            (None, Some(subject)) => self.subjects(subject, entries),
            (None, None) => self.values(node, entries),
        }
    }

    fn head(&mut self, node: &Node) -> AssertionHead {
        let mut severity = Severity::Error;
        if let Some(written) = node.get("severity") {
            if self.depth > 0 {
                self.reader.problem_with_help(
                    written.mark,
                    "`severity` has no meaning inside a group",
                    "set it on the outermost group",
                );
            } else if let Some(choice) = self.reader.choice(
                written,
                "`severity`",
                &[("error", Severity::Error), ("warn", Severity::Warn)],
            ) {
                severity = choice.value;
            }
        }
        let CompiledLabel { label, late_label } = self.label(node);
        AssertionHead { place: Arc::new(self.reader.source.place(node.mark)), severity, label, late_label }
    }

    fn label(&mut self, node: &Node) -> CompiledLabel {
        let Some(written) = node.get("label") else {
            return CompiledLabel { label: Arc::from(label::describe(node)), late_label: None };
        };
        let Some(text) = self.reader.text(written, "`label`") else {
            return CompiledLabel { label: Arc::from(""), late_label: None };
        };
        if text.value.trim().is_empty() {
            self.reader.problem(written.mark, "`label` is empty");
        }
        match self.reader.template(written, self.context.templates, self.context.known) {
            Template::Literal(_) => CompiledLabel { label: Arc::from(text.value), late_label: None },
            late @ (Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_)) => {
                CompiledLabel { label: Arc::from(text.value), late_label: Some(late) }
            }
        }
    }
}

/// The label of an assertion as written, and the template that renders it where it has one.
struct CompiledLabel {
    label: Arc<str>,
    late_label: Option<Template>,
}
