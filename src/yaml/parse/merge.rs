//! The merge key `<<` written twice in a mapping, which the library takes in silence: the first would win.

use super::deserialize::{ParsePass, deserialize};
use crate::yaml::node::{MapEntry, Node, NodeValue, SourceText};
use crate::yaml::problem::Problem;

/// Notes every mapping in which `<<` occurs more than once.
pub(super) fn refuse_repeated(source: &SourceText, problems: &mut Vec<Problem>) {
    if source.text.matches("<<").nth(1).is_none() {
        return;
    }
    // The first reading has reported what does not parse.
    if let Ok(root) = deserialize(&source.text, ParsePass::MergeKeysAsWritten) {
        find(source, &root, problems);
    }
}

fn find(source: &SourceText, node: &Node, problems: &mut Vec<Problem>) {
    match &node.value {
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => {}
        NodeValue::List(items) => items.iter().for_each(|item| find(source, item, problems)),
        NodeValue::Map(entries) => {
            let mut merges = entries.iter().filter(|entry| is_merge(source, entry));
            if let Some(first) = merges.next() {
                for again in merges {
                    let problem = Problem::new(source.place(again.mark), "the key `<<` is given twice");
                    let problem = problem.other(source.place(first.mark), "first given here");
                    problems.push(problem.help("merge several mappings in one list: `<<: [*a, *b]`"));
                }
            }
            entries.iter().for_each(|entry| find(source, &entry.value, problems));
        }
    }
}

/// In quotes it is a key like any other.
fn is_merge(source: &SourceText, entry: &MapEntry) -> bool {
    entry.key == "<<" && source.from(entry.mark).starts_with('<')
}
