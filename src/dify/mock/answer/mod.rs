//! A reply becomes what Dify sends: the events of a stream, or one blocking answer.

mod blocking;
mod containers;
mod events;
mod flow;
pub(super) mod graph;
mod handover;
pub(super) mod json;
mod layout;
mod model;
mod nodes;
pub(super) mod pauses;
mod replay;
mod schedule;
mod sources;
mod stream;
pub(super) mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

pub use self::blocking::{log_facts, write_blocking, write_paused};
pub use self::events::{MockEvents, PING};
use self::graph::Graph;
pub use self::handover::{handover_event, write_handover};
pub use self::replay::{replayed_event, snapshot_events};
pub use self::stream::{stopped_event, write_chunk, write_stream};

/// The Dify whose bytes are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DifyVersion {
    /// 1.12.1 as recorded.
    V1_12,
    /// 1.14.2 as recorded.
    #[default]
    V1_14,
}

impl DifyVersion {
    /// What `X-Version` says.
    pub fn header(self) -> &'static str {
        match self {
            Self::V1_12 => "1.12.1",
            Self::V1_14 => "1.14.2",
        }
    }
}

/// A run about to be answered.
#[derive(Debug)]
pub struct MockRun {
    /// `workflow_run_id`.
    pub id: String,
    /// `task_id`.
    pub task: String,
    /// The version that runs.
    pub workflow: String,
    /// `sys.app_id`.
    pub app: String,
    /// Dify's end user as sent.
    pub user: String,
    /// The end user's id.
    pub user_id: String,
    /// The inputs as Dify took them.
    pub inputs: Arc<Map<String, Value>>,
    /// Whole Unix seconds.
    pub created_at: i64,
    /// The Dify imitated.
    pub version: DifyVersion,
    /// What is run.
    pub graph: Arc<Graph>,
    /// Where the execution ids come from.
    pub seed: u64,
    /// How often nodes were begun again after a pause; Dify counts each as a step.
    pub restarts: AtomicU64,
}

impl MockRun {
    /// `total_steps` of the whole run.
    pub fn steps(&self) -> u64 {
        let restarts = self.restarts.load(Ordering::Relaxed);
        self.graph.reply.steps.unwrap_or(self.graph.steps + restarts)
    }

    /// When the run ended, in whole Unix seconds.
    pub fn finished_at(&self) -> i64 {
        self.created_at + self.graph.elapsed as i64
    }

    /// The `sys.*` inputs after the user's own, with or without the leading comma, as compact JSON members.
    pub fn push_inputs(&self, out: &mut Vec<u8>, sys: SystemInputs) {
        out.push(b'{');
        for (index, (key, value)) in self.inputs.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            json::push_compact(out, key);
            out.push(b':');
            json::push_compact(out, value);
        }
        let has_sys = match sys {
            SystemInputs::Without => false,
            SystemInputs::With | SystemInputs::WithTimestamp => true,
        };
        if has_sys {
            if !self.inputs.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"sys.files\":[],\"sys.user_id\":");
            json::push_compact(out, &self.user);
            let mut time = (sys == SystemInputs::WithTimestamp).then_some(self.created_at);
            for (key, value) in
                [("app_id", &self.app), ("workflow_id", &self.workflow), ("workflow_run_id", &self.id)]
            {
                out.extend_from_slice(b",\"sys.");
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(b"\":\"");
                out.extend_from_slice(value.as_bytes());
                out.push(b'"');
                // The time stands last in 1.12, after the app in 1.14.
                if self.version == DifyVersion::V1_14 || key == "workflow_run_id" {
                    push_time(out, time.take());
                }
            }
        }
        out.push(b'}');
    }
}

fn push_time(out: &mut Vec<u8>, time: Option<i64>) {
    if let Some(time) = time {
        out.extend_from_slice(b",\"sys.timestamp\":");
        json::push_compact(out, &time);
    }
}

/// Which of Dify's own inputs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemInputs {
    /// None.
    Without,
    /// All but the time.
    With,
    /// All.
    WithTimestamp,
}

/// A random-looking uuid of version 4.
pub fn new_id(random: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(random.u128(..).to_ne_bytes()).into_uuid().hyphenated().to_string()
}

/// The uuid that a name always has.
pub fn id_of(kind: &str, name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{kind}:{name}").as_bytes())
        .hyphenated()
        .to_string()
}
