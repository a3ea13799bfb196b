//! Judges as a plan has them: whom to ask, and how often.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::dify::client::Endpoint;

/// A judge, ready to be asked.
pub struct PlannedJudge {
    /// Whom to ask.
    pub kind: JudgeWay,
    /// How many votes it gives to each question; odd.
    pub repeat: u32,
    /// How long one vote may take.
    pub timeout: Duration,
}

/// The way to a judge.
pub enum JudgeWay {
    /// An OpenAI-compatible endpoint.
    Endpoint {
        /// Address and transport settings.
        endpoint: Box<Endpoint>,
        /// Its key, if it has one.
        api_key: Option<SecretString>,
        /// The model it runs.
        model: String,
    },
    /// An app of the target.
    App(Arc<str>),
}
