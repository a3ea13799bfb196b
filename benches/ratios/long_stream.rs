//! A stream of 500 chunks, made from the recording: its events, keys and order, with more and other model text.
//!
//! Texts, outputs, tokens and prices are those of the longer text, so that they agree with each other as Dify's do.

use serde_json::{Value, json};

use crate::failure::Failure;

/// The `text_chunk` events of the stream.
pub const CHUNKS: usize = 500;
/// All its data events: the chunks, start and end of the run and of four nodes.
pub const EVENTS: usize = CHUNKS + 2 + 2 * 4;

/// What the models say, a token each, over and over.
const TOKENS: [&str; 24] = [
    "I ", "am ", "sorry ", "that ", "your ", "kettle ", "arrived ", "broken", ". ", "We ", "will ",
    "refund ", "€", "39", ".", "90 ", "to ", "your ", "card ", "within ", "five ", "working ", "days", ". ",
];

/// The tokens of each recorded prompt, and its price and that of a token of the answer, in 10⁻⁷ dollars.
const PROMPT_TOKENS: usize = 14;
const PROMPT_PRICE: usize = 21;
const TOKEN_PRICE: usize = 6;

/// A stream of many chunks, and what can be checked of it.
#[derive(Debug, Default)]
pub struct LongStream {
    /// Its events in order, each with the blank line that ends it.
    pub events: Vec<String>,
    first: Speech,
    second: Speech,
}

/// What a model says.
#[derive(Debug, Default)]
struct Speech {
    text: String,
    tokens: usize,
}

impl LongStream {
    /// Makes the stream of the recorded one: each chunk of model text becomes some 35.
    pub fn from(recorded: &str) -> Result<Self, Failure> {
        let blocks: Vec<(&str, Value)> =
            recorded.split_inclusive("\n\n").map(|block| (block, read_event(block))).collect();
        let chunks = blocks.iter().filter(|(_, event)| event["event"] == "text_chunk").count();
        let spoken = blocks.iter().filter(|(_, event)| is_spoken(event)).count();
        let wanted = (CHUNKS + spoken).saturating_sub(chunks);
        let mut made = Self::default();
        let mut seen = 0;
        for (block, event) in blocks {
            if is_spoken(&event) {
                (seen * wanted / spoken..(seen + 1) * wanted / spoken)
                    .for_each(|_| made.speak(event.clone()));
                seen += 1;
            } else {
                made.take(block, event);
            }
        }
        let told = made.events.iter().filter(|event| event.starts_with("data: ")).count();
        if told == EVENTS {
            return Ok(made);
        }
        Err(Failure::unreadable("the stream of many chunks", format!("it has {told} events, not {EVENTS}")))
    }

    /// Characters of the output that is checked.
    pub fn first_characters(&self) -> usize {
        self.first.text.chars().count()
    }

    /// Characters of all streamed text: both models', and the line break between them.
    pub fn streamed_characters(&self) -> usize {
        self.first_characters() + 1 + self.second.text.chars().count()
    }

    /// Adds a chunk with the next token.
    fn speak(&mut self, mut event: Value) {
        let token = TOKENS[(self.first.tokens + self.second.tokens) % TOKENS.len()];
        let is_first = event["data"]["from_variable_selector"][0] == "one";
        let speech = if is_first { &mut self.first } else { &mut self.second };
        speech.text.push_str(token);
        speech.tokens += 1;
        event["data"]["text"] = token.into();
        self.push(&event);
    }

    /// Adds any other event, with what follows from the longer text.
    fn take(&mut self, block: &str, mut event: Value) {
        let kind = event["event"].as_str().unwrap_or_default().to_owned();
        let node = event["data"]["node_id"].as_str().unwrap_or_default().to_owned();
        match (kind.as_str(), node.as_str()) {
            ("node_finished", "one") => self.first.finish(&mut event["data"]),
            ("node_finished", "two") => self.second.finish(&mut event["data"]),
            ("node_finished", "end") => {
                event["data"]["inputs"] = self.outputs();
                event["data"]["outputs"] = self.outputs();
            }
            ("workflow_finished", _) => {
                event["data"]["outputs"] = self.outputs();
                event["data"]["total_tokens"] = (self.first.total() + self.second.total()).into();
            }
            _ => return self.events.push(block.to_owned()),
        }
        self.push(&event);
    }

    fn outputs(&self) -> Value {
        json!({ "first": self.first.text, "second": self.second.text })
    }

    fn push(&mut self, event: &Value) {
        self.events.push(format!("data: {event}\n\n"));
    }
}

impl Speech {
    /// Prompt and answer.
    fn total(&self) -> usize {
        PROMPT_TOKENS + self.tokens
    }

    /// Puts the text and what it costs into the end of its node.
    fn finish(&self, data: &mut Value) {
        let total_price = price(PROMPT_PRICE + self.tokens * TOKEN_PRICE);
        for place in ["process_data", "outputs"] {
            let usage = &mut data[place]["usage"];
            usage["completion_tokens"] = self.tokens.into();
            usage["completion_price"] = price(self.tokens * TOKEN_PRICE).into();
            usage["total_tokens"] = self.total().into();
            usage["total_price"] = total_price.clone().into();
        }
        data["outputs"]["text"] = self.text.clone().into();
        data["execution_metadata"]["total_tokens"] = self.total().into();
        data["execution_metadata"]["total_price"] = total_price.into();
    }
}

/// A price as Dify writes it, from 10⁻⁷ dollars; all of these are below a dollar.
fn price(amount: usize) -> String {
    format!("0.{amount:07}")
}

/// The JSON of an event; null for what has none, as a ping.
fn read_event(block: &str) -> Value {
    let data = block.strip_prefix("data: ").unwrap_or_default();
    serde_json::from_str(data).unwrap_or(Value::Null)
}

/// True for a chunk with model text in it.
fn is_spoken(event: &Value) -> bool {
    event["event"] == "text_chunk" && !event["data"]["text"].as_str().unwrap_or_default().trim().is_empty()
}
