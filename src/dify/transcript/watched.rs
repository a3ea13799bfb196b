//! Which of the answers of an attempt are compared with what Dify is known to send.

use super::{SideAnswer, SideCall, Transcript};
use crate::dify::wire::contract::WatchedAnswer;
use crate::dify::wire::refusal::RefusalBody;

impl Transcript {
    /// What its document is; none where something else than Dify wrote it, or a stream came.
    pub fn watched_answer(&self) -> Option<WatchedAnswer> {
        let body = self.body.as_ref()?;
        match self.http_status? {
            200 if body["data"]["status"] == "paused" => Some(WatchedAnswer::Paused),
            200 if body["data"].is_object() => Some(WatchedAnswer::Run),
            200..=399 => None,
            _ => RefusalBody::decode(body).is_whole().then_some(WatchedAnswer::Refusal),
        }
    }
}

impl SideAnswer {
    /// What the answer to another call is; none where something else than Dify wrote it, or nothing is known of it.
    pub fn watched_answer(&self) -> Option<WatchedAnswer> {
        match (self.status, self.call) {
            (200..=299, SideCall::Upload) => Some(WatchedAnswer::Upload),
            (200..=299, SideCall::Detail) => Some(WatchedAnswer::Detail),
            (200..=299, SideCall::Logs) => Some(WatchedAnswer::Logs),
            (200..=299, SideCall::Form) => Some(WatchedAnswer::Form),
            (200..=299, SideCall::Events | SideCall::Submit) | (0..=399, _) => None,
            (400.., _) => RefusalBody::decode(&self.json).is_whole().then_some(WatchedAnswer::Refusal),
        }
    }
}
