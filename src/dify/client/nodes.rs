//! Node executions, joined from their events; pure.
//!
//! An execution is known by its id, a container by its node id. Events may be lost: a finish without a start makes the
//! execution known, a start without a finish leaves it unfinished.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::long_text::keep_long;
use crate::dify::client::node_index::NodeIndex;
use crate::dify::client::rounds::ContainerRounds;
use crate::dify::transcript::{Flaw, NodeEnd, NodeRound, NodeRun, NodeSummary};

/// Tries of one execution whose errors are kept.
const KEPT_TRIES: usize = 16;

/// The executions of a run so far.
#[derive(Debug, Default)]
pub struct Nodes {
    /// In order of start.
    pub runs: Vec<NodeRun>,
    /// When the first non-blank chunk of a model came.
    pub first_token_at: Option<Duration>,
    /// The round each container is in.
    rounds: ContainerRounds,
    /// First non-blank chunks of nodes that no event has named yet.
    unclaimed: HashMap<String, Duration>,
    /// Where each execution is.
    index: NodeIndex,
    /// How many node events came.
    events: u32,
}

impl Nodes {
    /// Goes on with the executions of a run that was answered.
    pub fn resume(runs: Vec<NodeRun>, first_token_at: Option<Duration>) -> Self {
        let spans = runs.iter().flat_map(|run| [run.began, run.ended]).flatten();
        let events = spans.max().unwrap_or(0);
        Self {
            first_token_at,
            rounds: ContainerRounds::of(&runs),
            index: NodeIndex::of(&runs),
            events,
            runs,
            ..Self::default()
        }
    }

    /// Takes `node_started`; a repeated one changes nothing.
    ///
    /// A node that asked is begun again once it was answered: that is the same execution, whatever its id.
    pub fn start(&mut self, data: &BorrowedValue<'_>, at: Duration) {
        let number = self.count();
        let id = text(data, "id");
        if self.by_execution(id).is_some() {
            return;
        }
        match self.index.asking(&self.runs, text(data, "node_id")) {
            Some(index) => {
                self.runs[index].id = id.to_owned();
                self.index.rename(index, id);
            }
            None => {
                let index = self.add(data, at);
                self.runs[index].began = Some(number);
            }
        }
    }

    /// Takes `node_retry`; true where text of the try that is given up was streamed.
    pub fn retry(&mut self, data: &BorrowedValue<'_>, at: Duration) -> bool {
        self.count();
        let index = self.by_execution(text(data, "id")).unwrap_or_else(|| self.add(data, at));
        let run = &mut self.runs[index];
        run.retries += 1;
        if let Some(error) = data["error"].as_str().filter(|_| run.retry_errors.len() < KEPT_TRIES) {
            run.retry_errors.push(keep_long(error).into_owned());
        }
        run.first_token_at.is_some()
    }

    /// Takes `node_finished`: its `data`, and the event's text.
    pub fn finish(&mut self, data: &BorrowedValue<'_>, event: &Arc<str>, at: Duration) {
        let number = self.count();
        let index = self.by_execution(text(data, "id")).unwrap_or_else(|| self.add(data, at));
        let told = self.parent(data, RoundSource::Told);
        let run = &mut self.runs[index];
        run.parent = match (told, run.parent.take()) {
            // Dify names the round at the end; if it does not, the one known from the start counts.
            (Some(told), Some(before)) if told.container == before.container => Some(NodeRound {
                index: told.index.or(before.index),
                container_run: before.container_run.or(told.container_run),
                ..told
            }),
            (told, before) => told.or(before),
        };
        if run.finished.is_none() {
            (run.ended, run.ended_at) = (Some(number), Some(at));
            self.rounds.end(run.parent.as_ref());
        }
        run.finished = Some(ended(run, data, event));
    }

    /// Takes `iteration_started` or `loop_started`: each is another execution.
    pub fn start_container(&mut self, data: &BorrowedValue<'_>, at: Duration) {
        let number = self.count();
        let index = self.add(data, at);
        self.runs[index].began = Some(number);
        let is_loop = self.runs[index].node_type == "loop";
        self.rounds.open(text(data, "node_id"), index, is_loop.then_some(0));
    }

    /// Takes `iteration_next` or `loop_next`.
    pub fn next_round(&mut self, data: &BorrowedValue<'_>) {
        self.count();
        if let Some(round) = data["index"].as_u64() {
            self.rounds.next(text(data, "node_id"), round);
        }
    }

    /// Takes `iteration_completed` or `loop_completed`: ends the oldest execution still open.
    pub fn finish_container(&mut self, data: &BorrowedValue<'_>, event: &Arc<str>, at: Duration) {
        let number = self.count();
        let id = text(data, "id");
        let open = self.index.oldest_open_by_id(&self.runs, id);
        let index = open.or_else(|| self.by_execution(id)).unwrap_or_else(|| self.add(data, at));
        let told = self.parent(data, RoundSource::Told).and_then(|round| round.index);
        let run = &mut self.runs[index];
        if let Some(round) = &mut run.parent {
            round.index = told.or(round.index);
        }
        if run.finished.is_none() {
            (run.ended, run.ended_at) = (Some(number), Some(at));
            self.rounds.end(run.parent.as_ref());
            self.rounds.close(text(data, "node_id"), index);
        }
        run.finished = Some(ended(run, data, event));
    }

    /// Notes a part of the `data` of an end that is not known.
    pub fn doubt(&mut self, data: &BorrowedValue<'_>, flaw: Flaw) {
        if let Some(index) = self.by_execution(text(data, "id")) {
            self.runs[index].flaws.push(flaw);
        }
    }

    /// Takes a non-blank `text_chunk` of a node.
    pub fn token(&mut self, node_id: &str, at: Duration) {
        match self.index.newest_of_node(&self.runs, node_id) {
            Some(index) => self.mark(index, at),
            None if !self.unclaimed.contains_key(node_id) => {
                self.unclaimed.insert(node_id.to_owned(), at);
            }
            None => {}
        }
    }

    fn count(&mut self) -> u32 {
        self.events = self.events.saturating_add(1);
        self.events
    }

    fn mark(&mut self, index: usize, at: Duration) {
        let run = &mut self.runs[index];
        run.first_token_at.get_or_insert(at);
        if matches!(run.node_type.as_str(), "llm" | "agent") {
            self.first_token_at = Some(self.first_token_at.map_or(at, |first| first.min(at)));
        }
    }

    fn by_execution(&mut self, id: &str) -> Option<usize> {
        self.index.newest_by_id(&self.runs, id)
    }

    fn add(&mut self, data: &BorrowedValue<'_>, at: Duration) -> usize {
        let run = NodeRun {
            id: text(data, "id").to_owned(),
            node_id: text(data, "node_id").to_owned(),
            node_type: text(data, "node_type").to_owned(),
            title: text(data, "title").to_owned(),
            started_at: at,
            parent: self.parent(data, RoundSource::Current),
            ..NodeRun::default()
        };
        self.rounds.begin(run.parent.as_ref());
        let early = self.unclaimed.remove(&run.node_id);
        let index = self.runs.len();
        self.index.add(index, &run);
        self.runs.push(run);
        if let Some(at) = early {
            self.mark(index, at);
        }
        index
    }

    /// The container an execution ran in, with its round.
    fn parent(&self, data: &BorrowedValue<'_>, known: RoundSource) -> Option<NodeRound> {
        let metadata = &data["execution_metadata"];
        let of = |id_key: &str, index_key: &str| {
            let container = metadata[id_key].as_str().or_else(|| data[id_key].as_str())?;
            let told = metadata[index_key].as_u64();
            let index = match known {
                RoundSource::Told => told,
                RoundSource::Current => told.or_else(|| self.rounds.current(container)),
            };
            let container_run = self.rounds.open_run(container);
            Some(NodeRound { container: container.to_owned(), index, container_run })
        };
        match (of("iteration_id", "iteration_index"), of("loop_id", "loop_index")) {
            (Some(iteration), Some(round))
                if self.started_last(&round.container) > self.started_last(&iteration.container) =>
            {
                Some(round)
            }
            (Some(parent), _) | (None, Some(parent)) => Some(parent),
            (None, None) => None,
        }
    }

    /// Where a container last started; the inner of two is the later one.
    fn started_last(&self, node_id: &str) -> Option<usize> {
        self.rounds.last_run(node_id)
    }
}

/// What a round is read from.
#[derive(Debug, Clone, Copy)]
enum RoundSource {
    /// What the event itself says.
    Told,
    /// The same, else the round its container is in, where rounds run one after the other.
    Current,
}

fn text<'a>(data: &'a BorrowedValue<'_>, key: &str) -> &'a str {
    data[key].as_str().unwrap_or_default()
}

/// What an execution reported as it ended.
fn ended(run: &NodeRun, data: &BorrowedValue<'_>, event: &Arc<str>) -> NodeEnd {
    NodeEnd::of_event(event.clone(), NodeSummary::of(&run.node_type, data))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dify::transcript::ReportedStatus;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn node(id: &str, node_id: &str, node_type: &str) -> Value {
        json!({ "id": id, "node_id": node_id, "node_type": node_type, "title": node_id.to_uppercase() })
    }

    fn start(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.start(&BorrowedValue::of(data), at);
    }

    fn retry(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.retry(&BorrowedValue::of(data), at);
    }

    fn finish(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.finish(&BorrowedValue::of(data), &event(data), at);
    }

    fn start_container(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.start_container(&BorrowedValue::of(data), at);
    }

    fn next_round(nodes: &mut Nodes, data: &Value) {
        nodes.next_round(&BorrowedValue::of(data));
    }

    fn finish_container(nodes: &mut Nodes, data: &Value, at: Duration) {
        nodes.finish_container(&BorrowedValue::of(data), &event(data), at);
    }

    fn event(data: &Value) -> Arc<str> {
        json!({ "data": data }).to_string().into()
    }

    /// Events of this many executions: of as many nodes, or all of one; with rounds, retries, chunks and ends.
    fn many(count: usize, is_one_node: bool) -> Duration {
        let began = std::time::Instant::now();
        let mut nodes = Nodes::default();
        for number in 0..count {
            let node_id = if is_one_node { "n".to_owned() } else { format!("n{number}") };
            let mut data = node(&number.to_string(), &node_id, "code");
            nodes.token(&format!("early{number}"), ms(1));
            start(&mut nodes, &data, ms(1));
            retry(&mut nodes, &data, ms(1));
            nodes.token(&node_id, ms(1));
            start_container(&mut nodes, &node(&node_id, &node_id, "loop"), ms(1));
            next_round(&mut nodes, &json!({ "node_id": node_id, "index": number }));
            data["status"] = "succeeded".into();
            finish(&mut nodes, &data, ms(2));
            // Its start was lost.
            finish(&mut nodes, &json!({ "id": format!("lost{number}"), "node_id": node_id }), ms(2));
        }
        for number in 0..count {
            let node_id = if is_one_node { "n".to_owned() } else { format!("n{number}") };
            finish_container(&mut nodes, &json!({ "id": node_id, "node_id": node_id }), ms(3));
        }
        assert!(nodes.runs.len() == 3 * count && nodes.runs.iter().all(|run| run.finished.is_some()));
        began.elapsed()
    }

    #[test]
    fn work_grows_with_the_events_and_not_with_their_square() {
        for is_one_node in [false, true] {
            let least = |count| (0..3).map(|_| many(count, is_one_node)).min().unwrap();
            let (few, more) = (least(250), least(8_000));
            let growth = more.as_secs_f64() / few.as_secs_f64();
            assert!(
                growth < 250.0,
                "32 times the events take {growth:.0} times the work, their square 1,024 times"
            );
        }
    }

    #[test]
    fn executions_that_were_begun_again_or_ended_are_found_by_the_ids_they_have() {
        let mut nodes = Nodes::default();
        start(&mut nodes, &node("1", "form", "human-input"), ms(1));
        start(&mut nodes, &node("2", "form", "human-input"), ms(2));
        start(&mut nodes, &node("1", "other", "code"), ms(3));
        let ids = |nodes: &Nodes| nodes.runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&nodes), ["2", "1"], "the form was begun again, and its first id is free");
        let mut data = node("2", "form", "human-input");
        data["status"] = "succeeded".into();
        finish(&mut nodes, &data, ms(4));
        start(&mut nodes, &node("3", "form", "human-input"), ms(5));
        assert_eq!(ids(&nodes), ["2", "1", "3"], "what has ended is not begun again");
        let mut resumed = Nodes::resume(nodes.runs, None);
        start(&mut resumed, &node("4", "form", "human-input"), ms(6));
        assert_eq!(ids(&resumed), ["2", "1", "4"]);
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
        assert_eq!(seen, [("1", ms(1), 0, None), ("2", ms(2), 1, Some(&ReportedStatus::Failed))]);
    }

    #[test]
    fn a_lost_start_does_not_lose_the_node() {
        let mut nodes = Nodes::default();
        nodes.token("a", ms(1));
        nodes.token("a", ms(2));
        let mut data = node("1", "a", "llm");
        data["status"] = "succeeded".into();
        finish(&mut nodes, &data, ms(9));
        assert_eq!((nodes.runs[0].status(), &*nodes.runs[0].title), (Some(&ReportedStatus::Succeeded), "A"));
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
        let round = |nodes: &Nodes, run: usize| {
            nodes.runs[run].parent.clone().map(|round| (round.container, round.index))
        };
        assert_eq!(round(&nodes, 1), Some(("it".into(), Some(1))));
        child["execution_metadata"] = json!({ "iteration_id": "it", "iteration_index": 0 });
        finish(&mut nodes, &child, ms(2));
        assert_eq!(round(&nodes, 1), Some(("it".into(), Some(0))), "the metadata is surer than the round");
        finish_container(&mut nodes, &json!({ "id": "it", "node_id": "it", "status": "succeeded" }), ms(3));
        start_container(&mut nodes, &node("it", "it", "iteration"), ms(4));
        let statuses: Vec<_> = nodes.runs.iter().map(|run| (&*run.node_id, run.status())).collect();
        assert_eq!(statuses, [("it", Some(&ReportedStatus::Succeeded)), ("c", None), ("it", None)]);
    }

    #[test]
    fn the_inner_of_two_containers_is_the_parent() {
        let mut nodes = Nodes::default();
        start_container(&mut nodes, &node("lp", "lp", "loop"), ms(0));
        start_container(&mut nodes, &node("it", "it", "iteration"), ms(1));
        let mut child = node("1", "c", "code");
        (child["iteration_id"], child["loop_id"]) = ("it".into(), "lp".into());
        start(&mut nodes, &child, ms(2));
        let container = |nodes: &Nodes, run: usize| nodes.runs[run].parent.clone().unwrap().container;
        assert_eq!(container(&nodes, 2), "it");
        start_container(&mut nodes, &node("lp", "lp", "loop"), ms(3));
        child["id"] = "2".into();
        start(&mut nodes, &child, ms(4));
        assert_eq!(container(&nodes, 4), "lp");
        let round = |run: usize| nodes.runs[run].parent.as_ref().unwrap().index;
        assert_eq!(round(4), None, "the loop runs twice at once");
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
