//! One scripted reply: what a run of the mock yields, decoded from its rendered form.
//!
//! It knows no YAML and no wire: `script` renders replies, `answer` writes them as Dify does.

pub(super) mod node;
pub(super) mod pause;

use std::time::Duration;

use serde_json::{Map, Value};

use self::node::{ScriptedNode, decode_nodes};
use self::pause::{AnsweredForm, ScriptedForm, decode_pauses};
use crate::dify::mock::fault::{FaultSpec, decode_faults};
use crate::dify::mock::script_value::{count, duration, http_status, mapping, size, text};

/// The script of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScriptedReply {
    /// The run's outputs.
    pub outputs: Map<String, Value>,
    /// How the run ends, if written; otherwise this follows from the nodes and `error`.
    pub status: Option<RunStatus>,
    /// The run's error text.
    pub error: Option<String>,
    /// Total tokens; `None`: the sum of the leaf nodes.
    pub tokens: Option<u64>,
    /// Total steps; `None`: the nodes executed, each attempt counted.
    pub steps: Option<u64>,
    /// Reported running time; `None`: the sum of the nodes.
    pub elapsed: Option<Duration>,
    /// Text that is streamed.
    pub text: Option<String>,
    /// Characters of a streamed chunk; `None`: one word per chunk.
    pub chunk_size: Option<usize>,
    /// The nodes as written, without the start and end that the mock adds.
    pub nodes: Vec<ScriptedNode>,
    /// The version of the workflow; `None`: that of the app.
    pub workflow_id: Option<String>,
    /// The refusal, if nothing runs.
    pub reject: Option<ScriptedRejection>,
    /// The pauses of the run in their order, each with the forms that wait at once.
    pub pauses: Vec<Vec<ScriptedForm>>,
    /// The wait before the first byte.
    pub latency: Option<Duration>,
    /// The faults of the answer.
    pub faults: Vec<FaultSpec>,
}

/// A refusal instead of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedRejection {
    /// HTTP status.
    pub http: u16,
    /// Dify's code.
    pub code: String,
    /// Dify's message.
    pub message: String,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// `succeeded`.
    Succeeded,
    /// `partial-succeeded`.
    PartialSucceeded,
    /// `failed`.
    Failed,
    /// `stopped`.
    Stopped,
}

impl RunStatus {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PartialSucceeded => "partial-succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Decodes a rendered reply; keys it does not know were refused when the suite loaded.
pub fn decode_reply(value: &Value) -> Result<ScriptedReply, String> {
    let Value::Object(members) = value else { return Err("a mock reply must be a mapping".to_owned()) };
    let mut reply = ScriptedReply::default();
    for (key, value) in members {
        set_reply_key(&mut reply, key, value).map_err(|error| format!("`{key}`: {error}"))?;
    }
    let streams = |node: &ScriptedNode| node.stream.is_some() || node.parent.is_some();
    if reply.text.is_some() && !reply.nodes.is_empty() && reply.nodes.iter().all(streams) {
        return Err("`text` has no node to stream it: each streams its own".to_owned());
    }
    check_asking_nodes(&reply)?;
    if reply.reject.is_some() && !reply.faults.iter().all(|spec| spec.fault.acts_without_run()) {
        return Err("this fault cannot be combined with `reject`: nothing runs".to_owned());
    }
    Ok(reply)
}

fn set_reply_key(reply: &mut ScriptedReply, key: &str, value: &Value) -> Result<(), String> {
    match key {
        "outputs" => reply.outputs = mapping(value)?,
        "status" => reply.status = Some(run_status(value)?),
        "error" => reply.error = Some(text(value)?),
        "tokens" => reply.tokens = Some(count(value)?),
        "steps" => reply.steps = Some(count(value)?),
        "elapsed" => reply.elapsed = Some(duration(value)?),
        "text" => reply.text = Some(text(value)?),
        "chunk_size" => reply.chunk_size = Some(size(value)?),
        "workflow_id" => reply.workflow_id = Some(text(value)?),
        "latency" => reply.latency = Some(duration(value)?),
        "reject" => reply.reject = Some(decode_reject(value)?),
        "pause" => reply.pauses = decode_pauses(value)?,
        "nodes" => reply.nodes = decode_nodes(value)?,
        "fault" => reply.faults = decode_faults(value).map_err(|error| error.to_string())?,
        _ => return Err("is not known".to_owned()),
    }
    Ok(())
}

fn decode_reject(value: &Value) -> Result<ScriptedRejection, String> {
    let members = mapping(value)?;
    let or = |key: &str, default: &str| members.get(key).map_or(Ok(default.to_owned()), text);
    let http = members.get("http").map_or(Ok(400), http_status)?;
    Ok(ScriptedRejection {
        http,
        code: or("code", "invalid_param")?,
        message: or("message", "the mock rejects this input")?,
    })
}

/// How a run ends.
pub fn run_status(value: &Value) -> Result<RunStatus, String> {
    match text(value)?.as_str() {
        "succeeded" => Ok(RunStatus::Succeeded),
        "partial-succeeded" => Ok(RunStatus::PartialSucceeded),
        "failed" => Ok(RunStatus::Failed),
        "stopped" => Ok(RunStatus::Stopped),
        "paused" => Err("a run that waits is written `pause: { node, actions }`".to_owned()),
        "rejected" => Err("a rejection is written `reject: { code, message }`".to_owned()),
        other => Err(format!("cannot be `{other}`; one of: succeeded, partial-succeeded, failed, stopped")),
    }
}

/// Checks that pauses follow the order of the nodes that ask, and that these nodes can ask.
fn check_asking_nodes(reply: &ScriptedReply) -> Result<(), String> {
    let mut last = None;
    for form in reply.pauses.iter().flatten() {
        let names_it = |node: &ScriptedNode| {
            [&node.id, &node.title].into_iter().flatten().any(|name| *name == form.node)
        };
        let found = reply.nodes.iter().position(names_it).unwrap_or(reply.nodes.len());
        if let Some(node) = reply.nodes.get(found) {
            if node.kind.as_deref().is_some_and(|kind| kind != "human-input") {
                return Err(format!("`pause`: the node `{}` is of another type than human-input", form.node));
            }
            if node.parent.is_some() {
                return Err(format!("`pause`: the node `{}` runs inside another", form.node));
            }
        }
        if last.is_some_and(|last| found < last) {
            return Err("`pause` must follow the order of `nodes`".to_owned());
        }
        last = Some(found);
    }
    Ok(())
}

/// Gives forms without fields the fields that the test's own answers fill in.
pub fn fill_fields(reply: &mut ScriptedReply, answered: &[AnsweredForm]) {
    for form in reply.pauses.iter_mut().flatten() {
        let answer = answered.iter().find(|answered| answered.node == form.node);
        let fields = || answer.map_or_else(Vec::new, |answered| answered.fields.clone());
        form.fields = Some(form.fields.take().unwrap_or_else(fields));
    }
}
