//! The mock's answers, compiled from the suites' `mock` keys.
//!
//! Everything is checked while suites load; a reply with templates is rendered and decoded again for each attempt.

mod fault;
mod keys;

use std::sync::Arc;

use serde_json::Value;

use self::keys::{REPLY_KEYS, check_reply};
use crate::base::bindings::Bindings;
use crate::base::template::{Template, TemplateError, TemplateScope, Templates};
use crate::dify::mock::answer::graph::Graph;
pub use crate::dify::mock::reply::pause::{AnsweredForm, ScriptedField, ScriptedFieldKind};
use crate::dify::mock::reply::{decode_reply, fill_fields};
use crate::yaml::names::KnownNames;
use crate::yaml::node::Node;
use crate::yaml::reader::Reader;

/// The replies of one test, cycled over its repeats.
#[derive(Debug)]
pub struct Script {
    replies: Vec<ReplyTemplate>,
    /// The fields of the test's own answers, for forms without fields.
    answered: Vec<AnsweredForm>,
}

/// A reply before rendering.
#[derive(Debug)]
enum ReplyTemplate {
    /// A literal reply, whose graph is built once.
    Fixed(Arc<Graph>),
    /// A reply that is rendered for each attempt.
    Rendered(Template),
}

/// An answer of a suite to all requests with certain inputs.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Inputs that must be among the request's, each equal.
    pub when: Template,
    /// The answer.
    pub script: Arc<Script>,
    /// The suite's app; `None`: any.
    pub app: Option<Arc<str>>,
    /// The suite's `vars` and the environment.
    pub bindings: Arc<Bindings>,
}

impl Rule {
    /// Binds the rule to its suite.
    #[must_use]
    pub fn of(mut self, app: Arc<str>, bindings: Arc<Bindings>) -> Self {
        self.app = Some(app);
        self.bindings = bindings;
        self
    }
}

impl Script {
    /// The reply of a repeat, as the graph that is run.
    pub fn reply(
        &self,
        templates: &Templates,
        scope: &TemplateScope,
        repeat: u32,
    ) -> Result<Arc<Graph>, TemplateError> {
        match self.template_of(repeat) {
            ReplyTemplate::Fixed(graph) => Ok(graph.clone()),
            ReplyTemplate::Rendered(template) => {
                let rendered = templates.render(template, scope)?;
                let mut reply =
                    decode_reply(&rendered).map_err(|message| TemplateError { message, span: None })?;
                fill_fields(&mut reply, &self.answered);
                Ok(Arc::new(Graph::lay_out(reply)))
            }
        }
    }

    /// The reply of a repeat, if it holds no template.
    pub fn fixed(&self, repeat: u32) -> Option<Arc<Graph>> {
        match self.template_of(repeat) {
            ReplyTemplate::Fixed(graph) => Some(graph.clone()),
            ReplyTemplate::Rendered(_) => None,
        }
    }

    /// The versions that its literal replies name.
    pub fn workflow_ids(&self) -> impl Iterator<Item = &str> {
        self.replies.iter().filter_map(|reply| match reply {
            ReplyTemplate::Fixed(graph) => graph.reply.workflow_id.as_deref(),
            ReplyTemplate::Rendered(_) => None,
        })
    }

    /// True where one of its literal replies has a node of this title or id.
    pub fn has_node(&self, name: &str) -> bool {
        self.replies.iter().any(|reply| match reply {
            ReplyTemplate::Fixed(graph) => graph.has_node(name),
            ReplyTemplate::Rendered(_) => false,
        })
    }

    fn template_of(&self, repeat: u32) -> &ReplyTemplate {
        &self.replies[repeat as usize % self.replies.len()]
    }
}

/// What the templates of a script are compiled into, and the names they may use.
pub struct ScriptScope<'a> {
    /// The compiled templates.
    pub templates: &'a mut Templates,
    /// The names that are known.
    pub known: &'a KnownNames,
}

/// Compiles a test's `mock`: one reply, or `replies: […]`.
pub fn compile_script(
    reader: &mut Reader<'_>,
    node: &Node,
    answered: Vec<AnsweredForm>,
    scope: &mut ScriptScope<'_>,
) -> Option<Script> {
    let Some(list) = node.get("replies") else {
        let reply = compile_reply(reader, node, &answered, scope)?;
        return Some(Script { replies: vec![reply], answered });
    };
    let before = reader.problems.len();
    reader.map(node, "`mock`", &["replies"]);
    let items = reader.list(list, "`replies`");
    if items.is_empty() {
        reader.problem(list.mark, "`replies` must not be empty");
        return None;
    }
    let replies: Vec<_> = items.iter().map(|item| compile_reply(reader, item, &answered, scope)).collect();
    let replies = replies.into_iter().collect::<Option<_>>()?;
    (reader.problems.len() == before).then_some(Script { replies, answered })
}

/// Compiles a suite's `mock`: a list of `{ when: { inputs }, reply }`.
pub fn compile_rules(reader: &mut Reader<'_>, node: &Node, scope: &mut ScriptScope<'_>) -> Vec<Rule> {
    let items = reader.list(node, "`mock`");
    items.iter().filter_map(|item| compile_rule(reader, item, scope)).collect()
}

fn compile_rule(reader: &mut Reader<'_>, node: &Node, scope: &mut ScriptScope<'_>) -> Option<Rule> {
    reader.map(node, "a mock rule", &["when", "reply"]);
    node.as_map()?;
    let (Some(when), Some(reply)) = (node.get("when"), node.get("reply")) else {
        reader.problem_with_help(
            node.mark,
            "a mock rule needs `when` and `reply`",
            "{ when: { inputs: {…} }, reply: {…} }",
        );
        return None;
    };
    reader.map(when, "`when`", &["inputs"]);
    let inputs = when.get("inputs");
    let Some(inputs) = inputs.filter(|inputs| inputs.as_map().is_some_and(|entries| !entries.is_empty()))
    else {
        reader.problem(when.mark, "`when` needs `inputs`, a mapping that is not empty");
        return None;
    };
    let when = reader.template(inputs, scope.templates, scope.known);
    let reply = compile_reply(reader, reply, &[], scope)?;
    let script = Arc::new(Script { replies: vec![reply], answered: Vec::new() });
    Some(Rule { when, script, app: None, bindings: Arc::default() })
}

fn compile_reply(
    reader: &mut Reader<'_>,
    node: &Node,
    answered: &[AnsweredForm],
    scope: &mut ScriptScope<'_>,
) -> Option<ReplyTemplate> {
    let before = reader.problems.len();
    check_reply(reader, node);
    let template = reader.template(node, scope.templates, scope.known);
    if reader.problems.len() > before {
        return None;
    }
    match template {
        Template::Literal(value) => fixed_reply(reader, node, &value, answered),
        template @ (Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_)) => {
            Some(ReplyTemplate::Rendered(template))
        }
    }
}

fn fixed_reply(
    reader: &mut Reader<'_>,
    node: &Node,
    value: &Value,
    answered: &[AnsweredForm],
) -> Option<ReplyTemplate> {
    match decode_reply(value) {
        Ok(mut reply) => {
            fill_fields(&mut reply, answered);
            Some(ReplyTemplate::Fixed(Arc::new(Graph::lay_out(reply))))
        }
        Err(error) => {
            let known: Vec<&str> = REPLY_KEYS.iter().map(|(key, _)| *key).collect();
            reader.problem_with_help(
                node.mark,
                format!("mock reply: {error}"),
                format!("known keys: {}", known.join(", ")),
            );
            None
        }
    }
}
