//! Compiles `snapshot`: its key, and how the value is compared.

use crate::assert::check::model::{Execution, Match, SnapshotCheck};
use crate::assert::check::operand::PredicateOperand;
use crate::assert::check::operand::snapshot::{KEYS, parse_key, parse_manner};
use crate::yaml::node::{Node, NodeValue};

use super::Compiler;
use super::label;

impl Compiler<'_, '_, '_> {
    /// The snapshot an assertion takes, if any; the outer none is a problem.
    pub(super) fn snapshot(
        &mut self,
        node: &Node,
        matching: Match,
        execution: Option<Execution>,
    ) -> Option<Option<SnapshotCheck>> {
        let Some(operand) = node.get("snapshot") else { return Some(None) };
        let several = match (matching, execution) {
            (Match::Any | Match::None, _) => Some((
                "match",
                "a snapshot is of one value; `match: all` keeps a list of all that are selected",
            )),
            (Match::One | Match::All, Some(Execution::Any | Execution::All)) => Some((
                "execution",
                "a snapshot is of one execution: say `first`, `last` or its number, from 0",
            )),
            (Match::One | Match::All, Some(Execution::Only | Execution::First | Execution::Last))
            | (Match::One | Match::All, Some(Execution::Index(_)) | None) => None,
        };
        if let Some((key, help)) = several {
            let mark = node.get(key).map_or(node.mark, |written| written.mark);
            self.reader.problem_with_help(
                mark,
                format!("this `{key}` and `snapshot` cannot be used together"),
                help,
            );
            return None;
        }
        let manner = self.operand(operand, parse_manner)?;
        if let PredicateOperand::Late(_) = manner {
            self.check_keys(operand, "`snapshot`", &KEYS);
        }
        let key = match node.get("label") {
            Some(label) => self.operand(label, parse_key)?,
            None => {
                let key = Node { mark: node.mark, value: NodeValue::Text(label::subject(node)) };
                self.operand(&key, parse_key)?
            }
        };
        Some(Some(SnapshotCheck { key, manner, is_listed: matching == Match::All }))
    }
}
