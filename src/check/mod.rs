//! Assertions: compiled once from a suite, then judged against a transcript, one finding each; pure.
//!
//! `compile` turns YAML into [`Check`]s and is the only part that meets nodes and files; everything else is a function of a
//! transcript. Three truths throughout: what cannot be known is undecided, and never held.

mod audit;
mod cause;
mod compile;
mod contract;
mod difference;
mod evaluate;
mod facts;
mod format;
mod gap;
mod judged;
mod model;
mod nodes;
mod operand;
mod opinion;
mod paused;
mod predicate;
mod schema;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod transform;
mod usage;
mod values;
mod view;

use crate::base::template::{Scope, Templates};
use crate::judge::Judging;

pub use self::compile::{
    CompileContext, IMPLIED_STATUS, compile_assertions, expects_rejection, implicit_status, merge_assertions,
    needs_status,
};
pub use self::contract::contract_deviations;
pub use self::evaluate::{Examined, examine};
pub use self::judged::{clip, is_comparison};
pub use self::model::Check;
pub use self::opinion::judges_of;
pub use self::paused::unused_answers;
pub use self::schema::FileRoot;

/// Whether Dify's token total is audited against its nodes' sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
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
    pub scope: &'a Scope,
    /// How Dify's token total is taken.
    pub usage: Usage,
    /// What judges answered; what they were not asked is noted in it.
    pub judging: &'a Judging,
}
