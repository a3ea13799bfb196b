//! A suite's assertions, compiled once for all its tests where nothing in them depends on the test.
//!
//! Most tests of a suite assert the same of other inputs: an assertion that says what an earlier one says is that one,
//! written elsewhere.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::assert::check::Check;
use crate::base::origin::Place;
use crate::yaml::node::{Node, NodeValue};

/// Different assertions that are kept of a suite; one whose tests all differ gains nothing by more.
pub(super) const MOST_SHARED: usize = 1_024;

/// The assertions compiled so far.
#[derive(Default)]
pub struct SharedChecks {
    /// By the hash of what they say.
    known: HashMap<u64, Vec<(Node, Check)>>,
    kept: usize,
}

impl SharedChecks {
    /// What an assertion that says the same became before, written here.
    pub fn find(&self, node: &Node, place: impl FnOnce() -> Place) -> Option<Check> {
        let (known, check) = self.alike(node)?;
        // The members of a group have places of their own: it is the same only where it is the same node.
        (!check.is_group() || known == node).then(|| check.written_at(Arc::new(place())))
    }

    /// Keeps what an assertion became, unless a template in it sees names that each test has of its own.
    pub fn keep(&mut self, node: &Node, check: &Check) {
        if self.kept < MOST_SHARED && !node.has_template() && self.alike(node).is_none() {
            self.known.entry(hash(node)).or_default().push((node.clone(), check.clone()));
            self.kept += 1;
        }
    }

    /// What was kept of an assertion that says the same.
    fn alike(&self, node: &Node) -> Option<&(Node, Check)> {
        self.known.get(&hash(node))?.iter().find(|(known, _)| says_the_same(known, node))
    }
}

fn hash(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_into(node, &mut hasher);
    hasher.finish()
}

/// Places are no part of what is said.
fn hash_into(node: &Node, hasher: &mut DefaultHasher) {
    std::mem::discriminant(&node.value).hash(hasher);
    match &node.value {
        NodeValue::Null => {}
        NodeValue::Bool(truth) => truth.hash(hasher),
        NodeValue::Number(number) => number.hash(hasher),
        NodeValue::Text(text) => text.hash(hasher),
        NodeValue::List(items) => items.iter().for_each(|item| hash_into(item, hasher)),
        NodeValue::Map(entries) => entries.iter().for_each(|entry| {
            entry.key.hash(hasher);
            hash_into(&entry.value, hasher);
        }),
    }
}

fn says_the_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (NodeValue::List(one), NodeValue::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| says_the_same(one, other))
        }
        (NodeValue::Map(one), NodeValue::Map(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs.all(|(one, other)| one.key == other.key && says_the_same(&one.value, &other.value))
        }
        (one, other) => one == other,
    }
}
