//! The judges that assertions name must be in the project file, and be of the kind that is needed.

use crate::assert::check::operand::predicate_kind::Word;
use crate::assert::judge::JudgeKind;
use crate::base::spelling::nearest;
use crate::yaml::node::Node;

use super::Compiler;

impl Compiler<'_, '_, '_> {
    /// Notes a judge that cannot answer; one whose name is a template is looked up for each attempt.
    pub(super) fn check_judge(&mut self, word: Word, operand: &Node) {
        if !matches!(word, Word::LlmRubric | Word::Similar) {
            return;
        }
        let Some((node, name)) = operand.get("judge").and_then(|node| Some((node, node.as_text()?))) else {
            return;
        };
        if name.contains("{{") || name.trim().is_empty() {
            return;
        }
        match self.context.judges.iter().find(|judge| judge.name == name) {
            Some(judge) if word == Word::Similar && judge.kind == JudgeKind::App => {
                let message = format!("the judge `{name}` is a Dify workflow and has no embeddings");
                let help = "name a judge with the `url` and `model` of an embeddings endpoint";
                self.reader.problem_with_help(node.mark, message, help);
            }
            Some(_) => {}
            None => {
                let known: Vec<&str> = self.context.judges.iter().map(|judge| judge.name.as_str()).collect();
                let help = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => {
                        "flowproof.yaml names no judges: add `judges:` there, see docs/judges.md".to_owned()
                    }
                    None => format!("judges: {}", known.join(", ")),
                };
                self.reader.problem_with_help(node.mark, format!("there is no judge `{name}`"), help);
            }
        }
    }
}
