//! The command that asks a live app about itself, `doctor`: against recorded Difys and strangers.

use std::net::TcpListener;
use std::process::Output;

use serde_json::Value;

use crate::human_input::Mock;
use crate::project::{GREEN, Project, code, text};
use crate::server::{KEY, Seen, Server, Step, document, refusal, target, with_headers};
use crate::transport::certified;

/// The versions whose answers were recorded.
const VERSIONS: [&str; 2] = ["1.12.1", "1.14.2"];

/// A recorded answer; its `Date` is left out, for it is of another day.
fn recorded(version: &str, case: &str) -> Vec<Step> {
    let path = format!("{}/tests/data/wire/{version}/{case}.json", env!("CARGO_MANIFEST_DIR"));
    let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let response = &recording["response"];
    let head = format!("X-Version: {version}\r\n");
    let body = response["body"].as_str().unwrap().as_bytes();
    vec![Step::Send(with_headers(&format!("{} Said", response["status"]), "application/json", &head, body))]
}

/// A Dify of this version with this recorded app.
pub fn dify(version: &'static str, app: &'static str) -> Server {
    let info = if app == "file2" || app == "unpublished" || app == "user_q" { "echo" } else { app };
    Server::start(move |seen| {
        if !seen.head.contains(&format!("bearer {}", KEY.to_lowercase())) {
            return refusal(401, "unauthorized", "Access token is invalid");
        }
        match seen.target.as_str() {
            "GET /v1/info" => recorded(version, &format!("info.{info}")),
            "GET /v1/parameters" => recorded(version, &format!("parameters.{app}")),
            _ => page(seen),
        }
    })
}

fn page(_: &Seen) -> Vec<Step> {
    vec![Step::Send(document("404 NOT FOUND", "text/html", b"<html><title>404 Not Found</title></html>"))]
}

fn doctor(base_url: &str, key: &str) -> (i32, String) {
    let project = Project::empty();
    target(&project, base_url, "");
    let said = run(&project, &["doctor"], key);
    (code(&said), text(&said))
}

fn run(project: &Project, args: &[&str], key: &str) -> Output {
    let said = project.command(args).env("TEST_KEY", key).output().unwrap();
    assert!(!text(&said).contains(key), "the key is told: {}", text(&said));
    said
}

#[test]
fn a_sound_target_of_both_versions_is_told_so() {
    for version in VERSIONS {
        let server = dify(version, "echo");
        let (code, said) = doctor(&server.base_url(), KEY);
        assert_eq!(code, 0, "{said}");
        let facts = [
            "answers as Dify's API does",
            "it is accepted",
            "`echo` is a workflow",
            &format!("Dify {version}"),
            "takes `text`, `para`, `num`, `sel`, `flag`, `obj`, `dflt`",
            "whether a proxy holds events back shows in a run only",
            "no call reports which version is published",
        ];
        for fact in facts {
            assert!(said.contains(fact), "{fact}: {said}");
        }
        assert_eq!(server.runs().len(), 0, "a doctor runs nothing");
    }
}

#[test]
fn what_is_wrong_with_an_app_is_a_finding() {
    for version in VERSIONS {
        let (code, said) = doctor(&dify(version, "chatflow").base_url(), KEY);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("has the mode `advanced-chat`"), "{said}");
        let (code, said) = doctor(&dify(version, "unpublished").base_url(), KEY);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("no version is published") && said.contains("press Publish"), "{said}");
        let (code, said) = doctor(&dify(version, "echo").base_url(), "app-of-somebody-else");
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("wrong  key        /info is refused: HTTP 401 unauthorized"), "{said}");
    }
}

#[test]
fn a_missing_v1_is_found_without_telling_the_key() {
    let server = dify("1.14.2", "echo");
    let base = server.base_url();
    let (code, said) = doctor(base.trim_end_matches("/v1"), KEY);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("lacks /v1: write `base_url: {base}`")), "{said}");
}

#[test]
fn strangers_are_not_taken_for_dify() {
    let pages = Server::start(|_| vec![Step::Send(document("200 OK", "text/html", b"<title>Hi</title>"))]);
    let (code, said) = doctor(&pages.base_url(), KEY);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("is not Dify's API") && !said.contains("ok     key"), "{said}");
    let moved = Server::start(|_| {
        vec![Step::Send(with_headers("301 Moved", "text/html", "Location: https://new.example/v1\r\n", b""))]
    });
    let (code, said) = doctor(&moved.base_url(), KEY);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("redirects to https://new.example/v1"), "{said}");
    let (code, said) = doctor(&Server::start(|_| vec![Step::Close]).base_url(), KEY);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_closed_port_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (code, said) = doctor(&format!("http://127.0.0.1:{port}/v1"), KEY);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("is Dify up"), "{said}");
}

#[test]
fn clocks_that_differ_are_a_finding() {
    let server = Server::start(|_| {
        let head = "Date: Mon, 23 Nov 2020 18:42:00 GMT\r\n";
        vec![Step::Send(with_headers(
            "200 OK",
            "application/json",
            head,
            br#"{"name":"a","mode":"workflow"}"#,
        ))]
    });
    let (code, said) = doctor(&server.base_url(), KEY);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("behind this machine's; set both by NTP"), "{said}");
}

#[test]
fn the_built_in_mock_is_sound() {
    let mock = Mock::start(&Project::with_suite(GREEN));
    let (code, said) = doctor(&mock.1, KEY);
    assert_eq!(code, 0, "{said}");
    for fact in [
        "answers as Dify's API does",
        "it is accepted",
        "is a workflow",
        "Dify 1.14",
        "the server's differs by",
    ] {
        assert!(said.contains(fact), "{fact}: {said}");
    }
}

#[test]
fn certificates_are_looked_at() {
    let (authority, config) = certified();
    let (stranger, _) = certified();
    let server = Server::start_tls(config, |seen| match seen.target.as_str() {
        "GET /v1/info" => recorded("1.14.2", "info.echo"),
        "GET /v1/parameters" => recorded("1.14.2", "parameters.echo"),
        _ => page(seen),
    });
    let project = Project::empty();
    project.write("ca.pem", authority);
    project.write("stranger.pem", stranger);
    for (keys, expected, fact) in [
        ("ca_file: ca.pem", 0, "ok     TLS        the certificate is trusted"),
        ("", 3, "name its authority in `ca_file`"),
        ("ca_file: stranger.pem", 3, "name its authority in `ca_file`"),
        ("insecure: true", 1, "wrong  TLS        the certificate is not checked"),
    ] {
        target(&project, &server.base_url(), keys);
        let said = run(&project, &["doctor", "live"], KEY);
        assert_eq!(code(&said), expected, "{keys}: {}", text(&said));
        assert!(text(&said).contains(fact), "{keys}: {}", text(&said));
    }
    let plain = dify("1.14.2", "echo");
    let (code, said) = doctor(&plain.base_url().replace("http://", "https://"), KEY);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_key_that_is_not_set_and_no_target_are_told() {
    let server = dify("1.14.2", "echo");
    let project = Project::empty();
    target(&project, &server.base_url(), "");
    let said = project.run(&["doctor"]);
    assert_eq!(code(&said), 1, "{}", text(&said));
    assert!(text(&said).contains("TEST_KEY") && text(&said).contains("ok     address"), "{}", text(&said));
    let said = Project::empty().run(&["doctor"]);
    assert_eq!(code(&said), 3, "{}", text(&said));
    assert!(text(&said).contains("there is no flowproof.yaml"), "{}", text(&said));
}
