//! How the mock behaves: the project file's `mock` key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::dify::cassette::Speed;
use crate::dify::mock::fault::FaultSpec;
use crate::dify::mock::form::{InputForm, read_form};
pub use crate::dify::mock::version::DifyVersion;
use crate::yaml::node::{Node, NodeValue};
use crate::yaml::reader::Reader;

/// How the mock behaves.
#[derive(Debug, Clone)]
pub struct MockOptions {
    /// The version of Dify that is imitated.
    pub version: DifyVersion,
    /// Declared inputs by app; an app that is not here accepts any.
    pub apps: BTreeMap<String, Arc<InputForm>>,
    /// The port on loopback; 0: any free one.
    pub port: u16,
    /// Whether nodes take their `elapsed` time.
    pub pace: NodePace,
    /// How fast recorded answers are sent.
    pub replay: Speed,
    /// After how long a silent stream is closed.
    pub stream_idle: Duration,
    /// The faults of every run.
    pub faults: Vec<FaultSpec>,
}

impl Default for MockOptions {
    fn default() -> Self {
        Self {
            version: DifyVersion::default(),
            apps: BTreeMap::new(),
            port: 0,
            pace: NodePace::AtOnce,
            replay: Speed::AtOnce,
            stream_idle: Duration::from_millis(300_900),
            faults: Vec::new(),
        }
    }
}

/// Whether nodes take their `elapsed` time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodePace {
    /// Times are reported, and nothing waits.
    #[default]
    AtOnce,
    /// Nodes take their time, so that a run can be stopped.
    Real,
}

/// Reads the project file's `mock`: `{ dify_version, apps: { name: { parameters } } }`.
pub fn compile_options(reader: &mut Reader<'_>, node: &Node) -> MockOptions {
    let mut options = MockOptions::default();
    for entry in reader.map(node, "`mock`", &["dify_version", "apps"]) {
        match entry.key.as_str() {
            "dify_version" => options.version = read_version(reader, &entry.value).unwrap_or_default(),
            "apps" => options.apps = read_apps(reader, &entry.value),
            _ => {}
        }
    }
    options
}

fn read_version(reader: &mut Reader<'_>, node: &Node) -> Option<DifyVersion> {
    // Unquoted, 1.14 is a number; it is accepted because no other version can be meant.
    let text = match &node.value {
        NodeValue::Number(number) => number.to_string(),
        NodeValue::Text(text) => text.clone(),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::List(_) | NodeValue::Map(_) => String::new(),
    };
    match text.as_str() {
        "1.12" | "1.12.1" => Some(DifyVersion::V1_12),
        "1.14" | "1.14.2" => Some(DifyVersion::V1_14),
        _ => {
            reader.problem_with_help(
                node.mark,
                "the mock does not know this `dify_version`",
                "one of: \"1.12\", \"1.14\"",
            );
            None
        }
    }
}

fn read_apps(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Arc<InputForm>> {
    let Some(entries) = node.as_map() else {
        reader.problem(node.mark, format!("`apps` must be a mapping, found {}", node.kind()));
        return BTreeMap::new();
    };
    let mut apps = BTreeMap::new();
    for entry in entries {
        for member in reader.map(&entry.value, "an app of the mock", &["parameters"]) {
            if member.key == "parameters" {
                apps.insert(entry.key.clone(), Arc::new(read_form(reader, &member.value)));
            }
        }
    }
    apps
}
