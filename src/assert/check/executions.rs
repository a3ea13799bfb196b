//! Which executions of a node an assertion means: by the rounds that Dify counts, never by the order in which events came.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::base::plural::plural;
use crate::dify::transcript::NodeRun;

use super::judged::{ConditionGrade, JudgedCondition, any};
use super::model::Execution;

/// Containers inside of each other that are followed; Dify nests two.
const DEEPEST: usize = 16;

/// The executions of one node, or of all nodes that bear its name.
pub(super) struct Executions<'t> {
    pub(super) name: &'t str,
    /// Those that bear the name, in order of start.
    pub(super) runs: Vec<&'t NodeRun>,
    /// All executions of the run.
    all: &'t [NodeRun],
    /// The executions of each container.
    containers: HashMap<&'t str, Vec<&'t NodeRun>>,
}

/// The rounds an execution ran in, the outermost first, each with its container.
type ExecutionRounds<'t> = Vec<(&'t str, u64)>;

impl<'t> Executions<'t> {
    /// Those of all executions of a run that bear a name.
    pub(super) fn of(name: &'t str, runs: Vec<&'t NodeRun>, all: &'t [NodeRun]) -> Self {
        let mut containers: HashMap<&str, Vec<&NodeRun>> = HashMap::new();
        for container in all.iter().filter(|node| node.is_container()) {
            containers.entry(container.node_id.as_str()).or_default().push(container);
        }
        Self { name, runs, all, containers }
    }

    /// Judges those that are meant.
    pub(super) fn judge(
        &self,
        execution: Execution,
        judge: impl Fn(&NodeRun) -> JudgedCondition,
    ) -> JudgedCondition {
        let (count, name) = (self.runs.len(), self.name);
        match execution {
            Execution::Only => match self.runs.as_slice() {
                [one] => judge(one),
                _ => JudgedCondition::broken(format!("`{name}` ran {}; {}", times(count), which(&self.runs))),
            },
            Execution::First => self.outermost(Ordering::Less, "first", judge),
            Execution::Last => self.outermost(Ordering::Greater, "last", judge),
            Execution::Index(index) => self.at_index(index, judge),
            Execution::All => {
                let judged = self.runs.iter().map(|node| (node, judge(node))).enumerate();
                judged.fold(JudgedCondition::held(), |so_far, (at, (node, judged))| {
                    so_far.and(if judged.grade == ConditionGrade::Held {
                        judged
                    } else {
                        note(judged, node, at)
                    })
                })
            }
            Execution::Any => any(
                self.runs.iter().map(|node| judge(node)),
                &format!("none of the {count} executions of `{name}` satisfies it"),
            ),
        }
    }

    /// The first or the last execution; where several may be that, what they agree on.
    fn outermost(
        &self,
        wanted: Ordering,
        word: &str,
        judge: impl Fn(&NodeRun) -> JudgedCondition,
    ) -> JudgedCondition {
        let rounds: Vec<Option<ExecutionRounds<'t>>> =
            self.runs.iter().map(|node| self.rounds(node)).collect();
        let order = |a: usize, b: usize| {
            let placed = |at: usize| PlacedRun { node: self.runs[at], rounds: rounds[at].as_ref() };
            order(placed(a), placed(b))
        };
        let mut best = 0;
        for other in 1..self.runs.len() {
            if order(other, best) == Some(wanted) {
                best = other;
            }
        }
        let is_rival = |other: &usize| *other != best && order(best, *other) != Some(wanted);
        let rivals: Vec<&NodeRun> =
            (0..self.runs.len()).filter(is_rival).map(|other| self.runs[other]).collect();
        let candidates: Vec<&NodeRun> = self.runs.get(best).copied().into_iter().chain(rivals).collect();
        agreed(&candidates, judge, || {
            format!("which of {} executions of `{}` is the {word} is not known", candidates.len(), self.name)
        })
    }

    /// The execution in the round of this index; outside of containers, the one at this place of a proved order.
    fn at_index(&self, index: usize, judge: impl Fn(&NodeRun) -> JudgedCondition) -> JudgedCondition {
        let name = self.name;
        if self.runs.iter().all(|node| node.parent.is_none()) {
            return self.at_place(index, judge);
        }
        let wanted = u64::try_from(index).ok();
        let index_of = |node: &NodeRun| node.parent.as_ref().map(|round| round.index);
        let is_candidate = |node: &&&NodeRun| match index_of(node) {
            Some(Some(round)) => Some(round) == wanted,
            Some(None) | None => true,
        };
        let candidates: Vec<&NodeRun> = self.runs.iter().filter(is_candidate).copied().collect();
        match candidates.as_slice() {
            [] => JudgedCondition::broken(format!(
                "`{name}` ran {}: there is no execution in the round {index}, counting from 0",
                times(self.runs.len())
            )),
            [one] if index_of(one).flatten() == wanted => judge(one),
            several => agreed(several, judge, || {
                match several.iter().any(|node| index_of(node).flatten().is_none()) {
                    true => format!(
                        "Dify does not say in which round `{name}` ran: whether it is {index} is not known"
                    ),
                    false => format!(
                        "`{name}` ran {} in a round {index}: which is meant is not known",
                        times(several.len())
                    ),
                }
            }),
        }
    }

    fn at_place(&self, index: usize, judge: impl Fn(&NodeRun) -> JudgedCondition) -> JudgedCondition {
        let (name, count) = (self.name, self.runs.len());
        let Some(one) = self.runs.get(index) else {
            return JudgedCondition::broken(format!(
                "`{name}` ran {}: there is no execution {index}, counting from 0",
                times(count)
            ));
        };
        let is_ordered = self.runs.windows(2).all(|pair| pair[0].span().is_before(pair[1].span()));
        if is_ordered {
            return judge(one);
        }
        agreed(&self.runs, judge, || {
            format!("executions of `{name}` ran at the same time: which is {index} is not known")
        })
    }

    /// The rounds an execution ran in; `None` where one of them is not known.
    fn rounds(&self, node: &'t NodeRun) -> Option<ExecutionRounds<'t>> {
        let (mut rounds, mut at) = (Vec::new(), node);
        while let Some(round) = at.parent.as_ref().filter(|_| rounds.len() < DEEPEST) {
            rounds.push((round.container.as_str(), round.index?));
            match round.container_run.and_then(|run| self.all.get(run)) {
                Some(container) => at = container,
                None => match self.containers.get(round.container.as_str()).map(Vec::as_slice) {
                    Some([one]) => at = one,
                    Some([_, ..]) => return None,
                    Some([]) | None => break,
                },
            }
        }
        rounds.reverse();
        Some(rounds)
    }
}

/// An execution, and the rounds it ran in where they are known.
struct PlacedRun<'a> {
    node: &'a NodeRun,
    rounds: Option<&'a ExecutionRounds<'a>>,
}

/// The order of two executions, if known.
fn order(a: PlacedRun<'_>, b: PlacedRun<'_>) -> Option<Ordering> {
    if let (Some(in_a), Some(in_b)) = (a.rounds, b.rounds) {
        let is_same_path = in_a.len() == in_b.len() && in_a.iter().zip(in_b).all(|(a, b)| a.0 == b.0);
        if is_same_path && in_a != in_b {
            return Some(in_a.iter().map(|round| round.1).cmp(in_b.iter().map(|round| round.1)));
        }
    }
    let (a, b) = (a.node.span(), b.node.span());
    if a.is_before(b) {
        Some(Ordering::Less)
    } else if b.is_before(a) {
        Some(Ordering::Greater)
    } else {
        None
    }
}

/// What all candidates agree on; one that may be meant and is judged otherwise leaves it undecided.
fn agreed(
    candidates: &[&NodeRun],
    judge: impl Fn(&NodeRun) -> JudgedCondition,
    why: impl Fn() -> String,
) -> JudgedCondition {
    let mut judged = candidates.iter().map(|node| judge(node));
    let Some(first) = judged.next() else { return JudgedCondition::undecided(why()) };
    let truth = first.truth();
    if judged.all(|other| other.truth() == truth) { first } else { JudgedCondition::undecided(why()) }
}

fn note(mut judged: JudgedCondition, node: &NodeRun, at: usize) -> JudgedCondition {
    let round = node.parent.as_ref().and_then(|round| round.index);
    judged.message = match round {
        Some(round) => format!("round {round}: {}", judged.message),
        None => format!("execution {at}: {}", judged.message),
    };
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

fn times(count: usize) -> String {
    format!("{count} {}", plural(count, "time", "times"))
}
