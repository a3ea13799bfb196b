//! Tokens and prices that are reported and false.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::active::ActiveFaults;
use super::spec::FalseFacts;
use crate::dify::mock::answer::GraphNode;
use crate::dify::mock::answer::graph::Graph;

/// The graph with the false facts that its run reports.
pub fn with_false_facts(graph: Arc<Graph>, active: &ActiveFaults) -> Arc<Graph> {
    active.facts.iter().fold(graph, |graph, facts| match facts {
        FalseFacts::ZeroUsage => {
            let mut graph = Graph::clone(&graph);
            graph.tokens = 0;
            graph.nodes.iter_mut().for_each(clear_usage);
            Arc::new(graph)
        }
        FalseFacts::DoubleUsage => {
            let mut graph = Graph::clone(&graph);
            graph.tokens = graph.tokens.saturating_mul(2);
            Arc::new(graph)
        }
        FalseFacts::VersionChange(_) => graph,
    })
}

fn clear_usage(node: &mut GraphNode) {
    node.price = None;
    for round in &mut node.rounds {
        round.tokens = 0;
        for data in [&mut round.outputs, &mut round.process_data] {
            if let Some(Value::Object(usage)) = data.get_mut("usage") {
                clear(usage);
            }
        }
    }
    node.children.iter_mut().for_each(clear_usage);
}

/// Counts become 0, prices the text that Dify writes without a price.
fn clear(usage: &mut Map<String, Value>) {
    for (key, value) in usage {
        if key.ends_with("_tokens") {
            *value = Value::from(0);
        } else if key.ends_with("_price") {
            *value = Value::from("0.0");
        }
    }
}
