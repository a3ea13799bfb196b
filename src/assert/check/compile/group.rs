//! Groups: assertions made of assertions.

use crate::assert::check::model::{AssertionTarget, GroupRule, MemberGroup};
use crate::assert::check::operand::needed::parse_needed;
use crate::yaml::node::{MapEntry, Node};

use super::keys::{KeyFamily, family};
use super::{Compiler, DEEPEST};

/// The rule of a group and its members; no rule where it is a problem.
struct WrittenGroup<'n> {
    rule: Option<GroupRule>,
    members: &'n Node,
}

impl Compiler<'_, '_, '_> {
    /// The one group of an assertion; nothing else may be beside it.
    pub(super) fn group(&mut self, group: &MapEntry, entries: &[MapEntry]) -> Option<AssertionTarget> {
        for entry in entries.iter().filter(|entry| entry.key != group.key) {
            if !matches!(family(&entry.key), Some(KeyFamily::Report) | None) {
                let message = format!("`{}` and `{}` cannot be used in one assertion", group.key, entry.key);
                self.reader.problem_with_help(
                    entry.mark,
                    message,
                    "make it a member of the group, or an assertion of its own",
                );
            }
        }
        if self.depth >= DEEPEST {
            self.reader.problem(group.mark, format!("groups nest deeper than {DEEPEST}"));
            return None;
        }
        let (rule, list) = match group.key.as_str() {
            "any_of" => (Some(GroupRule::Any), &group.value),
            "all_of" => (Some(GroupRule::All), &group.value),
            _ => {
                let WrittenGroup { rule, members } = self.at_least(&group.value)?;
                (rule, members)
            }
        };
        let items = self.reader.list(list, &format!("`{}`", group.key));
        if items.is_empty() && list.as_list().is_some() {
            self.reader.problem(list.mark, format!("`{}` has no members", group.key));
        }
        self.depth += 1;
        let members: Vec<_> = items.iter().filter_map(|item| self.assertion(item)).collect();
        self.depth -= 1;
        Some(AssertionTarget::Group(MemberGroup { rule: rule?, members }))
    }

    fn at_least<'n>(&mut self, node: &'n Node) -> Option<WrittenGroup<'n>> {
        self.reader.map(node, "`at_least`", &["n", "of"]);
        node.as_map()?;
        let (Some(n), Some(of)) = (node.get("n"), node.get("of")) else {
            self.reader.problem_with_help(
                node.mark,
                "`at_least` needs `n` and `of`",
                "write `{ n: 2, of: [...] }`",
            );
            return None;
        };
        let members = of.as_list().map_or(0, <[Node]>::len) as u64;
        let needed = self.operand(n, |value| parse_needed(value, members));
        Some(WrittenGroup { rule: needed.map(GroupRule::AtLeast), members: of })
    }
}
