//! What to do about an error: Dify's own, or that of a machine in front of it.
//!
//! Dify's errors have a `code`. An HTTP error without one comes from a proxy, a gateway, a firewall or another server, which
//! knows nothing of workflows: advice about the workflow would lead to the wrong place.

use crate::dify::transcript::ResponseMode;
use crate::dify::wire::error::{ErrorClass, WireError, is_unreachable_file};
use crate::dify::wire::gateway::{GatewayReach, reach};

/// Advice on an HTTP answer that is an error.
pub(super) fn advise_on_answer(error: &WireError, mode: ResponseMode) -> Option<&'static str> {
    match error.code {
        None if (300..500).contains(&error.status) => Some(advise_on_stranger(error.status)),
        None | Some(_) => advise_on_event(error, mode),
    }
}

/// Advice on an `error` event, or on an answer that Dify itself gave.
pub(super) fn advise_on_event(error: &WireError, mode: ResponseMode) -> Option<&'static str> {
    let message = error.message.to_ascii_lowercase();
    if message.contains("no mock answer") {
        return Some("give the test a `mock:` key, or the suite a `mock` rule for these inputs");
    }
    if message.contains("workflow not published") {
        return Some("publish the workflow in Dify");
    }
    if is_unreachable_file(&error.message) {
        return Some(
            "Dify could not fetch the file: is its address right, and may Dify's `ssrf_proxy` reach that host?",
        );
    }
    match error.class {
        ErrorClass::Config => Some(advise_on_configuration(error, &message)),
        ErrorClass::Quota if error.not_started => {
            Some("too many runs at once: lower `concurrency` or `rate` of the target")
        }
        ErrorClass::Quota => Some("a quota is used up, at Dify or at the model's provider"),
        ErrorClass::Transport => Some(advise_on_transport(error, &message, mode)),
        ErrorClass::Rejected => None,
    }
}

fn advise_on_configuration(error: &WireError, message: &str) -> &'static str {
    let code = error.code.as_deref().unwrap_or_default();
    match (error.status, code) {
        (401, _) => "is `api_key` the key of this app? Dify has one key for each app, beginning with `app-`",
        (_, "workflow_version_execution_not_allowed") => {
            "this plan of Dify does not run pinned versions: leave `workflow_id` out"
        }
        (403, "forbidden") if message.contains("api service") => "switch on the app's API access in Dify",
        (403, "forbidden") => "Dify refuses access: look at the app and its workspace in Dify",
        (404, _) if message.starts_with("workflow not found") => {
            "is `workflow_id` a published version of this app?"
        }
        (404 | 405, _) => "does `base_url` end in `/v1`?",
        (415, _) => "the request was changed on its way: check what is between flowproof and Dify",
        (_, "not_workflow_app" | "app_unavailable") => {
            "flowproof tests workflow apps: is this the key of one?"
        }
        _ if message.contains("workflow_id") => "is `workflow_id` a published version of this app?",
        _ => "open the workflow in Dify: it cannot run as it is",
    }
}

fn advise_on_transport(error: &WireError, message: &str, mode: ResponseMode) -> &'static str {
    match error.status {
        400 if message.starts_with("the browser (or proxy) sent") => {
            "flowproof sends valid JSON: look at what changes requests between flowproof and Dify"
        }
        status if reach(status) == Some(GatewayReach::Never) => {
            "the gateway in front of Dify has no connection to it, so nothing ran: is Dify up, and does the gateway know its address and certificate?"
        }
        status if reach(status).is_some() && mode == ResponseMode::Blocking => {
            "a proxy gave up and the run goes on: use `response_mode: streaming`"
        }
        _ => "look into the logs of Dify's `api` and `worker`",
    }
}

/// Advice on a status that some other machine than Dify gave.
fn advise_on_stranger(status: u16) -> &'static str {
    match status {
        300..=399 | 404 | 405 => {
            "this is not Dify's API: look at `base_url`, with its scheme and the `/v1` at its end"
        }
        401 => {
            "a login in front of Dify refused this: look at `base_url`, and at what the gateway asks for (`headers`)"
        }
        402 => "the gateway in front of Dify asks for a payment: look at your account there",
        407 => "the proxy asks for a login: put user and password into `proxy`",
        413 => {
            "a proxy or gateway takes no request of this size: raise its limit (nginx: `client_max_body_size`)"
        }
        414 | 431 => {
            "a proxy or gateway takes no address or headers of this length: look at `headers` and at its limits"
        }
        429 => "a gateway in front of Dify limits the requests: lower `concurrency` or `rate` of the target",
        403 | 406 | 451 => {
            "a firewall or gateway in front of Dify refused this request: its log says why; Dify did not see the inputs"
        }
        _ => {
            "this answer is not Dify's: look at the proxy, gateway or firewall in front of it, and at `base_url`"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::wire::error::{classify_event, classify_http};

    #[test]
    fn machines_in_between_get_no_advice_about_the_workflow() {
        let page = b"<html><title>from a machine in between</title>";
        for status in (300..=499).chain([500, 502]) {
            for body in [&page[..], br#"{"message":"no"}"#, br#"{"code":7,"message":"no"}"#, b""] {
                let error = classify_http(status, "text/html", body);
                assert_ne!(error.class, ErrorClass::Rejected, "{status}: Dify has not seen the inputs");
                let advice =
                    advise_on_answer(&error, ResponseMode::Streaming).expect("each error has advice");
                for word in ["workflow_id", "pinned", "open the workflow", "cannot run"] {
                    assert!(!advice.contains(word), "{status}: {advice}");
                }
            }
        }
    }

    #[test]
    fn each_status_of_a_machine_in_between_has_its_advice() {
        for (status, expected) in [
            (301, "this is not Dify's API"),
            (404, "this is not Dify's API"),
            (405, "this is not Dify's API"),
            (401, "a login in front of Dify"),
            (402, "asks for a payment"),
            (403, "a firewall or gateway"),
            (406, "a firewall or gateway"),
            (451, "a firewall or gateway"),
            (407, "user and password into `proxy`"),
            (413, "no request of this size"),
            (414, "no address or headers of this length"),
            (431, "no address or headers of this length"),
            (429, "limits the requests"),
            (418, "this answer is not Dify's"),
            (500, "look into the logs"),
            (502, "look into the logs"),
            (521, "has no connection to it"),
        ] {
            let error = classify_http(status, "text/plain", b"x");
            let advice = advise_on_answer(&error, ResponseMode::Streaming).unwrap();
            assert!(advice.contains(expected), "{status}: {advice}");
        }
        let blocking = |status| {
            let error = classify_http(status, "text/plain", b"x");
            advise_on_answer(&error, ResponseMode::Blocking).unwrap()
        };
        assert!(blocking(504).contains("the run goes on: use `response_mode: streaming`"));
        assert!(blocking(500).contains("look into the logs"), "{}", blocking(500));
        assert!(blocking(521).contains("has no connection to it"));
    }

    #[test]
    fn errors_of_dify_keep_their_advice() {
        let cases = [
            (401, "unauthorized", "Access token is invalid", "is `api_key` the key"),
            (403, "forbidden", "The app's API service has been disabled.", "switch on the app's API"),
            (403, "forbidden", "The workspace's status is archived.", "app and its workspace"),
            (403, "workflow_version_execution_not_allowed", "", "pinned versions"),
            (404, "not_found", "Workflow not found with id: x", "published version"),
            (404, "not_found", "The requested URL was not found on the server.", "end in `/v1`"),
            (415, "unsupported_media_type", "Did not attempt to load JSON data", "changed on its way"),
            (429, "too_many_requests", "", "lower `concurrency`"),
            (429, "rate_limit_error", "", "a quota is used up"),
            (400, "not_workflow_app", "", "key of one"),
            (400, "invalid_param", "Workflow not published", "publish the workflow"),
            (400, "invalid_param", "Provider x does not exist.", "open the workflow"),
            (400, "invalid_param", "Reached maximum retries (3) for URL ftp://x", "could not fetch the file"),
            (400, "bad_request", "The browser (or proxy) sent a request that …", "changes requests"),
            (400, "bad_request", "Invalid workflow_id format: 'x'. ", "`workflow_id`"),
        ];
        for (status, code, message, expected) in cases {
            let body = serde_json::json!({ "code": code, "message": message, "status": status }).to_string();
            let error = classify_http(status, "application/json", body.as_bytes());
            let advice = advise_on_answer(&error, ResponseMode::Streaming).unwrap();
            assert!(advice.contains(expected), "{code} {message}: {advice}");
        }
        let event = classify_event(&serde_json::json!({ "event": "error", "status": 400, "message": "odd" }));
        assert_eq!(
            advise_on_event(&event, ResponseMode::Streaming),
            Some("open the workflow in Dify: it cannot run as it is")
        );
    }
}
