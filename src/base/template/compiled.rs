//! Templates as they are compiled: which values have one, and its number in the arena.

use serde_json::Value;

/// A value as written, with its templates compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// Nothing to render.
    Literal(Value),
    /// Text with expressions in it.
    Text(TemplateId),
    /// One whole expression, which keeps its type.
    Typed(TemplateId),
    /// A list with a template in it somewhere.
    List(Vec<Template>),
    /// A mapping with a template in a value somewhere; keys are literal.
    Map(Vec<(String, Template)>),
}

/// A template's number in its arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TemplateId(pub(super) usize);
