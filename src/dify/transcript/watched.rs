//! Which of the answers of an attempt are compared with what Dify is known to send.

use super::{SideAnswer, SideCall, Transcript};
use crate::dify::wire::contract::WatchedAnswer;
use crate::dify::wire::refusal::RefusalBody;

impl Transcript {
    /// What its document is; `None` where something else than Dify wrote it, or a stream came.
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
    /// What the answer to another call is; `None` where something else than Dify wrote it, or nothing is known of it.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, ResponseMode};

    fn answered(status: u16, body: Value) -> Transcript {
        let begun = begin(ResponseMode::Blocking, json!({}), PostedRequest::default());
        Transcript { http_status: Some(status), body: Some(body), ..begun }
    }

    #[test]
    fn a_document_is_held_against_what_it_is() {
        let refusal = || json!({ "code": "invalid_param", "message": "no", "status": 400 });
        for (status, body, expected) in [
            (200, json!({ "data": { "status": "paused" } }), Some(WatchedAnswer::Paused)),
            (200, json!({ "data": { "status": "succeeded" } }), Some(WatchedAnswer::Run)),
            (200, json!({ "data": {} }), Some(WatchedAnswer::Run)),
            (200, json!({ "data": [] }), None),
            (200, json!({}), None),
            (200, refusal(), None),
            (202, json!({ "data": { "status": "paused" } }), None),
            (302, refusal(), None),
            (400, refusal(), Some(WatchedAnswer::Refusal)),
            (502, refusal(), Some(WatchedAnswer::Refusal)),
            (400, json!({ "message": "no" }), None),
            (400, json!({ "code": "x" }), None),
            (400, json!({ "code": 7, "message": "no" }), None),
            (502, json!("<html>"), None),
        ] {
            assert_eq!(answered(status, body.clone()).watched_answer(), expected, "{status} {body}");
        }
        assert_eq!(Transcript { body: None, ..answered(200, json!({})) }.watched_answer(), None);
    }

    #[test]
    fn an_answer_to_another_call_is_held_against_that_of_its_kind() {
        let refusal = || json!({ "code": "not_found", "message": "no" });
        for (call, status, json, expected) in [
            (SideCall::Upload, 201, json!({}), Some(WatchedAnswer::Upload)),
            (SideCall::Detail, 200, json!({}), Some(WatchedAnswer::Detail)),
            (SideCall::Logs, 200, json!({}), Some(WatchedAnswer::Logs)),
            (SideCall::Form, 200, json!({}), Some(WatchedAnswer::Form)),
            (SideCall::Events, 200, json!({}), None),
            (SideCall::Submit, 200, json!({}), None),
            (SideCall::Detail, 302, refusal(), None),
            (SideCall::Detail, 404, refusal(), Some(WatchedAnswer::Refusal)),
            (SideCall::Submit, 404, refusal(), Some(WatchedAnswer::Refusal)),
            (SideCall::Detail, 404, json!({ "message": "no" }), None),
        ] {
            let aside = SideAnswer { call, status, json, dify_version: None };
            assert_eq!(aside.watched_answer(), expected, "{call:?} {status}");
        }
    }
}
