//! The judges of the project file as written.

use std::time::Duration;

use crate::suite::keys::format_key::names;
use crate::suite::keys::of_project::JUDGE;
use crate::yaml::node::{FilePosition, Node};
use crate::yaml::reader::{Located, Reader};

/// The most votes of one question.
const MOST_VOTES: u64 = 9;

/// One judge.
#[derive(Debug)]
pub struct JudgeSpec {
    /// Its name.
    pub name: Located<String>,
    /// What it is; `None` where that is a problem.
    pub kind: Option<JudgeKindSpec>,
    /// How many votes it gives to each question.
    pub repeat: Option<u32>,
    /// How long one vote may take.
    pub timeout: Option<Duration>,
}

/// What a judge is.
#[derive(Debug)]
pub enum JudgeKindSpec {
    /// An OpenAI-compatible endpoint; all of it templates.
    Endpoint {
        /// Its address, without `/chat/completions`.
        url: Node,
        /// Its key; a server on one's own machine may have none.
        api_key: Option<Node>,
        /// The model it runs.
        model: Node,
    },
    /// An app of the target.
    App(Located<String>),
}

/// Reads a judge; what is wrong with it is noted in the reader.
pub fn read_judge(reader: &mut Reader<'_>, name: Located<String>, node: &Node) -> JudgeSpec {
    if name.value.trim().is_empty() || name.value.contains("{{") {
        reader.problem(name.mark, "the name of a judge must be text, without a template");
    }
    let entries = reader.map(node, "a judge", &names(&JUDGE));
    let mut judge = JudgeSpec { name, kind: None, repeat: None, timeout: None };
    let mut app = None;
    for entry in entries {
        let (value, what) = (&entry.value, format!("a judge's `{}`", entry.key));
        match entry.key.as_str() {
            "repeat" => judge.repeat = read_votes(reader, value),
            "timeout" => judge.timeout = reader.positive_duration(value, "`timeout`"),
            "app" => app = reader.filled_text(value, &what),
            "url" | "api_key" | "model" => drop(reader.filled_text(value, &what)),
            _ => {}
        }
    }
    if node.as_map().is_some() {
        judge.kind = kind_of(reader, judge.name.mark, node, app);
    }
    judge
}

fn kind_of(
    reader: &mut Reader<'_>,
    mark: FilePosition,
    node: &Node,
    app: Option<Located<String>>,
) -> Option<JudgeKindSpec> {
    if let Some(app) = app {
        for key in ["url", "api_key", "model"] {
            if let Some(value) = node.get(key) {
                let help = "a judge is an endpoint with `url` and `model`, or an `app` of the target";
                reader.problem_with_help(value.mark, format!("a judge with an `app` has no `{key}`"), help);
            }
        }
        return Some(JudgeKindSpec::App(app));
    }
    match (node.get("url"), node.get("model")) {
        (Some(url), Some(model)) => Some(JudgeKindSpec::Endpoint {
            url: url.clone(),
            api_key: node.get("api_key").cloned(),
            model: model.clone(),
        }),
        (Some(_), None) => {
            reader.problem_with_help(
                mark,
                "a judge with a `url` needs a `model`",
                "add e.g. `model: gpt-5-mini`",
            );
            None
        }
        (None, _) => {
            if node.get("app").is_none() {
                let help =
                    "add `url` and `model` of an OpenAI-compatible endpoint, or an `app` of the target";
                reader.problem_with_help(mark, "a judge needs a `url` or an `app`", help);
            }
            None
        }
    }
}

/// An odd number, so that there is always a majority.
fn read_votes(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let votes = reader.bounded(node, "`repeat`", 1..=MOST_VOTES)?;
    if votes % 2 == 0 {
        let help = format!("write {} or {}", votes - 1, votes + 1);
        reader.problem_with_help(
            node.mark,
            "`repeat` of a judge must be odd, so that there is a majority",
            help,
        );
        return None;
    }
    Some(votes)
}
