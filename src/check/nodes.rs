//! Nodes: finding the executions an assertion means, and lists of those that must have run.

use crate::exchange::NodeRun;

use super::Context;
use super::gap::doubted;
use super::judged::{Grade, Judged, any};
use super::model::{Execution, NodeCheck, NodeLists, NodeWhat};
use super::operand::{Operand, parse_text, parse_texts};
use super::view::{NodeFacts, View, node_root};
use super::{subject, values};

/// Judges an assertion on a node.
pub(super) fn judge(check: &NodeCheck, view: &View<'_>, context: &Context<'_>) -> Judged {
    let name = match check.name.get(context, |value| parse_text(value, "`node`")) {
        Ok(name) => name,
        Err(why) => return Judged::undecided(why),
    };
    let (nodes, doubt, gap) = match view.nodes() {
        NodeFacts::Complete(nodes) => (nodes, None, None),
        NodeFacts::Partial(nodes, why) => (nodes, Some(why), None),
        NodeFacts::Gap(nodes, why) => (nodes, Some(why.clone()), Some(why)),
        NodeFacts::Unknown(why) => return Judged::undecided(why),
    };
    let runs: Vec<&NodeRun> = nodes.iter().filter(|node| is_named(node, &name)).collect();
    if runs.is_empty() {
        return match doubt {
            Some(why) => Judged::undecided(format!("`{}` was not seen to run: {why}", *name)),
            None => Judged::broken(format!("`{}` did not run; {}", *name, ran(nodes))),
        };
    }
    let one = |node: &NodeRun| match &check.what {
        NodeWhat::Value(value) => values::judge(
            value,
            node_root(node, value.root),
            &|| format!("the {} of `{}`", value.root.word(), node.title),
            &Context { node_type: Some(&node.node_type), ..*context },
        ),
        NodeWhat::Facts(subjects) => subjects
            .iter()
            .fold(Judged::held(), |so_far, fact| so_far.and(subject::of_node(fact, node, view, context))),
    };
    let judged = choose(check.execution, &name, &runs, one);
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

/// What still stands when further executions may have run unseen.
fn with_unseen(judged: Judged, execution: Execution, why: &str) -> Judged {
    match (execution, judged.grade) {
        (_, Grade::Undecided)
        | (Execution::Any, Grade::Held)
        | (Execution::All | Execution::Only, Grade::Broken | Grade::Misfit) => judged,
        (_, Grade::Held | Grade::Broken | Grade::Misfit) => Judged::undecided(why),
    }
}

fn choose(execution: Execution, name: &str, runs: &[&NodeRun], judge: impl Fn(&NodeRun) -> Judged) -> Judged {
    let count = runs.len();
    match execution {
        Execution::Only => match runs {
            [one] => judge(one),
            _ => Judged::broken(format!("`{name}` ran {count} times; {}", which(runs))),
        },
        Execution::First => runs.first().map_or_else(Judged::held, |node| judge(node)),
        Execution::Last => runs.last().map_or_else(Judged::held, |node| judge(node)),
        Execution::Index(index) => match runs.get(index) {
            Some(node) => judge(node),
            None => Judged::broken(format!(
                "`{name}` ran {count} times: there is no execution {index}, counting from 0"
            )),
        },
        Execution::All => {
            runs.iter().map(|node| judge(node)).enumerate().fold(Judged::held(), |so_far, (index, judged)| {
                so_far.and(if judged.grade == Grade::Held { judged } else { note(judged, index) })
            })
        }
        Execution::Any => any(
            runs.iter().map(|node| judge(node)),
            &format!("none of the {count} executions of `{name}` satisfies it"),
        ),
    }
}

fn note(mut judged: Judged, index: usize) -> Judged {
    judged.message = format!("execution {index}: {}", judged.message);
    judged
}

/// What to write when several executions are meant, or several nodes bear the name.
fn which(runs: &[&NodeRun]) -> String {
    let mut ids: Vec<&str> = runs.iter().map(|node| node.node_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.as_slice() {
        [] | [_] => "say which by `execution: first`, `last`, `any`, `all` or an index from 0".to_owned(),
        several => format!("{} nodes bear that title: use an id ({})", several.len(), several.join(", ")),
    }
}

fn is_named(node: &NodeRun, name: &str) -> bool {
    node.title == name || node.node_id == name
}

fn ran(nodes: &[NodeRun]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for node in nodes {
        if !titles.contains(&node.title.as_str()) {
            titles.push(&node.title);
        }
    }
    match titles.len() {
        0 => "no node ran".to_owned(),
        1..=12 => format!("these ran: {}", titles.join(", ")),
        more => format!("these ran: {}, … ({more} in all)", titles[..12].join(", ")),
    }
}

/// Judges `visited`, `absent`, `order` and `exactly`.
pub(super) fn lists(lists: &NodeLists, view: &View<'_>, context: &Context<'_>) -> Judged {
    let (nodes, doubt) = match view.nodes() {
        NodeFacts::Complete(nodes) => (nodes, None),
        NodeFacts::Partial(nodes, why) | NodeFacts::Gap(nodes, why) => (nodes, Some(why)),
        NodeFacts::Unknown(why) => return Judged::undecided(why),
    };
    let seen = Seen { nodes, doubt: doubt.as_deref() };
    let each = |list: &Option<Operand<Vec<String>>>,
                key: &str,
                least: usize,
                judge: &dyn Fn(&[String]) -> Judged| {
        let Some(list) = list else { return Judged::held() };
        match list.get(context, |value| parse_texts(value, key, least)) {
            Ok(names) => judge(&names),
            Err(why) => Judged::undecided(why),
        }
    };
    each(&lists.visited, "`visited`", 1, &|names| seen.visited(names))
        .and(each(&lists.absent, "`absent`", 1, &|names| seen.absent(names)))
        .and(each(&lists.order, "`order`", 2, &|names| seen.order(names)))
        .and(each(&lists.exactly, "`exactly`", 0, &|names| seen.exactly(names)))
}

/// The nodes seen to run, and why there may be others.
struct Seen<'t> {
    nodes: &'t [NodeRun],
    doubt: Option<&'t str>,
}

impl Seen<'_> {
    fn has(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| is_named(node, name))
    }

    /// Broken for certain, or undecided where nodes may have run unseen.
    fn missing(&self, message: String) -> Judged {
        match self.doubt {
            Some(why) => Judged::undecided(format!("{message}; but {why}")),
            None => Judged::broken(format!("{message}; {}", ran(self.nodes))),
        }
    }

    fn visited(&self, names: &[String]) -> Judged {
        let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !self.has(name)).collect();
        if missing.is_empty() {
            Judged::held()
        } else {
            self.missing(format!("not visited: {}", missing.join(", ")))
        }
    }

    fn absent(&self, names: &[String]) -> Judged {
        let there: Vec<&str> = names.iter().map(String::as_str).filter(|name| self.has(name)).collect();
        match (there.is_empty(), self.doubt) {
            (false, _) => {
                Judged::broken(format!("visited, though it should be absent: {}", there.join(", ")))
            }
            (true, Some(why)) => {
                Judged::undecided(format!("{} may have run unseen: {why}", names.join(", ")))
            }
            (true, None) => Judged::held(),
        }
    }

    fn order(&self, names: &[String]) -> Judged {
        let mut wanted = names.iter().peekable();
        // When a replayed node started is not known.
        for node in self.nodes.iter().filter(|node| !node.replayed) {
            wanted.next_if(|name| is_named(node, name));
        }
        match wanted.next() {
            None => Judged::held(),
            Some(next) => self.missing(format!("`{next}` did not start in the order {}", names.join(", "))),
        }
    }

    fn exactly(&self, names: &[String]) -> Judged {
        let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !self.has(name)).collect();
        let mut extra: Vec<&str> = Vec::new();
        for node in self.nodes.iter().filter(|node| !names.iter().any(|name| is_named(node, name))) {
            if !extra.contains(&node.title.as_str()) {
                extra.push(&node.title);
            }
        }
        if !extra.is_empty() {
            let also = if missing.is_empty() {
                String::new()
            } else {
                format!("; not visited: {}", missing.join(", "))
            };
            return Judged::broken(format!("visited, though not listed: {}{also}", extra.join(", ")));
        }
        if !missing.is_empty() {
            return self.missing(format!("not visited: {}", missing.join(", ")));
        }
        match self.doubt {
            Some(why) => Judged::undecided(format!("others may have run unseen: {why}")),
            None => Judged::held(),
        }
    }
}
