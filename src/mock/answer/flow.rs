//! What is streamed as text, and when: the end's variables, each in its turn.

use serde_json::Value;

use super::graph::{GraphNode, Role};
use super::sources::{Segment, Source};
use super::stream::Writer;
use super::text::shown;

impl Writer<'_> {
    /// Text that a script streams although the end does not show it.
    pub(super) fn live(&mut self, node: &GraphNode) {
        if node.is_live {
            for chunk in &node.stream {
                self.events.chunk(chunk, [&node.id, "text"]);
            }
        }
    }

    /// Streams the variables whose turn it is, now that this node has run.
    pub(super) fn flush(&mut self, index: usize) {
        let run = self.run;
        let graph = &run.graph;
        let is_end = graph.nodes[index].role == Role::End;
        if index < self.fork {
            return;
        }
        while let Some(segment) = graph.segments.get(self.next) {
            let from = self.node_of(segment);
            let is_ready = match segment.source {
                Source::Default(..) => is_end,
                Source::Stream(_) | Source::Output(..) | Source::Open | Source::Nothing => from <= index,
            };
            if !is_ready {
                return;
            }
            self.segment(segment, from);
            self.next += 1;
            if self.next < graph.segments.len() {
                let end = graph.nodes.iter().find(|node| node.role == Role::End);
                self.events.chunk("\n", [end.map_or("end", |end| &end.id), "answer"]);
            }
        }
    }

    /// The node from which a variable comes.
    fn node_of(&self, segment: &Segment) -> usize {
        let graph = &self.run.graph;
        match &segment.source {
            Source::Stream(index) | Source::Output(index, _) | Source::Default(index, _) => *index,
            Source::Nothing => 0,
            Source::Open => match self.input_of(segment) {
                Some(_) => 0,
                None => graph.open_source(),
            },
        }
    }

    /// The input that has a variable's value, if any: of its own name, else the first.
    fn input_of(&self, segment: &Segment) -> Option<&str> {
        let value = self.run.graph.reply.outputs.get(&segment.name)?;
        let inputs = &self.run.inputs;
        if inputs.get(&segment.name) == Some(value) {
            return inputs.get_key_value(&segment.name).map(|(key, _)| key.as_str());
        }
        let is_it = |(_, input): &(&String, &Value)| *input == value && !value.is_boolean();
        inputs.iter().find(is_it).map(|(key, _)| key.as_str())
    }

    fn segment(&mut self, segment: &Segment, from: usize) {
        let run = self.run;
        let node = &run.graph.nodes[from];
        let value = run.graph.reply.outputs.get(&segment.name).unwrap_or(&Value::Null);
        match &segment.source {
            Source::Stream(_) => {
                let trailing = if node.is_model() { 2 } else { 1 };
                let chunks = node.stream.iter().map(String::as_str);
                for chunk in chunks.chain(std::iter::repeat_n("", trailing)) {
                    self.events.chunk(chunk, [&node.id, "text"]);
                }
            }
            Source::Output(_, key) | Source::Default(_, key) => {
                self.events.chunk(&shown(value), [&node.id, key])
            }
            Source::Open => {
                let key = self.input_of(segment).unwrap_or(&segment.name).to_owned();
                self.events.chunk(&shown(value), [&node.id, &key]);
            }
            // A null input is streamed as an empty text, a variable without any source not at all.
            Source::Nothing => {
                if let Some(key) = self.input_of(segment).map(str::to_owned) {
                    self.events.chunk("", [&node.id, &key]);
                }
            }
        }
    }
}
