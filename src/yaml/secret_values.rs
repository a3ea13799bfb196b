//! The texts of a tree that are secret: those under keys that hold secrets.

use crate::yaml::node::Node;
use crate::yaml::secret_lines::{FEWEST, is_secret, is_template};

/// The texts that are under secret keys of a tree, however they came there.
pub fn secrets_of(root: &Node) -> Vec<String> {
    let mut found = Vec::new();
    collect(root, KeyContext::Nothing, &mut found);
    found.retain(|text| text.chars().count() >= FEWEST && !is_template(text));
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found.dedup();
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyContext {
    SecretKey,
    Nothing,
}

fn collect(node: &Node, under: KeyContext, found: &mut Vec<String>) {
    if let (KeyContext::SecretKey, Some(text)) = (under, node.as_text()) {
        found.push(text.to_owned());
    }
    for item in node.as_list().into_iter().flatten() {
        collect(item, under, found);
    }
    for entry in node.as_map().into_iter().flatten() {
        let below = if is_secret(&entry.key) { KeyContext::SecretKey } else { under };
        collect(&entry.value, below, found);
    }
}
