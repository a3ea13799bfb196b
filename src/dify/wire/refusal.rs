//! What Dify says in place of an answer: a code and a message.

use serde_json::Value;

/// The body of a refusal; what is no text in it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefusalBody {
    /// `unauthorized`, `app_unavailable`, …
    pub code: Option<String>,
    /// Dify's words.
    pub message: Option<String>,
}

impl RefusalBody {
    /// Reads it; both are missing from what is no refusal.
    pub fn decode(json: &Value) -> Self {
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        Self { code: text("code"), message: text("message") }
    }

    /// True where it has both, as each error of Dify's API has.
    pub fn is_whole(&self) -> bool {
        self.code.is_some() && self.message.is_some()
    }
}
