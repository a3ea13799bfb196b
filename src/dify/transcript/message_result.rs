//! What Dify reports at the end of a message: of `message_end`, or of a blocking answer of a chat app.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_decimal::decimal;

/// The end of a message of a chat app or a completion.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageResult {
    /// What the models used. Dify counts those inside of iterations and loops twice.
    pub usage: MessageUsage,
    /// The passages of documents that the answer was given.
    pub sources: Vec<RetrievedSource>,
    /// The files of the message; `None` where it does not say.
    pub files: Option<Value>,
    /// The whole of it, unknown fields included.
    pub data: Value,
}

/// What a message says that it used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageUsage {
    /// Tokens that went in.
    pub prompt_tokens: Option<u64>,
    /// Tokens that came out.
    pub completion_tokens: Option<u64>,
    /// Their sum; 0 where it says 0.
    pub total_tokens: Option<u64>,
    /// The price; `None` where it has more digits than are held exactly.
    pub total_price: Option<Decimal>,
    /// `USD`, …; `None` where it is not reported.
    pub currency: Option<String>,
}

/// A passage of a document of a knowledge base.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrievedSource {
    /// Where it is among the sources, from 1.
    pub position: Option<u64>,
    /// The knowledge base.
    pub dataset: Option<String>,
    /// The document.
    pub document: Option<String>,
    /// How well it fits the question, as Dify says.
    pub score: Option<f64>,
    /// Its text.
    pub content: Option<String>,
    /// The whole of it, unknown fields included.
    pub data: Value,
}

impl MessageResult {
    /// Reads the end of a message.
    pub fn of(data: Value) -> Self {
        let metadata = &data["metadata"];
        let sources = metadata["retriever_resources"].as_array();
        Self {
            usage: MessageUsage::of(&metadata["usage"]),
            sources: sources.into_iter().flatten().map(RetrievedSource::of).collect(),
            files: Some(&data["files"]).filter(|files| !files.is_null()).cloned(),
            data,
        }
    }
}

impl MessageUsage {
    fn of(usage: &Value) -> Self {
        let price = BorrowedValue::of(&usage["total_price"]);
        Self {
            prompt_tokens: usage["prompt_tokens"].as_u64(),
            completion_tokens: usage["completion_tokens"].as_u64(),
            total_tokens: usage["total_tokens"].as_u64(),
            total_price: decimal(&price),
            currency: usage["currency"].as_str().map(str::to_owned),
        }
    }
}

impl RetrievedSource {
    fn of(source: &Value) -> Self {
        let text = |key: &str| source[key].as_str().map(str::to_owned);
        Self {
            position: source["position"].as_u64(),
            dataset: text("dataset_name"),
            document: text("document_name"),
            score: source["score"].as_f64(),
            content: text("content"),
            data: source.clone(),
        }
    }
}
