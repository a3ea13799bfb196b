//! Node executions, joined from their events; pure.
//!
//! An execution is known by its id, a container by its node id. Events may be lost: a finish without a start makes the
//! execution known, a start without a finish leaves it unfinished.

use std::sync::Arc;
use std::time::Duration;

use crate::base::lean::Lean;
use crate::exchange::{NodeEnd, NodeRun, NodeTold};

/// The type of a node that waits for a person.
const ASKS: &str = "human-input";

/// The executions of a run so far.
#[derive(Debug, Default)]
pub struct Nodes {
    /// In order of start.
    pub runs: Vec<NodeRun>,
    /// When the first non-blank chunk of a model came.
    pub first_token_at: Option<Duration>,
    /// The round each container is in.
    rounds: Vec<(String, u64)>,
    /// First non-blank chunks of nodes that no event has named yet.
    unclaimed: Vec<(String, Duration)>,
    /// Events that began or ended an execution: their order is known even where the network delays them.
    events: u32,
}

impl Nodes {
    /// Goes on with the executions of a run that was answered.
    pub fn resume(runs: Vec<NodeRun>, first_token_at: Option<Duration>) -> Self {
        let mut nodes = Self { first_token_at, ..Self::default() };
        for (container, round) in runs.iter().filter_map(|run| run.parent.as_ref()) {
            nodes.set_round(container, nodes.round(container).max(*round));
        }
        let last = runs.iter().flat_map(|run| [run.began, run.ended]).flatten().max();
        Self { events: last.unwrap_or(0), runs, ..nodes }
    }

    /// Takes `node_started`; a repeated one changes nothing.
    ///
    /// A node that asked is begun again once it was answered: that is the same execution, whatever its id.
    pub fn start(&mut self, data: &Lean<'_>, at: Duration) {
        if self.by_execution(text(data, "id")).is_some() {
            return;
        }
        let asked = |run: &NodeRun| {
            run.node_type == ASKS && run.finished.is_none() && run.node_id == text(data, "node_id")
        };
        match self.runs.iter_mut().find(|run| asked(run)) {
            Some(run) => run.id = text(data, "id").to_owned(),
            None => self.begin(data, at),
        }
    }

    /// Takes `node_retry`.
    pub fn retry(&mut self, data: &Lean<'_>, at: Duration) {
        let index = self.by_execution(text(data, "id")).unwrap_or_else(|| self.add(data, at));
        self.runs[index].retries += 1;
    }

    /// Takes `node_finished`: its `data`, and the event's text.
    pub fn finish(&mut self, data: &Lean<'_>, event: &Arc<str>, at: Duration) {
        let index = self.by_execution(text(data, "id")).unwrap_or_else(|| self.add(data, at));
        if let Some(parent) = self.parent(data) {
            self.runs[index].parent = Some(parent);
        }
        self.end(index, (data, event), at);
    }

    /// Takes `iteration_started` or `loop_started`: each is another execution.
    pub fn start_container(&mut self, data: &Lean<'_>, at: Duration) {
        self.set_round(text(data, "node_id"), 0);
        self.begin(data, at);
    }

    /// Takes `iteration_next` or `loop_next`.
    pub fn next_round(&mut self, data: &Lean<'_>) {
        if let Some(round) = data["index"].as_u64() {
            self.set_round(text(data, "node_id"), round);
        }
    }

    /// Takes `iteration_completed` or `loop_completed`: ends the oldest execution still open.
    pub fn finish_container(&mut self, data: &Lean<'_>, event: &Arc<str>, at: Duration) {
        let id = text(data, "id");
        let open = self.runs.iter().position(|run| run.id == id && run.finished.is_none());
        let index = open.or_else(|| self.by_execution(id)).unwrap_or_else(|| self.add(data, at));
        self.end(index, (data, event), at);
    }

    /// Takes a non-blank `text_chunk` of a node.
    pub fn token(&mut self, node_id: &str, at: Duration) {
        let newest = |open: bool| {
            self.runs.iter().rposition(|run| run.node_id == node_id && (!open || run.finished.is_none()))
        };
        match newest(true).or_else(|| newest(false)) {
            Some(index) => self.mark(index, at),
            None if self.unclaimed.iter().all(|(known, _)| known != node_id) => {
                self.unclaimed.push((node_id.to_owned(), at))
            }
            None => {}
        }
    }

    fn mark(&mut self, index: usize, at: Duration) {
        let run = &mut self.runs[index];
        run.first_token_at.get_or_insert(at);
        if matches!(run.node_type.as_str(), "llm" | "agent") {
            self.first_token_at = Some(self.first_token_at.map_or(at, |first| first.min(at)));
        }
    }

    fn by_execution(&self, id: &str) -> Option<usize> {
        self.runs.iter().rposition(|run| run.id == id)
    }

    /// Notes an execution whose beginning was seen.
    fn begin(&mut self, data: &Lean<'_>, at: Duration) {
        let index = self.add(data, at);
        self.events = self.events.saturating_add(1);
        self.runs[index].began = Some(self.events);
    }

    fn end(&mut self, index: usize, (data, event): (&Lean<'_>, &Arc<str>), at: Duration) {
        self.events = self.events.saturating_add(1);
        let run = &mut self.runs[index];
        (run.ended, run.ended_at) = (Some(self.events), Some(at));
        run.finished = Some(ended(run, data, event));
    }

    fn add(&mut self, data: &Lean<'_>, at: Duration) -> usize {
        let run = NodeRun {
            id: text(data, "id").to_owned(),
            node_id: text(data, "node_id").to_owned(),
            node_type: text(data, "node_type").to_owned(),
            title: text(data, "title").to_owned(),
            started_at: at,
            parent: self.parent(data),
            ..NodeRun::default()
        };
        let early = self.unclaimed.iter().position(|(node_id, _)| *node_id == run.node_id);
        self.runs.push(run);
        let index = self.runs.len() - 1;
        if let Some(early) = early {
            let (_, at) = self.unclaimed.swap_remove(early);
            self.mark(index, at);
        }
        index
    }

    /// The container an execution ran in: by its metadata once finished, else by the round its container is in.
    fn parent(&self, data: &Lean<'_>) -> Option<(String, u64)> {
        let metadata = &data["execution_metadata"];
        let of = |id_key: &str, index_key: &str| {
            let id = metadata[id_key].as_str().or_else(|| data[id_key].as_str())?;
            let round = metadata[index_key].as_u64().unwrap_or_else(|| self.round(id));
            Some((id.to_owned(), round))
        };
        match (of("iteration_id", "iteration_index"), of("loop_id", "loop_index")) {
            (Some(iteration), Some(round))
                if self.started_last(&round.0) > self.started_last(&iteration.0) =>
            {
                Some(round)
            }
            (Some(parent), _) | (None, Some(parent)) => Some(parent),
            (None, None) => None,
        }
    }

    /// Where a container last started; the inner of two is the later one.
    fn started_last(&self, node_id: &str) -> Option<usize> {
        self.runs.iter().rposition(|run| run.node_id == node_id)
    }

    fn round(&self, node_id: &str) -> u64 {
        self.rounds.iter().find(|(known, _)| known == node_id).map_or(0, |(_, round)| *round)
    }

    fn set_round(&mut self, node_id: &str, round: u64) {
        match self.rounds.iter_mut().find(|(known, _)| known == node_id) {
            Some((_, current)) => *current = round,
            None => self.rounds.push((node_id.to_owned(), round)),
        }
    }
}

fn text<'a>(data: &'a Lean<'_>, key: &str) -> &'a str {
    data[key].as_str().unwrap_or_default()
}

/// What an execution told as it ended.
fn ended(run: &NodeRun, data: &Lean<'_>, event: &Arc<str>) -> NodeEnd {
    NodeEnd::of_event(event.clone(), NodeTold::of(&run.node_type, data))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn node(id: &str, node_id: &str, node_type: &str) -> Value {
        json!({ "id": id, "node_id": node_id, "node_type": node_type, "title": node_id.to_uppercase() })
    }

    fn start(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.start(&Lean::of(data), at);
    }

    fn retry(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.retry(&Lean::of(data), at);
    }

    fn finish(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.finish(&Lean::of(data), &event(data), at);
    }

    fn start_container(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.start_container(&Lean::of(data), at);
    }

    fn next_round(nodes: &mut Nodes, data: &Value) {
        nodes.next_round(&Lean::of(data));
    }

    fn finish_container(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.finish_container(&Lean::of(data), &event(data), at);
    }

    fn event(data: &Value) -> Arc<str> {
        json!({ "data": data }).to_string().into()
    }

    #[test]
    fn an_execution_is_joined_by_its_id() {
        let mut nodes = Nodes::default();
        start(&mut nodes, &node("1", "a", "code"), ms(1));
        start(&mut nodes, &node("2", "a", "code"), ms(2));
        start(&mut nodes, &node("1", "a", "code"), ms(3));
        retry(&mut nodes, &node("2", "a", "code"), ms(4));
        finish(&mut nodes, &json!({ "id": "2", "status": "failed" }), ms(5));
        let seen: Vec<_> =
            nodes.runs.iter().map(|run| (&*run.id, run.started_at, run.retries, run.status())).collect();
        assert_eq!(seen, [("1", ms(1), 0, None), ("2", ms(2), 1, Some("failed"))]);
    }

    #[test]
    fn executions_know_the_order_of_their_events() {
        let mut nodes = Nodes::default();
        start(&mut nodes, &node("1", "a", "code"), ms(5));
        start(&mut nodes, &node("2", "b", "code"), ms(5));
        finish(&mut nodes, &node("1", "a", "code"), ms(5));
        finish(&mut nodes, &node("3", "c", "code"), ms(6));
        let order =
            |nodes: &Nodes| -> Vec<_> { nodes.runs.iter().map(|run| (run.began, run.ended)).collect() };
        assert_eq!(order(&nodes), [(Some(1), Some(3)), (Some(2), None), (None, Some(4))]);
        assert_eq!(nodes.runs[2].ended_at, Some(ms(6)));
        let mut nodes = Nodes::resume(nodes.runs, None);
        finish(&mut nodes, &node("2", "b", "code"), ms(9));
        assert_eq!(
            order(&nodes)[1],
            (Some(2), Some(5)),
            "what follows a form comes after what was before it"
        );
    }

    #[test]
    fn a_lost_start_does_not_lose_the_node() {
        let mut nodes = Nodes::default();
        nodes.token("a", ms(1));
        nodes.token("a", ms(2));
        let mut data = node("1", "a", "llm");
        data["status"] = "succeeded".into();
        finish(&mut nodes, &data, ms(9));
        assert_eq!((nodes.runs[0].status(), &*nodes.runs[0].title), (Some("succeeded"), "A"));
        assert_eq!((nodes.runs[0].first_token_at, nodes.first_token_at), (Some(ms(1)), Some(ms(1))));
    }

    #[test]
    fn only_models_give_the_first_token() {
        let mut nodes = Nodes::default();
        start(&mut nodes, &node("1", "start", "start"), ms(1));
        start(&mut nodes, &node("2", "l", "llm"), ms(2));
        nodes.token("start", ms(3));
        assert_eq!(nodes.first_token_at, None);
        nodes.token("l", ms(4));
        nodes.token("l", ms(5));
        assert_eq!((nodes.first_token_at, nodes.runs[1].first_token_at), (Some(ms(4)), Some(ms(4))));
    }

    #[test]
    fn children_know_their_container_and_round() {
        let mut nodes = Nodes::default();
        start_container(&mut nodes, &node("it", "it", "iteration"), ms(0));
        next_round(&mut nodes, &json!({ "node_id": "it", "index": 1 }));
        let mut child = node("1", "c", "code");
        child["iteration_id"] = "it".into();
        start(&mut nodes, &child, ms(1));
        assert_eq!(nodes.runs[1].parent, Some(("it".into(), 1)));
        child["execution_metadata"] = json!({ "iteration_id": "it", "iteration_index": 0 });
        finish(&mut nodes, &child, ms(2));
        assert_eq!(nodes.runs[1].parent, Some(("it".into(), 0)), "the metadata is surer than the round");
        finish_container(&mut nodes, &json!({ "id": "it", "node_id": "it", "status": "succeeded" }), ms(3));
        start_container(&mut nodes, &node("it", "it", "iteration"), ms(4));
        let statuses: Vec<_> = nodes.runs.iter().map(|run| (&*run.node_id, run.status())).collect();
        assert_eq!(statuses, [("it", Some("succeeded")), ("c", None), ("it", None)]);
    }

    #[test]
    fn the_inner_of_two_containers_is_the_parent() {
        let mut nodes = Nodes::default();
        start_container(&mut nodes, &node("lp", "lp", "loop"), ms(0));
        start_container(&mut nodes, &node("it", "it", "iteration"), ms(1));
        let mut child = node("1", "c", "code");
        (child["iteration_id"], child["loop_id"]) = ("it".into(), "lp".into());
        start(&mut nodes, &child, ms(2));
        assert_eq!(nodes.runs[2].parent, Some(("it".into(), 0)));
        start_container(&mut nodes, &node("lp", "lp", "loop"), ms(3));
        child["id"] = "2".into();
        start(&mut nodes, &child, ms(4));
        assert_eq!(nodes.runs[4].parent, Some(("lp".into(), 0)));
    }

    #[test]
    fn events_without_fields_do_no_harm() {
        let mut nodes = Nodes::default();
        for data in [Value::Null, json!({}), json!([1]), json!({ "id": 5, "execution_metadata": 3 })] {
            start(&mut nodes, &data, ms(1));
            retry(&mut nodes, &data, ms(1));
            finish(&mut nodes, &data, ms(1));
            start_container(&mut nodes, &data, ms(1));
            next_round(&mut nodes, &data);
            finish_container(&mut nodes, &data, ms(1));
        }
        assert!(!nodes.runs.is_empty());
    }
}
