//! Assertions: compiled once from a suite, then judged against a transcript, one finding each; pure.
//!
//! `compile` turns YAML into [`Check`]s and is the only part that meets nodes and files; everything else is a function of a
//! transcript. Three truths throughout: what cannot be known is undecided, and never held.

mod audit;
mod cause;
mod compile;
mod contract;
mod difference;
mod doubt;
mod doubtful;
mod error_advice;
mod evaluate;
mod exchange_end;
mod executions;
mod fact;
mod facts;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod gap;
mod header_names;
mod heavy;
mod ignored_paths;
mod judged;
mod model;
mod named;
mod nodes;
mod operand;
mod opinion;
mod order;
mod paused;
mod plain_cause;
mod predicate;
mod roots;
mod run_subject;
mod schema;
mod shown;
mod silence;
mod slips;
mod snapshot;
mod steps;
mod stopped;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod transform;
mod unused_answers;
mod usage;
mod values;
mod view;

use crate::assert::judge::JudgeQuestions;
use crate::assert::snapshot::SnapshotAttempt;
use crate::base::effort::Effort;
use crate::base::template::{TemplateScope, Templates};

pub use self::compile::{
    CompileContext, IMPLIED_STATUS, compile_assertions, expects_rejection, implicit_status, merge_assertions,
    needs_status,
};
pub use self::contract::contract_deviations;
pub use self::difference::difference_of;
pub use self::evaluate::{CheckResult, examine};
pub use self::facts::seen_at_least;
pub use self::heavy::may_take_long;
pub use self::judged::is_comparison;
pub use self::model::Check;
pub use self::named::{judges_of, schema_files_of};
pub use self::schema::FileRoot;
pub use self::silence::hint_beside_others;
pub use self::snapshot::{AssertedKey, keys_of, snapshot_keys};
pub use self::unused_answers::unused_answers;

/// Whether Dify's token total is audited against its nodes' sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageAudit {
    /// A total that its nodes do not confirm is undecided.
    #[default]
    Audit,
    /// `usage: trust`: Dify's total is taken as it is.
    Trust,
}

/// What an attempt brings along for its checks.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The arena that compiled the operands' templates.
    pub templates: &'a Templates,
    /// The attempt's names.
    pub scope: &'a TemplateScope,
    /// How Dify's token total is taken.
    pub usage: UsageAudit,
    /// What judges answered; what they were not asked is noted in it.
    pub judging: &'a JudgeQuestions,
    /// What was approved of the test's snapshots, and takes what differs; `None` where the test has none.
    snapshots: Option<&'a SnapshotAttempt<'a>>,
    /// The type of the node whose values are judged.
    node_type: Option<&'a str>,
    /// The response from which the values are selected.
    response: Option<&'a serde_json::Value>,
    /// Whether a name is one of a node of the app, although no such node ran; `None` where nothing is known.
    is_node: Option<&'a dyn Fn(&str) -> bool>,
    /// What each check may still do; `examine` gives one where there is none.
    effort: Option<&'a Effort<'a>>,
}

impl<'a> Context<'a> {
    /// A test without snapshots.
    pub fn new(
        templates: &'a Templates,
        scope: &'a TemplateScope,
        usage: UsageAudit,
        judging: &'a JudgeQuestions,
    ) -> Self {
        Self {
            templates,
            scope,
            usage,
            judging,
            snapshots: None,
            node_type: None,
            response: None,
            is_node: None,
            effort: None,
        }
    }

    /// The same with what else is known of the app's nodes.
    #[must_use]
    pub fn knowing(self, is_node: &'a dyn Fn(&str) -> bool) -> Self {
        Self { is_node: Some(is_node), ..self }
    }

    /// The same with a look at the test's snapshots.
    #[must_use]
    pub fn taking(self, snapshots: Option<&'a SnapshotAttempt<'a>>) -> Self {
        Self { snapshots, ..self }
    }

    /// The same, ended with this effort.
    #[must_use]
    pub fn within(self, effort: &'a Effort<'a>) -> Self {
        Self { effort: Some(effort), ..self }
    }

    fn effort(&self) -> &'a Effort<'a> {
        self.effort.expect("`examine` gives every check an effort")
    }
}
