//! Values that are sent and known to be secret are nowhere: headers, parts of keys, keys with quotes in them.

use serde_json::json;

use crate::live::{assert_hidden, command, finish};
use crate::project::{Project, code, text};
use crate::server::{Seen, Server, Step, refusal, succeed, target};

const SUITE: &str = "version: 1\nname: S\ntests:\n  - name: a\n    inputs: { q: \"{{ env.FLOWPROOF_VAR_Q }}\" }\n    assert: [{ path: $.x, equals: y }, { path: $.x, snapshot: true }]\n";

/// Says everything that it was sent.
fn echo(seen: &Seen) -> Vec<Step> {
    match seen.is_run() {
        true => succeed(seen, &json!({ "x": seen.head, "q": seen.body["inputs"] }).to_string()),
        false => refusal(404, "not_found", &format!("no route for {}", seen.head)),
    }
}

#[test]
fn headers_and_parts_of_keys_are_masked_at_every_door() {
    let server = Server::start(echo);
    let project = Project::with_suite(&SUITE.replace("FLOWPROOF_VAR_Q", "SHOWN"));
    target(
        &project,
        &server.base_url(),
        "retries: 0\nheaders: { X-Gateway: \"{{ env.GATEWAY }}\", X-Plain: plain-token-12, Cookie: \"sid={{ env.SID }}; a=b\" }",
    );
    let file = project.read("flowproof.yaml").replace("{{ env.TEST_KEY }}", "tenant7.{{ env.TKEY | lower }}");
    project.write("flowproof.yaml", format!("{file}env: [SHOWN]\n"));
    let variables = [
        ("TKEY", "APP-inner-0123"),
        ("GATEWAY", "gateway-token-0123"),
        ("SID", "session-0123"),
        ("SHOWN", "shown"),
    ];
    let hidden = ["app-inner-0123", "gateway-token-0123", "plain-token-12", "session-0123"];
    for args in [&["run", "--record", "all"][..], &["run", "-v"], &["report", "latest"]] {
        let mut command = project.command(args);
        let target = (args[0] == "run").then_some(["--target", "live"]);
        command.args(target.iter().flatten()).envs(variables).env("GITHUB_ACTIONS", "true");
        let ran = finish(&project, command);
        assert!(ran.text.contains("x-gateway: ***"), "the answer is shown: {}", ran.text);
        assert_hidden(&project, &ran, &hidden);
    }
    for args in [&["doctor", "live"][..], &["check", "--against", "live"], &["init", "live"]] {
        let said = project.command(args).envs(variables).output().unwrap();
        assert!(text(&said).contains("no route"), "{}", text(&said));
        assert!(hidden.iter().all(|hidden| !text(&said).contains(hidden)), "{}", text(&said));
    }
}

#[test]
fn a_key_with_quotes_in_it_is_masked_before_it_is_quoted() {
    let key = "app-it's-\"quoted\"-\\0123";
    let server = Server::start(|seen| succeed(seen, &json!({ "x": seen.body["inputs"]["q"] }).to_string()));
    let project = Project::with_suite(SUITE);
    target(&project, &server.base_url(), "");
    let file = project.read("flowproof.yaml");
    project.write("flowproof.yaml", format!("{file}env: [FLOWPROOF_VAR_Q]\n"));
    let mut command = command(&project, &["--record", "all"]);
    command.env("TEST_KEY", key).env("FLOWPROOF_VAR_Q", key);
    let ran = finish(&project, command);
    assert_eq!(server.runs()[0].body["inputs"]["q"], key, "what is sent is not masked");
    assert!(ran.text.contains("curl") && ran.text.contains("***"), "{}", ran.text);
    assert_hidden(&project, &ran, &[key, "app-it", "quoted"]);
}

#[test]
fn a_key_in_quotes_is_named_before_anything_is_sent() {
    let server = Server::start(echo);
    let project = Project::with_suite(&SUITE.replace("{{ env.FLOWPROOF_VAR_Q }}", "a"));
    target(&project, &server.base_url(), "");
    for args in [&["run", "--target", "live"][..], &["doctor", "live"]] {
        let said = project.command(args).env("TEST_KEY", "\"app-in-quotes\"").output().unwrap();
        assert_ne!(code(&said), 0);
        assert!(text(&said).contains("is in quotes"), "{}", text(&said));
        assert!(!text(&said).contains("app-in-quotes"), "{}", text(&said));
    }
    assert!(server.requests().iter().all(|seen| !seen.head.contains("app-in-quotes")));
}
