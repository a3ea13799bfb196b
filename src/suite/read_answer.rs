//! From a node to the answers of `human_input` as written.

use crate::suite::keys::format_key::names;
use crate::suite::keys::of_suite::FORM_ANSWER;
use crate::suite::spec::AnswerSpec;
use crate::yaml::node::Node;
use crate::yaml::reader::Reader;

const EXAMPLE: &str = "{ node: Review, action: approve, inputs: { comment: fine } }";

/// Reads `human_input`: a list of answers, at least one.
pub fn read_answers(reader: &mut Reader<'_>, node: Node) -> Vec<AnswerSpec> {
    if reader.list(&node, "`human_input`").is_empty() && node.as_list().is_some() {
        reader.problem_with_help(node.mark, "`human_input` names no answer", format!("write `- {EXAMPLE}`"));
    }
    node.into_items().into_iter().filter_map(|item| read_answer(reader, item)).collect()
}

fn read_answer(reader: &mut Reader<'_>, item: Node) -> Option<AnswerSpec> {
    reader.map(&item, "an answer of `human_input`", &names(&FORM_ANSWER));
    item.as_map()?;
    if item.get("node").is_none() || item.get("action").is_none() {
        let message = "an answer of `human_input` needs a `node` and an `action`";
        reader.problem_with_help(item.mark, message, EXAMPLE);
        return None;
    }
    let mark = item.mark;
    let (mut node, mut action, mut inputs, mut files) = (None, None, Vec::new(), Vec::new());
    for entry in item.into_entries() {
        match entry.key.as_str() {
            "node" => node = reader.filled_text(&entry.value, "`node`").map(|_| entry.value),
            "action" => action = reader.filled_text(&entry.value, "`action`").map(|_| entry.value),
            "inputs" => inputs = reader.members(entry.value, "`inputs`"),
            "files" => files = reader.members(entry.value, "`files`"),
            _ => {}
        }
    }
    for file in files.iter().filter(|file| inputs.iter().any(|input| input.key == file.key)) {
        reader.problem(file.mark, format!("`{}` is in `inputs` and in `files`", file.key));
    }
    Some(AnswerSpec { mark, node: node?, action: action?, inputs, files })
}
