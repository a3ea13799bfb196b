//! Holds the nodes that a suite names against those that ran: a name nobody saw is often a slip, and under `absent` a silent one.

use std::collections::BTreeSet;

use crate::app::live_app::input_rules::listed;
use crate::base::spelling::did_you_mean;
use crate::yaml::node::{FilePosition, MapEntry, Node};

/// A node that a suite names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeMention {
    /// A title or an id.
    pub name: String,
    /// Where it is.
    pub mark: FilePosition,
    /// What is said of it.
    pub claim: Claim,
}

/// What is said of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It ran.
    Ran,
    /// It did not run.
    Absent,
    /// Its name is made by a template.
    Templated,
}

/// The nodes that ran in a recorded run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedNodes {
    /// Their titles.
    pub titles: BTreeSet<String>,
    /// Their ids; journals of older versions have none.
    pub ids: BTreeSet<String>,
}

/// Every node that an assertion names, those of its groups included.
pub fn mentions_of(assertion: &Node) -> Vec<NodeMention> {
    let mut found = Vec::new();
    collect(assertion, &mut found);
    found
}

/// The node of a `node` key.
pub fn mention(node: &Node, claim: Claim) -> Option<NodeMention> {
    let name = node.as_text()?;
    let claim = if name.contains("{{") { Claim::Templated } else { claim };
    Some(NodeMention { name: name.to_owned(), mark: node.mark, claim })
}

fn collect(assertion: &Node, found: &mut Vec<NodeMention>) {
    for entry in assertion.as_map().unwrap_or_default() {
        match entry.key.as_str() {
            "node" => found.extend(mention(&entry.value, Claim::Ran)),
            "nodes" => entry.value.as_map().unwrap_or_default().iter().for_each(|list| named(list, found)),
            "any_of" | "all_of" => each(&entry.value, found),
            "at_least" => entry.value.get("of").into_iter().for_each(|of| each(of, found)),
            _ => {}
        }
    }
}

fn each(group: &Node, found: &mut Vec<NodeMention>) {
    group.as_list().unwrap_or_default().iter().for_each(|assertion| collect(assertion, found));
}

fn named(list: &MapEntry, found: &mut Vec<NodeMention>) {
    let claim = if list.key == "absent" { Claim::Absent } else { Claim::Ran };
    let items = list.value.as_list().unwrap_or(std::slice::from_ref(&list.value));
    found.extend(items.iter().filter_map(|item| mention(item, claim)));
}

/// A node that no recorded run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownNode {
    /// What is wrong with its name.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// What is wrong with a node's name, and how to fix it; `None` where the node ran or may rightly not have run.
pub fn judge(mention: &NodeMention, seen: &RecordedNodes) -> Option<UnknownNode> {
    let name = mention.name.as_str();
    if seen.titles.contains(name) || seen.ids.contains(name) {
        return None;
    }
    let titles: Vec<&str> = seen.titles.iter().map(String::as_str).collect();
    let message = format!("no node `{name}` ran in the last recorded run");
    let near = did_you_mean(name, titles.iter().copied());
    match (mention.claim, near) {
        (Claim::Templated, _) => None,
        (Claim::Ran | Claim::Absent, Some(near)) => Some(UnknownNode { message, help: near }),
        (Claim::Absent, None) => None,
        (Claim::Ran, None) => {
            let ran = listed(&titles);
            let help = format!("there ran {ran}; where it is new in the app, run the suite once");
            Some(UnknownNode { message, help })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse::parse_yaml;

    fn names(text: &str) -> Vec<(String, Claim)> {
        let mut problems = Vec::new();
        let node = parse_yaml("a.yaml", text.as_bytes().to_vec(), &mut problems).root.unwrap();
        assert_eq!(problems, []);
        mentions_of(&node).into_iter().map(|mention| (mention.name, mention.claim)).collect()
    }

    #[test]
    fn nodes_are_found_wherever_an_assertion_may_name_them() {
        let text = "any_of: [{ node: A, equals: { node: not-one } }, { at_least: { n: 1, of: [{ node: '{{ vars.b }}' }] } }]
nodes: { visited: [C], absent: [D], order: [E, F], exactly: [G] }
";
        let found = names(text);
        let expected: Vec<(String, Claim)> = [
            ("A", Claim::Ran),
            ("{{ vars.b }}", Claim::Templated),
            ("C", Claim::Ran),
            ("D", Claim::Absent),
            ("E", Claim::Ran),
            ("F", Claim::Ran),
            ("G", Claim::Ran),
        ]
        .map(|(name, claim)| (name.to_owned(), claim))
        .into();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_slip_under_absent_is_found_and_a_node_that_rightly_did_not_run_is_not() {
        let seen = RecordedNodes {
            titles: ["Classify", "Answer"].map(str::to_owned).into(),
            ids: ["1711".to_owned()].into(),
        };
        let judged = |name: &str, claim| {
            judge(&NodeMention { name: name.to_owned(), mark: FilePosition::default(), claim }, &seen)
        };
        assert_eq!(judged("Classify", Claim::Ran), None);
        assert_eq!(judged("1711", Claim::Ran), None);
        assert_eq!(judged("Escalate", Claim::Absent), None);
        assert!(judged("Escalate", Claim::Ran).is_some());
        for claim in [Claim::Ran, Claim::Absent] {
            assert_eq!(judged("Clasify", claim).unwrap().help, "did you mean `Classify`?");
        }
        assert_eq!(judged("{{ x }}", Claim::Templated), None);
    }
}
