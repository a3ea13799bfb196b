//! One execution of a node, and what it reported as it ended: read in full only where somebody asks.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::member::Member;
use crate::dify::transcript::field::AnswerField;
use crate::dify::transcript::flaw::Flaw;
use crate::dify::transcript::round::{NodeRound, NodeSpan};
use crate::dify::transcript::status::ReportedStatus;
use crate::dify::wire::usage::{NodePrice, node_price, node_tokens};

/// One execution of a node, joined from its events.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeRun {
    /// Dify's execution id; for a container its node id.
    pub id: String,
    /// The node's id in the graph.
    pub node_id: String,
    /// `llm`, `code`, `iteration`, …
    pub node_type: String,
    /// The node's title on the canvas.
    pub title: String,
    /// When it started, since the request was sent.
    pub started_at: Duration,
    /// The number of the event that began it, among the events of nodes; `None` where that was lost.
    pub began: Option<u32>,
    /// The number of the event that ended it.
    pub ended: Option<u32>,
    /// When it ended, since the request was sent.
    pub ended_at: Option<Duration>,
    /// `data` of its `node_finished`, `iteration_completed` or `loop_completed`; `None` if it never finished.
    pub finished: Option<NodeEnd>,
    /// How many `node_retry` events it had.
    pub retries: u32,
    /// The container it ran in, and which round of it.
    pub parent: Option<NodeRound>,
    /// What was said of the tries that were given up, in their order, long texts cut.
    pub retry_errors: Vec<String>,
    /// Parts of the `data` of its end that are not known.
    pub flaws: Vec<Flaw>,
    /// When its first non-blank `text_chunk` came, since the request was sent.
    pub first_token_at: Option<Duration>,
    /// True when only the replay of a lost run reported its start or end: without its data, tokens and retries.
    pub replayed: bool,
}

impl NodeRun {
    /// `succeeded`, `failed`, `exception`, or none while unfinished.
    pub fn status(&self) -> Option<&ReportedStatus> {
        self.told()?.status.as_ref()
    }

    /// Where its events are among those of other nodes.
    pub fn span(&self) -> NodeSpan {
        NodeSpan { began: self.began, ended: self.ended }
    }

    /// True where it asks a person, and had no answer yet.
    pub fn waits_for_person(&self) -> bool {
        self.node_type == "human-input" && self.finished.is_none()
    }

    /// Iterations and loops repeat their children's tokens and prices.
    pub fn is_container(&self) -> bool {
        matches!(self.node_type.as_str(), "iteration" | "loop")
    }

    /// What every run is asked of its nodes; `None` while unfinished.
    pub fn told(&self) -> Option<&NodeSummary> {
        let data = self.finished.as_ref()?;
        Some(data.told.get_or_init(|| NodeSummary::of(&self.node_type, &BorrowedValue::of(data.data()))))
    }
}

/// What every run is asked of a node that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSummary {
    /// Its status.
    pub status: Option<ReportedStatus>,
    /// Dify's `elapsed_time`, seconds.
    pub elapsed: Option<f64>,
    /// The tokens it reports; 0 where it says 0.
    pub tokens: Option<u64>,
    /// The price it reports.
    pub price: NodePrice,
    /// True where Dify says that it cut the outputs short.
    pub is_cut: bool,
}

impl NodeSummary {
    /// Reads it from the `data` of the event.
    pub fn of(node_type: &str, data: &BorrowedValue<'_>) -> Self {
        Self {
            status: data["status"].as_str().map(ReportedStatus::of),
            elapsed: data["elapsed_time"].as_f64(),
            tokens: node_tokens(node_type, data),
            price: node_price(node_type, data),
            is_cut: matches!(data["outputs_truncated"], BorrowedValue::Bool(true)),
        }
    }
}

/// The `data` of the event with which an execution ended: the event's text, and the whole of it once somebody looks.
#[derive(Clone)]
pub struct NodeEnd {
    source: NodeSource,
    whole: OnceLock<Value>,
    told: OnceLock<NodeSummary>,
}

#[derive(Clone)]
enum NodeSource {
    /// An event that was read as JSON when it came.
    Event(Arc<str>),
    /// The value itself, which then is whole.
    Value,
}

impl NodeEnd {
    /// Of an event that came, with what every run is asked of it.
    pub fn of_event(event: Arc<str>, told: NodeSummary) -> Self {
        Self { source: NodeSource::Event(event), whole: OnceLock::new(), told: OnceLock::from(told) }
    }

    /// The same, of a node of another type: what it reported is read again.
    #[must_use]
    pub fn retold(self) -> Self {
        Self { told: OnceLock::new(), ..self }
    }

    /// The whole of it, unknown fields included: where a suite's own paths start.
    pub fn data(&self) -> &Value {
        self.whole.get_or_init(|| match &self.source {
            NodeSource::Event(text) => {
                let data: Option<BorrowedValue<'_>> =
                    Member::plain("data").read(text).expect("it was read as an object when it came");
                data.map(|data| data.to_value()).unwrap_or_default()
            }
            NodeSource::Value => Value::Null,
        })
    }

    /// A field as it came; `None` where it is missing.
    pub fn field(&self, field: AnswerField) -> Option<&Value> {
        self.data().get(field.key())
    }

    /// What went wrong; `None` where that is no text.
    pub fn error(&self) -> Option<&str> {
        self.field(AnswerField::Error)?.as_str()
    }

    /// The fields that Dify marks as cut short.
    pub fn truncated(&self) -> impl Iterator<Item = AnswerField> + use<> {
        AnswerField::truncated_in(self.data())
    }

    /// What went wrong where an error strategy took over: Dify then reports the cause among the outputs.
    pub fn exception_cause(&self) -> Option<&str> {
        self.data()["outputs"]["error_message"].as_str()
    }

    /// The rounds of an iteration or a loop whose durations Dify reports, from 0; `None` if it reports none.
    pub fn timed_rounds(&self) -> Option<impl Iterator<Item = u64>> {
        let metadata = &self.data()["execution_metadata"];
        let maps = ["iteration_duration_map", "loop_duration_map"];
        let rounds = maps.iter().find_map(|map| metadata[*map].as_object())?;
        Some(rounds.keys().filter_map(|round| round.parse().ok()))
    }

    /// Looks at its `outputs` without keeping them; `None` where it has none.
    pub fn look_at_outputs<T>(&self, look: impl FnOnce(&BorrowedValue<'_>) -> T) -> Option<T> {
        match (&self.source, self.whole.get()) {
            (NodeSource::Event(text), None) => {
                let outputs = Member { name: "data", seed: Member::plain("outputs") };
                match outputs.read(text) {
                    Ok(outputs) => outputs.flatten().as_ref().map(look),
                    // `data` is no object, or was none before it occurs again.
                    Err(_) => read(text)["data"].get("outputs").map(look),
                }
            }
            (NodeSource::Event(_) | NodeSource::Value, _) => {
                self.field(AnswerField::Outputs).map(|outputs| look(&BorrowedValue::of(outputs)))
            }
        }
    }
}

fn read(event: &str) -> BorrowedValue<'_> {
    BorrowedValue::read(event).expect("it was read as JSON when it came")
}

impl From<Value> for NodeEnd {
    fn from(value: Value) -> Self {
        Self { source: NodeSource::Value, whole: OnceLock::from(value), told: OnceLock::new() }
    }
}

impl PartialEq for NodeEnd {
    fn eq(&self, other: &Self) -> bool {
        self.data() == other.data()
    }
}

impl fmt::Debug for NodeEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.data(), f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_those_of_the_whole() {
        for event in [
            r#"{"data":{"outputs":{"a":1},"more":[1e3,"\u00e9"]},"x":{}}"#,
            r#"{"data":{"outputs":null}}"#,
            r#"{"data":{"inputs":{}}}"#,
            r#"{"data":{"outputs":{"a":1},"outputs":{"a":2}}}"#,
            r#"{"data":{"outputs":1},"data":{"outputs":"\"2"}}"#,
            r#"{"data":5}"#,
            r#"{"data":[5]}"#,
            r#"{"data":[{"outputs":1}]}"#,
            r#"{"data":{"outputs":1},"data":5}"#,
            r#"{"data":5,"data":{"outputs":1}}"#,
            r#"{}"#,
        ] {
            let told = NodeSummary::of("code", &BorrowedValue::Null);
            let came = NodeEnd::of_event(event.into(), told);
            let looked = came.look_at_outputs(|outputs| outputs.to_value());
            assert_eq!(looked, came.field(AnswerField::Outputs).cloned(), "{event}");
        }
    }

    #[test]
    fn data_is_the_same_however_it_came() {
        let data = json!({ "status": "failed", "elapsed_time": 0.5, "outputs": { "a": 1 },
            "execution_metadata": { "total_tokens": 7, "total_price": "0.1", "currency": "USD" } });
        let event: Arc<str> = json!({ "event": "node_finished", "data": data }).to_string().into();
        let told = NodeSummary::of("llm", &BorrowedValue::of(&data));
        let came = NodeEnd::of_event(event, told.clone());
        assert_eq!(came.look_at_outputs(|outputs| outputs["a"].as_u64()), Some(Some(1)));
        assert_eq!(came.data()["outputs"], json!({ "a": 1 }));
        assert_eq!(
            came.look_at_outputs(|outputs| outputs["a"].as_u64()),
            Some(Some(1)),
            "also once it is whole"
        );
        assert_eq!(came, NodeEnd::from(data.clone()));
        let node =
            |finished| NodeRun { node_type: "llm".into(), finished: Some(finished), ..NodeRun::default() };
        assert_eq!(node(came).told(), Some(&told));
        assert_eq!(node(data.into()).told(), Some(&told));
        assert_eq!((told.status, told.tokens), (Some(ReportedStatus::Failed), Some(7)));
    }
}
