//! A run of the mock, as its answers show it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::graph::Graph;
use super::json::push_compact;
use crate::dify::mock::version::DifyVersion;

/// A run about to be answered.
#[derive(Debug)]
pub struct MockRun {
    /// `workflow_run_id`.
    pub id: String,
    /// `task_id`.
    pub task: String,
    /// The version of the workflow.
    pub workflow: String,
    /// `sys.app_id`.
    pub app: String,
    /// Dify's end user as sent.
    pub user: String,
    /// The end user's id.
    pub user_id: String,
    /// The inputs as Dify accepted them.
    pub inputs: Arc<Map<String, Value>>,
    /// Whole Unix seconds.
    pub created_at: i64,
    /// The Dify imitated.
    pub version: DifyVersion,
    /// What is run.
    pub graph: Arc<Graph>,
    /// Seed of the execution ids.
    pub seed: u64,
    /// How often nodes began again after a pause; Dify counts each time as a step.
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

    /// Writes the inputs as a compact JSON object: the user's own, then those of Dify.
    pub fn push_inputs(&self, out: &mut Vec<u8>, sys: SystemInputs) {
        out.push(b'{');
        for (index, (key, value)) in self.inputs.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_compact(out, key);
            out.push(b':');
            push_compact(out, value);
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
            push_compact(out, &self.user);
            let mut time = (sys == SystemInputs::WithTimestamp).then_some(self.created_at);
            for (key, value) in
                [("app_id", &self.app), ("workflow_id", &self.workflow), ("workflow_run_id", &self.id)]
            {
                out.extend_from_slice(b",\"sys.");
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(b"\":\"");
                out.extend_from_slice(value.as_bytes());
                out.push(b'"');
                // The time is last in 1.12, and follows the app in 1.14.
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
        push_compact(out, &time);
    }
}

/// Which of Dify's own inputs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemInputs {
    /// Not any.
    Without,
    /// All but the time.
    With,
    /// All.
    WithTimestamp,
}
