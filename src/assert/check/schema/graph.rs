//! A schema as a graph: every schema in it, and which of them apply to which part of a value, across references and files.
//!
//! Built without recursion, since schemas come from outside. A way that leads back to a schema without going into the value is
//! refused: it demands nothing, and may never end.

use std::collections::HashMap;

use jsonschema::Draft;
use referencing::Resolver;
use serde_json::Value;

use crate::assert::check::operand::OperandError;

use super::children::{EdgeReach, children};
use super::keywords::ref_stands_alone;

/// The most schemas that may apply to one value, each because of the one before.
const LONGEST_CHAIN: usize = 200;
/// The most schemas that may lie below each other, by keywords and references.
const DEEPEST: usize = 2_000;
/// The most schemas in all.
const MOST: usize = 500_000;

/// All schemas that a schema consists of; the first is the schema itself.
pub(super) struct SchemaGraph<'r> {
    pub nodes: Vec<SchemaNode<'r>>,
}

/// One schema of a graph.
pub(super) struct SchemaNode<'r> {
    pub schema: &'r Value,
    pub draft: Draft,
    pub place: SchemaPlace,
    pub edges: Vec<SchemaEdge<'r>>,
}

/// Where a schema is written.
#[derive(Debug, Clone, Default)]
pub(super) struct SchemaPlace {
    /// The document, where it is not the one that the assertion names.
    pub document: Option<String>,
    /// Keys and indices from the top of the document.
    pub steps: Vec<String>,
}

/// From a schema to one that it applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct SchemaEdge<'r> {
    pub keyword: &'r str,
    /// The name or index below the keyword, where there are several.
    pub step: Option<&'r str>,
    pub to: usize,
    pub reach: EdgeReach,
}

impl<'r> SchemaGraph<'r> {
    /// Finds all schemas from a resolver that is at the document.
    pub fn of(resolver: Resolver<'r>, draft: Draft) -> Result<Self, OperandError> {
        let Ok(root) = resolver.lookup("#") else {
            return Err(OperandError::new("the schema cannot be read"));
        };
        let mut builder = Builder {
            graph: Self { nodes: Vec::new() },
            known: HashMap::new(),
            waiting: Vec::new(),
            references: Vec::new(),
        };
        builder.node(root.contents(), draft, resolver, SchemaPlace::default());
        while builder.step() {
            if builder.graph.nodes.len() > MOST {
                return Err(OperandError::new(format!("the schema consists of more than {MOST} schemas")));
            }
        }
        builder.graph.check_chains()?;
        if builder.graph.depth() > DEEPEST {
            let message =
                format!("the schema leads through more than {DEEPEST} schemas, each below the one before");
            return Err(OperandError::new(message));
        }
        Ok(builder.graph)
    }

    /// Refuses schemas that apply themselves to the same value, and chains that are too long.
    fn check_chains(&self) -> Result<(), OperandError> {
        let mut heights: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut is_open = vec![false; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut way = vec![(start, 0)];
            while let Some((index, next)) = way.pop() {
                if heights[index].is_some() {
                    continue;
                }
                is_open[index] = true;
                let same = |edge: &&SchemaEdge<'_>| edge.reach == EdgeReach::Same;
                let edges = &self.nodes[index].edges;
                match edges.iter().filter(same).nth(next) {
                    Some(edge) if is_open[edge.to] => {
                        let message = format!(
                            "`{}` leads back to its own schema without going into the value: it demands nothing, or never ends",
                            edge.keyword
                        );
                        return Err(self.error_at(index, Some(edge.keyword), message));
                    }
                    Some(edge) => way.extend([(index, next + 1), (edge.to, 0)]),
                    None => {
                        let below = edges.iter().filter(same).filter_map(|edge| heights[edge.to]).max();
                        heights[index] = Some(below.map_or(0, |below| below + 1));
                        is_open[index] = false;
                    }
                }
            }
        }
        match heights.iter().position(|height| height.is_some_and(|height| height > LONGEST_CHAIN)) {
            Some(index) => {
                let message = format!(
                    "more than {LONGEST_CHAIN} schemas apply to one value, each because of the one before"
                );
                Err(self.error_at(index, None, message))
            }
            None => Ok(()),
        }
    }

    /// How many schemas lie below each other, as they are met one after the other.
    pub fn depth(&self) -> usize {
        let mut is_met = vec![false; self.nodes.len()];
        let (mut waiting, mut deepest) = (vec![(0, 0)], 0);
        while let Some((index, depth)) = waiting.pop() {
            if std::mem::replace(&mut is_met[index], true) {
                continue;
            }
            deepest = deepest.max(depth);
            waiting.extend(self.nodes[index].edges.iter().rev().map(|edge| (edge.to, depth + 1)));
        }
        deepest
    }

    /// An error at a keyword of a schema, or at the schema itself.
    pub fn error_at(&self, index: usize, keyword: Option<&str>, message: impl Into<String>) -> OperandError {
        let place = &self.nodes[index].place;
        let message = message.into();
        let steps = place.steps.iter().map(String::as_str).chain(keyword);
        match &place.document {
            None => {
                let error = OperandError::new(message);
                steps.collect::<Vec<_>>().into_iter().rev().fold(error, |error, step| error.under(step))
            }
            Some(document) => {
                let pointer = steps.map(|step| format!("/{step}")).collect::<String>();
                OperandError::new(format!("{message} (in `{document}` at `#{pointer}`)"))
            }
        }
    }
}

struct Builder<'r> {
    graph: SchemaGraph<'r>,
    known: HashMap<*const Value, usize>,
    waiting: Vec<(usize, Resolver<'r>)>,
    /// Followed once the documents known so far are read, so that what lies in them is placed there.
    references: Vec<Reference<'r>>,
}

/// A reference that is to be followed.
struct Reference<'r> {
    from: usize,
    keyword: &'r str,
    text: &'r str,
    resolver: Resolver<'r>,
}

impl<'r> Builder<'r> {
    /// Reads one more schema or follows one more reference; false once there is nothing left.
    fn step(&mut self) -> bool {
        if let Some((index, resolver)) = self.waiting.pop() {
            self.visit(index, resolver);
            return true;
        }
        let Some(reference) = self.references.pop() else { return false };
        let from = reference.from;
        let edge = self.follow(reference);
        self.graph.nodes[from].edges.extend(edge);
        true
    }

    /// The number of a schema; a new one is visited later.
    fn node(&mut self, schema: &'r Value, draft: Draft, resolver: Resolver<'r>, place: SchemaPlace) -> usize {
        let index = self.graph.nodes.len();
        match self.known.entry(std::ptr::from_ref(schema)) {
            std::collections::hash_map::Entry::Occupied(known) => return *known.get(),
            std::collections::hash_map::Entry::Vacant(free) => free.insert(index),
        };
        let draft = draft.detect(schema);
        self.graph.nodes.push(SchemaNode { schema, draft, place, edges: Vec::new() });
        self.waiting.push((index, resolver));
        index
    }

    fn visit(&mut self, index: usize, resolver: Resolver<'r>) {
        let (schema, draft) = (self.graph.nodes[index].schema, self.graph.nodes[index].draft);
        let Value::Object(keywords) = schema else { return };
        let resolver = resolver.in_subresource(draft.create_resource_ref(schema)).unwrap_or(resolver);
        let place = self.graph.nodes[index].place.clone();
        let is_alone = ref_stands_alone(draft) && keywords.contains_key("$ref");
        let mut edges = Vec::new();
        for (keyword, value) in keywords {
            for child in children(keyword, value) {
                let mut place = place.clone();
                place.steps.push(keyword.clone());
                let number = child.index.map(|index| index.to_string());
                place.steps.extend(child.step.map(str::to_owned).or(number));
                let to = self.node(child.schema, draft, resolver.clone(), place);
                let reach = if is_alone { EdgeReach::Nothing } else { child.reach };
                edges.push(SchemaEdge { keyword, step: child.step, to, reach });
            }
            if let ("$ref" | "$dynamicRef" | "$recursiveRef", Some(text)) = (keyword.as_str(), value.as_str())
            {
                self.references.push(Reference { from: index, keyword, text, resolver: resolver.clone() });
            }
        }
        self.graph.nodes[index].edges = edges;
    }

    /// What a reference names; what it does not find is the validator's to refuse.
    fn follow(&mut self, reference: Reference<'r>) -> Option<SchemaEdge<'r>> {
        let Reference { keyword, text, resolver, .. } = reference;
        let resolved = match keyword {
            "$recursiveRef" => resolver.lookup_recursive_ref().ok()?,
            _ => resolver.lookup(text).ok()?,
        };
        let (schema, at, draft) = resolved.into_inner();
        let document = at.base_uri().as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let pointer = text.split_once('#').map_or("", |(_, pointer)| pointer);
        let steps = pointer.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        let to = self.node(schema, draft, at, SchemaPlace { document: Some(document), steps });
        Some(SchemaEdge { keyword, step: None, to, reach: EdgeReach::Same })
    }
}
