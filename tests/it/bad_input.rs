//! Suites, outputs, keys and endpoints nobody wished for: each has its verdict, exit code and readable word, and no report breaks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::live::{Live, Ran, assert_hidden, case, command, finish, junit, report, run, written};
use crate::project::{Project, text};
use crate::server::{
    KEY, Seen, Server, Step, document, finished, good, refusal, run_document, started, stream_head, succeed,
    suite_of, target,
};

// Suites.

fn expect_problem(suite: &str, words: &[&str]) {
    let project = Project::with_suite(suite);
    let output = project.run(&["run"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    assert!(text.contains("nothing was sent"), "{text}");
    assert!(!project.path("reports").exists());
}

#[test]
fn what_can_never_be_red_is_refused() {
    expect_problem("version: 1\nname: S\ntests: []\n", &["suites/s.yaml:3:", "tests"]);
    expect_problem("version: 1\nname: S\n", &["suites/s.yaml:1:1", "tests"]);
    let with =
        |assertion: &str| format!("version: 1\nname: S\ntests:\n  - name: a\n    assert: [{assertion}]\n");
    expect_problem(&with("{ path: $.x }"), &["suites/s.yaml:5:"]);
    expect_problem(&with("{ path: $.x, contains: '' }"), &["suites/s.yaml:5:"]);
    expect_problem(&with("{ path: $.x, contains_any: [] }"), &["suites/s.yaml:5:"]);
    expect_problem(&with("{ any_of: [] }"), &["suites/s.yaml:5:"]);
    expect_problem("version: 1\nname: S\ntests: [{ name: a, each: [] }]\n", &["suites/s.yaml:3:", "each"]);
    expect_problem("version: 1\nname: S\ntests: [{ name: a, matrix: { x: [] } }]\n", &["suites/s.yaml:3:"]);
}

#[test]
fn a_test_without_assertions_still_asserts_success() {
    let suite = "version: 1\nname: S\ntests: [{ name: a }]\n";
    let live = Live::new(suite, "", good);
    live.expect(0, &[]);
    let report = report(&live.project);
    assert_eq!(case(&report, "a")["attempts"][0]["findings"].as_array().unwrap().len(), 1);
    let failed = |seen: &Seen| {
        let mut steps = succeed(seen, "{}");
        if let Step::Send(bytes) = &mut steps[0] {
            *bytes = String::from_utf8(bytes.clone())
                .unwrap()
                .replace("\"succeeded\"", "\"different\"")
                .into_bytes();
        }
        steps
    };
    let live = Live::new(suite, "", failed);
    let ran = live.expect(100, &[]);
    assert!(ran.text.contains("status is succeeded (implied)"), "{}", ran.text);
}

#[test]
fn a_path_that_matches_nothing_breaks_every_predicate_even_negated() {
    let predicates = [
        "equals: 1",
        "not: { equals: 1 }",
        "match: none, equals: 1",
        "match: all, equals: 1",
        "match: any, gt: 0",
        "type: 'null'",
        "empty: true",
        "exists: true",
        "regex: a",
        "not: { contains: a }",
        "length: 0",
        "one_of: [1]",
        "count: { gte: 1 }",
    ];
    for predicate in predicates {
        let suite = format!(
            "version: 1\nname: S\ntests:\n  - name: a\n    assert: [{{ path: $.nope, {predicate} }}]\n"
        );
        let live = Live::new(&suite, "", good);
        let ran = live.expect(100, &[]);
        assert_eq!(live.verdict("a"), "failed", "{predicate}");
        assert!(ran.text.contains("$.nope"), "{predicate}: {}", ran.text);
    }
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    assert: [{ path: $.nope, exists: false }, { path: $.nope, count: 0 }]\n";
    Live::new(suite, "", good).expect(0, &[]);
}

#[test]
fn two_tests_of_one_name_are_a_problem_that_names_both_places() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n  - name: b\n  - name: a\n";
    expect_problem(suite, &["suites/s.yaml:6:11", "4:11"]);
    let project = Project::with_suite("version: 1\nname: S\ntests: [{ name: a }]\n");
    project.write("suites/t.yaml", "version: 1\nname: S\ntests: [{ name: a }]\n");
    let ran = finish(&project, project.command(&["run"]));
    assert_eq!(ran.code, Some(2), "{}", ran.text);
    assert!(ran.text.contains("suites/t.yaml") && ran.text.contains("suites/s.yaml:3"), "{}", ran.text);
}

#[test]
fn inputs_go_out_as_they_are_written_or_not_at_all() {
    let sent = |inputs: &str| {
        let suite = format!("version: 1\nname: S\ntests:\n  - name: a\n    inputs: {{ {inputs} }}\n");
        let live = Live::new(&suite, "", good);
        live.expect(0, &[]);
        live.server.runs()[0].body["inputs"].clone()
    };
    assert_eq!(
        sent("d: 2026-01-02, t: 2026-01-02T03:04:05Z"),
        json!({ "d": "2026-01-02", "t": "2026-01-02T03:04:05Z" })
    );
    assert_eq!(
        sent("a: 9007199254740993, b: 18446744073709551615, c: -9223372036854775808").to_string(),
        r#"{"a":9007199254740993,"b":18446744073709551615,"c":-9223372036854775808}"#
    );
    assert_eq!(
        sent("a: 123456789012345678901234567890, b: -9223372036854775809, c: 0.1000000000000000000001, d: 1e400").to_string(),
        r#"{"a":123456789012345678901234567890,"b":-9223372036854775809,"c":0.1000000000000000000001,"d":1e+400}"#
    );
    assert_eq!(
        sent("z: 007, u: 1_000, y: yes, n: ~"),
        json!({ "z": "007", "u": "1_000", "y": "yes", "n": null })
    );
    assert_eq!(sent(r#"s: "\u00e9\u2028\u0007 \U0001F600", q: "it's \"x\" \\ /""#)["s"], "é\u{2028}\u{7} 😀");
    let refused = |inputs: &str, word: &str| {
        let suite = format!("version: 1\nname: S\ntests:\n  - name: a\n    inputs: {{ x: {inputs} }}\n");
        expect_problem(&suite, &[word, "suites/s.yaml:5:"]);
    };
    refused("1e99999999999999999999", "too large to be kept exactly");
    refused(".inf", "not a finite number");
    refused(".nan", "not a finite number");
    refused("!!binary /////w==", "binary data");
    refused("!thing 1", "tag");
    refused("{ 1: 2, 1: 3 }", "1");
}

// Outputs.

const WATCH: &str = "version: 1\nname: S\ntests:\n  - name: a\n    assert:\n      - { path: $.x, equals: expected }\n      - { path: $, contains: nothing }\n";

/// A run whose outputs are this JSON text, judged by two assertions that do not hold.
fn outputs(text: &str, blocking: bool) -> (Live, Ran) {
    let suite = if blocking {
        WATCH.replace("    assert:", "    response_mode: blocking\n    assert:")
    } else {
        WATCH.to_owned()
    };
    let own = text.to_owned();
    let live = Live::new(&suite, "", move |seen| succeed(seen, &own));
    let ran = live.run(&[]);
    report(&live.project);
    junit(&live.project);
    assert_hidden(&live.project, &ran, &[KEY]);
    (live, ran)
}

#[test]
fn outputs_that_are_no_json_are_errored_in_both_modes() {
    for text in [
        r#"{"x": "\ud800"}"#,
        r#"{"x": "\udc00\ud800"}"#,
        r#"{"x": NaN}"#,
        r#"{"x": -Infinity}"#,
        r#"{"x": 'a'}"#,
        "{\"x\": \"\u{1}\"}",
    ] {
        for blocking in [false, true] {
            let (live, ran) = outputs(text, blocking);
            assert_eq!(ran.code, Some(3), "{text}: {}", ran.text);
            assert_eq!(live.verdict("a"), "errored", "{text}");
            assert!(ran.text.contains("not JSON"), "{text}: {}", ran.text);
        }
    }
}

#[test]
fn outputs_in_bad_utf_8_are_errored() {
    for blocking in [false, true] {
        let suite = if blocking {
            WATCH.replace("    assert:", "    response_mode: blocking\n    assert:")
        } else {
            WATCH.to_owned()
        };
        let live = Live::new(&suite, "", |seen| {
            let mut steps = succeed(seen, r#"{"x":"@"}"#);
            if let Step::Send(bytes) = &mut steps[0] {
                let place = bytes.iter().position(|byte| *byte == b'@').unwrap();
                bytes[place] = 0xff;
            }
            steps
        });
        let ran = live.expect(3, &[]);
        assert_eq!(live.verdict("a"), "errored", "{}", ran.text);
        report(&live.project);
    }
}

#[test]
fn hostile_texts_are_shown_harmlessly() {
    let hostile = [
        "\u{1b}[31mred\u{1b}]0;title\u{7}",
        "</script><script>alert(1)</script>",
        "]]>&amp;<![CDATA[",
        "\u{9b}31m\u{202e}abc\u{feff}",
        "a\r\nb\0c\u{fffe}\u{ffff}",
        "::error file=x::y\n##[group]z",
        "😀\u{1F1E9}\u{1F1EA}é\u{301}",
    ];
    for text in hostile {
        for blocking in [false, true] {
            let (live, ran) = outputs(&json!({ "x": text, text: text }).to_string(), blocking);
            assert_eq!(ran.code, Some(100), "{text:?}: {}", ran.text);
            for bad in ['\u{1b}', '\u{9b}', '\u{7}', '\0', '\u{202e}', '\r'] {
                assert!(!ran.text.contains(bad), "{bad:?} of {text:?} is on the terminal: {:?}", ran.text);
            }
            let report = report(&live.project);
            let findings = &case(&report, "a")["attempts"][0]["findings"];
            assert_eq!(findings[0]["actual"], text, "the report keeps the text as it is");
        }
    }
}

#[test]
fn hostile_texts_elsewhere_are_shown_harmlessly_too() {
    let evil = "\\u001b[31mred\\u0007\\u0000";
    let body = format!(r#"{{"code":"invalid_param","message":"{evil}","status":400}}"#);
    let live = Live::new(WATCH, "", move |_| {
        vec![Step::Send(document("400 Bad", "application/json", body.as_bytes()))]
    });
    let ran = live.run(&[]);
    assert!(!ran.text.contains('\u{1b}') && !ran.text.contains('\0'), "{:?}", ran.text);
    report(&live.project);
    junit(&live.project);
    let html = "<html><title>\u{1b}[2J\u{9b}x</title></html>".as_bytes();
    let live = Live::new(WATCH, "", move |_| vec![Step::Send(document("502 Bad", "text/html", html))]);
    let ran = live.expect(3, &[]);
    assert!(!ran.text.contains('\u{1b}') && !ran.text.contains('\u{9b}'), "{:?}", ran.text);
    let failed = move |_: &Seen| {
        let node = format!(r#"{{"id":"e1","node_id":"n1","node_type":"code","title":"{evil}","index":1}}"#);
        let done = format!(
            r#"{{"id":"e1","node_id":"n1","node_type":"code","title":"{evil}","index":1,"status":"failed","error":"{evil}","inputs":{{}},"outputs":{{}},"process_data":{{}},"elapsed_time":0.1,"execution_metadata":null}}"#
        );
        let end = String::from_utf8(finished("t", "{}")).unwrap();
        let end = end
            .split_once("\r\n")
            .unwrap()
            .1
            .trim_end()
            .replace("\"succeeded\"", "\"failed\"")
            .replace("\"error\":null", &format!("\"error\":\"{evil}\""));
        let events = [
            started("t"),
            crate::server::event("t", "node_started", &node),
            crate::server::event("t", "node_finished", &done),
        ];
        let end = crate::server::chunk(format!("{end}\n\n").as_bytes());
        vec![Step::Send([stream_head(), events.concat(), end, b"0\r\n\r\n".to_vec()].concat())]
    };
    let live = Live::new(WATCH, "", failed);
    let ran = live.expect(100, &["-v"]);
    assert!(!ran.text.contains('\u{1b}') && !ran.text.contains('\u{7}'), "{:?}", ran.text);
    assert!(ran.text.contains("red"), "{}", ran.text);
    report(&live.project);
    junit(&live.project);
}

#[test]
fn ten_megabytes_of_text_are_judged_and_cut_in_reports() {
    let long: String = "word ".repeat(2 << 20);
    let suite = "version: 1\nname: S\ntests:\n  - name: good\n    assert: [{ path: $.x, contains: the end, length: 10485767 }]\n  - name: bad\n    assert: [{ path: $.x, equals: expected }, { path: $.x, similar: { to: other words, min: 0.9 } }, { path: $.x, ends_with: word }]\n";
    for blocking in [false, true] {
        let suite = if blocking {
            suite.replace("    assert", "    response_mode: blocking\n    assert")
        } else {
            suite.to_owned()
        };
        let answer = json!({ "x": format!("{long}the end") }).to_string();
        let live = Live::new(&suite, "", move |seen| succeed(seen, &answer));
        let ran = live.expect(100, &[]);
        assert_eq!(
            (live.verdict("good"), live.verdict("bad")),
            ("passed".to_owned(), "failed".to_owned()),
            "{}",
            ran.text
        );
        assert!(ran.text.len() < 20_000, "{} bytes on the terminal", ran.text.len());
        for (name, bytes) in written(&live.project) {
            assert!(bytes.len() < 1 << 20, "{name} has {} bytes", bytes.len());
        }
        junit(&live.project);
    }
}

#[test]
fn what_is_given_twice_is_undecided_in_both_modes() {
    for blocking in [false, true] {
        let (live, ran) = outputs(r#"{"x": "first", "x": "expected"}"#, blocking);
        assert_eq!(ran.code, Some(3), "{}", ran.text);
        let report = report(&live.project);
        let findings = case(&report, "a")["attempts"][0]["findings"].as_array().unwrap();
        assert_eq!(findings[0]["truth"], "undecided", "nobody knows which one counts: {findings:?}");
    }
}

#[test]
fn outputs_of_great_depth_are_errored_and_break_nothing() {
    for (depth, code) in [(100, 100), (100_000, 3)] {
        let text = format!("{{\"x\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let (_, ran) = outputs(&text, true);
        assert_eq!(ran.code, Some(code), "depth {depth}: {}", ran.text);
    }
}

#[test]
fn outputs_that_are_no_object_break_assertions() {
    for text in ["null", "[]", "1", "\"x\""] {
        let (live, ran) = outputs(text, false);
        assert!(matches!(ran.code, Some(100 | 3)), "{text}: {}", ran.text);
        assert_ne!(live.verdict("a"), "passed", "{text}");
    }
}

// Keys and addresses.

#[test]
fn a_key_that_no_header_carries_is_refused_unseen() {
    for key in [
        "app-SeCrEtPaRt\n",
        "app-SeCrEtPaRt\nX-Evil: 1",
        "app-SeCrEtPaRt\u{e9}",
        " app-SeCrEtPaRt",
        "app-SeCrEtPaRt\tx",
    ] {
        let live = Live::new(&suite_of(1), "", good);
        let mut command = command(&live.project, &[]);
        command.env("TEST_KEY", key);
        let ran = finish(&live.project, command);
        assert_eq!(ran.code, Some(3), "{}", ran.text);
        assert!(ran.text.contains("the API key of the target `live` cannot be used"), "{}", ran.text);
        assert_hidden(&live.project, &ran, &["SeCrEtPaRt"]);
        assert!(live.server.requests().is_empty());
    }
}

/// A server that knows only `/v1`, as Dify does.
fn only_v1(seen: &Seen) -> Vec<Step> {
    if seen.target.starts_with("POST /v1/workflows/run") {
        return good(seen);
    }
    let page = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n";
    vec![Step::Send(document("404 NOT FOUND", "text/html; charset=utf-8", page))]
}

#[test]
fn a_base_url_without_v1_is_told_as_such() {
    let server = Server::start(only_v1);
    let project = Project::with_suite(&suite_of(5));
    for base in [format!("http://{}", server.address()), format!("http://{}/v2/", server.address())] {
        target(&project, &base, "");
        let before = server.requests().len();
        let ran = run(&project, &["-j", "1"]);
        assert_eq!(ran.code, Some(3), "{}", ran.text);
        assert!(
            ran.text.contains("404") && ran.text.contains("does `base_url` end in `/v1`?"),
            "{}",
            ran.text
        );
        assert_eq!(server.requests().len(), before + 1, "the other tests would meet the same");
    }
    target(&project, &format!("http://{}/v1/", server.address()), "");
    assert_eq!(run(&project, &[]).code, Some(0), "a slash at the end does no harm");
}

#[test]
fn a_base_url_that_is_none_is_a_problem() {
    for base in ["ftp://x/v1", "dify.example/v1", "http://", "http://x/v1?a=b", "http://[::1/v1"] {
        let project = Project::with_suite(&suite_of(1));
        target(&project, &format!("\"{base}\""), "");
        let ran = run(&project, &[]);
        assert_eq!(ran.code, Some(2), "{base}: {}", ran.text);
        assert!(ran.text.contains("`base_url` is no address"), "{base}: {}", ran.text);
    }
}

// Endpoints.

#[test]
fn strange_endpoints_are_errored_with_a_word_for_what_they_did() {
    let html =
        || vec![Step::Send(document("200 OK", "text/html", b"<html><title>Welcome to nginx</title></html>"))];
    let login = || {
        let head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/login\r\nContent-Length: 0\r\n\r\n";
        vec![Step::Send(head.to_vec())]
    };
    let text = |text: &'static str| {
        move || vec![Step::Send(document("200 OK", "application/json", text.as_bytes()))]
    };
    type Answer = Box<dyn Fn() -> Vec<Step> + Send + Sync>;
    let endpoints: Vec<(&str, Answer, &[&str])> = vec![
        ("HTML", Box::new(html), &["text/html", "Welcome to nginx", "`/v1`"]),
        ("closes at once", Box::new(|| vec![Step::Close]), &["the connection was closed before an answer"]),
        ("resets", Box::new(|| vec![Step::Reset]), &["reset before an answer"]),
        ("never answers", Box::new(|| vec![Step::Hang]), &["no answer within 500 ms"]),
        (
            "no HTTP",
            Box::new(|| vec![Step::Send(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), Step::Hang]),
            &["the answer is not HTTP"],
        ),
        ("a redirect", Box::new(login), &["302", "redirects are not followed"]),
        ("empty", Box::new(text("")), &["empty body"]),
        ("no run", Box::new(text("{}")), &["the answer"]),
        ("null", Box::new(text("null")), &["the answer"]),
        ("a list", Box::new(text("[1]")), &["the answer"]),
        ("half", Box::new(text("{\"task_id\": \"t")), &["the answer is not JSON"]),
        (
            "202",
            Box::new(|| {
                vec![Step::Send(document(
                    "202 Accepted",
                    "application/json",
                    b"{\"event\":\"workflow_maintenance_paused\"}",
                ))]
            }),
            &["maintenance"],
        ),
        ("204", Box::new(|| vec![Step::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())]), &["204"]),
        (
            "half an answer",
            Box::new(|| {
                vec![
                    Step::Send(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
                            .to_vec(),
                    ),
                    Step::Close,
                ]
            }),
            &["the connection was closed after 1 byte"],
        ),
        (
            "no events",
            Box::new(|| vec![Step::Send([stream_head(), b"0\r\n\r\n".to_vec()].concat())]),
            &["the connection ended before the run did"],
        ),
        (
            "garbage events",
            Box::new(|| {
                vec![Step::Send(
                    [stream_head(), crate::server::chunk(b"data: {nope}\n\n"), b"0\r\n\r\n".to_vec()]
                        .concat(),
                )]
            }),
            &["event 1 is not JSON"],
        ),
    ];
    for (name, answer, words) in endpoints {
        for mode in ["streaming", "blocking"] {
            let suite =
                suite_of(1).replace("    inputs:", &format!("    response_mode: {mode}\n    inputs:"));
            let first = answer();
            let live = Live::new(
                &suite,
                "retries: { delay: 1ms }\ntimeouts: { first_event: 500ms, idle: 500ms, total: 60s }",
                move |_| first.clone(),
            );
            let ran = live.expect(3, &[]);
            assert_eq!(live.verdict("t0"), "errored", "{name}, {mode}");
            for word in words {
                assert!(ran.text.contains(word), "{name}, {mode}: {word:?} is not in {}", ran.text);
            }
            assert_eq!(live.server.runs().len(), 1, "{name}, {mode}");
            assert_eq!(junit(&live.project)["error"], 1, "{name}, {mode}");
            assert_hidden(&live.project, &ran, &[KEY]);
        }
    }
}

#[test]
fn the_parser_is_chosen_by_what_came() {
    let suite =
        |mode: &str| suite_of(1).replace("    inputs:", &format!("    response_mode: {mode}\n    inputs:"));
    let stream = |seen: &Seen| {
        let mut asked = seen.clone();
        asked.body["response_mode"] = Value::from("streaming");
        good(&asked)
    };
    Live::new(&suite("blocking"), "", stream).expect(0, &[]);
    let blocking = |_: &Seen| {
        vec![Step::Send(document("200 OK", "application/json", run_document(r#"{"x":1}"#).as_bytes()))]
    };
    Live::new(&suite("streaming"), "", blocking).expect(0, &[]);
    let error_in_stream = |_: &Seen| {
        let event = b"data: {\"event\":\"error\",\"workflow_run_id\":null,\"code\":\"internal_server_error\",\"status\":500,\"message\":\"it broke\"}\n\n";
        vec![Step::Send([stream_head(), crate::server::chunk(event)].concat()), Step::Hang]
    };
    for mode in ["streaming", "blocking"] {
        let live = Live::new(&suite(mode), "timeouts: { total: 60s }", error_in_stream);
        let ran = live.expect(3, &[]);
        assert!(ran.text.contains("it broke"), "an `error` event ends the run at once: {}", ran.text);
    }
}

#[test]
fn a_terminal_event_ends_the_run_though_the_socket_stays_open() {
    let live = Live::new(&suite_of(3), "timeouts: { idle: 60s, total: 100s }", |_| {
        vec![Step::Send([stream_head(), started("t"), finished("t", r#"{"x":1}"#)].concat()), Step::Hang]
    });
    live.expect(0, &["-j", "1"]);
    assert!(live.server.stops().is_empty(), "a finished run is not stopped");
}

#[test]
fn a_slow_drip_is_read_to_its_end() {
    let live = Live::new(&suite_of(1), "timeouts: { idle: 5s, total: 60s }", |seen| {
        let Step::Send(bytes) = good(seen).remove(0) else { panic!("one answer") };
        let mut steps = Vec::new();
        for piece in bytes.chunks(7) {
            steps.extend([Step::Send(piece.to_vec()), Step::Sleep(Duration::from_millis(2))]);
        }
        steps
    });
    live.expect(0, &[]);
}

// Secrets.

const HUSH: &str = "hush-hush \"quoted\" /slash/ ünï+x";

/// Everything an endpoint can say a secret in, with assertions that do not hold and differences to show.
fn tattle(seen: &Seen, secret: &str) -> Vec<Step> {
    let encoded = crate::live::base64(secret.as_bytes());
    let outputs = json!({
        "x": format!("some words before {secret} and after"),
        "b64": encoded,
        secret: secret,
        "deep": [{ "list": [secret, { "k": format!("{secret}{secret}") }] }],
        "json": json!({ "inner": secret }).to_string(),
    })
    .to_string();
    match seen.input("t") {
        "error" => refusal(400, "invalid_param", &format!("{secret} is required in input form")),
        "config" => refusal(500, "internal_server_error", &format!("the key {secret} broke it")),
        "html" => vec![Step::Send(document(
            "502 Bad",
            "text/html",
            format!("<title>for {secret}</title>").as_bytes(),
        ))],
        "event" => {
            let event = json!({ "event": "error", "workflow_run_id": null, "code": "unknown", "status": 500, "message": format!("no {secret}") });
            let event = format!("data: {event}\n\n");
            vec![Step::Send([stream_head(), crate::server::chunk(event.as_bytes())].concat()), Step::Close]
        }
        "garbage" => {
            vec![Step::Send(document("200 OK", "application/json", format!("{{{secret}").as_bytes()))]
        }
        "node" => {
            let title = json!(secret).to_string();
            let node =
                format!(r#"{{"id":"e1","node_id":"n1","node_type":"code","title":{title},"index":1}}"#);
            let done = format!(
                r#"{{"id":"e1","node_id":"n1","node_type":"code","title":{title},"index":1,"status":"failed","error":{title},"inputs":{{"k":{title}}},"outputs":{{"k":{title}}},"process_data":{{}},"elapsed_time":0.1,"execution_metadata":null}}"#
            );
            let events = [
                started("t"),
                crate::server::event("t", "node_started", &node),
                crate::server::event("t", "node_finished", &done),
                crate::server::event(
                    "t",
                    "text_chunk",
                    &format!(r#"{{"text":{title},"from_variable_selector":["n1","text"]}}"#),
                ),
                finished("t", &outputs),
            ];
            vec![Step::Send([stream_head(), events.concat(), b"0\r\n\r\n".to_vec()].concat())]
        }
        _ => {
            let body = run_document(&outputs)
                .replace("\"run-1\"", &json!(secret).to_string())
                .replace("\"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345\"", &json!(secret).to_string());
            let version = if secret.is_ascii() {
                format!("X-Version: {secret}\r\nX-Trace-Id: {secret}\r\n")
            } else {
                String::new()
            };
            vec![Step::Send(crate::server::with_headers(
                "200 OK",
                "application/json",
                &version,
                body.as_bytes(),
            ))]
        }
    }
}

const CURIOUS: &str = r#"version: 1
name: S
tests:
  - name: echo
    each: [{ id: plain }, { id: error }, { id: config }, { id: html }, { id: event }, { id: garbage }, { id: node }]
    inputs: { t: "{{ row.id }}" }
    assert:
      - { path: $.x, equals: some words before nothing and after }
      - { path: $.x, equals: "some words before app-K3yOfTheTests/9999+x and after hush-hush" }
      - { path: $.x, regex: '^\d+$' }
      - { path: $, equals: { x: 1, deep: [{ list: [1, { k: 2 }] }] } }
      - { path: $.deep, includes: [{ list: [a] }] }
      - { path: $.json, transform: [json], equals: { inner: 1 } }
      - { path: $.x, similar: { to: other, min: 1 } }
      - { path: $.x, schema: { type: number } }
      - { path: "$.deep[0].list[*]", equals: 1 }
      - { path: $.missing, equals: 1 }
      - { from: response, path: $.headers, equals: {} }
      - { from: response, path: "$.headers['x-version']", equals: 1 }
      - { from: run, path: $, equals: {} }
      - { from: text, path: $, equals: "no" }
      - { from: events, path: $, length: 0 }
      - { error: { contains: nothing of the kind } }
      - { workflow_id: other }
"#;

#[test]
fn secrets_that_the_endpoint_tells_are_masked_everywhere() {
    for secret in [KEY, HUSH] {
        let server = Server::start(move |seen| tattle(seen, secret));
        let project = Project::with_suite(CURIOUS);
        target(&project, &server.base_url(), "retries: 0\nheaders: { X-Own: \"{{ env.HUSH }}\" }");
        let file = project
            .read("flowproof.yaml")
            .replace("headers: { X-Own: \"{{ env.HUSH }}\" }", "headers: { X-Own: own }");
        project.write("flowproof.yaml", format!("{file}secrets: [HUSH]\n"));
        for args in [&[][..], &["-v"], &["-q"], &["--color", "always", "-j", "1"]] {
            let mut command = command(&project, args);
            command.env("HUSH", HUSH).env("GITHUB_ACTIONS", "true");
            let ran = finish(&project, command);
            assert_eq!(ran.code, Some(100), "{}", ran.text);
            report(&project);
            junit(&project);
            assert!(ran.text.contains("***"), "what is masked is shown as such: {}", ran.text);
            assert_hidden(&project, &ran, &[secret]);
        }
    }
}

#[test]
fn a_key_given_as_an_input_is_masked_in_the_curl_line() {
    let suite = format!(
        "version: 1\nname: S\ntests:\n  - name: a\n    inputs: {{ k: \"{KEY}\" }}\n    assert: [{{ path: $.x, equals: 2 }}, {{ from: inputs, path: $.k, equals: 1 }}]\n"
    );
    let live = Live::new(&suite, "", good);
    let ran = live.expect(100, &[]);
    assert_eq!(live.server.runs()[0].body["inputs"]["k"], KEY, "what is sent is not masked");
    assert!(ran.text.contains("curl"), "{}", ran.text);
    let files = written(&live.project);
    assert!(files.iter().all(|(_, bytes)| memchr::memmem::find(bytes, KEY.as_bytes()).is_none()));
}

#[test]
fn a_secret_that_is_cut_where_texts_are_shortened_leaves_no_piece() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    assert:\n      - { path: $.x, equals: z }\n      - { path: $.x, regex: zz }\n      - { path: $.x, starts_with: z }\n      - { path: $.x, ends_with: zzzzz }\n      - { path: $.x, transform: [to_number], gt: 3 }\n      - { path: $.x, schema: { type: number } }\n      - { path: $, equals: { x: z } }\n      - { path: $.y, equals: z }\n  - name: b\n";
    for shift in [0, 1, 5, 11, 17] {
        let live = Live::new(suite, "retries: 0", move |seen| {
            let text = format!("{}{}", "b".repeat(shift), KEY.repeat(2000));
            if seen.number % 2 == 0 {
                let outputs = json!({ "x": text, "y": { "deep": [text.clone(), { text.clone(): 1 }] } });
                succeed(seen, &outputs.to_string())
            } else {
                vec![Step::Send(document("502 Bad", "text/html", text.as_bytes()))]
            }
        });
        let ran = live.expect(100, &["-j", "1"]);
        assert_hidden(&live.project, &ran, &[KEY, &KEY[..6]]);
    }
}

/// Three tests whose texts differ from a secret of several words by one word, which a difference would single out.
const SPLIT: &str = r#"version: 1
name: S
tests:
  - name: red
    assert: [{ path: $.x, equals: "hush-hush \"other\" /slash/ ünï+x" }]
  - name: red-object
    assert: [{ path: $, equals: { x: "hush-hush \"other\" /slash/ ünï+x" } }]
  - name: warned
    assert: [{ path: $.x, equals: "hush-hush \"other\" /slash/ ünï+x", severity: warn }, { path: $.x, equals: 1, severity: warn }]
"#;

#[test]
fn a_secret_that_a_difference_takes_apart_is_masked_at_both_doors() {
    let live = Live::new(SPLIT, "", |seen| succeed(seen, &json!({ "x": HUSH }).to_string()));
    let file = live.project.read("flowproof.yaml");
    live.project.write("flowproof.yaml", format!("{file}secrets: [HUSH]\n"));
    for args in [&[][..], &["-v"], &["-v", "--color", "always"]] {
        let mut command = command(&live.project, args);
        let ran = finish(&live.project, {
            command.env("HUSH", HUSH);
            command
        });
        assert_eq!(ran.code, Some(100), "{}", ran.text);
        assert_hidden(&live.project, &ran, &[HUSH, "quoted"]);
    }
    let mut trials = crate::harness::trials(&live.project, &[]);
    trials.env("HUSH", HUSH).env("TEST_KEY", KEY).env("FLOWPROOF_TARGET", "live");
    let ran = finish(&live.project, trials);
    assert_eq!(ran.code, Some(101), "{}", ran.text);
    assert!(ran.text.contains("***") && ran.text.contains("1 passed; 2 failed"), "{}", ran.text);
    assert_hidden(&live.project, &ran, &[HUSH, "quoted"]);
}

#[test]
fn secrets_that_the_endpoint_tells_are_masked_in_the_harness() {
    for secret in [KEY, HUSH] {
        let server = Server::start(move |seen| tattle(seen, secret));
        let project = Project::with_suite(CURIOUS);
        target(&project, &server.base_url(), "retries: 0");
        let file = project.read("flowproof.yaml");
        project.write("flowproof.yaml", format!("{file}secrets: [HUSH]\n"));
        let mut trials = crate::harness::trials(&project, &[]);
        trials.env("HUSH", HUSH).env("TEST_KEY", KEY).env("FLOWPROOF_TARGET", "live");
        let ran = finish(&project, trials);
        assert_eq!(ran.code, Some(101), "{}", ran.text);
        assert!(ran.text.contains("***"), "{}", ran.text);
        assert_hidden(&project, &ran, &[secret]);
    }
}
