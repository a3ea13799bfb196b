//! The known node names of each app: nodes that ran in this run, and nodes that mock scripts name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use crate::base::lock::lock;
use crate::dify::transcript::NodeRun;
use crate::engine::current_run::CurrentRun;
use crate::engine::made_request::MadeRequest;

/// Most names that are kept for an app; further ones stay unknown.
const MOST: usize = 10_000;

/// Titles and ids of nodes that ran, by app.
#[derive(Debug, Default)]
pub(super) struct NodeNames(Mutex<HashMap<Arc<str>, HashSet<String>>>);

impl NodeNames {
    /// Notes the nodes of an attempt.
    pub fn note(&self, app: &Arc<str>, nodes: &[NodeRun]) {
        let mut apps = lock(&self.0);
        let names = apps.entry(app.clone()).or_default();
        for name in nodes.iter().flat_map(|node| [&node.title, &node.node_id]) {
            if names.len() < MOST && !names.contains(name) {
                names.insert(name.clone());
            }
        }
    }

    fn has(&self, app: &Arc<str>, name: &str) -> bool {
        let apps = lock(&self.0);
        apps.get(app).is_some_and(|names| names.contains(name))
    }

    /// True if a node of this title or id is known: it ran in another attempt, or a mock script has it.
    pub fn is_known(&self, run: &CurrentRun, made: &MadeRequest<'_>, name: &str) -> bool {
        let test = &made.case.test;
        let by_script = || {
            test.mock.as_ref().is_some_and(|script| {
                let reply = script.reply(&run.plan.templates, &made.scope, made.id.repeat);
                script.has_node(name) || reply.is_ok_and(|graph| graph.has_node(name))
            })
        };
        let by_rule = || {
            let is_of_app = |app: &Option<Arc<str>>| app.as_ref().is_none_or(|app| *app == test.app);
            run.plan.mock_rules.iter().any(|rule| is_of_app(&rule.app) && rule.script.has_node(name))
        };
        self.has(&test.app, name) || by_script() || by_rule()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_one_app_and_never_too_many() {
        let node = |title: String| NodeRun { title, node_id: "n".into(), ..NodeRun::default() };
        let (names, a, b) = (NodeNames::default(), Arc::from("a"), Arc::from("b"));
        names.note(&a, &[node("Escalate".into())]);
        assert!(names.has(&a, "Escalate") && names.has(&a, "n"));
        assert!(!names.has(&b, "Escalate") && !names.has(&a, "Escalaet"));
        let many: Vec<NodeRun> = (0..2 * MOST).map(|index| node(index.to_string())).collect();
        names.note(&a, &many);
        assert!(names.has(&a, "9") && !names.has(&a, &(2 * MOST - 1).to_string()));
    }
}
