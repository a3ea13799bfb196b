//! Reads an endpoint's first answers as a doctor does: one line a fact, each finding with how to fix it.

use crate::app::live_app::diagnosis::{DiagnosisLine, FactState};
use crate::dify::client::EnquiryReply;
use crate::dify::wire::app_mode::AppMode;
use crate::dify::wire::error;
use crate::dify::wire::parameters::AppIdentity;

/// Clocks further apart than this mislead the search for lost runs, which goes by the server's times.
const MOST_SKEW: i64 = 60;
/// The versions whose answers were recorded and are known by heart.
const KNOWN: [&str; 2] = ["1.12.", "1.14."];

/// Where was asked.
#[derive(Debug, Clone)]
pub struct DiagnosisTarget {
    /// `base_url`.
    pub base_url: String,
    /// `insecure: true`.
    pub is_unchecked: bool,
    /// A `/v1` was asked for as well, and Dify answered there.
    pub has_dify_below: bool,
}

/// Returns whether an answer is one of Dify's API, refusals included.
pub fn is_dify(reply: &EnquiryReply) -> bool {
    reply.info().mode.is_some() || reply.refusal().is_whole()
}

/// Judges the address, its certificate, Dify's version and clock by the first answer.
pub fn judge_address(address: &DiagnosisTarget, first: &Result<EnquiryReply, String>) -> Vec<DiagnosisLine> {
    let base = &address.base_url;
    let reply = match first {
        Ok(reply) => reply,
        Err(reason) if reason.contains("certificate") => {
            let mend = "have the server present its whole chain, or name its authority in `ca_file`";
            return vec![DiagnosisLine::new(FactState::Unreachable, "TLS", format!("{reason}; {mend}"))];
        }
        Err(reason) => {
            let mend = "is Dify up, and are host and port of `base_url` (and `proxy`) right?";
            return vec![DiagnosisLine::new(
                FactState::Unreachable,
                "address",
                format!("{base}: {reason}; {mend}"),
            )];
        }
    };
    let mut lines = vec![address_line(address, reply), tls_line(address)];
    if is_dify(reply) {
        lines.extend([version_line(reply), clock_line(reply)]);
    }
    lines
}

fn address_line(address: &DiagnosisTarget, reply: &EnquiryReply) -> DiagnosisLine {
    let base = &address.base_url;
    let finding = |text: String| DiagnosisLine::new(FactState::Finding, "address", text);
    if address.has_dify_below {
        return finding(format!("{base} lacks /v1: write `base_url: {base}/v1`"));
    }
    if is_dify(reply) {
        return DiagnosisLine::new(FactState::Good, "address", format!("{base} answers as Dify's API does"));
    }
    let what = match &reply.location {
        Some(to) => format!("it redirects to {to}, and flowproof follows no redirects"),
        None => error::describe_body(&reply.content_type, &reply.body),
    };
    finding(format!(
        "{base} is not Dify's API (HTTP {}: {what}); `base_url` is shown on the app's page \"API Access\" and ends in /v1",
        reply.status
    ))
}

fn tls_line(address: &DiagnosisTarget) -> DiagnosisLine {
    if !address.base_url.to_ascii_lowercase().starts_with("https://") {
        return DiagnosisLine::new(
            FactState::Good,
            "TLS",
            "none: over http the key travels in the clear; fine on this machine only",
        );
    }
    if address.is_unchecked {
        let mend = "take `insecure` off and name the authority in `ca_file`";
        return DiagnosisLine::new(
            FactState::Finding,
            "TLS",
            format!("the certificate is not checked (`insecure: true`); {mend}"),
        );
    }
    DiagnosisLine::new(FactState::Good, "TLS", "the certificate is trusted")
}

fn version_line(reply: &EnquiryReply) -> DiagnosisLine {
    match &reply.dify_version {
        Some(version) if KNOWN.iter().any(|known| version.starts_with(known)) => {
            DiagnosisLine::new(FactState::Good, "version", format!("Dify {version}"))
        }
        Some(version) => {
            let text = format!(
                "Dify {version}; flowproof was proven with 1.12 and 1.14, and may not know all of this one"
            );
            DiagnosisLine::new(FactState::Untold, "version", text)
        }
        None => {
            let text =
                "there is no `X-Version` header: a proxy takes it away, or it is not Dify's own server";
            DiagnosisLine::new(FactState::Untold, "version", text)
        }
    }
}

fn clock_line(reply: &EnquiryReply) -> DiagnosisLine {
    let Some(date) = reply.date else {
        return DiagnosisLine::new(FactState::Untold, "clock", "the server sends no `Date`");
    };
    let ahead = date - reply.at.as_second();
    if ahead.abs() <= MOST_SKEW {
        return DiagnosisLine::new(
            FactState::Good,
            "clock",
            format!("the server's differs by {} s", ahead.abs()),
        );
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let mend = "set both by NTP; lost runs are looked for by the server's times";
    DiagnosisLine::new(
        FactState::Finding,
        "clock",
        format!("the server's is {} s {way} this machine's; {mend}", ahead.abs()),
    )
}

/// Judges one app's key and mode by `/info`, and what it publishes by `/parameters`.
pub fn judge_app(
    info: &Result<EnquiryReply, String>,
    parameters: Option<&Result<EnquiryReply, String>>,
) -> Vec<DiagnosisLine> {
    let reply = match info {
        Ok(reply) => reply,
        Err(reason) => {
            return vec![DiagnosisLine::new(
                FactState::Unreachable,
                "app",
                format!("/info: {reason}; try again"),
            )];
        }
    };
    if reply.status != 200 {
        return vec![refused_line(reply)];
    }
    let mode = mode_line(&reply.info());
    let mut lines = vec![DiagnosisLine::new(FactState::Good, "key", "it is accepted"), mode];
    lines.extend(parameters.map(inputs_line));
    lines
}

/// Why an app reports nothing about itself, and what fixes it. Only a 401 is about the key.
fn refused_line(reply: &EnquiryReply) -> DiagnosisLine {
    let refusal = reply.refusal();
    let message = refusal.message.unwrap_or_default().to_ascii_lowercase();
    let (what, fix) = match (reply.status, refusal.code) {
        (401, Some(_)) => {
            ("key", "copy it anew from the app's page \"API Access\" (keys of datasets do not do)")
        }
        (401, None) => {
            ("app", "a login in front of Dify refuses the call: look at the gateway, and at `headers`")
        }
        (403, Some(_)) if message.contains("api service") => {
            ("app", "the key is right: switch on the app's API access on its page \"API Access\"")
        }
        (403, Some(_)) => ("app", "look at the app and its workspace in Dify"),
        (402 | 403 | 406 | 451, None) => {
            ("app", "a firewall or gateway in front of Dify refuses the call: its log says why")
        }
        (404, Some(_)) => ("app", "is the app still there, and does `base_url` end in `/v1`?"),
        (407, _) => ("app", "the proxy asks for a login: put user and password into `proxy`"),
        (429, _) => ("app", "Dify or a gateway limits the calls: try again in a minute"),
        (500..=599, _) => ("app", "look into the log of Dify's `api`, and at the proxy in front of it"),
        _ => ("app", "publish the app and enable its API"),
    };
    DiagnosisLine::new(FactState::Finding, what, format!("/info is refused: {}; {fix}", said(reply)))
}

fn mode_line(info: &AppIdentity) -> DiagnosisLine {
    let name = &info.name;
    match &info.mode {
        Some(AppMode::Workflow) => {
            DiagnosisLine::new(FactState::Good, "app", format!("`{name}` is a workflow"))
        }
        Some(mode) => {
            let mend = "flowproof tests apps of mode `workflow`; use the key of one";
            DiagnosisLine::new(
                FactState::Finding,
                "app",
                format!("`{name}` has the mode `{}`; {mend}", mode.word()),
            )
        }
        None => DiagnosisLine::new(
            FactState::Finding,
            "app",
            format!("`{name}` does not report its mode, which must be `workflow`"),
        ),
    }
}

fn inputs_line(reply: &Result<EnquiryReply, String>) -> DiagnosisLine {
    let reply = match reply {
        Ok(reply) => reply,
        Err(reason) => {
            return DiagnosisLine::new(
                FactState::Unreachable,
                "inputs",
                format!("/parameters: {reason}; try again"),
            );
        }
    };
    match reply.inputs().filter(|_| reply.status == 200) {
        Some(inputs) if inputs.is_empty() => {
            DiagnosisLine::new(FactState::Good, "inputs", "it is published and takes no inputs")
        }
        Some(inputs) => {
            let names: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
            DiagnosisLine::new(
                FactState::Good,
                "inputs",
                format!("it is published and takes {}", names.join(", ")),
            )
        }
        None if reply.status == 429 => {
            let fix = "Dify or a gateway limits the calls: try again in a minute";
            DiagnosisLine::new(
                FactState::Unreachable,
                "inputs",
                format!("/parameters: {}; {fix}", said(reply)),
            )
        }
        None if reply.refusal().code.as_deref() == Some("app_unavailable") => {
            let mend = "press Publish in Dify's editor";
            DiagnosisLine::new(
                FactState::Finding,
                "inputs",
                format!("no version is published ({}); {mend}", said(reply)),
            )
        }
        None => {
            let text = format!("/parameters has no form that can be read: {}", said(reply));
            DiagnosisLine::new(FactState::Finding, "inputs", text)
        }
    }
}

/// What can only be found out by a run, which would cost.
pub fn untold(target: &str) -> [DiagnosisLine; 2] {
    let run = format!("`flowproof run --target {target}`");
    [
        DiagnosisLine::new(
            FactState::Untold,
            "published",
            format!("no call reports which version is published; {run} records it"),
        ),
        DiagnosisLine::new(
            FactState::Untold,
            "streaming",
            format!("whether a proxy holds events back shows in a run only; {run} times them"),
        ),
    ]
}

fn said(reply: &EnquiryReply) -> String {
    let refusal = reply.refusal();
    match (refusal.code, refusal.message) {
        (Some(code), Some(message)) => format!("HTTP {} {code}: {message}", reply.status),
        _ => format!("HTTP {}: {}", reply.status, error::describe_body(&reply.content_type, &reply.body)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn reply(status: u16, body: &str, at: i64) -> EnquiryReply {
        EnquiryReply {
            status,
            content_type: "application/json".to_owned(),
            dify_version: Some("1.14.2".to_owned()),
            location: None,
            date: Some(1_000),
            at: Timestamp::from_second(at).unwrap(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        let state = |at| clock_line(&reply(200, "{}", at)).state;
        assert_eq!(
            [state(940), state(1_060), state(939), state(1_061)],
            [FactState::Good, FactState::Good, FactState::Finding, FactState::Finding]
        );
    }

    #[test]
    fn json_alone_is_not_dify() {
        assert!(!is_dify(&reply(200, r#"{"status":"ok"}"#, 0)));
        assert!(is_dify(&reply(401, r#"{"code":"unauthorized","message":"m","status":401}"#, 0)));
    }

    #[test]
    fn what_a_server_says_steers_no_terminal() {
        let info = Ok(reply(200, r#"{"mode":"workflow","name":"a\u001b[2Jb"}"#, 1_000));
        assert!(judge_app(&info, None).iter().all(|line| !line.text.contains('\u{1b}')));
    }

    #[test]
    fn only_a_wrong_key_is_called_wrong() {
        let error = |code: &str, message: &str, status: u16| {
            let body = serde_json::json!({ "code": code, "message": message, "status": status });
            reply(status, &body.to_string(), 0)
        };
        let disabled = error("forbidden", "The app's API service has been disabled.", 403);
        let cases = [
            (error("unauthorized", "Access token is invalid", 401), "key", "copy it anew"),
            (disabled, "app", "switch on the app's API access"),
            (error("forbidden", "The workspace's status is archived.", 403), "app", "workspace in Dify"),
            (error("not_found", "App not found", 404), "app", "still there"),
            (error("too_many_requests", "slow down", 429), "app", "try again in a minute"),
            (reply(403, r#"{"message":"blocked"}"#, 0), "app", "firewall or gateway"),
            (reply(401, "<html>login</html>", 0), "app", "a login in front of Dify"),
            (error("unknown", "Internal Server Error", 500), "app", "log of Dify's `api`"),
        ];
        for (answer, what, fix) in cases {
            let lines = judge_app(&Ok(answer), None);
            let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
            assert_eq!((line.state, line.topic), (FactState::Finding, what), "{}", line.text);
            assert!(line.text.contains(fix), "{}", line.text);
            assert_eq!(line.text.contains("copy it"), what == "key", "{}", line.text);
        }
    }
}
