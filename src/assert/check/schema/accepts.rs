//! Which types of values a schema accepts: one that accepts everything can never be red, one that accepts nothing never green.
//!
//! Decided type by type with three answers, so that "some of them" is what is not certain.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::children::EdgeReach;
use super::graph::SchemaGraph;
use super::keywords::ref_stands_alone;
use super::shares::{ARRAY, OBJECT, Shares, TypeShare, exactly_one, of_words};

/// Returns which values a graph's schema accepts.
pub(super) fn accepted(graph: &SchemaGraph<'_>) -> Shares {
    let free = SchemaAcceptance::new(graph, Shares::ALL).confirmed();
    if free.is_some_and(Shares::is_all) {
        Shares::ALL
    } else {
        SchemaAcceptance::new(graph, Shares::SOME).shares(0, 0)
    }
}

/// Schemas below others deeper than this are not looked at: they accept some values.
const DEEPEST: usize = 300;

struct SchemaAcceptance<'g, 'r> {
    graph: &'g SchemaGraph<'r>,
    known: HashMap<usize, Shares>,
    /// What a schema accepts while it is being looked at, which is met again in parts of the value only.
    meanwhile: Shares,
    open: HashSet<usize>,
    /// The schemas of which that was assumed.
    assumed: HashSet<usize>,
}

impl<'g, 'r> SchemaAcceptance<'g, 'r> {
    fn new(graph: &'g SchemaGraph<'r>, meanwhile: Shares) -> Self {
        Self { graph, known: HashMap::new(), meanwhile, open: HashSet::new(), assumed: HashSet::new() }
    }

    /// What the schema accepts, where every assumption turns out right: then it holds for values of any depth, by induction.
    fn confirmed(mut self) -> Option<Shares> {
        let shares = self.shares(0, 0);
        let is_right = |index: &usize| self.known.get(index) == Some(&self.meanwhile);
        self.assumed.iter().all(is_right).then_some(shares)
    }

    fn shares(&mut self, index: usize, depth: usize) -> Shares {
        if let Some(known) = self.known.get(&index) {
            return *known;
        }
        if self.open.contains(&index) {
            self.assumed.insert(index);
            return self.meanwhile;
        }
        if depth > DEEPEST {
            return Shares::SOME;
        }
        self.open.insert(index);
        let node = &self.graph.nodes[index];
        let shares = match node.schema {
            Value::Bool(true) => Shares::ALL,
            Value::Bool(false) => Shares::NONE,
            Value::Object(keywords) => {
                let is_alone = ref_stands_alone(node.draft) && keywords.contains_key("$ref");
                let mut shares = if is_alone { Shares::ALL } else { of_words(keywords) };
                for word in ["$ref", "$recursiveRef", "allOf"] {
                    for child in self.below(index, word, depth) {
                        shares = shares.and(child);
                    }
                }
                if !is_alone {
                    shares = shares.and(self.of_choices(index, keywords, depth));
                    shares = shares.and(self.of_parts(index, keywords, depth));
                }
                shares
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => Shares::SOME,
        };
        self.open.remove(&index);
        self.known.insert(index, shares);
        shares
    }

    /// What the schemas below a keyword accept.
    fn below(&mut self, index: usize, keyword: &str, depth: usize) -> Vec<Shares> {
        let graph = self.graph;
        let edges = graph.nodes[index].edges.iter();
        let edges = edges.filter(|edge| edge.keyword == keyword && edge.reach != EdgeReach::Nothing);
        edges.map(|edge| self.shares(edge.to, depth + 1)).collect()
    }

    /// `anyOf`, `oneOf`, `not`, `if` and `$dynamicRef`.
    fn of_choices(&mut self, index: usize, keywords: &Map<String, Value>, depth: usize) -> Shares {
        let mut shares = Shares::ALL;
        if keywords.contains_key("anyOf") {
            let any = self.below(index, "anyOf", depth);
            shares = shares.and(any.into_iter().fold(Shares::NONE, |all, one| all.zip(one, TypeShare::or)));
        }
        if keywords.contains_key("oneOf") {
            let branches = self.below(index, "oneOf", depth);
            shares = shares
                .and(Shares(std::array::from_fn(|at| exactly_one(branches.iter().map(|one| one.0[at])))));
        }
        for not in self.below(index, "not", depth) {
            shares = shares.and(Shares(not.0.map(TypeShare::not)));
        }
        if let [condition] = self.below(index, "if", depth).as_slice() {
            let then = self.below(index, "then", depth).first().copied().unwrap_or(Shares::ALL);
            let other = self.below(index, "else", depth).first().copied().unwrap_or(Shares::ALL);
            shares = shares.and(Shares(std::array::from_fn(|at| match condition.0[at] {
                TypeShare::All => then.0[at],
                TypeShare::None => other.0[at],
                TypeShare::Some if then.0[at] == other.0[at] => then.0[at],
                TypeShare::Some => TypeShare::Some,
            })));
        }
        if let [target] = self.below(index, "$dynamicRef", depth).as_slice() {
            shares = shares.and(if self.has_one_dynamic_anchor() { *target } else { Shares::SOME });
        }
        shares
    }

    /// True where a dynamic reference cannot lead elsewhere than a plain one.
    fn has_one_dynamic_anchor(&self) -> bool {
        let nodes = self.graph.nodes.iter();
        nodes.filter(|node| node.schema.get("$dynamicAnchor").is_some()).count() <= 1
    }

    /// Keywords on items and members, which have no effect where what they apply accepts everything.
    fn of_parts(&mut self, index: usize, keywords: &Map<String, Value>, depth: usize) -> Shares {
        let mut shares = Shares::ALL;
        for (keyword, at) in [
            ("items", ARRAY),
            ("prefixItems", ARRAY),
            ("additionalItems", ARRAY),
            ("unevaluatedItems", ARRAY),
            ("properties", OBJECT),
            ("patternProperties", OBJECT),
            ("additionalProperties", OBJECT),
            ("unevaluatedProperties", OBJECT),
        ] {
            if self.below(index, keyword, depth).iter().any(|child| !child.is_all()) {
                shares.restrict(at, TypeShare::Some);
            }
        }
        if self.below(index, "propertyNames", depth).iter().any(|child| child.of_texts() != TypeShare::All) {
            shares.restrict(OBJECT, TypeShare::Some);
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            if self.below(index, keyword, depth).iter().any(|child| child.0[OBJECT] != TypeShare::All) {
                shares.restrict(OBJECT, TypeShare::Some);
            }
        }
        if let [child] = self.below(index, "contains", depth).as_slice() {
            let least = keywords.get("minContains").and_then(Value::as_u64).unwrap_or(1);
            let is_idle = least == 0 && !keywords.contains_key("maxContains");
            shares.restrict(
                ARRAY,
                match (is_idle, child.is_none() && least > 0) {
                    (true, _) => TypeShare::All,
                    (false, true) => TypeShare::None,
                    (false, false) => TypeShare::Some,
                },
            );
        }
        if self.lacks_a_required_member(index, keywords, depth) {
            shares.restrict(OBJECT, TypeShare::None);
        }
        shares
    }

    /// True where a member must be there that nothing satisfies.
    fn lacks_a_required_member(&mut self, index: usize, keywords: &Map<String, Value>, depth: usize) -> bool {
        let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
        let names: Vec<&str> = required.filter_map(Value::as_str).collect();
        let graph = self.graph;
        let members: Vec<_> =
            graph.nodes[index].edges.iter().filter(|edge| edge.keyword == "properties").collect();
        let is_closed = !keywords.contains_key("patternProperties")
            && self.below(index, "additionalProperties", depth).iter().any(|rest| rest.is_none());
        names.iter().any(|name| match members.iter().find(|edge| edge.step == Some(*name)) {
            Some(edge) => self.shares(edge.to, depth + 1).is_none(),
            None => is_closed,
        })
    }
}
