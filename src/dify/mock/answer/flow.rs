//! What is streamed as text, and when: the end's variables, each in its turn.

use serde_json::Value;

use super::graph::{GraphNode, NodeRole};
use super::sources::{OutputSegment, ValueSource};
use super::stream::{NodeProgress, StreamWriter};
use super::text::{attribute_of, same, shown};

impl<'a> StreamWriter<'a> {
    /// Text that a script streams although the end does not show it.
    pub(super) fn live(&mut self, node: &GraphNode) {
        if node.is_live {
            for chunk in &node.stream {
                self.events.chunk(chunk, &[&node.id, "text"]);
            }
        }
    }

    /// The next chunk of a node that runs beside others: out at once, or held back until its turn comes.
    pub(super) fn chunk(&mut self, index: usize, node: &GraphNode) {
        let sent = self.done[index].chunks;
        self.done[index].chunks += 1;
        if node.is_live {
            self.events.chunk(&node.stream[sent], &[&node.id, "text"]);
        } else {
            self.turn(index);
        }
    }

    /// Streams the variables whose turn it is, now that this node has run.
    pub(super) fn flush(&mut self, index: usize) {
        self.done[index] = NodeProgress { chunks: self.run.graph.nodes[index].chunks(), is_over: true };
        self.turn(index);
    }

    fn turn(&mut self, index: usize) {
        let run = self.run;
        let graph = &run.graph;
        let is_end = graph.nodes[index].role == NodeRole::End;
        if !self.done[self.fork].is_over {
            return;
        }
        while let Some(segment) = graph.segments.get(self.next) {
            let from = self.node_of(segment);
            let is_out = match segment.source {
                ValueSource::Default(..) => is_end,
                ValueSource::Stream(_) => self.stream(from),
                ValueSource::Output(..) | ValueSource::Open | ValueSource::Nothing => self.done[from].is_over,
            };
            if !is_out {
                return;
            }
            self.segment(segment, from);
            self.next += 1;
            self.sent = 0;
            if self.next < graph.segments.len() {
                let end = graph.nodes.iter().find(|node| node.role == NodeRole::End);
                self.events.chunk("\n", &[end.map_or("end", |end| &end.id), "answer"]);
            }
        }
    }

    /// Streams the chunks a node has by now; true when those were all.
    fn stream(&mut self, index: usize) -> bool {
        let node = &self.run.graph.nodes[index];
        for chunk in self.sent..self.done[index].chunks {
            let text = node.stream.get(chunk).map_or("", String::as_str);
            self.events.chunk(text, &[&node.id, "text"]);
        }
        self.sent = self.done[index].chunks;
        self.sent == node.chunks()
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

    /// The input that has a variable's value, if any: of its own name, else the first, else a file that is or has it.
    fn input_of(&self, segment: &OutputSegment) -> Option<(&'a str, Option<&'static str>)> {
        let run = self.run;
        let value = run.graph.reply.outputs.get(&segment.name)?;
        let named = run.inputs.get_key_value(&segment.name).filter(|(_, input)| same(input, value));
        let is_it = |(_, input): &(&String, &Value)| same(input, value) && !value.is_boolean();
        if let Some((key, _)) = named.or_else(|| run.inputs.iter().find(is_it)) {
            return Some((key, None));
        }
        let of_file =
            |(key, input): (&'a String, &Value)| Some((key.as_str(), Some(attribute_of(input, value)?)));
        run.inputs.iter().find_map(of_file)
    }

    fn segment(&mut self, segment: &OutputSegment, from: usize) {
        let run = self.run;
        let node = &run.graph.nodes[from];
        let value = run.graph.reply.outputs.get(&segment.name).unwrap_or(&Value::Null);
        match &segment.source {
            ValueSource::Stream(_) => {}
            ValueSource::Output(_, key) | ValueSource::Default(_, key) => {
                self.events.chunk(&shown(value), &[&node.id, key])
            }
            ValueSource::Open => {
                let (key, attribute) = self.input_of(segment).unwrap_or((&segment.name, None));
                let selector = [Some(node.id.as_str()), Some(key), attribute];
                let selector: Vec<&str> = selector.into_iter().flatten().collect();
                self.events.chunk(&shown(value), &selector);
            }
            // A null variable is streamed as an empty text, one without any source not at all.
            ValueSource::Nothing => match self.input_of(segment) {
                Some((key, _)) => self.events.chunk("", &[&node.id, key]),
                None if run.graph.names_outputs() => {}
                None => self.events.chunk("", &[&node.id, &segment.name]),
            },
        }
    }
}
