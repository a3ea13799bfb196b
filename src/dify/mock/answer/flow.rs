//! Streamed text: the variables of the end, each in its turn.

use serde_json::Value;

use super::file_object::{attribute_of, same};
use super::graph_node::{GraphNode, NodeRole};
use super::sources::{OutputSegment, ValueSource};
use super::stream_writer::{NodeProgress, StreamWriter};
use super::text::shown;

/// An input that has the value of a variable.
struct InputSource<'a> {
    /// The input's name.
    name: &'a str,
    /// The attribute that has it, if the input is a file.
    attribute: Option<&'static str>,
}

impl<'a> StreamWriter<'a> {
    /// Streams text that a script has although the end does not show it.
    pub(super) fn stream_live(&mut self, node: &GraphNode) {
        if node.is_live {
            for chunk in &node.stream {
                self.events.chunk(chunk, &[&node.id, "text"]);
            }
        }
    }

    /// Streams the next chunk of a parallel node, or keeps it back until its variable's turn comes.
    pub(super) fn chunk(&mut self, index: usize, node: &GraphNode) {
        let sent = self.progress[index].chunks;
        self.progress[index].chunks += 1;
        if node.is_live {
            self.events.chunk(&node.stream[sent], &[&node.id, "text"]);
        } else {
            self.stream_variables(index);
        }
    }

    /// Streams the variables whose turn it is once this node has run.
    pub(super) fn flush(&mut self, index: usize) {
        self.progress[index] = NodeProgress { chunks: self.run.graph.nodes[index].chunks(), is_over: true };
        self.stream_variables(index);
    }

    /// Streams the variables whose sources are known, in their order.
    fn stream_variables(&mut self, index: usize) {
        let run = self.run;
        let graph = &run.graph;
        let is_end = graph.nodes[index].role == NodeRole::End;
        if !self.progress[self.last_fork].is_over {
            return;
        }
        while let Some(segment) = graph.segments.get(self.next_segment) {
            let from = self.node_of(segment);
            let is_complete = match segment.source {
                ValueSource::Default(..) => is_end,
                ValueSource::Stream(_) => self.stream_chunks(from),
                ValueSource::Output(..) | ValueSource::Open | ValueSource::Nothing => {
                    self.progress[from].is_over
                }
            };
            if !is_complete {
                return;
            }
            self.stream_value(segment, from);
            self.next_segment += 1;
            self.sent_chunks = 0;
            if self.next_segment < graph.segments.len() {
                let end = graph.nodes.iter().find(|node| node.role == NodeRole::End);
                self.events.chunk("\n", &[end.map_or("end", |end| &end.id), "answer"]);
            }
        }
    }

    /// Streams the chunks that a node has so far; true when those are all.
    fn stream_chunks(&mut self, index: usize) -> bool {
        let node = &self.run.graph.nodes[index];
        for chunk in self.sent_chunks..self.progress[index].chunks {
            let text = node.stream.get(chunk).map_or("", String::as_str);
            self.events.chunk(text, &[&node.id, "text"]);
        }
        self.sent_chunks = self.progress[index].chunks;
        self.sent_chunks == node.chunks()
    }

    /// The node from which a variable comes.
    fn node_of(&self, segment: &OutputSegment) -> usize {
        let graph = &self.run.graph;
        match &segment.source {
            ValueSource::Stream(index) | ValueSource::Output(index, _) | ValueSource::Default(index, _) => {
                *index
            }
            ValueSource::Nothing => 0,
            ValueSource::Open => match self.input_of(segment) {
                Some(_) => 0,
                None => graph.open_source(),
            },
        }
    }

    /// The input that has the value of a variable: the one of the same name, otherwise the first, otherwise a file with such an
    /// attribute.
    fn input_of(&self, segment: &OutputSegment) -> Option<InputSource<'a>> {
        let run = self.run;
        let value = run.graph.reply.outputs.get(&segment.name)?;
        let named = run.inputs.get_key_value(&segment.name).filter(|(_, input)| same(input, value));
        let is_it = |(_, input): &(&String, &Value)| same(input, value) && !value.is_boolean();
        if let Some((name, _)) = named.or_else(|| run.inputs.iter().find(is_it)) {
            return Some(InputSource { name, attribute: None });
        }
        let mut inputs = run.inputs.iter();
        inputs.find_map(|(name, input)| {
            Some(InputSource { name, attribute: Some(attribute_of(input, value)?) })
        })
    }

    fn stream_value(&mut self, segment: &OutputSegment, from: usize) {
        let run = self.run;
        let node = &run.graph.nodes[from];
        let value = run.graph.reply.outputs.get(&segment.name).unwrap_or(&Value::Null);
        match &segment.source {
            ValueSource::Stream(_) => {}
            ValueSource::Output(_, key) | ValueSource::Default(_, key) => {
                self.events.chunk(&shown(value), &[&node.id, key])
            }
            ValueSource::Open => {
                let unknown = InputSource { name: &segment.name, attribute: None };
                let InputSource { name, attribute } = self.input_of(segment).unwrap_or(unknown);
                let selector = [Some(node.id.as_str()), Some(name), attribute];
                let selector: Vec<&str> = selector.into_iter().flatten().collect();
                self.events.chunk(&shown(value), &selector);
            }
            // A null variable is streamed as an empty text; one without any source is not streamed.
            ValueSource::Nothing => match self.input_of(segment) {
                Some(input) => self.events.chunk("", &[&node.id, input.name]),
                None if run.graph.names_outputs() => {}
                None => self.events.chunk("", &[&node.id, &segment.name]),
            },
        }
    }
}
