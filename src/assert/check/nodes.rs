//! Nodes: finding the executions an assertion means, and lists of those that must have run.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::dify::transcript::NodeRun;
use crate::record::verdict::Truth;

use super::Context;
use super::doubtful::node_doubts;
use super::executions::Executions;
use super::fact::NodeFacts;
use super::fact::SilentSteps;
use super::gap::doubted;
use super::judged::{ConditionGrade, JudgedCondition};
use super::model::{Execution, NodeAspect, NodeCheck, NodeLists};
use super::operand::{PredicateOperand, parse_text, parse_texts};
use super::order::in_order;
use super::roots::node_root;
use super::slips::{NearMiss, slip_of};
use super::subject;
use super::values;
use super::view::View;

/// Judges an assertion on a node.
pub(super) fn judge(check: &NodeCheck, view: &View<'_>, context: &Context<'_>) -> JudgedCondition {
    let name = match check.name.get(context, |value| parse_text(value, "`node`")) {
        Ok(name) => name,
        Err(why) => return JudgedCondition::undecided(why),
    };
    let (nodes, doubt, gap) = match view.nodes() {
        NodeFacts::Complete(nodes) => (nodes, None, None),
        NodeFacts::Partial(nodes, why) => (nodes, Some(why), None),
        NodeFacts::Gap(nodes, why) => (nodes, Some(why.clone()), Some(why)),
        NodeFacts::Silent(nodes, silent) => (nodes, Some(silent.doubt()), None),
        NodeFacts::Unknown(why) => return JudgedCondition::undecided(why),
    };
    let runs: Vec<&NodeRun> = nodes.iter().filter(|node| is_named(node, &name)).collect();
    if runs.is_empty() {
        return match doubt {
            Some(why) => JudgedCondition::undecided(format!("`{}` was not seen to run: {why}", *name)),
            None => JudgedCondition::broken(format!(
                "`{}` did not run{}; {}",
                *name,
                offer(&name, nodes),
                ran(nodes)
            )),
        };
    }
    let one = |node: &NodeRun| match &check.what {
        NodeAspect::Value(value) => values::judge(
            value,
            values::DoubtedRoot {
                value: node_root(node, value.root),
                doubts: &node_doubts(node, value.root),
            },
            &|| format!("the {} of `{}`", value.root.word(), node.title),
            &Context { node_type: Some(&node.node_type), ..*context },
        ),
        NodeAspect::Facts(subjects) => subjects.iter().fold(JudgedCondition::held(), |so_far, fact| {
            so_far.and(subject::of_node(fact, node, view, context))
        }),
    };
    let executions = Executions::of(&name, runs, nodes);
    let judged = executions.judge(check.execution, one);
    let runs = executions.runs;
    let judged = match gap {
        Some(why) => {
            doubted(judged, check.execution, &runs, &format!("`{}` may have run unseen: {why}", *name))
        }
        None => judged,
    };
    let is_inside = runs.iter().any(|node| node.parent.is_some());
    match is_inside.then(|| view.lost_round()).flatten() {
        Some(why) => with_unseen(judged, check.execution, &format!("`{}` may have run unseen: {why}", *name)),
        None => judged,
    }
}

/// What still holds when further executions may have run unseen.
fn with_unseen(judged: JudgedCondition, execution: Execution, why: &str) -> JudgedCondition {
    match (execution, judged.grade) {
        (_, ConditionGrade::Undecided)
        | (Execution::Any, ConditionGrade::Held)
        | (Execution::All | Execution::Only, ConditionGrade::Broken | ConditionGrade::Misfit) => judged,
        (_, ConditionGrade::Held | ConditionGrade::Broken | ConditionGrade::Misfit) => {
            JudgedCondition::undecided(why)
        }
    }
}

fn is_named(node: &NodeRun, name: &str) -> bool {
    node.title == name || node.node_id == name
}

/// The name that was perhaps meant.
fn offer(name: &str, nodes: &[NodeRun]) -> String {
    match slip_of(name, nodes) {
        Some(NearMiss::Spelling(near) | NearMiss::Letters(near)) => {
            format!(" (did you mean {}?)", quoted(near))
        }
        None => String::new(),
    }
}

fn ran(nodes: &[NodeRun]) -> String {
    let titles = titles(nodes.iter());
    match titles.len() {
        0 => "no node ran".to_owned(),
        1..=12 => format!("these ran: {}", listed(&titles)),
        more => format!("these ran: {}, … ({more} in all)", listed(&titles[..12])),
    }
}

/// The titles of nodes, each once, in order of their starts.
fn titles<'t>(nodes: impl Iterator<Item = &'t NodeRun>) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    nodes.map(|node| node.title.as_str()).filter(|title| seen.insert(*title)).collect()
}

/// Names in a message.
fn listed<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A name, in quotes where its bounds could not be seen.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty() && name.trim() == name && !name.contains([',', '`', ';']);
    if is_plain { Cow::Borrowed(name) } else { Cow::Owned(format!("`{name}`")) }
}

/// Judges `visited`, `absent`, `order` and `exactly`.
pub(super) fn lists(lists: &NodeLists, view: &View<'_>, context: &Context<'_>) -> JudgedCondition {
    let (nodes, doubt, silent) = match view.nodes() {
        NodeFacts::Complete(nodes) => (nodes, None, None),
        NodeFacts::Partial(nodes, why) | NodeFacts::Gap(nodes, why) => (nodes, Some(why), None),
        NodeFacts::Silent(nodes, silent) => (nodes, Some(silent.doubt()), Some(silent)),
        NodeFacts::Unknown(why) => return JudgedCondition::undecided(why),
    };
    let seen = ObservedNodes { nodes, doubt: doubt.as_deref(), silent: silent.as_ref() };
    let each = |list: &Option<PredicateOperand<Vec<String>>>,
                key: &str,
                least: usize,
                judge: &dyn Fn(&[String]) -> JudgedCondition| {
        let Some(list) = list else { return JudgedCondition::held() };
        match list.get(context, |value| parse_texts(value, key, least)) {
            Ok(names) => judge(&names),
            Err(why) => JudgedCondition::undecided(why),
        }
    };
    each(&lists.visited, "`visited`", 1, &|names| seen.visited(names))
        .and(each(&lists.absent, "`absent`", 1, &|names| seen.absent(names, context.is_node)))
        .and(each(&lists.order, "`order`", 2, &|names| seen.order(names)))
        .and(each(&lists.exactly, "`exactly`", 0, &|names| seen.exactly(names)))
}

/// The nodes seen to run, and why there may be others.
struct ObservedNodes<'t> {
    nodes: &'t [NodeRun],
    doubt: Option<&'t str>,
    /// Set where the doubt is only which nodes sent no events although they ran.
    silent: Option<&'t SilentSteps>,
}

impl ObservedNodes<'_> {
    fn has(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| is_named(node, name))
    }

    fn missing_of<'n>(&self, names: &'n [String]) -> Vec<&'n str> {
        names.iter().map(String::as_str).filter(|name| !self.has(name)).collect()
    }

    /// Broken for certain, or undecided where nodes may have run unseen.
    fn not_visited(&self, missing: &[&str]) -> JudgedCondition {
        match self.doubt {
            Some(why) => JudgedCondition::undecided(format!("not seen to run: {}; {why}", listed(missing))),
            None => {
                let offers: String = missing.iter().map(|name| offer(name, self.nodes)).collect();
                JudgedCondition::broken(format!(
                    "not visited: {}{offers}; {}",
                    listed(missing),
                    ran(self.nodes)
                ))
            }
        }
    }

    fn visited(&self, names: &[String]) -> JudgedCondition {
        match self.missing_of(names).as_slice() {
            [] => JudgedCondition::held(),
            missing => self.not_visited(missing),
        }
    }

    fn absent(&self, names: &[String], is_node: Option<&dyn Fn(&str) -> bool>) -> JudgedCondition {
        let there: Vec<&str> = names.iter().map(String::as_str).filter(|name| self.has(name)).collect();
        if !there.is_empty() {
            return JudgedCondition::broken(format!(
                "visited, though it should be absent: {}",
                listed(&there)
            ));
        }
        names.iter().fold(self.none_unseen(names), |so_far, name| so_far.and(self.is_no_slip(name, is_node)))
    }

    /// That none of these nodes ran without having been seen.
    fn none_unseen(&self, names: &[String]) -> JudgedCondition {
        match (self.silent, self.doubt) {
            (Some(silent), _) => JudgedCondition::held().noted(format!(
                "{} did not run, by its events; {}: where {} is that iteration, it ran",
                listed(names),
                silent.doubt(),
                if names.len() == 1 { "it" } else { "one of them" },
            )),
            (None, Some(why)) => {
                JudgedCondition::undecided(format!("{} may have run unseen: {why}", listed(names)))
            }
            (None, None) => JudgedCondition::held(),
        }
    }

    /// That a name is not a misspelt one of a node that ran; a name that is known as another node's is none.
    fn is_no_slip(&self, name: &str, is_node: Option<&dyn Fn(&str) -> bool>) -> JudgedCondition {
        match slip_of(name, self.nodes) {
            None => JudgedCondition::held(),
            Some(_) if is_node.is_some_and(|is_node| is_node(name)) => JudgedCondition::held(),
            Some(NearMiss::Spelling(ran)) => JudgedCondition::undecided(format!(
                "no node `{name}` ran, but `{ran}` did, which differs from it only by blanks, accents or case; \
                 write the name as the node has it"
            )),
            Some(NearMiss::Letters(ran)) => JudgedCondition::held().noted(format!(
                "no node `{name}` ran, but `{ran}` did, which is spelt nearly the same: is the name under \
                 `absent` a slip?"
            )),
        }
    }

    fn order(&self, names: &[String]) -> JudgedCondition {
        match self.missing_of(names).as_slice() {
            [] => {}
            missing => return self.not_visited(missing),
        }
        let order = listed(names);
        match (in_order(names, self.nodes, is_named), self.doubt) {
            (Truth::Held, _) => JudgedCondition::held(),
            (Truth::Undecided, None) => JudgedCondition::undecided(format!(
                "which of these began first is chance, for they ran at the same time: {order}"
            )),
            (Truth::Broken, None) => JudgedCondition::broken(format!(
                "they did not start in the order {order}; {}",
                ran(self.nodes)
            )),
            (Truth::Undecided | Truth::Broken, Some(why)) => {
                JudgedCondition::undecided(format!("not seen to start in the order {order}; {why}"))
            }
        }
    }

    fn exactly(&self, names: &[String]) -> JudgedCondition {
        let missing = self.missing_of(names);
        let is_listed = |node: &NodeRun| names.iter().any(|name| is_named(node, name));
        let extra = titles(self.nodes.iter().filter(|node| !is_listed(node)));
        if !extra.is_empty() {
            let also = if missing.is_empty() {
                String::new()
            } else {
                format!("; not visited: {}", listed(&missing))
            };
            return JudgedCondition::broken(format!("visited, though not listed: {}{also}", listed(&extra)));
        }
        if !missing.is_empty() {
            return self.not_visited(&missing);
        }
        match self.doubt {
            Some(why) => JudgedCondition::undecided(format!("others may have run unseen: {why}")),
            None => JudgedCondition::held(),
        }
    }
}
